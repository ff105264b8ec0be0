import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.http.limits import Limits
from argosy.http.reader import Incoming, Phase, Refusal, RequestReader

HOST = b"Host: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"


def read(*pieces: bytes, limits: Limits | None = None) -> list[Incoming | Refusal]:
    reader = RequestReader(limits or Limits())
    return [item for piece in pieces for item in reader.feed(piece)]


def only(*pieces: bytes, limits: Limits | None = None) -> Incoming:
    (item,) = read(*pieces, limits=limits)
    assert isinstance(item, Incoming), item
    return item


def test_a_request_is_read() -> None:
    data = b"PATCH /a%2Fb?x=1&x=2?y HTTP/1.1\r\nHost: h\r\nX-A: 1 \r\nContent-Length: 3\r\n\r\nabc"
    item = only(data)
    request = item.request
    assert (request.method, request.path, request.query) == ("PATCH", "/a%2Fb", "x=1&x=2?y")
    assert request.headers == {"host": "h", "x-a": "1", "content-length": "3"}
    assert request.body == b"abc"
    assert item.keep_alive and item.version == "1.1"


def test_header_names_are_lower_case_and_duplicates_joined() -> None:
    item = only(b"GET / HTTP/1.1\r\nHOST: h\r\nAccept: a\r\naccept: b\r\nX: \xe9\r\nY:\r\n\r\n")
    assert item.request.headers == {"host": "h", "accept": "a, b", "x": "\xe9", "y": ""}


def test_chunks_are_joined_and_trailers_dropped() -> None:
    body = b"3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nHost: evil\r\nX-Trailer: 1\r\n\r\n"
    request = only(CHUNKED + b"\r\n" + body).request
    assert request.body == b"abcde"
    assert request.headers == {"host": "x", "transfer-encoding": "chunked"}


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"http://h/a?b", "/a", "b"),
        (b"https://h:1?b", "/", "b"),
        (b"http://h", "/", ""),
        (b"/http://h/", "/http://h/", ""),
        (b"/?", "/", ""),
    ],
)
def test_targets(target: bytes, path: str, query: str) -> None:
    request = only(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n").request
    assert (request.path, request.query) == (path, query)


def test_the_server_as_a_whole_is_a_target() -> None:
    assert only(b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n").request.path == "*"


@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        (b"HTTP/1.1\r\nHost: x\r\n", True),
        (b"HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", False),
        (b"HTTP/1.0\r\n", False),
        (b"HTTP/1.0\r\nConnection: keep-alive\r\n", True),
    ],
)
def test_nothing_is_read_after_the_last_request(head: bytes, keep_alive: bool) -> None:
    again = b"GET /again HTTP/1.1\r\nHost: x\r\n\r\n"
    first, *others = read(b"GET / " + head + b"\r\n" + again, again)
    assert isinstance(first, Incoming)
    assert first.keep_alive is keep_alive
    assert len(others) == (2 if keep_alive else 0)


MALFORMED = {
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "two equal lengths": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "a signed length": POST + b"Content-Length: +3\r\n\r\nabc",
    "a negative length": POST + b"Content-Length: -3\r\n\r\nabc",
    "a huge length": POST + b"Content-Length: 99999999999999999999\r\n\r\n",
    "length and coding": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    "coding and length": CHUNKED + b"Content-Length: 3\r\n\r\n0\r\n\r\n",
    "two codings": CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "space before the colon": POST + b"Content-Length : 3\r\n\r\nabc",
    "a folded header": POST + b"X: a\r\n b\r\n\r\n",
    "a NUL in a header": POST + b"X: a\x00b\r\n\r\n",
    "a bare CR in a header": POST + b"X: a\rb\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nHost: x\n\n",
    "a chunk ended by a bare line feed": CHUNKED + b"\r\n3\nabc\r\n0\r\n\r\n",
    "a signed chunk size": CHUNKED + b"\r\n-3\r\nabc\r\n0\r\n\r\n",
    "a huge chunk size": CHUNKED + b"\r\nfffffffffffffffff\r\n",
    "a chunk longer than it says": CHUNKED + b"\r\n1\r\nabc\r\n0\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a lower-case method": b"get / HTTP/1.1\r\n" + HOST + b"\r\n",
    "an unknown method": b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target that is no path": b"CONNECT h:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target beyond ASCII": b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "an upgrade with a body": POST
    + b"Connection: upgrade\r\nUpgrade: a\r\nContent-Length: 1\r\n\r\n",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_the_malformed_is_refused(data: bytes) -> None:
    (item,) = read(data, b"more", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert isinstance(item, Refusal)
    assert item.status == 400


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/0.9\r\n\r\n", 505),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
        (POST + b"Expect: 200-ok\r\n\r\n", 417),
    ],
)
def test_the_unsupported_is_refused(data: bytes, status: int) -> None:
    (item,) = read(data)
    assert isinstance(item, Refusal)
    assert item.status == status


