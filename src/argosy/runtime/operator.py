"""An operator: a kind, and what shall be there for each of its objects.

    def plan(database: Database, seen: Seen) -> Plan:
        return Plan(apply=[child(database, ConfigMap, "settings", data={"size": "1"})])

    def status(database: Database, seen: Seen) -> DatabaseStatus:
        return DatabaseStatus(settings=len(seen.all(ConfigMap)))

    DATABASES = Operator(
        name="example.com/database", kind=Database, plan=plan, status=status, owns=(ConfigMap,)
    )

Both are pure functions of the object and of what it owns; around them stand the caches, the queue
and the writes (`commit`). Who needs more than that writes a `Controller` with a reconcile of its
own; both run on one manager.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from argosy.api.meta import Object, View, owned
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.commit import Committer, Desired, Plan
from argosy.runtime.controller import DONE, Controller, Result
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.finalizers import hold, let_go
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAMED = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(/[a-z0-9]([a-z0-9.-]*[a-z0-9])?)?")

T = TypeVar("T", bound=Object)
C = TypeVar("C", bound=Object)


def child(
    owner: Object,
    kind: type[Object],
    name: str,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **parts: Any,
) -> Desired:
    """An object of `owner`'s, beside it, with `parts` such as `spec` and `data`."""
    meta = {
        "name": name,
        "namespace": owner.metadata.namespace,
        "labels": labels,
        "annotations": annotations,
        "ownerReferences": [owned(owner)],
    }
    told = {key: value for key, value in meta.items() if value is not None}
    return Desired(kind.resource, {"metadata": told, **parts})


class Cache(Protocol):
    """What is known of a kind: an informer."""

    @property
    def kind(self) -> type[Object]:
        """The kind, as it is read."""
        ...

    def owned_by(self, uid: str) -> Sequence[Any]:
        """The objects whose managing controller has this uid."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What an object owns, of the kinds that its operator follows, and the time."""

    now: datetime
    uid: str
    caches: tuple[Cache, ...]

    def all(self, kind: type[C]) -> list[C]:
        """What it owns of a kind, in the order of names."""
        return [obj for item in self.caches if item.kind is kind for obj in item.owned_by(self.uid)]

    def get(self, kind: type[C], name: str) -> C | None:
        """What it owns of this kind and name, if that is there."""
        return next((obj for obj in self.all(kind) if obj.metadata.name == name), None)


def _untold(obj: Any, error: StatusError) -> Plan:
    return Plan(notes=[Note("Refused", error.message, "Warning")])


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator(Generic[T]):
    """Sees to the objects of `kind`, and to those that they own of the kinds `owns`.

    `name` is the field manager, the name in logs and metrics, and the component in events. `status`
    is asked when the plan was carried out, and sees what came of it at once. Where the API refuses
    what was planned, `refused` says what to tell instead: an event, unless it is given.
    With `finish`, objects get a finalizer and are only let go when it has come to its end (`DONE`);
    what an object owns goes without that.
    """

    name: str
    kind: type[T]
    plan: Callable[[T, Seen], Plan]
    status: Callable[[T, Seen], View] | None = None
    owns: tuple[type[Object], ...] = ()
    refused: Callable[[T, StatusError], Plan] = _untold
    finish: Callable[[T], Awaitable[Result]] | None = None
    workers: int = 4

    def __post_init__(self) -> None:
        """Raises ValueError for what would only show when it runs."""
        if not NAMED.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name like example.com/database")
        if self.status is not None and not self.kind.resource.status:
            raise ValueError(f"{self.name}: its kind has no status: Resource(…, status=True)")

    @property
    def finalizer(self) -> str:
        """What holds objects until `finish` has come to its end."""
        return f"{self.kind.resource.group}/{self.name.rpartition('/')[2]}"

    def controller(self, manager: Manager) -> Controller[T]:
        """It as a controller on the manager's caches."""
        informer = manager.informer(self.kind)
        below = tuple(manager.informer(kind) for kind in self.owns)
        client = manager.client_as(self.name)
        events = EventRecorder(client, manager.clock, self.name)
        committer = Committer(client, events, (informer, *below))

        async def reconcile(obj: T) -> Result:
            if obj.metadata.deletion_timestamp is not None:
                return await self._finish(client, informer, obj)
            if self.finish is not None:
                await informer.reached(await hold(client, obj, self.finalizer))
            seen = Seen(manager.clock.now(), obj.metadata.uid, below)
            plan = self._checked(self.plan(obj, seen))
            await committer.commit(obj, plan, refused=lambda error: self.refused(obj, error))
            if self.status is not None:
                told = Plan(status=self.status(obj, seen))
                await committer.commit(obj, told, refused=lambda error: Plan())
            return Result(plan.after)

        return Controller(
            name=self.name,
            informer=informer,
            reconcile=reconcile,
            owns=below,
            workers=self.workers,
        )

    def _checked(self, plan: Plan) -> Plan:
        """The plan, whose kinds must be followed: else what was made would never be seen again."""
        planned = {item.resource for item in plan.apply}.union(plan.prune)
        for resource in planned.difference(kind.resource for kind in self.owns):
            raise TypeError(f"{self.name}: {resource.kind} is planned, and not among its `owns`")
        return plan

    async def _finish(self, client: Client, informer: Informer[T], obj: T) -> Result:
        if self.finish is None or self.finalizer not in obj.metadata.finalizers:
            return DONE
        result = await self.finish(obj)
        if result.after is None:
            await informer.reached(await let_go(client, obj, self.finalizer))
        return result
