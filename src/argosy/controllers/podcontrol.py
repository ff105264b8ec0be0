"""Pods as controllers make and delete them: in batches, told by events, and never twice.

What was written is remembered until the cache has shown it (`Expectations`): a controller that
counts its pods while a write of its own is missing from the cache would make too many.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argosy.api.core import Pod
from argosy.api.meta import Key, Object, PartialObject, owned
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.base.selectors import Selector
from argosy.client.client import Client
from argosy.controllers.claiming import ByNamespace, Claims, orphans
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

Json = dict[str, Any]
BURST = 500
"""So many pods are made or deleted before the next look."""
WIDEST = 64
"""So many writes for one owner are under way at once: others want to be served between them."""
MOST_AT_ONCE = 256
"""And so many for all owners of a controller."""
WORKERS = 32
"""So many sets are looked at at once. Looks wait for their writes most of the time, and what is
written at once shares a commit."""
RECHECK = 1.0
"""Seconds after which to look again where the cache lags: it may catch up without an event."""
MOMENT = 0.1
"""Seconds after which a cache that is on time shows what was written."""
LONGEST_NAME = 253
DOUBTFUL = (409, 422)
"""Answers where another pod has that name now, or where others' writes got in the way."""


class Expectations:
    """What was written of owners' pods and the cache does not show yet, by the owners' uid."""

    def __init__(self, pods: Informer[Pod]) -> None:
        self._pods = pods
        self._written: dict[str, str] = {}
        self._leaving: dict[str, dict[Key, tuple[str, bool]]] = {}  # uid, whether it has left
        self._doubtful: set[str] = set()

    def wrote(self, owner: str, written: Mapping[str, Any]) -> None:
        """A pod of `owner` is as `written`, as the server answered."""
        self.came_to(owner, str(written["metadata"]["resourceVersion"]))

    def came_to(self, owner: str, revision: str) -> None:
        """A pod of `owner` was written at this revision."""
        self._written[owner] = max(self._written.get(owner, "0"), revision, key=int)

    def deleted(self, owner: str, pod: Pod) -> None:
        """The pod is on its way out."""
        self._leaving.setdefault(owner, {})[pod.key] = (pod.metadata.uid, False)

    def doubt(self, owner: str) -> None:
        """Nobody knows whether a write of the owner's was done: its answer got lost."""
        self._doubtful.add(owner)

    def doubtful(self, owner: str) -> bool:
        """Whether there is such a write."""
        return owner in self._doubtful

    def found(self, owner: str, pods: Iterable[Object], gone: Iterable[Pod]) -> None:
        """These are the owner's pods, as the server has them: the doubts are over.

        Those that are `gone` the cache shows still.
        """
        for pod in pods:
            self.came_to(owner, pod.metadata.resource_version)
        for pod in gone:
            self._leaving.setdefault(owner, {})[pod.key] = (pod.metadata.uid, True)
        self._doubtful.discard(owner)

    async def shown(self, owner: str, clock: Clock) -> bool:
        """Whether the cache soon shows what was written, where a moment's wait can help."""
        revision = self._written.get(owner)
        if revision is None or owner in self._doubtful:
            return False
        if self._pods.has_reached(revision):
            return True
        waits = (self._pods.reached(revision), clock.sleep(MOMENT))
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        return self._pods.has_reached(revision)

    def met(self, owner: str) -> bool:
        """Whether the cache shows all that was written; if so, all of it is forgotten."""
        if owner in self._written and not self._pods.has_reached(self._written[owner]):
            return False
        if any(self._there(key, *it) for key, it in self._leaving.get(owner, {}).items()):
            return False
        self._written.pop(owner, None)
        self._leaving.pop(owner, None)
        return True

    def follow(self, owners: Informer[Any]) -> None:
        """Remember nothing of owners that are gone."""

        def changed(old: Object | None, new: Object | None) -> None:
            if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
                self.forget(old.metadata.uid)

        owners.subscribe(changed)

    def forget(self, owner: str) -> None:
        """The owner is gone."""
        self._written.pop(owner, None)
        self._leaving.pop(owner, None)
        self._doubtful.discard(owner)

    def _there(self, key: Key, uid: str, left: bool) -> bool:
        """Whether the cache has yet to show it; that it is going doesn't do for one that has left:
        whoever counts it as going may count it a second time.
        """
        pod = self._pods.get(*key)
        if pod is None or pod.metadata.uid != uid:
            return False
        return left or pod.metadata.deletion_timestamp is None


