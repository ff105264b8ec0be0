"""Empties namespaces that are deleted: what is in them goes, then they do.

Pods go first, with the time that they are given; then all that can be deleted, of every kind.
What waits for finalizers is waited for. The conditions say what is left. When a look has found
nothing, and had nothing to tell either, the namespace's own finalizer is taken away. That it had
nothing to tell matters: the write of what a look before it told came after every object whose
creation was on its way when the namespace was deleted, so that this look could see them all.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from argosy.api.core import Namespace, Pod
from argosy.api.extensions.definition import CustomResourceDefinition
from argosy.api.meta import Condition, Key
from argosy.api.registration import APIService
from argosy.api.resource import Resource
from argosy.base.clock import Clock, parse_timestamp, timestamp
from argosy.base.errors import StatusError, service_unavailable
from argosy.client.client import Client
from argosy.controllers.customresources import Kinds, defined
from argosy.controllers.extended import Extended, failed
from argosy.controllers.ownership import Trace
from argosy.controllers.remains import Remains, told
from argosy.controllers.tracing import pages
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.manager import Manager

Json = dict[str, Any]

NAME = "controllers/namespaces"
FINALIZER = "kubernetes"
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 8.0
PATIENCE = 60.0
"""Seconds for the objects of one kind that is served elsewhere: nobody knows who answers there."""
OPTIONS = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}


@dataclass(frozen=True)
class Namespaces:
    """Deletes the contents of namespaces. `resources` are the kinds that live in them; `defined`
    tells those that users have defined, `extended` those that are served elsewhere.
    """

    client: Client
    clock: Clock
    resources: tuple[Resource, ...]
    defined: Kinds
    extended: Extended

    async def reconcile(self, namespace: Namespace) -> Result:
        """Delete what is left, and tell of it; let the namespace go when nothing is."""
        if namespace.metadata.deletion_timestamp is None:
            return DONE
        current = await self._current(namespace.metadata.name)
        if current is None or not (current.get("spec") or {}).get("finalizers"):
            return DONE
        remains = await self._emptied(namespace.metadata.name)
        news = await self._tell(current, remains)
        for failure in remains.failures:
            raise failure
        if remains.undiscovered:
            raise service_unavailable(remains.undiscovered)
        if remains.kinds:
            return Result(pause(current["metadata"]["deletionTimestamp"], self.clock.now()))
        if news:
            return Result(0.0)
        await self._finalize(current)
        return DONE

    async def _current(self, name: str) -> Json | None:
        """The namespace as it is now, if it is still going."""
        try:
            found: Json = msgspec.json.decode(
                await self.client.call("GET", Namespace.resource.path(name))
            )
        except StatusError as error:
            if error.code != 404:
                raise
            return None
        return found if found["metadata"].get("deletionTimestamp") else None

    async def _emptied(self, namespace: str) -> Remains:
        """Delete all there is; what is left after that. Nothing else goes before all pods have."""
        remains = Remains()
        elsewhere = await self.extended.inside()
        remains.undiscovered = failed(elsewhere.failures) if elsewhere.failures else ""
        kinds = [*self.resources, *(item for item in self.defined() if item.namespaced)]
        kinds += elsewhere.kinds
        for resource in sorted(kinds, key=lambda item: item != Pod.resource):
            if resource != Pod.resource and remains.kinds[Pod.resource]:
                break
            try:
                async with asyncio.timeout(PATIENCE if resource in elsewhere.kinds else None):
                    remains.add(resource, await self._deleted(resource, namespace))
            except StatusError as error:
                remains.failures.append(error)
            except (TimeoutError, msgspec.DecodeError, ConnectionError) as error:
                fault = f"deleting {resource.qualified}: {error or 'no answer came in time'}"
                remains.failures.append(service_unavailable(fault))
        return remains

    async def _deleted(self, resource: Resource, namespace: str) -> list[Trace]:
        """Delete all objects of a kind; those that are left."""
        before = [trace async for trace in self._traces(resource, namespace)]
        if not before:
            return []
        if "deletecollection" in resource.verbs:
            await self.client.call("DELETE", resource.path("", namespace), {}, OPTIONS)
        else:
            for trace in before:
                await self.client.delete(resource, trace.name, namespace)
        left = [trace async for trace in self._traces(resource, namespace)]
        if any(trace.deletion_timestamp is None for trace in left):
            raise StatusError(
                409,
                "Conflict",
                f"unexpected items still remain in namespace: {namespace} for gvr: "
                f"{resource.group}/{resource.version}, Resource={resource.plural}",
            )
        return left

    async def _traces(self, resource: Resource, namespace: str) -> AsyncGenerator[Trace, None]:
        async for page in pages(self.client, resource, namespace):
            for item in page.items:
                yield item.metadata

    async def _tell(self, current: Json, remains: Remains) -> bool:
        """Whether there was something new to tell."""
        status = current.get("status") or {}
        known = msgspec.convert(status.get("conditions") or [], tuple[Condition, ...])
        conditions = told(known, remains, timestamp(self.clock.now()))
        if conditions == known and status.get("phase") == "Terminating":
            return False
        meta = current["metadata"]
        patch = {
            "metadata": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]},
            "status": {"phase": "Terminating", "conditions": msgspec.to_builtins(conditions)},
        }
        await self.client.merge(Namespace.resource, meta["name"], "", patch, subresource="status")
        return True

    async def _finalize(self, current: Json) -> None:
        """Take the finalizer off, as of the revision that was looked at."""
        kept = [item for item in current["spec"]["finalizers"] if item != FINALIZER]
        body = {**current, "spec": {**current["spec"], "finalizers": kept}}
        try:
            await self.client.update(Namespace.resource, body, subresource="finalize")
        except StatusError as error:
            if error.code != 404:
                raise


def pause(since: str, now: datetime) -> float:
    """Seconds until the next look at a namespace that is going since then: ever longer."""
    elapsed = (now - parse_timestamp(since)).total_seconds()
    return min(max(elapsed / 4, FIRST_PAUSE), LONGEST_PAUSE)


def left_by(pod: Pod) -> Iterable[Key]:
    """The namespace that a pod leaves: it may be the last one there."""
    if pod.metadata.deletion_timestamp is not None:
        yield ("", pod.metadata.namespace)


def namespaces(manager: Manager, resources: Iterable[Resource]) -> Controller[Namespace]:
    """The controller, for those of `resources` that live in namespaces."""
    served = tuple(resources)
    inside = tuple(item for item in served if item.namespaced and "delete" in item.verbs)
    definitions = manager.informer(CustomResourceDefinition)
    kinds = defined(definitions, served)
    client = manager.client_as(NAME)
    extended = Extended(client, manager.informer(APIService))
    controller = Namespaces(client, manager.clock, inside, kinds, extended)
    return Controller(
        name=NAME,
        informer=manager.informer(Namespace),
        reconcile=controller.reconcile,
        watches=(
            Watch(manager.informer(Pod), left_by),
            Watch(definitions, lambda _: ()),
            Watch(extended.services, lambda _: ()),
        ),
    )
