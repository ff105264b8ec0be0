"""All that is known of devices: what there is, who has it, and which classes name it."""

from argosy.api.dra import DeviceClass, ResourceClaim, ResourceSlice
from argosy.api.meta import Key
from argosy.scheduler.dra.allocator import Slot
from argosy.scheduler.dra.inventory import DeviceId, Inventory
from argosy.scheduler.dra.ledger import Ledger


class Devices:
    """Fed by informer events and by assumed allocations; decisions read it."""

    def __init__(self) -> None:
        self.inventory = Inventory()
        self.ledger = Ledger()
        self.classes: dict[str, DeviceClass] = {}
        self._claims: dict[Key, ResourceClaim] = {}

    def put_slice(self, old: ResourceSlice | None, new: ResourceSlice | None) -> None:
        """A slice came, changed or went."""
        self.inventory.put(old, new)

    def put_class(self, old: DeviceClass | None, new: DeviceClass | None) -> None:
        """A class came, changed or went."""
        if old is not None:
            self.classes.pop(old.metadata.name, None)
        if new is not None:
            self.classes[new.metadata.name] = new

    def put_claim(self, old: ResourceClaim | None, new: ResourceClaim | None) -> None:
        """A claim came, changed or went."""
        if old is not None:
            self._claims.pop(old.key, None)
        if new is not None:
            self._claims[new.key] = new
        self.ledger.put(old, new)

    def claim(self, namespace: str, name: str) -> ResourceClaim | None:
        """The claim, with what is assumed of it."""
        seen = self._claims.get((namespace, name))
        return self.ledger.current(seen) if seen else None

    def slots(self, node: str) -> list[Slot]:
        """The devices of `node` with what is left of them, for one search."""
        return [Slot(offer, self.ledger.use(offer.id)) for offer in self.inventory.on(node)]

    def home(self, claim: ResourceClaim) -> frozenset[str]:
        """The node of an allocated claim's devices; empty where they aren't on offer, or on one.

        Devices that are no longer offered have no node: nobody can use such a claim.
        """
        allocation = claim.status.allocation
        results = allocation.devices.results if allocation else ()
        homes = {
            self.inventory.home(DeviceId(item.driver, item.pool, item.device)) for item in results
        }
        if len(homes) != 1 or None in homes:
            return frozenset()
        return frozenset(home for home in homes if home is not None)
