"""Commands in running containers and requests to pods, over sockets and with real processes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
import pytest_asyncio

from argosy.api.core import Pod
from argosy.http.message import Handler, Request
from argosy.http.server import serve
from argosy.node.runtimes.host import HostRuntime
from tests.node.builders import Running, container, node, pod_body, shell

MISSING = HostRuntime().missing()
pytestmark = [
    pytest.mark.skipif(MISSING is not None, reason=MISSING or ""),
    pytest.mark.asyncio(loop_scope="module"),
]
V4, V5 = "v4.channel.k8s.io", "v5.channel.k8s.io"
FOREVER = "trap 'exit 0' TERM; echo $SECRET > /tmp/secret; while :; do sleep 0.02; done"
SECRET = [{"name": "SECRET", "value": "of the pod"}]


@dataclass
class Place:
    """A node with running pods, and where its door is."""

    running: Running
    url: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    root: Path = tmp_path_factory.mktemp("node")
    async with node(root) as running, served(running.agent.handle) as url:
        plain = {"env": SECRET, "workingDir": "/tmp/work"}
        await running.create(pod_body(shell(FOREVER, **plain), name="p"))
        await running.create(pod_body(container("true"), name="over"))
        web = (
            "import http.server as h, os; h.HTTPServer((os.environ['IP'], 8000), "
            "h.SimpleHTTPRequestHandler).serve_forever()"
        )
        env = [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
        probe = {"httpGet": {"port": 8000}, "periodSeconds": 1}
        page = container(
            "python", "-c", web, env=env, readinessProbe=probe, workingDir="/usr/share"
        )
        await running.create(pod_body(page, name="web"))
        await running.until("p", "Running")
        await running.until("over", "Succeeded")
        await running.cluster.until(Pod, "web", "default", _is_ready)
        yield Place(running, url)


def _is_ready(pod: Pod) -> bool:
    return any(status.ready for status in pod.status.container_statuses)


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    server = await serve(handler, addresses=[("127.0.0.1", 0)], tls=None)
    try:
        yield "http://{}:{}".format(*server.addresses[0])
    finally:
        await server.close()


@dataclass
class Heard:
    """What came of a command, by channel."""

    said: dict[int, bytes] = field(default_factory=dict)

    @property
    def outcome(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.said[3])
        return found

    @property
    def code(self) -> int:
        if self.outcome["status"] == "Success":
            return 0
        return int(self.outcome["details"]["causes"][0]["message"])


@asynccontextmanager
async def opened(
    place: Place, *argv: str, streams: str = "input output error", protocol: str = V5
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    query = urlencode(
        [("command", word) for word in argv] + [(name, "1") for name in streams.split()]
    )
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"{place.url}/exec/default/p/main?{query}", protocols=[protocol], max_msg_size=0
        ) as socket,
    ):
        assert socket.protocol == protocol
        yield socket


async def heard(socket: aiohttp.ClientWebSocketResponse) -> Heard:
    """Everything until the server says goodbye."""
    found = Heard()
    async with asyncio.timeout(5):
        async for message in socket:
            channel = message.data[0]
            found.said[channel] = found.said.get(channel, b"") + message.data[1:]
    assert socket.close_code == 1000
    return found


async def run(place: Place, *argv: str, sent: tuple[bytes, ...] = (), **how: str) -> Heard:
    async with opened(place, *argv, **how) as socket:
        for message in sent:
            await socket.send_bytes(message)
        return await heard(socket)


@pytest.mark.parametrize("protocol", [V4, V5])
@pytest.mark.parametrize(
    ("script", "output", "error", "code"),
    [
        ("echo a; echo b >&2", b"a\n", b"b\n", 0),
        ("exit 3", b"", b"", 3),
        ("kill -9 $$", b"", b"", 137),
        ('printf %s "$SECRET"; pwd', b"of the pod/tmp/work\n", b"", 0),
        ("cat /tmp/secret", b"of the pod\n", b"", 0),
        ("head -c 300000 /dev/zero | tr '\\0' x", b"x" * 300_000, b"", 0),
        ("hostname; cat /proc/1/comm", b"p\nbwrap\n", b"", 0),
    ],
)
async def test_a_command_runs_in_the_container(
    place: Place, protocol: str, script: str, output: bytes, error: bytes, code: int
) -> None:
    found = await run(place, "sh", "-c", script, protocol=protocol)
    assert found.said.get(1, b"") == output
    assert found.said.get(2, b"") == error
    assert found.code == code


async def test_a_failure_is_told_as_a_kubelet_tells_it(place: Place) -> None:
    assert (await run(place, "false")).outcome == {
        "metadata": {},
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": "command terminated with non-zero exit code: exit status 1",
        "details": {"causes": [{"reason": "ExitCode", "message": "1"}]},
    }
    assert (await run(place, "true")).outcome == {"metadata": {}, "status": "Success"}


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["nosuch"], 127, b"nosuch: executable file not found in $PATH\n"),
        (["/tmp"], 126, b"Permission denied"),
    ],
)
async def test_what_cannot_be_run_is_told(
    place: Place, argv: list[str], code: int, words: bytes
) -> None:
    found = await run(place, *argv)
    assert found.code == code
    assert words in found.said[2]


async def test_nobody_gains_anything_by_coming_in_later(place: Place) -> None:
    script = "grep -E '^(Cap|NoNewPrivs)' /proc/self/status; ls /proc/self/fd | wc -l"
    lines = (await run(place, "sh", "-c", script)).said[1].decode().split("\n")
    told = dict(line.split(":\t") for line in lines if ":" in line)
    assert told.pop("NoNewPrivs") == "1"
    assert set(told.values()) == {"0" * 16} and len(told) == 5
    assert "4" in lines  # the three streams, and the folder that is looked at


async def test_input_ends_when_the_client_says_so(place: Place) -> None:
    found = await run(place, "cat", sent=(b"\0hello ", b"\0world", b"\xff\0"))
    assert (found.said[1], found.code) == (b"hello world", 0)


async def test_much_goes_in_and_out(place: Place) -> None:
    sent = [b"\0" + bytes([number]) * 100_000 for number in range(20)]
    found = await run(place, "cat", sent=(*sent, b"\xff\0"))
    assert found.said[1] == b"".join(message[1:] for message in sent)


async def test_a_command_that_does_not_read_ends_all_the_same(place: Place) -> None:
    assert (await run(place, "true", sent=(b"\0" + b"x" * 500_000,) * 3)).code == 0


@pytest.mark.parametrize(
    ("streams", "channels"),
    [("output", {1, 3}), ("error", {2, 3}), ("output error", {1, 2, 3}), ("input", {3})],
)
async def test_only_streams_that_were_asked_for_come(
    place: Place, streams: str, channels: set[int]
) -> None:
    found = await run(place, "sh", "-c", "echo a; echo b >&2", streams=streams)
    assert set(found.said) == channels


async def test_without_input_there_is_nothing_to_read(place: Place) -> None:
    found = await run(place, "cat", streams="output", sent=(b"\0ignored",))
    assert (found.said[1], found.code) == (b"", 0)


async def test_a_terminal_is_one(place: Place) -> None:
    script = "stty size; test -t 0 && test -t 1 && test -t 2 && echo $TERM; echo err >&2; read x"
    streams = "input output error tty"
    async with opened(place, "sh", "-c", script, streams=streams) as socket:
        await socket.send_bytes(b'\x04{"Width":100,"Height":30}')
        await socket.send_bytes(b"\x04nonsense")
        await socket.send_bytes(b'\x04{"Width":-1,"Height":99999999}')
        await socket.send_bytes(b"\x00typed\r")
        found = await heard(socket)
    assert set(found.said) == {1, 3}
    text = found.said[1].decode()
    assert all(word in text for word in ("xterm\r\n", "err\r\n", "typed\r\n")), text
    assert "30 100\r\n" in text or "0 0\r\n" in text  # it may have asked before it was told


async def test_a_terminal_tells_of_its_size_and_of_signals(place: Place) -> None:
    script = "trap 'stty size; exit 7' WINCH; echo up; while :; do sleep 0.02; done"
    async with opened(place, "sh", "-c", script, streams="input output tty") as socket:
        async with asyncio.timeout(5):
            while b"up" not in await socket.receive_bytes():
                pass
        await socket.send_bytes(b'\x04{"Width":100,"Height":30}')
        found = await heard(socket)
    assert (found.said[1], found.code) == (b"30 100\r\n", 7)
    async with opened(place, "sleep", "60", streams="input output tty") as socket:
        await socket.receive_bytes()
        await asyncio.sleep(0.3)  # nothing tells that the command has begun
        await socket.send_bytes(b"\x00\x03")
        assert (await heard(socket)).code == 130


@pytest.mark.parametrize("streams", ["output", "input output tty"])
async def test_a_command_ends_with_its_client(place: Place, streams: str) -> None:
    mark = f"{len(streams)}.5"
    async with opened(place, "sh", "-c", f"echo up; exec sleep 100{mark}", streams=streams) as it:
        async with asyncio.timeout(5):
            while b"up" not in await it.receive_bytes():
                pass
    async with asyncio.timeout(5):
        while _running(f"100{mark}"):
            await asyncio.sleep(0.01)


def _running(argument: str) -> bool:
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and argument.encode() in (entry / "cmdline").read_bytes():
                return True
        except OSError:
            continue
    return False


# Refused.


@pytest.mark.parametrize(
    ("path", "query", "upgrade", "status", "words"),
    [
        ("exec/default/p/main", "command=a&output=1", "", 400, "Upgrade request required"),
        ("exec/default/p/main", "command=a&output=1", "SPDY/3.1", 501, "exec over SPDY/3.1"),
        ("exec/default/p/main", "command=a", "websocket", 400, "at least 1 of stdin"),
        ("exec/default/p/main", "command=a&output=1", "websocket", 400, "version 13"),
        ("exec/default/p/other", "command=a&output=1", "websocket", 404, 'not found ("other")'),
        ("exec/default/over/main", "command=a&output=1", "websocket", 404, 'not found ("main")'),
        ("exec/default/none/main", "command=a&output=1", "websocket", 404, '"none" not found'),
        ("exec/default/p", "command=a&output=1", "websocket", 404, "could not find"),
        ("attach/default/p/main", "output=1", "websocket", 501, "attach is not supported"),
        ("portForward/default/p", "", "websocket", 501, "portForward is not supported"),
        ("podProxy/default/none/http/80/", "", "", 404, '"none" not found'),
        ("podProxy/default/p/http/1/", "", "", 503, "error trying to reach service: "),
        ("podProxy/default/p/ftp/1/", "", "", 404, "could not find"),
        ("podProxy/default/p/http/x/", "", "", 404, "could not find"),
        ("podProxy/default/p/http/1", "", "", 404, "could not find"),
    ],
)
async def test_what_is_not_there_is_refused_by_name(
    place: Place, path: str, query: str, upgrade: str, status: int, words: str
) -> None:
    request = Request("GET", f"/{path}", query, upgrade=upgrade)
    response = await place.running.agent.handle(request)
    assert isinstance(response.body, bytes)
    told = json.loads(response.body)
    assert (response.status, told["code"], told["kind"]) == (status, status, "Status")
    assert words in told["message"]


async def test_no_command_is_an_error_of_the_command(place: Place) -> None:
    outcome = (await run(place)).outcome
    assert outcome["reason"] == "InternalError"
    assert "there is no command" in outcome["message"]


# Pods themselves.


async def test_a_request_reaches_the_pod(place: Place) -> None:
    async with aiohttp.ClientSession() as session:
        for path, status in (("", 200), ("/nosuch?a=b", 404)):
            where = f"{place.url}/podProxy/default/web/http/8000{path or '/'}"
            async with session.get(where) as answer:
                assert answer.status == status
                assert answer.headers["server"].startswith("SimpleHTTP")
                assert await answer.read()