@dataclass(frozen=True, slots=True)
class PodControl:
    """Makes, deletes, adopts and releases pods for one controller's objects."""

    claims: Claims
    pods: Informer[Pod]
    orphans: ByNamespace[Pod]
    events: EventRecorder
    expectations: Expectations
    turns: asyncio.Semaphore

    def pods_of(self, owner: Object) -> list[Pod]:
        """The pods that the owner has, whatever state they are in."""
        return self.pods.owned_by(owner.metadata.uid)

    def candidates(self, owner: Object) -> list[Pod]:
        """The owner's pods, and those of its namespace that nobody has."""
        return [*self.pods_of(owner), *self.orphans.within(owner.metadata.namespace)]

    async def claim(
        self,
        owner: Object,
        selector: Selector,
        pods: Sequence[Pod],
        *,
        finalizers: Sequence[str] = (),
    ) -> list[Pod]:
        """Those of `pods` that are the owner's, after adopting and releasing (see `Claims`)."""
        return await self.claims.claim(owner, selector, pods, finalizers=finalizers)

    async def settled(self, owner: Object) -> bool:
        """Whether the cache shows all that was written for the owner. Asks the server in doubt."""
        meta, expected = owner.metadata, self.expectations
        if expected.doubtful(meta.uid):
            client = self.claims.client
            listed = await client.list(PartialObject, meta.namespace, resource=Pod.resource)
            there = {pod.metadata.uid for pod in listed.items}
            revision = int(listed.metadata.resource_version)
            gone = [
                pod
                for pod in self.pods_of(owner)
                if pod.metadata.uid not in there
                and int(pod.metadata.resource_version) <= revision  # else it came meanwhile
            ]
            expected.found(meta.uid, [pod for pod in listed.items if owns(owner, pod)], gone)
        return expected.met(meta.uid)

    async def shown(self, owner: Object, clock: Clock) -> bool:
        """Whether the cache shows what was just written for the owner; waits a moment for it."""
        return await self.expectations.shown(owner.metadata.uid, clock)

    async def create(self, owner: Object, bodies: Sequence[Json]) -> None:
        """Make the pods in batches of 1, 2, 4 and so on.

        Where one is refused, the batches after it are left out; raises the first refusal then, of
        which an event tells. A namespace that is going refuses everything, silently.
        """
        start, size = 0, 1
        while start < len(bodies):
            batch = bodies[start : start + size]
            _raise_first(await _together([self._create(owner, body) for body in batch]))
            start, size = start + size, min(size * 2, WIDEST)

    async def delete(
        self, owner: Object, pods: Sequence[Pod], *, spare: Callable[[Pod], bool] | None = None
    ) -> None:
        """Delete the pods. Raises the first failure, after all of them.

        Those that `spare` is true of are deleted only as the cache shows them: where one has
        changed meanwhile it stays, and the server is asked before the next look.
        """
        failures: list[BaseException] = []
        for start in range(0, len(pods), WIDEST):
            batch = pods[start : start + WIDEST]
            failures += await _together(
                [self._delete(owner, pod, as_seen=bool(spare and spare(pod))) for pod in batch]
            )
        _raise_first(failures)

    async def _create(self, owner: Object, body: Json) -> None:
        try:
            async with self.turns:
                made = await self.claims.client.created(Pod.resource, body)
        except (StatusError, ConnectionError) as error:
            if namespace_going(error):
                return
            self.doubt(owner, error)
            await self.events.record(
                owner, Note("FailedCreate", f"Error creating: {error}", "Warning")
            )
            raise
        self.expectations.came_to(owner.metadata.uid, made.resource_version)
        await self.events.record(owner, Note("SuccessfulCreate", f"Created pod: {made.name}"))

    async def _delete(self, owner: Object, pod: Pod, *, as_seen: bool) -> None:
        meta = pod.metadata
        seen = meta.resource_version if as_seen else ""
        try:
            async with self.turns:
                await self.claims.client.delete(
                    Pod.resource, meta.name, meta.namespace, uid=meta.uid, revision=seen
                )
        except (StatusError, ConnectionError) as error:
            if as_seen and isinstance(error, StatusError) and error.code == 409:
                self.expectations.doubt(owner.metadata.uid)
                return
            self.doubt(owner, error)
            await self.events.record(
                owner, Note("FailedDelete", f"Error deleting: {error}", "Warning")
            )
            raise _named("unable to delete pods: ", error) from error
        self.expectations.deleted(owner.metadata.uid, pod)
        await self.events.record(owner, Note("SuccessfulDelete", f"Deleted pod: {meta.name}"))

    def doubt(self, owner: Object, error: StatusError | ConnectionError) -> None:
        """A write of one of the owner's pods failed: it may be done nevertheless."""
        if lost(error):
            self.expectations.doubt(owner.metadata.uid)


