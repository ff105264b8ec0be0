"""Large answers come compressed to whoever takes that."""

import gzip
from collections.abc import AsyncGenerator

import pytest

from argosy.apiserver.compress import THRESHOLD, compressed, large
from argosy.http.message import Request, Response
from tests.apiserver.kit import Api, path

MAPS = path("ConfigMap")
BODY = b'{"a":"b"}' * THRESHOLD


def takes(encoding: str) -> Request:
    return Request("GET", "/", headers={"accept-encoding": encoding})


def answer(body: bytes = BODY, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(200, {"content-type": "application/json", **named}, body)


@pytest.mark.parametrize("size", [0, THRESHOLD, THRESHOLD + 1])
def test_only_large_answers_are_worth_it(size: int) -> None:
    assert large(Response(200, body=b"x" * size)) is (size > THRESHOLD)


async def test_a_stream_is_not() -> None:
    async def pieces() -> AsyncGenerator[bytes, None]:
        yield BODY

    assert not large(Response(200, body=pieces()))


@pytest.mark.parametrize("encoding", ["gzip", "deflate, gzip", "gzip,br", " gzip "])
async def test_who_takes_gzip(encoding: str) -> None:
    small = await compressed(takes(encoding), answer(vary="Accept"))

    assert isinstance(small.body, bytes)
    assert gzip.decompress(small.body) == BODY
    assert small.headers["content-encoding"] == "gzip"
    assert small.headers["vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize("encoding", ["", "br", "gzip;q=0", "*", "x-gzip"])
async def test_who_does_not(encoding: str) -> None:
    assert (await compressed(takes(encoding), answer())).body == BODY


@pytest.mark.parametrize(
    "headers", [{"content_type": "text/plain"}, {"etag": '"a"'}, {"content_encoding": "br"}]
)
async def test_what_is_left_alone(headers: dict[str, str]) -> None:
    assert (await compressed(takes("gzip"), answer(BODY, **headers))).body == BODY


async def test_a_large_list_over_the_api(api: Api) -> None:
    for name in ("a", "b"):
        sent = {"metadata": {"name": name}, "data": {"a": "x" * THRESHOLD}}
        assert (await api.ask("POST", MAPS, sent)).status == 201
    headers = {"authorization": f"Bearer {api.cluster.plane.token}", "accept-encoding": "gzip"}
    handle = api.cluster.plane.server.handle
    small = await handle(Request("GET", MAPS, "", headers))
    plain = await handle(Request("GET", MAPS, "", {**headers, "accept-encoding": "br"}))

    assert isinstance(small.body, bytes) and isinstance(plain.body, bytes)
    assert len(small.body) < 10_000 < THRESHOLD < len(plain.body)
    assert gzip.decompress(small.body) == plain.body