LIMITS = Limits(url_bytes=20, header_bytes=100, headers=5, body_bytes=10)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /" + b"a" * 20, 414),
        (POST + b"X: " + b"a" * 190, 431),
        (POST + b"a" * 190, 431),
        (POST + b"X: " + b"a" * 50 + b"\r\nX: " + b"a" * 50 + b"\r\n\r\n", 431),
        (POST + b"X:\r\n" * 5 + b"\r\n", 431),
        (POST + b"Content-Length: 11\r\n\r\n", 413),
        (CHUNKED + b"\r\n5\r\naaaaa\r\n6\r\naaaaaa\r\n", 413),
        (CHUNKED + b"\r\n1;" + b"a" * 190, 431),
        (CHUNKED + b"\r\n0\r\n" + b"X:\r\n" * 5, 431),
        (CHUNKED + b"\r\n0\r\nX: " + b"a" * 190, 431),
        (b"\r\n" * 90, 431),
    ],
)
def test_what_is_too_large_is_refused_however_it_arrives(data: bytes, status: int) -> None:
    for size in (1, 64):
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        (item,) = read(*pieces, limits=LIMITS)
        assert isinstance(item, Refusal)
        assert item.status == status


def test_what_is_just_small_enough_is_read() -> None:
    item = only(CHUNKED + b"\r\n5\r\naaaaa\r\n5\r\naaaaa\r\n0\r\n\r\n", limits=LIMITS)
    assert len(item.request.body) == 10
    assert only(b"GET /" + b"a" * 19 + b" HTTP/1.1\r\n" + HOST + b"\r\n", limits=LIMITS)


def test_good_requests_before_a_bad_one_are_kept() -> None:
    first, second = read(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nNONSENSE\r\n\r\n")
    assert isinstance(first, Incoming)
    assert isinstance(second, Refusal)


def test_phases() -> None:
    reader = RequestReader(Limits())
    seen = [reader.phase]
    for piece in (b"\r\n", b"POST / HT", b"TP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n", b"ab"):
        reader.feed(piece)
        seen.append(reader.phase)
    assert seen == [Phase.BETWEEN, Phase.BETWEEN, Phase.HEAD, Phase.BODY, Phase.BETWEEN]


def test_a_continue_is_wanted_until_the_body_is_there() -> None:
    reader = RequestReader(Limits())
    reader.feed(POST + b"Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n")
    assert reader.wants_continue
    reader.feed(b"ab")
    assert not reader.wants_continue


STREAM = (
    b"GET /1?a HTTP/1.1\r\nHost: x\r\n\r\n"
    + POST
    + b"Content-Length: 4\r\nX: a\r\nX: b\r\n\r\nbody"
    + CHUNKED
    + b"\r\n3\r\nabc\r\n1;e\r\nd\r\n0\r\nT: 1\r\n\r\n"
    + b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
)


@settings(max_examples=50)
@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_how_the_bytes_are_cut_makes_no_difference(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in zip(edges, edges[1:], strict=False)]
    assert read(*pieces) == read(STREAM)
    assert len(read(STREAM)) == 4


@settings(max_examples=100)
@given(st.data())
def test_damage_is_refused_or_read_and_never_raises(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(STREAM)))
    end = data.draw(st.integers(start, min(start + 20, len(STREAM))))
    damaged = STREAM[:start] + data.draw(st.binary(max_size=20)) + STREAM[end:]
    items = read(damaged)
    assert all(isinstance(item, Incoming) for item in items[:-1])
    for item in items:
        if isinstance(item, Refusal):
            assert item.status in (400, 413, 414, 417, 431, 501, 505)
