"""The way to a server in the same process."""

from argosy.client.transport import InProcess
from argosy.http.message import Request, Response


async def test_the_handler_is_asked_with_the_token() -> None:
    seen: list[Request] = []

    async def handler(request: Request) -> Response:
        seen.append(request)
        return Response(201, {"a": "b"}, b"body")

    transport = InProcess(handler, "secret")
    sent = Request("PUT", "/path", "q=1", {"accept": "x", "authorization": "other"}, b"data")
    response = await transport.send(sent)
    await transport.close()

    assert (response.status, response.body) == (201, b"body")
    (asked,) = seen
    assert (asked.method, asked.path, asked.query, asked.body) == ("PUT", "/path", "q=1", b"data")
    assert asked.headers == {"accept": "x", "authorization": "Bearer secret"}
    assert sent.headers["authorization"] == "other"  # which is the caller's
