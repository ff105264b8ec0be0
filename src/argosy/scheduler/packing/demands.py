"""What real pods ask for, in the terms of packing; and which shapes are typical of late.

A GPU is a device of a driver whose name begins with `gpu.`, or one of an extended resource whose
name ends with `/gpu`. The share of a device is the largest of what is asked of its capacities.
"""

from collections import OrderedDict
from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Final

from argosy.api.core import Pod
from argosy.scheduler.dra.devices import Devices
from argosy.scheduler.dra.inventory import Offer
from argosy.scheduler.dra.requests import Need, needs_of
from argosy.scheduler.packing.columns import MILLI, Demand
from argosy.scheduler.packing.traces import Typical, typical
from argosy.scheduler.plugins.dynamic_resources import claims_of
from argosy.scheduler.shape import Request

DRIVERS: Final = "gpu."
RESOURCES: Final = "/gpu"
NAMES: Final = ("productName", "model", "type")
"""Attributes that tell a device's model; the first that is there."""
MEBIBYTE: Final = 2**20
WINDOW: Final = 8192
"""So many pods are remembered, the latest."""


def is_gpu(offer: Offer) -> bool:
    """Whether the device is a GPU, as its driver's name tells."""
    return offer.id.driver.startswith(DRIVERS)


def kind_of(offer: Offer) -> str:
    """The model of a device: its driver, and what its attributes say of the product."""
    attributes = offer.device.attributes if offer.device is not None else {}
    told = {name.rpartition("/")[2]: value.get("string") for name, value in attributes.items()}
    product = next((told[name] for name in NAMES if told.get(name)), None)
    return f"{offer.id.driver}/{product}" if product else offer.id.driver


def counted_of(request: Request) -> int:
    """Whole GPUs that are asked for as an extended resource."""
    return sum(amount for name, amount in request.amounts if name.endswith(RESOURCES))


def demand_of(
    pod: Pod, request: Request, devices: Devices, kinds: dict[str, Offer]
) -> Demand | None:
    """What `pod` asks for; None where its claims have devices already: it can't choose.

    `kinds` has a device of each model. Raises UnschedulableError, RefusedError and CelError, as
    asking for its claims does.
    """
    amounts = dict(request.amounts)
    cpu, memory = amounts.get("cpu", 0), -(-amounts.get("memory", 0) // MEBIBYTE)
    claims = claims_of(devices, pod) if pod.spec.resource_claims else ()
    if any(claim.status.allocation is not None for claim in claims):
        return None
    needs = [need for claim in claims for need in needs_of(claim, devices.classes)]
    wanted = [(need, _will_do(need, kinds)) for need in needs]
    on_gpu = [(need, will_do) for need, will_do in wanted if will_do]
    whole = counted_of(request)
    if not on_gpu:
        return Demand(cpu, memory, whole, MILLI if whole else 0)
    models = frozenset.intersection(*(frozenset(will_do) for _, will_do in on_gpu))
    milli = max(_milli(need, kinds[min(will_do)]) for need, will_do in on_gpu)
    anywhere = len(models) == len(kinds)
    return Demand(cpu, memory, whole + len(on_gpu), milli, frozenset() if anywhere else models)


def _will_do(need: Need, kinds: dict[str, Offer]) -> list[str]:
    return [kind for kind, offer in kinds.items() if need.wants(offer)]


def _milli(need: Need, offer: Offer) -> int:
    """Thousandths of a device like `offer` that the need takes."""
    if not offer.shared or not offer.capacities:
        return MILLI
    shares = [
        taken / capacity.value
        for name, capacity in offer.capacities.items()
        if capacity.value > 0 and (taken := capacity.consumed(need.capacities.get(name)))
    ]
    most = max(shares, default=Decimal(1))
    return min(MILLI, int((most * MILLI).to_integral_value(ROUND_CEILING)))


class History:
    """The shapes of the latest pods, each counted once."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, Demand] = OrderedDict()
        self._new = 0
        self._typical: Sequence[Typical] = ()

    def note(self, uid: str, demand: Demand) -> None:
        """A pod came."""
        if uid in self._seen:
            return
        self._seen[uid] = demand
        self._new += 1
        if len(self._seen) > WINDOW:
            self._seen.popitem(last=False)

    def typical(self) -> Sequence[Typical]:
        """The typical shapes: the very same until a quarter of the pods is new."""
        if 4 * self._new > len(self._seen):
            self._new = 0
            self._typical = typical(list(self._seen.values()))
        return self._typical
