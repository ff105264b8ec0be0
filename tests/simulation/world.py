"""What is in the store, as anybody may look at it, and what is checked at every commit."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.leases import Lease
from argosy.api.resource import Resource
from argosy.base.clock import Clock
from argosy.store.interface import Mutation, Record
from argosy.store.memory import MemoryStore

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One commit: an object before and after it."""

    key: str
    before: Json | None
    after: Json | None

    def concerns(self, resource: Resource) -> bool:
        return self.key.startswith(resource.key())


Invariant = Callable[["World", Step], None]
"""Called after each commit; raises AssertionError where what never may be is."""


class World:
    """All objects, by the store's keys."""

    def __init__(self, clock: Clock) -> None:
        self.objects: dict[str, Json] = {}
        self.clock = clock
        self.invariants: list[Invariant] = []
        self.broken: list[str] = []
        self.writes: list[str] = []
        self.last = 0.0
        self.began = 0.0  # when controllers were started last
        self.detail: Callable[[Step], str] = lambda step: ""

    def all(self, resource: Resource) -> list[Json]:
        """The objects of a kind, in the order of their names."""
        prefix = resource.key()
        return [self.objects[key] for key in sorted(self.objects) if key.startswith(prefix)]

    def get(self, resource: Resource, name: str, namespace: str = "default") -> Json | None:
        return self.objects.get(resource.key(namespace if resource.namespaced else "", name))

    def owned(self, resource: Resource, uid: str) -> Iterator[Json]:
        """Those of a kind whose controller has this uid."""
        return (item for item in self.all(resource) if controller_uid(item) == uid)

    def take(self, step: Step) -> None:
        """Something was committed."""
        if step.after is None:
            self.objects.pop(step.key, None)
        else:
            self.objects[step.key] = step.after
        if not step.concerns(Lease.resource):  # signs of life are no news
            self.last = self.clock.monotonic()
            self.writes.append(f"{self.last:9.3f} {_said(step)}{self.detail(step)}")
        for invariant in self.invariants:
            try:
                invariant(self, step)
            except AssertionError as error:
                self.broken.append(f"{self.clock.monotonic():.3f} s, {step.key}: {error}")


def _said(step: Step) -> str:
    verb = "delete" if step.after is None else "create" if step.before is None else "update"
    return f"{verb} {step.key}"


def changed(step: Step) -> str:
    """What the commit changed, for a trace."""
    before, after = step.before or {}, step.after or {}
    news = {
        f"{part}.{name}": after.get(part, {}).get(name)
        for part in ("metadata", "spec", "status", "data")
        for name in {**before.get(part, {}), **after.get(part, {})}
        if name not in ("managedFields", "resourceVersion")
        and before.get(part, {}).get(name) != after.get(part, {}).get(name)
    }
    return f" {news}" if step.before and step.after else ""


def controller_uid(obj: Json) -> str:
    owners: Iterable[Json] = obj["metadata"].get("ownerReferences") or ()
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")


class ObservedStore(MemoryStore):
    """A store that tells a `World` of every commit."""

    world: World | None = None

    async def write(self, key: str, mutate: Mutation) -> Record | None:
        old, before = self.get(key), self.revision
        told = await super().write(key, mutate)
        if self.world is not None and self.revision != before:
            self.world.take(Step(key, plain(old), plain(self.get(key))))
        return told


def plain(record: Record | None) -> Json | None:
    """The object, with a status, if it is empty: a kind that has none is not looked at for it."""
    if record is None:
        return None
    found = msgspec.json.decode(record.value, type=Json)
    found.setdefault("status", {})
    return found
