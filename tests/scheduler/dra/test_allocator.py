"""The search against trying every assignment, and what it says when there is none."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.cel.values import CelError
from argosy.api.dra import Device
from argosy.scheduler.dra.allocator import Share, Slot, search, shortage
from argosy.scheduler.dra.capacity import Capacity
from argosy.scheduler.dra.inventory import DeviceId, Offer
from argosy.scheduler.dra.ledger import Use
from argosy.scheduler.dra.requests import Need


def slot(name: str = "d", *, driver: str = "a", shared: int = 0, use: Use | None = None) -> Slot:
    """An exclusive device, or one with so much to share."""
    capacities = {"c": Capacity(Decimal(shared))} if shared else {}
    return Slot(Offer(DeviceId(driver, "pool", name), shared > 0, capacities), use or Use())


def need(drivers: str = "a", amount: int | None = None) -> Need:
    capacities = {} if amount is None else {"c": Decimal(amount)}
    return Need("r", 0, "/".join(drivers), frozenset(drivers), capacities)


def test_an_earlier_need_makes_way_for_a_choosier_one() -> None:
    slots = [slot("only-a", driver="a"), slot("only-b", driver="b")]
    found = search(slots, [need("ab"), need("a")])
    assert found is not None
    assert [share.offer.id.device for share in found] == ["only-b", "only-a"]


def described(name: str, model: str, driver: str = "a") -> Slot:
    """A device with an attribute."""
    device = Device(name=name, attributes={"model": {"string": model}})
    return Slot(Offer(DeviceId(driver, "pool", name), False, {}, device), Use())


def test_devices_are_chosen_by_what_they_are() -> None:
    large = 'device.attributes["a"].model == "large"'
    slots = [described("one", "small"), described("two", "large"), described("other", "", "b")]
    wanted = [need("a"), Need("r", 1, "a", frozenset("a"), selectors=(large,))]
    found = search(slots, wanted)
    assert found is not None
    assert [share.offer.id.device for share in found] == ["one", "two"]
    assert search(slots, [wanted[1], wanted[1]]) is None


def test_a_selector_that_can_not_be_asked_of_a_device() -> None:
    wanted = Need("r", 0, "a", None, selectors=('device.attributes["a"].model == "large"',))
    with pytest.raises(CelError, match="no such key: model"):
        search([described("other", "large", "b")], [wanted])


def test_a_device_in_use_is_filled_first() -> None:
    used = Use(shares=1)
    used.consumed["c"] = Decimal(50)
    found = search([slot("new", shared=100), slot("used", shared=100, use=used)], [need("a", 50)])
    assert found is not None and found[0].offer.id.device == "used"


@pytest.mark.parametrize(
    ("slots", "needs", "text"),
    [
        ([], [need()], "a: 1 device requested, 0 of 0 free"),
        ([slot(use=Use(wholes=1)), slot()], [need()] * 2, "a: 1 device requested, 0 of 2 free"),
        ([slot()], [need("a", 5)], "a: no device with the requested capacity among 1"),
        ([slot(shared=9)], [need("a", 10)], "a: c 10 requested, 9 of 9 free on d"),
        ([slot(shared=9)], [need("a", 5)] * 2, "a: c 5 requested, 4 of 9 free on d"),
        (
            [slot(driver="a"), slot(driver="b", use=Use(wholes=1))],
            [need("ab"), need("b")],
            "b: 1 device requested, 0 of 1 free",
        ),
        # A device that was given away whole before it was declared shared.
        ([slot(shared=9, use=Use(wholes=1))], [need()], "a: 1 device requested, 0 of 1 free"),
        ([slot(use=Use(shares=1))], [need()], "a: 1 device requested, 0 of 1 free"),
    ],
)
def test_shortage(slots: list[Slot], needs: list[Need], text: str) -> None:
    assert search(slots, needs) is None
    assert shortage(slots, needs) == text


devices = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from([0, 0, 3, 5])), min_size=1, max_size=4
)
wishes = st.lists(
    st.tuples(st.sampled_from(["a", "b", "ab"]), st.one_of(st.none(), st.integers(1, 5))),
    min_size=1,
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(devices=devices, wishes=wishes)
def test_it_finds_a_way_where_there_is_one(devices: list[Any], wishes: list[Any]) -> None:
    slots = [slot(f"d{i}", driver=d, shared=s) for i, (d, s) in enumerate(devices)]
    needs = [need(drivers, amount) for drivers, amount in wishes]
    found = search(slots, needs)
    ways = product(range(len(devices)), repeat=len(needs))
    assert (found is not None) == any(possible(devices, wishes, way) for way in ways)
    if found is not None:
        assert possible(devices, wishes, [chosen(share) for share in found])


def chosen(share: Share) -> int:
    return int(share.offer.id.device[1:])


def possible(devices: list[Any], wishes: list[Any], way: Sequence[int]) -> bool:
    """Whether the assignment respects every rule: the plain reference."""
    left = [size or 1 for _, size in devices]
    for (drivers, amount), index in zip(wishes, way, strict=True):
        driver, size = devices[index]
        if driver not in drivers or (amount is not None and not size):
            return False
        left[index] -= (size if amount is None else amount) if size else 1
    return min(left) >= 0
