"""`argosy up` and connections that mean it no good: each is told why in a `Status`, others go on.

What the HTTP server does with every kind of damage is tested beside it; here the whole process is
asked over TLS, as anybody on the machine can, and without a token.
"""

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from argosy.client import kubeconfig
from tests.e2e.kit import Cluster, Json

MAPS = b"/api/v1/namespaces/default/configmaps"
HOST = b"Host: localhost\r\n"
CHUNKED = b"POST " + MAPS + b" HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
REFUSED: dict[str, tuple[bytes, int]] = {
    "a body too large": (
        b"POST " + MAPS + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 3145729\r\n\r\n",
        413,
    ),
    "chunks too large": (CHUNKED + (b"ffff\r\n" + b"x" * 65_535 + b"\r\n") * 50, 413),
    "headers without end": (
        b"GET /api HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: y\r\n" % n for n in range(400)),
        431,
    ),
    "a header without end": (b"GET /api HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 200_000, 431),
    "a target without end": (b"GET /" + b"a" * 40_000, 414),
    "broken chunks": (CHUNKED + b"zz\r\n", 400),
    "a length that is none": (
        b"POST /api HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
        400,
    ),
    "two lengths": (
        b"POST /api HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        400,
    ),
    "a length and chunks": (CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n"), 400),
    "no request at all": (b"\x00\x01\x02\x03\r\n\r\n", 400),
}
MOST_MEGABYTES = 64
"""By which a flood may make the process larger."""


@contextmanager
def connected(cluster: Cluster) -> Iterator[ssl.SSLSocket]:
    """A raw connection."""
    access = kubeconfig.load(cluster.kubeconfig)
    assert access.ca is not None
    context = ssl.create_default_context(cadata=access.ca)
    host, _, port = urlsplit(access.server).netloc.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname=host) as secure:
            yield secure


def answer(connection: ssl.SSLSocket) -> tuple[int, Json]:
    """The code and the body of what comes until the server closes."""
    data = b""
    while piece := connection.recv(65_536):
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    found: Json = json.loads(body)
    return int(head.split(b" ", 2)[1]), found


def megabytes(cluster: Cluster) -> float:
    """What the process has in memory."""
    pages = int(Path(f"/proc/{cluster.pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_told(cluster: Cluster, name: str) -> None:
    sent, code = REFUSED[name]
    with connected(cluster) as connection:
        connection.sendall(sent)
        status = answer(connection)[1]
    assert status["kind"] == "Status" and status["status"] == "Failure"
    assert (status["code"], bool(status["reason"] and status["message"])) == (code, True)
    assert cluster.call("GET", "/version")["major"] == "1"


def test_half_requests_hold_nobody_up(cluster: Cluster) -> None:
    before = megabytes(cluster)
    with ExitStack() as stack:
        for number in range(100):
            connection = stack.enter_context(connected(cluster))
            half = b"POST " + MAPS + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 3000000\r\n\r\n"
            connection.sendall(half[:40] if number % 2 else half + b"x" * 100_000)
        assert cluster.call("GET", "/version")["major"] == "1"
    assert megabytes(cluster) - before < MOST_MEGABYTES
    assert cluster.call("GET", "/version")["major"] == "1"


def test_who_leaves_in_the_middle_leaves_nothing(cluster: Cluster) -> None:
    for cut in range(1, len(CHUNKED) + 1, 7):
        with connected(cluster) as connection:
            connection.sendall((CHUNKED + b"5\r\n{")[:cut])
    assert cluster.call("GET", "/version")["major"] == "1"
