"""What the tests of flow control share."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from argosy.api.builtin import load
from argosy.api.features import switches
from argosy.api.kinds import OWN, RESOURCES
from argosy.api.resources.control import FLOW_SCHEMA, PRIORITY_LEVEL
from argosy.apiserver.answers import ASLEEP
from argosy.apiserver.catalog import Catalog
from argosy.apiserver.request import User
from argosy.cluster.server import MINOR
from argosy.http.message import Request, Response
from argosy.store.interface import Store

Json = dict[str, Any]
BOB = User("bob", ("system:authenticated",))
EVERYTHING: Json = {
    "verbs": ["*"],
    "apiGroups": ["*"],
    "resources": ["*"],
    "namespaces": ["*"],
    "clusterScope": True,
}


def catalog() -> Catalog:
    chosen = switches(RESOURCES, MINOR)
    return Catalog(RESOURCES, OWN, load(MINOR), chosen.serves, chosen.gates)


def level(
    name: str, shares: int, *, queues: int = 1, length: int = 50, reject: bool = False
) -> Json:
    queuing = {"queues": queues, "handSize": 1, "queueLengthLimit": length}
    response: Json = {"type": "Reject"} if reject else {"type": "Queue", "queuing": queuing}
    limited = {"nominalConcurrencyShares": shares, "limitResponse": response}
    meta = {"name": name, "uid": f"level-{name}"}
    return {"metadata": meta, "spec": {"type": "Limited", "limited": limited}}


def schema(name: str, of: str, *users: str, precedence: int = 10) -> Json:
    subjects = [{"kind": "User", "user": {"name": user}} for user in users]
    spec = {
        "priorityLevelConfiguration": {"name": of},
        "matchingPrecedence": precedence,
        "distinguisherMethod": {"type": "ByUser"},
        "rules": [{"subjects": subjects, "resourceRules": [EVERYTHING]}],
    }
    return {"metadata": {"name": name, "uid": f"schema-{name}"}, "spec": spec}


async def stored(store: Store, *items: Json) -> None:
    """Put levels and schemas into the store."""
    for item in items:
        resource = PRIORITY_LEVEL if "type" in item["spec"] else FLOW_SCHEMA
        value = msgspec.json.encode(item)
        await store.write(resource.key(name=item["metadata"]["name"]), partial(_put, value))


def _put(value: bytes, _: object, __: int) -> bytes:
    return value


@dataclass
class Served:
    """A verb that answers when it is told to."""

    running: list[str] = field(default_factory=list)
    began: list[str] = field(default_factory=list)
    asleep: list[Callable[[bool], None] | None] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, request: Request, user: User) -> Response:
        self.asleep.append(ASLEEP.get())
        self.running.append(user.name)
        self.began.append(user.name)
        try:
            await self.open.wait()
        finally:
            self.running.remove(user.name)
        if "watch" in request.query:
            return Response(200, {}, _events())
        return Response(200, {"content-type": "application/json"}, b"{}")


async def _events() -> AsyncGenerator[bytes, None]:
    yield b"event"
    await asyncio.Event().wait()
