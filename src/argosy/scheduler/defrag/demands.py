"""Which pods are typical of a cluster: what those that are there ask of GPUs."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from argosy.api.cel.values import CelError
from argosy.api.core import Pod
from argosy.api.dra import ClaimStatus, ResourceClaim
from argosy.scheduler.dra.devices import Devices
from argosy.scheduler.dra.inventory import Offer
from argosy.scheduler.dra.requests import RefusedError
from argosy.scheduler.framework import UnschedulableError
from argosy.scheduler.packing.columns import MILLI, Demand
from argosy.scheduler.packing.demands import demand_of, is_gpu, kind_of
from argosy.scheduler.packing.traces import Typical, typical
from argosy.scheduler.shape import request_of
from argosy.scheduler.state import State

ANYONE = Typical(Demand(0, 0, 1, MILLI), 1.0)
"""Where no pod asks for GPUs: one that wants a whole one."""


def typical_of(
    state: State, pods: Iterable[Pod], claims: Iterable[ResourceClaim]
) -> Sequence[Typical]:
    """The shapes of those pods that ask for GPUs, whether they have them or wait."""
    asked = _as_asked(state.devices, claims)
    kinds: dict[str, Offer] = {}
    for node in sorted(state.devices.inventory.nodes()):
        for offer in filter(is_gpu, state.devices.inventory.on(node)):
            kinds.setdefault(kind_of(offer), offer)
    return typical(list(_demands(pods, asked, kinds))) or [ANYONE]


def _as_asked(devices: Devices, claims: Iterable[ResourceClaim]) -> Devices:
    """The claims as if none of them had got anything yet."""
    found = Devices()
    for one in devices.classes.values():
        found.put_class(None, one)
    for claim in claims:
        found.put_claim(None, msgspec.structs.replace(claim, status=ClaimStatus()))
    return found


def _demands(pods: Iterable[Pod], asked: Devices, kinds: dict[str, Offer]) -> Iterator[Demand]:
    for pod in pods:
        if pod.finished or pod.metadata.deletion_timestamp:
            continue
        try:
            demand = demand_of(pod, request_of(pod), asked, kinds)
        except (UnschedulableError, RefusedError, CelError, ValueError):
            continue  # nobody can tell what it asks for
        if demand is not None and demand.gpus:
            yield demand
