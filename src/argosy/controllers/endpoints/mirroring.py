"""Mirrors Endpoints that users make, for services that select nothing, as EndpointSlices.

Each subset becomes one slice for each address family. Source: upstream's endpoint slice mirroring
controller. Slices of Endpoints that are gone are the garbage collector's.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from argosy.api.core import Service
from argosy.api.endpoints import (
    Endpoint,
    EndpointAddress,
    EndpointConditions,
    EndpointPort,
    Endpoints,
    EndpointSlice,
    EndpointSubset,
)
from argosy.base.errors import StatusError
from argosy.controllers.endpoints.left import LEADER
from argosy.controllers.endpoints.packing import Draft, Identity, Packing, identity, plain
from argosy.controllers.endpoints.plan import MANAGED_BY, SERVICE_NAME
from argosy.controllers.endpoints.pods import canonical, ordered
from argosy.controllers.endpoints.slices import SliceIndex
from argosy.controllers.endpoints.subsets import repacked
from argosy.controllers.endpoints.triggers import ANNOTATION
from argosy.controllers.endpoints.writing import SliceWriter, is_ending
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/endpoints/mirroring"
COMPONENT = "endpoint-slice-mirroring-controller"
MANAGER = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
OURS = frozenset({ANNOTATION, "kubectl.kubernetes.io/last-applied-configuration"})
MOST = 1000
"""Addresses of a subset that are mirrored."""
Group = tuple[str, tuple[EndpointPort, ...]]


@dataclass(slots=True)
class Mirror:
    """What Endpoints are as slices. `invalid` and `skipped` count addresses that are not there."""

    groups: dict[Group, dict[Identity, Endpoint]] = field(default_factory=dict)
    invalid: int = 0
    skipped: int = 0

    def notes(self) -> Iterator[Note]:
        """What is to be told of it."""
        if self.invalid:
            text = f"Skipped {self.invalid} invalid IP addresses when mirroring to EndpointSlices"
            yield Note("InvalidIPAddress", text, "Warning")
        if self.skipped > self.invalid:
            text = (
                f"A max of {MOST} addresses can be mirrored to EndpointSlices per Endpoints "
                f"subset. {self.skipped} addresses were skipped"
            )
            yield Note("TooManyAddressesToMirror", text, "Warning")


def mirrored(endpoints: Endpoints) -> Mirror:
    """The slices' endpoints, by address family and ports."""
    mirror = Mirror()
    for subset in repacked(endpoints.subsets):
        added = 0
        for address, ready in _addresses(subset):
            if added == MOST:
                break
            ip, family = canonical(address.ip)
            if not family:
                mirror.invalid += 1
                continue
            one = _endpoint(address, ip, ready=ready)
            mirror.groups.setdefault((family, subset.ports), {})[identity(one)] = one
            added += 1
        mirror.skipped += len(subset.addresses) + len(subset.not_ready_addresses) - added
    return mirror


def _addresses(subset: EndpointSubset) -> Iterator[tuple[EndpointAddress, bool]]:
    yield from ((address, True) for address in subset.addresses)
    yield from ((address, False) for address in subset.not_ready_addresses)


def _endpoint(address: EndpointAddress, ip: str, *, ready: bool) -> Endpoint:
    return Endpoint(
        addresses=(ip,),
        conditions=EndpointConditions(ready=ready),
        hostname=address.hostname,
        target_ref=address.target_ref,
        node_name=address.node_name,
    )


def plan(endpoints: Endpoints, mirror: Mirror, existing: Iterable[EndpointSlice]) -> Packing:
    """Bring `existing`, the slices that mirror the Endpoints, in line."""
    there: defaultdict[Group, list[EndpointSlice]] = defaultdict(list)
    for piece in existing:
        there[(piece.address_type, ordered(piece.ports))].append(piece)
    packing = Packing()
    for (family, ports), wanted in mirror.groups.items():
        pieces = there.pop((family, ports), [])
        first = pieces[0] if pieces else None
        packing.delete += pieces[1:]
        if first is not None and _is_right(first, endpoints, wanted):
            packing.kept.append(first)
            continue
        draft = Draft(family, ports, labelled(endpoints), list(wanted.values()), before=first)
        (packing.create if first is None else packing.update).append(draft)
    packing.delete += [piece for group in there.values() for piece in group]
    _recycle(packing)
    return packing


def _is_right(
    piece: EndpointSlice, endpoints: Endpoints, wanted: Mapping[Identity, Endpoint]
) -> bool:
    """Whether the slice says the same, in whatever order, and is these Endpoints' own."""
    meta = piece.metadata
    if meta.labels != labelled(endpoints) or meta.annotations != annotations(endpoints):
        return False
    if any(owner.uid != endpoints.metadata.uid for owner in meta.owner_references):
        return False
    said = {identity(one): plain(one) for one in piece.endpoints}
    return said == {key: plain(one) for key, one in wanted.items()}


def _recycle(packing: Packing) -> None:
    """Use slices that would be deleted for those that would be created."""
    for old in list(packing.delete):
        draft = next((one for one in packing.create if one.address_type == old.address_type), None)
        if draft is not None:
            packing.create.remove(draft)
            packing.delete.remove(old)
            draft.before = old
            packing.update.append(draft)


def labelled(endpoints: Endpoints) -> dict[str, str]:
    """The labels of the slices: those of the Endpoints, and those by which they are found."""
    found = {SERVICE_NAME: endpoints.metadata.name, MANAGED_BY: MANAGER}
    return {**endpoints.metadata.labels, **found}


def annotations(endpoints: Endpoints) -> dict[str, str]:
    """The annotations of the slices."""
    own = endpoints.metadata.annotations.items()
    return {name: text for name, text in own if name not in OURS}


@dataclass(frozen=True)
class Mirroring:
    """Writes slices that mirror Endpoints."""

    services: Informer[Service]
    index: SliceIndex
    writer: SliceWriter
    events: EventRecorder

    async def reconcile(self, endpoints: Endpoints) -> Result:
        """Bring the slices in line, or take them away where there is nothing to mirror."""
        existing = self.index.of(endpoints.key)
        mirror = Mirror()
        if self._shall(endpoints):
            mirror = mirrored(endpoints)
            for note in mirror.notes():
                await self.events.record(endpoints, note)
        packing = plan(endpoints, mirror, existing)
        try:
            await self.writer.write(endpoints, packing, lambda _: annotations(endpoints))
        except StatusError as error:
            if not is_ending(error):
                raise
        return DONE

    def _shall(self, endpoints: Endpoints) -> bool:
        meta = endpoints.metadata
        service = self.services.get(*endpoints.key)
        if service is None or service.spec.selector:
            return False
        return meta.labels.get(SKIP) != "true" and LEADER not in meta.annotations


def mirroring(manager: Manager) -> Controller[Endpoints]:
    """The controller, on the manager's caches."""
    services, slices = manager.informer(Service), manager.informer(EndpointSlice)
    client = manager.client_as(NAME)
    index = SliceIndex(slices, MANAGER)
    events = EventRecorder(client, manager.clock, COMPONENT)
    endpoints = manager.informer(Endpoints)
    writer = SliceWriter(client, slices, endpoints)
    writer.watch()
    controller = Mirroring(services, index, writer, events)
    return Controller(
        name=NAME,
        informer=endpoints,
        reconcile=controller.reconcile,
        watches=(
            Watch(services, lambda one: (one.key,)),
            Watch(slices, index.keys),
        ),
    )
