"""The order of authorizers: as configured, and as it is changed while the server runs."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from argosy.apiserver.authorization.attributes import Attributes
from argosy.apiserver.authorization.authorizer import Authorizer
from argosy.apiserver.authorization.configuration import load
from argosy.apiserver.authorization.configured import Configured
from argosy.apiserver.configfile import ConfigurationError
from argosy.apiserver.outbound import Outbound
from argosy.apiserver.reloading import GLANCE_SECONDS, Reloading
from argosy.apiserver.request import User
from argosy.store.memory import MemoryStore
from argosy.testing.clock import FakeClock
from tests.apiserver.hookkit import authorizers, kubeconfig, rules

Json = dict[str, Any]
EVE = User("eve", ("system:authenticated",))
NODES = Attributes(user=EVE, verb="list", version="v1", resource="nodes")
SELF = Attributes(user=EVE, verb="get", path="/api")
TYPES = {name: {"type": name, "name": name.lower()} for name in ("Node", "RBAC")}
TYPES |= {name: {"type": name, "name": name.lower()} for name in ("AlwaysAllow", "AlwaysDeny")}


def write(file: Path, *names: str) -> Path:
    told = {**authorizers(), "authorizers": [TYPES[name] for name in names]}
    file.write_text(yaml.safe_dump(told))
    return file


@pytest_asyncio.fixture
async def store() -> AsyncIterator[MemoryStore]:
    made = MemoryStore()
    yield made
    await made.close()


def configured(store: MemoryStore, file: Path, clock: FakeClock | None = None) -> Configured:
    authorizer = Authorizer(store, lambda gate: True)
    made = Configured(authorizer, Outbound(store), clock or FakeClock(), load(file), file)
    made.apply()
    return made


@pytest.mark.parametrize(
    ("names", "nodes", "api", "reason"),
    [
        (("RBAC",), False, True, ""),
        (("Node",), False, False, ""),
        (("AlwaysDeny",), False, False, "Everything is forbidden."),
        (("AlwaysDeny", "RBAC"), False, True, "Everything is forbidden."),
        (("AlwaysDeny", "AlwaysAllow"), True, True, ""),
        (("RBAC", "AlwaysAllow"), True, True, ""),
    ],
)
async def test_they_are_asked_in_their_order(
    store: MemoryStore, tmp_path: Path, names: tuple[str, ...], nodes: bool, api: bool, reason: str
) -> None:
    authorizer = configured(store, write(tmp_path / "a", *names)).authorizer
    decision = authorizer.authorize(NODES)
    assert (decision.allowed, decision.reason) == (nodes, reason)
    assert authorizer.authorize(SELF).allowed is api
    assert authorizer.waits is False


async def test_who_may_do_all_is_told_so(store: MemoryStore, tmp_path: Path) -> None:
    authorizer = configured(store, write(tmp_path / "a", "AlwaysAllow", "AlwaysDeny")).authorizer
    assert len(authorizer.rules_of(EVE, "default").rules) == 2
    assert authorizer.authorize(NODES).allowed


async def test_a_changed_file_is_followed(store: MemoryStore, tmp_path: Path) -> None:
    clock, file = FakeClock(), write(tmp_path / "a", "RBAC")
    it = configured(store, file, clock)
    reloading = Reloading(it.what, file, clock, it.take)
    task = asyncio.create_task(reloading.run())
    try:
        await clock.advance(0)
        write(file, "RBAC", "AlwaysAllow")
        assert not it.authorizer.authorize(NODES).allowed
        await clock.advance(GLANCE_SECONDS)
        assert it.authorizer.authorize(NODES).allowed
        file.write_text("nothing of the kind")
        await clock.advance(GLANCE_SECONDS)
        assert it.authorizer.authorize(NODES).allowed
        write(file, "RBAC", "AlwaysDeny", "AlwaysAllow")  # AlwaysAllow must stay: it did
        await clock.advance(GLANCE_SECONDS)
        assert it.found.types == {"RBAC", "AlwaysDeny", "AlwaysAllow"}
    finally:
        task.cancel()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("AlwaysAllow",), "missing required types: [RBAC]"),
        (("RBAC", "Node"), "authorizer type Node is not allowed if it was not enabled at initial"),
    ],
)
async def test_what_was_there_stays(
    store: MemoryStore, tmp_path: Path, names: tuple[str, ...], words: str
) -> None:
    file = write(tmp_path / "a", "RBAC")
    it = configured(store, file)
    write(file, *names)
    with pytest.raises(ConfigurationError) as refused:
        await it.take(file.read_bytes())
    assert words in str(refused.value)
    assert it.authorizer.authorize(SELF).allowed


async def test_a_webhook_that_can_not_be_read_changes_nothing(
    store: MemoryStore, tmp_path: Path
) -> None:
    file, hook = write(tmp_path / "a", "RBAC", "Node"), tmp_path / "hook"
    it = configured(store, file)
    hook.write_text("{}")
    file.write_text(yaml.safe_dump(authorizers(("one", rules(hook)))))
    with pytest.raises(ConfigurationError, match="initializing authorization webhook one from"):
        await it.take(file.read_bytes())
    assert it.authorizer.waits is False

    told = kubeconfig("http://127.0.0.1:1", b"")
    told["clusters"][0]["cluster"].pop("certificate-authority-data")
    hook.write_text(yaml.safe_dump(told))
    await it.take(file.read_bytes())
    assert it.authorizer.waits is True
