"""Finds devices of one node for all that a pod's claims need, or says what is short.

A search with backtracking: a request with few choices may need the device that an earlier one
would like. Devices in equal state are tried once a level, so many equal devices cost nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from argosy.scheduler.dra.inventory import Offer
from argosy.scheduler.dra.ledger import Use
from argosy.scheduler.dra.requests import Need

_WHOLE = Decimal(1)
MOST_STEPS = 2_000
"""A search that takes longer is given up: the claims count as not allocatable on this node."""


@dataclass(frozen=True, slots=True)
class Share:
    """A device for a need; `consumed` is None where the device is given wholly."""

    offer: Offer
    consumed: Mapping[str, Decimal] | None


class Slot:
    """A device during a search: what is left of it."""

    def __init__(self, offer: Offer, use: Use) -> None:
        self.offer = offer
        # A share of a device that is no longer shared, or the other way round, keeps it taken.
        self.taken = use.wholes > 0 or (use.shares > 0 and not offer.shared)
        self.busy = not use.idle
        self.met: tuple[bool, ...] = ()  # which of a search's selective needs it will do for
        self.left = {
            name: capacity.value - use.consumed.get(name, Decimal(0))
            for name, capacity in offer.capacities.items()
        }

    def share(self, need: Need) -> Share | None:
        """What `need` would get of this device; None where it can't have it."""
        offer = self.offer
        if self.taken or not need.wants(offer):
            return None
        if any(name not in offer.capacities for name in need.capacities):
            return None
        if not offer.shared:
            enough = all(offer.capacities[n].value >= a for n, a in need.capacities.items())
            return Share(offer, None) if enough else None
        consumed = {}
        for name, capacity in offer.capacities.items():
            amount = capacity.consumed(need.capacities.get(name))
            if amount is None or amount > self.left[name]:
                return None
            consumed[name] = amount
        return Share(offer, consumed)

    def take(self, share: Share) -> None:
        """Give `share` away."""
        if share.consumed is None:
            self.taken = True
        else:
            for name, amount in share.consumed.items():
                self.left[name] -= amount

    def give_back(self, share: Share) -> None:
        """Undo `take`."""
        if share.consumed is None:
            self.taken = False
        else:
            for name, amount in share.consumed.items():
                self.left[name] += amount

    @property
    def state(self) -> tuple[object, ...]:
        """Equal for devices that any need treats alike."""
        offer = self.offer
        capacities = tuple(sorted(offer.capacities.items(), key=lambda item: item[0]))
        left = tuple(sorted(self.left.items()))
        return (offer.id.driver, offer.shared, self.taken, self.met, left, capacities)

    @property
    def fullness(self) -> tuple[bool, Decimal]:
        """Devices in use and with less left come first: whole ones are kept for who needs one."""
        if not self.left:
            return (not self.busy, _WHOLE)
        shares = [
            left / self.offer.capacities[name].value
            for name, left in self.left.items()
            if self.offer.capacities[name].value
        ]
        return (not self.busy, min(shares, default=_WHOLE))


def search(slots: Sequence[Slot], needs: Sequence[Need]) -> list[Share] | None:
    """A share for each need, in order; None where there is no way (or it takes too long).

    Raises CelError where a selector can't be asked of a device.
    """
    choosy = {(need.drivers, need.selectors): need for need in needs if need.selectors}
    for slot in slots if choosy else ():
        slot.met = tuple(need.wants(slot.offer) for need in choosy.values())
    found: list[Share] = []
    steps = [MOST_STEPS]
    free = [slot for slot in slots if not slot.taken]
    return found if _search(free, needs, found, steps) else None


def _search(slots: list[Slot], needs: Sequence[Need], found: list[Share], steps: list[int]) -> bool:
    if len(found) == len(needs):
        return True
    need = needs[len(found)]
    tried: set[tuple[object, ...]] = set()
    for slot in sorted(slots, key=lambda slot: slot.fullness):
        share = slot.share(need)
        if share is None or slot.state in tried:
            continue
        tried.add(slot.state)
        steps[0] -= 1
        if steps[0] < 0:
            return False
        slot.take(share)
        found.append(share)
        if _search(slots, needs, found, steps):
            return True
        found.pop()
        slot.give_back(share)
    return False


def shortage(slots: Sequence[Slot], needs: Sequence[Need]) -> str:
    """The first need that can't be met after the ones before it, in words."""
    for need in needs:
        share = None
        for slot in slots:
            share = slot.share(need)
            if share is not None:
                slot.take(share)
                break
        if share is None:
            return _describe(slots, need)
    return "the devices can't be combined as requested"


def _describe(slots: Sequence[Slot], need: Need) -> str:
    wanted = [slot for slot in slots if need.wants(slot.offer)]
    shared = [slot for slot in wanted if slot.offer.shared and not slot.taken]
    short = next(iter(_short_capacities(shared, need)), None)
    if short is not None:
        return f"{need.label}: {short}"
    free = sum(not slot.taken for slot in wanted)
    if free:
        return f"{need.label}: no device with the requested capacity among {len(wanted)}"
    return f"{need.label}: 1 device requested, 0 of {len(wanted)} free"


def _short_capacities(slots: Sequence[Slot], need: Need) -> list[str]:
    """Per capacity that is short, the device that has most of it left."""
    found: dict[str, tuple[Decimal, str]] = {}
    for slot in slots:
        for name, capacity in slot.offer.capacities.items():
            asked = capacity.consumed(need.capacities.get(name))
            left = slot.left[name]
            if asked is not None and asked > left and (name not in found or left > found[name][0]):
                text = (
                    f"{name} {capacity.written(asked)} requested, {capacity.written(left)} of "
                    f"{capacity.written(capacity.value)} free on {slot.offer.id.device}"
                )
                found[name] = (left, text)
    return [text for _, text in found.values()]
