"""Which devices there are on which node, from ResourceSlices.

Only slices of a pool's newest generation count, and only once all of them are here: a pool that
is half published may name a device twice or miss one. Slices that don't belong to one node are
left out; nothing here can place them yet.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from argosy.api.dra import Device, ResourceSlice
from argosy.scheduler.dra.capacity import Capacity, read_capacities

log = logging.getLogger(__name__)
PoolId = tuple[str, str]
"""(driver, pool)"""


class DeviceId(NamedTuple):
    """A device, named once in the cluster."""

    driver: str
    pool: str
    device: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A device as its driver offers it; `shared` ones may go to several claims."""

    id: DeviceId
    shared: bool
    capacities: Mapping[str, Capacity]
    device: Device | None = field(default=None, compare=False)
    _met: dict[str, bool] = field(default_factory=dict, compare=False)

    def meets(self, expression: str) -> bool:
        """Whether a selector means this device: found out once. Raises CelError."""
        known = self._met.get(expression)
        if known is None:
            known = self._met[expression] = self._asked(expression)
        return known

    def _asked(self, expression: str) -> bool:
        # Most clusters have selectors by driver only: these need no engine.
        from argosy.api.cel.devices import activation, matches, selector

        device = self.device or Device(name=self.id.device)
        amounts = {name: capacity.value for name, capacity in device.capacity.items()}
        seen = activation(self.id.driver, self.shared, device.attributes, amounts)
        return matches(selector(expression), seen)


class Inventory:
    """The devices of all nodes, kept pool by pool."""

    def __init__(self) -> None:
        self._slices: defaultdict[PoolId, dict[str, ResourceSlice]] = defaultdict(dict)
        self._on: defaultdict[str, dict[PoolId, tuple[Offer, ...]]] = defaultdict(dict)
        self._nodes_of: dict[PoolId, frozenset[str]] = {}
        self._home: dict[DeviceId, str] = {}
        self._stale: set[PoolId] = set()
        self._nodes: frozenset[str] | None = None
        self.version = 0
        """Another one whenever a slice came, changed or went."""

    def put(self, old: ResourceSlice | None, new: ResourceSlice | None) -> None:
        """A slice came, changed or went."""
        self.version += 1
        if old is not None:
            pool = _pool(old)
            self._slices[pool].pop(old.metadata.name, None)
            self._stale.add(pool)
        if new is not None:
            pool = _pool(new)
            self._slices[pool][new.metadata.name] = new
            self._stale.add(pool)

    def on(self, node: str) -> list[Offer]:
        """The devices of `node`, by pool and in the driver's order."""
        self._freshen()
        pools = self._on.get(node, {})
        return [offer for pool in sorted(pools) for offer in pools[pool]]

    def nodes(self) -> frozenset[str]:
        """The nodes that have devices."""
        self._freshen()
        if self._nodes is None:
            self._nodes = frozenset(self._on)
        return self._nodes

    def home(self, device: DeviceId) -> str | None:
        """The node that has `device`, as far as it is known."""
        self._freshen()
        return self._home.get(device)

    def _freshen(self) -> None:
        while self._stale:
            self._rebuild(self._stale.pop())

    def _rebuild(self, pool: PoolId) -> None:
        self._nodes = None
        for node in self._nodes_of.pop(pool, frozenset()):
            for offer in self._on[node].pop(pool):
                del self._home[offer.id]
            if not self._on[node]:
                del self._on[node]
        offers = _offers(pool, self._slices[pool].values())
        if not self._slices[pool]:
            del self._slices[pool]
        for node, found in offers.items():
            self._on[node][pool] = tuple(found)
            self._home.update((offer.id, node) for offer in found)
        self._nodes_of[pool] = frozenset(offers)


def _offers(pool: PoolId, slices: Iterable[ResourceSlice]) -> dict[str, list[Offer]]:
    """What a whole pool offers, by node; nothing while it isn't whole or names a device twice."""
    every = list(slices)
    newest = max((item.spec.pool.generation for item in every), default=0)
    current = [item for item in every if item.spec.pool.generation == newest]
    if not current or len(current) != current[0].spec.pool.resource_slice_count:
        return {}
    names = [device.name for item in current for device in item.spec.devices]
    if len(names) != len(set(names)):
        log.warning("pool names a device twice", extra={"driver": pool[0], "pool": pool[1]})
        return {}
    offers: dict[str, list[Offer]] = {}
    for item in sorted(current, key=lambda item: item.metadata.name):
        found = [offer for device in item.spec.devices for offer in _offer(pool, device)]
        if item.spec.node_name and found:
            offers.setdefault(item.spec.node_name, []).extend(found)
    return offers


def _offer(pool: PoolId, device: Device) -> Iterable[Offer]:
    try:
        capacities = read_capacities(device.capacity)
    except ValueError as error:
        context = {"driver": pool[0], "pool": pool[1], "device": device.name}
        log.warning("broken device left out", extra={**context, "error": str(error)})
        return
    own = DeviceId(*pool, device.name)
    yield Offer(own, device.allow_multiple_allocations, capacities, device)


def _pool(item: ResourceSlice) -> PoolId:
    return (item.spec.driver, item.spec.pool.name)
