"""Reviews are put again while there is time, and their answers are held to their kind."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from argosy.apiserver.outbound import Outbound, OutboundError
from argosy.apiserver.remotes import read
from argosy.apiserver.reviewer import TRIES, Reviewer
from argosy.http.message import Response
from argosy.store.memory import MemoryStore
from argosy.testing.clock import FakeClock
from tests.apiserver.hookkit import Hook, Saying, hooking

Json = dict[str, Any]


class Hurried(FakeClock):
    """Remembers how long it was told to wait, and doesn't."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)


@asynccontextmanager
async def reviewing(
    folder: Path, says: Saying, *, seconds: float = 10.0
) -> AsyncGenerator[tuple[Reviewer, Hook, Hurried], None]:
    store, clock = MemoryStore(), Hurried()
    outbound = Outbound(store)
    async with hooking(folder, says) as hook:
        remote = read(hook.file, "webhook")
        try:
            yield Reviewer(outbound, remote, clock, "a/v1", "Review", seconds), hook, clock
        finally:
            await outbound.close()
            await store.close()


async def test_the_status_comes_back(tmp_path: Path) -> None:
    async with reviewing(tmp_path, lambda spec: {"said": spec["asked"]}) as (reviewer, hook, _):
        assert await reviewer.ask({"asked": 1}) == {"said": 1}
        assert hook.asked == [
            {"apiVersion": "a/v1", "kind": "Review", "metadata": {}, "spec": {"asked": 1}}
            | {"status": {}}
        ]


@pytest.mark.parametrize("code", [429, 500, 504])
async def test_what_is_refused_for_now_is_tried_again(tmp_path: Path, code: int) -> None:
    async with reviewing(tmp_path, lambda spec: Response(code)) as (reviewer, hook, clock):
        with pytest.raises(OutboundError, match=f"the server answered {code}"):
            await reviewer.ask({})
        assert len(hook.asked) == TRIES
        assert clock.waited == [0.5, 0.75, 1.125, 1.6875]


@pytest.mark.parametrize("code", [301, 400, 403, 503])
async def test_what_is_refused_is_not(tmp_path: Path, code: int) -> None:
    async with reviewing(tmp_path, lambda spec: Response(code)) as (reviewer, hook, _):
        with pytest.raises(OutboundError, match=f"the server answered {code}"):
            await reviewer.ask({})
        assert len(hook.asked) == 1


async def test_all_tries_have_the_time_of_one(tmp_path: Path) -> None:
    async with reviewing(tmp_path, lambda spec: {}, seconds=0.05) as (reviewer, hook, _):
        hook.silent = True
        with pytest.raises(OutboundError, match="context deadline exceeded"):
            await reviewer.ask({})
