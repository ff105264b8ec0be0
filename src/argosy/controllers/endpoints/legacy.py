"""Keeps the Endpoints of services that select pods: the old form, one object for each service.

Deprecated, and still read by proxies, and by whoever calls webhooks and extension servers. What a
service leaves behind is `left`'s. Source: upstream's endpoints controller.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.core import Pod, Service
from argosy.api.endpoints import EndpointAddress, Endpoints, EndpointSubset
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.endpoints import pods as behind
from argosy.controllers.endpoints.plan import families
from argosy.controllers.endpoints.subsets import Subsets, repacked, truncated
from argosy.controllers.endpoints.triggers import Triggers, annotated
from argosy.controllers.endpoints.writing import is_ending
from argosy.controllers.pacing import Pace
from argosy.controllers.podselection import PodSelection
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

Json = dict[str, Any]
NAME = "controllers/endpoints/legacy"
COMPONENT = "endpoint-controller"
MANAGED_BY = "endpoints.kubernetes.io/managed-by"
MANAGER = "endpoint-controller"
OVER = "endpoints.kubernetes.io/over-capacity"
REST = 0.002
"""Seconds of rest for each pod of a large service: all of its pods are in the one object."""


def subsets(service: Service, pods: Iterable[Pod]) -> Subsets:
    """The subsets of the service's Endpoints. Of several addresses a pod's first one counts."""
    return repacked(part for pod in pods for part in _parts(service, pod))


def _parts(service: Service, pod: Pod) -> Iterator[EndpointSubset]:
    published = service.spec.publish_not_ready_addresses
    address = _address(service, pod)
    if address is None or not behind.belongs(pod, terminating=published):
        return
    ports = behind.ports(pod, service)
    if service.spec.ports and not ports:
        return
    if not ports and behind.has_address(service):
        return
    if published or behind.is_ready(pod):
        yield EndpointSubset(addresses=(address,), ports=ports)
    else:
        yield EndpointSubset(not_ready_addresses=(address,), ports=ports)


def _address(service: Service, pod: Pod) -> EndpointAddress | None:
    given = families(service)
    _, own = behind.canonical(pod.status.pod_ip)
    family = own if len(given) > 1 and not service.spec.ip_families else given[0]
    found = behind.addresses(pod, family)
    if not found:
        return None
    return EndpointAddress(
        ip=found[0],
        hostname=behind.hostname(pod, service),
        node_name=pod.spec.node_name or None,
        target_ref=behind.target(pod),
    )


def labels(service: Service) -> dict[str, str]:
    """The labels of the service's Endpoints."""
    own = dict(service.metadata.labels)
    own.pop(behind.HEADLESS, None)
    headless = {} if behind.has_address(service) else {behind.HEADLESS: ""}
    return {**own, **headless, MANAGED_BY: MANAGER}


@dataclass(frozen=True)
class ServiceEndpoints:
    """Writes Endpoints of services."""

    client: Client
    selection: PodSelection[Service]
    endpoints: Informer[Endpoints]
    triggers: Triggers
    pace: Pace
    events: EventRecorder

    async def reconcile(self, service: Service) -> Result:
        """Bring the service's Endpoints in line with its pods."""
        if not behind.kept(service):
            return DONE
        if rest := self.pace.left(service.key):
            return Result(rest)
        pods = self.selection.pods(service)
        time = self.triggers.time(service, pods)
        wanted, over = truncated(subsets(service, pods))
        self.pace.worked(service.key, len(pods))
        there = self.endpoints.get(*service.key)
        if there is not None and _is_right(there, service, wanted, over=over):
            return DONE
        before = there.metadata.annotations if there is not None else {}
        others = {name: text for name, text in before.items() if name != OVER}
        full = {**others, OVER: "truncated"} if over else others
        body = _body(service, there, wanted, annotated(full, time))
        await self._write(service, there, body)
        return DONE

    async def _write(self, service: Service, there: Endpoints | None, body: Json) -> None:
        try:
            if there is None:
                written = await self.client.create(Endpoints.resource, body)
            else:
                written = await self.client.update(Endpoints.resource, body)
        except StatusError as error:
            if is_ending(error):
                return
            await self._complain(service, there, error)
            raise
        await self.endpoints.reached(written["metadata"]["resourceVersion"])

    async def _complain(
        self, service: Service, there: Endpoints | None, error: StatusError
    ) -> None:
        if error.code in (404, 409):  # the cache was behind: the next look will do
            return
        where = "/".join(service.key)
        if there is None:
            text = f"Failed to create endpoint for service {where}: {error.message}"
            note = Note("FailedToCreateEndpoint", text, "Warning")
        else:
            text = f"Failed to update endpoint {where}: {error.message}"
            note = Note("FailedToUpdateEndpoint", text, "Warning")
        await self.events.record(there or service, note)


def _is_right(there: Endpoints, service: Service, wanted: Subsets, *, over: bool) -> bool:
    same = there.subsets == wanted or repacked(there.subsets) == wanted
    marked = OVER in there.metadata.annotations
    return same and marked is over and there.metadata.labels == labels(service)


def _body(
    service: Service, there: Endpoints | None, wanted: Subsets, annotations: dict[str, str]
) -> Json:
    namespace, name = service.key
    meta: Json = {"name": name, "namespace": namespace}
    meta.update(labels=labels(service), annotations=annotations)
    if there is not None:
        meta["uid"] = there.metadata.uid
        meta["resourceVersion"] = there.metadata.resource_version
        meta["finalizers"] = there.metadata.finalizers
        meta["ownerReferences"] = msgspec.to_builtins(there.metadata.owner_references)
    body: Json = {"metadata": {key: value for key, value in meta.items() if value}}
    return {**body, "subsets": msgspec.to_builtins(wanted)} if wanted else body


def service_endpoints(manager: Manager, selection: PodSelection[Service]) -> Controller[Service]:
    """The controller of Endpoints, on the manager's caches."""
    services, endpoints = manager.informer(Service), manager.informer(Endpoints)
    client = manager.client_as(NAME)
    controller = ServiceEndpoints(
        client,
        selection,
        endpoints,
        Triggers(services),
        Pace(manager.clock, services, REST),
        EventRecorder(client, manager.clock, COMPONENT),
    )
    return Controller(
        name=NAME,
        informer=services,
        reconcile=controller.reconcile,
        watches=(
            Watch(manager.informer(Pod), selection.selecting),
            Watch(endpoints, lambda one: (one.key,)),
        ),
    )
