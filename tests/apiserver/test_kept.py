"""Tests of documents that are made once."""

import asyncio

from argosy.apiserver.kept import Kept


async def test_a_document_is_made_once_for_all_who_ask() -> None:
    made: list[str] = []

    def make() -> bytes:
        made.append("a")
        return b"long " * 1000

    kept = Kept()
    answers = await asyncio.gather(*(kept.get("a", make) for _ in range(5)))
    assert set(answers) == {b"long " * 1000}
    assert await kept.get("a", make) == b"long " * 1000
    assert made == ["a"]


async def test_names_are_kept_apart() -> None:
    kept = Kept()
    assert await kept.get("a", lambda: b"one") == b"one"
    assert await kept.get("b", lambda: b"two") == b"two"
    assert await kept.get("a", lambda: b"other") == b"one"
