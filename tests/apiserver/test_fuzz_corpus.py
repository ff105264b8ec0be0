"""Nasty requests that are kept: each is answered as it must be, in words of a bounded length, soon.

They are in `tests/corpus`: what once failed, what has brought other servers down, and what a reader
of the sources would try. One that would hold up all others fails by the suite's limit on a test. A
text there is a list of parts; a pair is a part and how often it comes.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy.http.message import Request
from tests.apiserver.kit import Api, Json, answered

CORPUS = Path(__file__).parents[1] / "corpus"
SHOWN, ROOM = 3, 64 * 1024
"""How often an answer may show what was sent, and how many characters it may have beside that."""


def kept() -> Iterator[Any]:
    for file in sorted(CORPUS.glob("*.json")):
        for name, asked in json.loads(file.read_text())["requests"].items():
            yield pytest.param(asked, id=f"{file.stem}: {name}")


def text(parts: list[Any]) -> str:
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in parts)


def request(asked: Json, token: str) -> Request:
    method, _, path = asked["ask"].partition(" ")
    headers = {"authorization": f"Bearer {token}"}
    if "type" in asked:
        headers["content-type"] = asked["type"]
    headers |= {name: text(value) for name, value in asked.get("headers", {}).items()}
    body = bytes.fromhex(asked["hex"]) if "hex" in asked else text(asked.get("body", [])).encode()
    return Request(method, path, text(asked.get("query", [])), headers, body)


@pytest.mark.parametrize("asked", list(kept()))
async def test_what_is_kept(api: Api, asked: Json) -> None:
    await api.create("ConfigMap")
    await api.create("Pod")
    sent = request(asked, api.cluster.plane.token)
    answer = await answered(api.cluster.plane.server.handle, sent)
    assert answer.status == asked["status"], answer.body
    assert len(answer.message) <= SHOWN * len(sent.body + sent.path.encode()) + ROOM
