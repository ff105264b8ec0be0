"""A webhook that knows whose tokens are: asked once, believed for a while, and within bounds."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from argosy.apiserver.authentication.tokens import AUDIENCES, Identity, TokenError, token_hash
from argosy.apiserver.authentication.tokenwebhook import TokenWebhook
from argosy.apiserver.outbound import Outbound
from argosy.apiserver.remotes import read
from argosy.apiserver.request import User
from argosy.apiserver.reviewer import Reviewer
from argosy.http.message import Response
from argosy.store.memory import MemoryStore
from argosy.testing.clock import FakeClock
from tests.apiserver.hookkit import Hook, Saying, hooking

Json = dict[str, Any]
JANE: Json = {"authenticated": True, "user": {"username": "jane", "groups": ["staff"]}}


@asynccontextmanager
async def asking(
    folder: Path, says: Saying, *, ttl: float = 120.0, version: str = "v1"
) -> AsyncGenerator[tuple[TokenWebhook, Hook, FakeClock], None]:
    store, clock = MemoryStore(), FakeClock()
    outbound = Outbound(store)
    async with hooking(folder, says) as hook:
        remote = read(hook.file, "authentication webhook")
        api_version = f"authentication.k8s.io/{version}"
        reviewer = Reviewer(outbound, remote, clock, api_version, "TokenReview", 10.0)
        try:
            yield TokenWebhook(reviewer, ttl), hook, clock
        finally:
            await outbound.close()
            await store.close()


async def whose(
    webhook: TokenWebhook, token: str = "t", audiences: tuple[str, ...] = AUDIENCES
) -> Identity | None:
    return await webhook.identify(token, token_hash(token), audiences)


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
async def test_it_is_asked_as_upstream_asks(tmp_path: Path, version: str) -> None:
    extra = {"a.io/b": ["c"]}
    user = {"username": "jane", "uid": "u-1", "groups": ["staff"], "extra": extra}
    said = {"authenticated": True, "user": user}
    async with asking(tmp_path, lambda spec: said, version=version) as (webhook, hook, _):
        found = await whose(webhook)
        groups = ("staff", "system:authenticated")
        assert found == Identity(User("jane", groups, "u-1", {"a.io/b": ("c",)}), AUDIENCES)
        [review] = hook.asked
        assert review["apiVersion"] == f"authentication.k8s.io/{version}"
        assert review["kind"] == "TokenReview"
        assert review["spec"] == {"token": "t", "audiences": list(AUDIENCES)}


@pytest.mark.parametrize(
    ("asked", "said", "meant"),
    [
        (AUDIENCES, [], AUDIENCES),
        (("a", "b"), ["b", "c"], ("b",)),
        (("a",), ["b"], None),
        (("a",), [], None),
    ],
)
async def test_audiences_must_meet(
    tmp_path: Path, asked: tuple[str, ...], said: list[str], meant: tuple[str, ...] | None
) -> None:
    async with asking(tmp_path, lambda spec: {**JANE, "audiences": said}) as (webhook, _, _):
        found = await whose(webhook, audiences=asked)
        assert (found and found.audiences) == meant


async def test_answers_are_kept_for_their_time(tmp_path: Path) -> None:
    def says(spec: Json) -> Json:
        return JANE if spec["token"] == "good" else {"authenticated": False}

    async with asking(tmp_path, says) as (webhook, hook, clock):
        for _ in range(2):
            assert await whose(webhook, "good") is not None
            assert await whose(webhook, "bad") is None
        assert len(hook.asked) == 2
        assert await whose(webhook, "good", ("elsewhere",)) is None
        assert len(hook.asked) == 3
        await clock.advance(120)
        assert await whose(webhook, "good") is not None
        assert len(hook.asked) == 4


async def test_nothing_is_kept_without_a_time(tmp_path: Path) -> None:
    async with asking(tmp_path, lambda spec: JANE, ttl=0) as (webhook, hook, _):
        await whose(webhook)
        await whose(webhook)
        assert len(hook.asked) == 2


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"authenticated": False, "error": "revoked"}, "revoked"),
        ({"authenticated": True, "user": {}}, "named nobody"),
        ({"authenticated": True}, "named nobody"),
        ({"authenticated": "yes"}, "Expected `bool"),
        (Response(403, {}, b"{}"), "the server answered 403"),
        (Response(200, {}, b"nonsense"), "decoding the answer to a TokenReview"),
        (Response(200, {}, b'{"apiVersion": "v1", "kind": "Status"}'), "is of another kind"),
        (Response(302, {"location": "https://127.0.0.1:1/"}, b""), "the server answered 302"),
    ],
)
async def test_what_is_no_answer_is_told(tmp_path: Path, said: Json | Response, words: str) -> None:
    async with asking(tmp_path, lambda spec: said) as (webhook, hook, _):
        for _ in range(2):  # and is not kept
            with pytest.raises(TokenError) as refused:
                await whose(webhook)
            assert words in str(refused.value)
        assert len(hook.asked) == 2
