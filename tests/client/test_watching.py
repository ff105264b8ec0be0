"""What a watch tells, line by line, and what is no watch at all."""

from collections.abc import AsyncGenerator

import msgspec
import pytest

from argosy.api.core import ConfigMap, Pod
from argosy.base.errors import StatusError
from argosy.client import watching
from argosy.client.watching import decoded, decoder, event_of, whole_lines

ADDED = b'{"type":"ADDED","object":{"metadata":{"name":"a"}}}'


async def body(*pieces: bytes) -> AsyncGenerator[bytes, None]:
    for piece in pieces:
        yield piece


async def lines(*pieces: bytes) -> list[bytes]:
    return [line async for line in whole_lines(body(*pieces))]


def test_each_event_is_one_of_its_type() -> None:
    kinds = ("ADDED", "MODIFIED", "DELETED", "BOOKMARK")
    told = b"\n\n".join(b'{"object":{},"type":"%b"}' % kind.encode() for kind in kinds)
    events = [event_of(item) for item in decoder(ConfigMap)(told)]
    assert [event.type for event in events] == list(kinds)


def test_a_bookmark_is_read_as_metadata_whatever_the_kind() -> None:
    meta = b'{"resourceVersion":"9","annotations":{"k8s.io/initial-events-end":"true"}}'
    told = b'{"type":"BOOKMARK","object":{"metadata":%b,"status":"no status of a pod"}}' % meta
    (event,) = (event_of(item) for item in decoder(Pod)(told))
    assert event.object.metadata.resource_version == "9"
    assert event.object.metadata.annotations == {"k8s.io/initial-events-end": "true"}


@pytest.mark.parametrize(
    ("status", "code"),
    [(b'{"code":410,"reason":"Expired","message":"old"}', 410), (b"{}", 500)],
)
def test_a_failure_is_an_error(status: bytes, code: int) -> None:
    (told,) = decoder(Pod)(b'{"type":"ERROR","object":%b}' % status)
    with pytest.raises(StatusError) as caught:
        event_of(told)
    assert caught.value.code == code


DEEP = 100_000


@pytest.mark.parametrize(
    "line",
    [
        b"<html>",
        b"5",
        b"{}",
        b'{"type":"ADDED"}',
        b'{"type":"RENAMED","object":{}}',
        b'{"type":"ADDED","object":{"metadata":{"name":5}}}',
        b'{"type":"ADDED","object":{"metadata":{"name":"\xff"}}}',
        b'{"type":"ERROR","object":{"code":"none"}}',
        b'{"type":"ERROR","object":7}',
        b'{"type":"ADDED","object":{"deep":' + b"[" * DEEP + b"]" * DEEP + b"}}",
    ],
    ids=lambda line: line[:50].decode(errors="replace"),
)
def test_anything_else_is_a_decode_error(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decoded(decoder(Pod), line)


async def test_pieces_are_cut_at_the_end_of_lines() -> None:
    assert await lines(b"a", b"b\nc", b"\nd\ne\nf") == [b"ab", b"c\nd\ne"]
    assert await lines(b"", b"\n", b"") == [b""]
    assert [line async for line in whole_lines(ADDED)] == [ADDED]


async def test_a_line_without_end_is_not_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LONGEST_LINE", 100)
    assert await lines(b"x" * 90, b"\n" + b"x" * 90) == [b"x" * 90]
    with pytest.raises(msgspec.DecodeError, match="a line of more than 100 bytes"):
        await lines(b"x" * 90, b"x" * 90)
