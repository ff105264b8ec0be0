"""Keeps the EndpointSlices of services that select pods.

What is decided is in `plan`. It looks at a service when that, one of its slices or a pod that it
selects has changed; at one with many pods not more often than is proportionate (`pacing`). Source:
upstream's endpoint slice controller.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from argosy.api.core import Node, Pod, Service
from argosy.api.endpoints import EndpointSlice
from argosy.api.meta import Key
from argosy.base.errors import StatusError
from argosy.controllers.endpoints.plan import MANAGED_BY, MANAGER, SERVICE_NAME, plan
from argosy.controllers.endpoints.pods import kept
from argosy.controllers.endpoints.triggers import Triggers, annotated
from argosy.controllers.endpoints.writing import SliceWriter, is_ending
from argosy.controllers.pacing import Pace
from argosy.controllers.podselection import PodSelection, equalities
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/endpoints/slices"
COMPONENT = "endpoint-slice-controller"
REST = 0.001
"""Seconds of rest for each pod of a large service; a look takes a hundredth of that, or so."""
NODE_PATIENCE = 5.0
"""Seconds until pods are looked at again whose node was not known."""


class SliceIndex:
    """Slices by the service that they name, those of one manager."""

    def __init__(self, slices: Informer[EndpointSlice], manager: str) -> None:
        self._manager = manager
        self._slices = slices
        self._names: defaultdict[Key, set[str]] = defaultdict(set)
        slices.subscribe(self._changed)

    def of(self, key: Key) -> list[EndpointSlice]:
        """The slices of a service that are not going, by name."""
        found = (self._slices.get(key[0], name) for name in sorted(self._names.get(key, ())))
        return [one for one in found if one is not None and not one.metadata.deletion_timestamp]

    def keys(self, piece: EndpointSlice) -> Iterable[Key]:
        """The service of a slice, if its manager is the one."""
        labels = piece.metadata.labels
        if labels.get(MANAGED_BY) == self._manager and labels.get(SERVICE_NAME):
            yield (piece.metadata.namespace, labels[SERVICE_NAME])

    def _changed(self, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        for key in self.keys(old) if old is not None else ():
            self._names[key].discard(old.metadata.name if old is not None else "")
            if not self._names[key]:
                del self._names[key]
        for key in self.keys(new) if new is not None else ():
            self._names[key].add(new.metadata.name if new is not None else "")


@dataclass(frozen=True)
class ServiceSlices:
    """Writes slices of services."""

    selection: PodSelection[Service]
    nodes: Informer[Node]
    index: SliceIndex
    writer: SliceWriter
    triggers: Triggers
    pace: Pace
    events: EventRecorder

    async def reconcile(self, service: Service) -> Result:
        """Bring the service's slices in line with its pods."""
        if not kept(service):
            return DONE
        if rest := self.pace.left(service.key):
            return Result(rest)
        pods = self.selection.pods(service)
        time = self.triggers.time(service, pods)
        decided = plan(service, pods, lambda name: self.nodes.get("", name), self._there(service))
        try:
            await self.writer.write(
                service, decided.packing, lambda before: annotated(dict(before), time)
            )
        except StatusError as error:
            if is_ending(error):
                return DONE
            await self._complain(service, error)
            raise
        finally:
            self.pace.worked(service.key, len(pods))
        return Result(NODE_PATIENCE) if decided.strays else DONE

    def _there(self, service: Service) -> list[EndpointSlice]:
        return self.index.of(service.key)

    async def _complain(self, service: Service, error: StatusError) -> None:
        if error.code in (404, 409):  # the cache was behind: the next look will do
            return
        where = "/".join(service.key)
        text = f"Error updating Endpoint Slices for Service {where}: {error.message}"
        await self.events.record(service, Note("FailedToUpdateEndpointSlices", text, "Warning"))


def service_slices(manager: Manager, selection: PodSelection[Service]) -> Controller[Service]:
    """The controller, on the manager's caches."""
    services, slices = manager.informer(Service), manager.informer(EndpointSlice)
    client = manager.client_as(NAME)
    index = SliceIndex(slices, MANAGER)
    writer = SliceWriter(client, slices, services)
    writer.watch()
    controller = ServiceSlices(
        selection,
        manager.informer(Node),
        index,
        writer,
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
            Watch(slices, index.keys),
            Watch(manager.informer(Node), lambda _: ()),
        ),
    )


def selected_by_services(manager: Manager) -> PodSelection[Service]:
    """Which pods services select; those of services whose endpoints are kept by users are left."""
    return PodSelection(
        manager.informer(Pod),
        manager.informer(Service),
        lambda service: equalities(service.spec.selector) if kept(service) else None,
    )
