"""Secrets with tokens: filled in, and gone when nobody is behind them."""

import base64
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from argosy.api.resources.core import SECRET, SERVICE_ACCOUNT
from argosy.base.errors import StatusError
from argosy.controllers.tokens import (
    RECHECK,
    AccountTokens,
    BootstrapCleaning,
    Secret,
    ServiceAccount,
    account_tokens,
    bootstrap_cleaning,
)
from argosy.runtime.controller import DONE, Result
from argosy.runtime.manager import Manager
from argosy.testing.clock import settle
from tests.controllers.kit import Scene, controlled

Json = dict[str, Any]


async def issue(namespace: str, secret: str, account: str, uid: str) -> str:
    return f"{namespace}/{secret}/{account}/{uid}"


def add(manager: Manager) -> None:
    manager.add(account_tokens(manager, issue, b"PEM"))
    manager.add(bootstrap_cleaning(manager))


@asynccontextmanager
async def tokens() -> AsyncGenerator[Scene, None]:
    async with controlled(add) as it:
        yield it


async def account(it: Scene, name: str) -> str:
    body = {"metadata": {"name": name, "namespace": "default"}}
    made = await it.client.create(SERVICE_ACCOUNT, body)
    await settle()
    return str(made["metadata"]["uid"])


async def secret(it: Scene, owner: str, uid: str = "", **data: str) -> Secret | None:
    annotations = {"kubernetes.io/service-account.name": owner}
    if uid:
        annotations["kubernetes.io/service-account.uid"] = uid
    body = {
        "metadata": {"name": "it", "namespace": "default", "annotations": annotations},
        "type": "kubernetes.io/service-account-token",
        "data": {name.replace("_", "."): encoded(text) for name, text in data.items()},
    }
    await it.client.create(SECRET, body)
    return await now(it)


async def now(it: Scene, name: str = "it", namespace: str = "default") -> Secret | None:
    await settle()
    return await it.client.find(Secret, name, namespace)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def test_a_secret_is_filled_in() -> None:
    async with tokens() as it:
        uid = await account(it, "builder")
        found = await secret(it, "builder")
        assert found is not None
        assert found.data == {
            "ca.crt": encoded("PEM"),
            "namespace": encoded("default"),
            "token": encoded(f"default/it/builder/{uid}"),
        }
        assert found.metadata.annotations["kubernetes.io/service-account.uid"] == uid


async def test_what_is_there_already_stays_but_for_the_authority() -> None:
    async with tokens() as it:
        await account(it, "builder")
        found = await secret(it, "builder", token="mine", namespace="mine", ca_crt="old")
        assert found is not None
        assert found.data == {
            "ca.crt": encoded("PEM"),
            "namespace": encoded("mine"),
            "token": encoded("mine"),
        }


async def test_a_secret_of_nobody_goes() -> None:
    async with tokens() as it:
        assert await secret(it, "nobody") is None


async def test_a_secret_goes_with_its_account() -> None:
    async with tokens() as it:
        await account(it, "builder")
        assert await secret(it, "builder") is not None
        await it.client.delete(SERVICE_ACCOUNT, "builder", "default")
        assert await now(it) is None


async def test_an_account_that_goes_before_the_cache_has_it_takes_its_secret_along() -> None:
    async with controlled(lambda _: None) as it:
        unseen = it.manager.informer(ServiceAccount)
        tokens = AccountTokens(it.client, unseen, issue, b"PEM")
        await account(it, "builder")
        empty = await secret(it, "builder")
        assert empty is not None and await tokens.reconcile(empty) == Result(RECHECK)
        found = await now(it)
        assert found is not None and found.data.keys() == {"ca.crt", "namespace", "token"}
        assert await tokens.reconcile(found) == Result(RECHECK)
        await it.client.delete(SERVICE_ACCOUNT, "builder", "default")
        assert await tokens.reconcile(found) == DONE
        assert await now(it) is None


async def test_an_account_of_the_same_name_is_another() -> None:
    async with tokens() as it:
        await account(it, "builder")
        assert await secret(it, "builder", uid="u-0") is None


def bootstrap(**data: str) -> Json:
    return {
        "metadata": {"name": "bootstrap-token-abcdef", "namespace": "kube-system"},
        "type": "bootstrap.kubernetes.io/token",
        "data": {
            "token-id": encoded("abcdef"),
            "token-secret": encoded("0123456789abcdef"),
            **{name: encoded(text) for name, text in data.items()},
        },
    }


@pytest.mark.parametrize(
    ("expiration", "seconds"),
    [("2026-01-01T01:00:00Z", 3600), ("2025-01-01T00:00:00Z", 0), ("", None)],
)
async def test_a_bootstrap_token_goes_at_its_end(expiration: str, seconds: int | None) -> None:
    async with tokens() as it:
        data = {"expiration": expiration} if expiration else {}
        await it.client.create(SECRET, bootstrap(**data))
        where = ("bootstrap-token-abcdef", "kube-system")
        if seconds:
            await it.clock.advance(seconds - 1)
            assert await now(it, *where) is not None
        await it.clock.advance(10)
        assert (await now(it, *where) is None) is (seconds is not None)


async def test_a_bootstrap_token_that_got_more_time_stays() -> None:
    """The cache doesn't know of it yet."""
    async with controlled(lambda _: None) as it:
        body = bootstrap(expiration="2026-01-01T00:01:00Z")
        name, namespace = body["metadata"]["name"], body["metadata"]["namespace"]
        await it.client.create(SECRET, body)
        known = await now(it, name, namespace)
        more = {"data": {"expiration": encoded("2026-01-01T01:00:00Z")}}
        await it.client.merge(SECRET, name, namespace, more)
        await it.clock.advance(120)
        cleaning = BootstrapCleaning(it.client, it.clock)
        assert known is not None
        with pytest.raises(StatusError) as refused:
            await cleaning.reconcile(known)
        assert refused.value.code == 409
        fresh = await now(it, name, namespace)
        assert fresh is not None and await cleaning.reconcile(fresh) == Result(3480)