def pod_control(manager: Manager, name: str, component: str) -> PodControl:
    """Pods under the field manager `name`; `component` tells the events."""
    client, pods = manager.client_as(name), manager.informer(Pod)
    expectations = Expectations(pods)
    return PodControl(
        Claims(client, expectations.wrote),
        pods,
        orphans(pods),
        EventRecorder(client, manager.clock, component),
        expectations,
        asyncio.Semaphore(MOST_AT_ONCE),
    )


def pod_from(template: Mapping[str, Any], owner: Object) -> Json:
    """A pod of the owner's, as the template has it; the server names it."""
    given = template.get("metadata") or {}
    kept = {name: given[name] for name in ("labels", "annotations", "finalizers") if name in given}
    name = owner.metadata.name
    meta = {
        "generateName": f"{name}-" if len(name) < LONGEST_NAME else name,
        "namespace": owner.metadata.namespace,
        **kept,
        "ownerReferences": [owned(owner)],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}


def owns(owner: Object, obj: Object) -> bool:
    """Whether the owner is the one controller of `obj`."""
    return obj.controller is not None and obj.controller.uid == owner.metadata.uid


async def has_left(client: Client, pod: Pod, error: StatusError) -> bool:
    """Whether a write failed because the pod is gone, or another one has its name."""
    if error.code not in DOUBTFUL:
        return error.code == 404
    meta = pod.metadata
    found = await client.find(PartialObject, meta.name, meta.namespace, resource=pod.resource)
    return found is None or found.metadata.uid != meta.uid


def lost(error: StatusError | ConnectionError) -> bool:
    """Whether the server broke off, or never answered: it may have done what it was asked."""
    return isinstance(error, ConnectionError) or error.code >= 500


def namespace_going(error: Exception) -> bool:
    """Whether the namespace is being deleted, which takes nothing new."""
    causes = error.details.get("causes") or () if isinstance(error, StatusError) else ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)


def _named(doing: str, error: StatusError | ConnectionError) -> StatusError | ConnectionError:
    """The same error, after what was being done."""
    if isinstance(error, StatusError):
        return StatusError(error.code, error.reason, f"{doing}{error}", details=error.details)
    return ConnectionError(f"{doing}{error}")


async def _together(writes: Sequence[Awaitable[None]]) -> list[BaseException]:
    """Do all of them, at once; the failures."""
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    return [outcome for outcome in outcomes if outcome is not None]


def _raise_first(failures: Sequence[BaseException]) -> None:
    if failures:
        raise failures[0]
