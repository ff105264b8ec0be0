"""Which slices count."""

from argosy.scheduler.dra.inventory import DeviceId, Inventory
from tests.scheduler.builders import DRIVER, resource_slice, shared_gpu

D = [{"name": "d"}]
E = [{"name": "e"}]


def names(inventory: Inventory, node: str = "n1") -> list[str]:
    return [offer.id.device for offer in inventory.on(node)]


def test_a_slice_comes_changes_and_goes() -> None:
    inventory = Inventory()
    first = resource_slice(D)
    inventory.put(None, first)
    assert names(inventory) == ["d"]
    assert inventory.home(DeviceId(DRIVER, "n1", "d")) == "n1"
    second = resource_slice(E)
    inventory.put(first, second)
    assert names(inventory) == ["e"]
    inventory.put(second, None)
    assert names(inventory) == []
    assert inventory.nodes() == frozenset()
    assert inventory.home(DeviceId(DRIVER, "n1", "e")) is None


def test_a_pool_counts_when_it_is_whole() -> None:
    inventory = Inventory()
    inventory.put(None, resource_slice(D, name="s0", count=2))
    assert names(inventory) == []
    inventory.put(None, resource_slice(E, name="s1", count=2))
    assert names(inventory) == ["d", "e"]


def test_only_the_newest_generation_counts() -> None:
    inventory = Inventory()
    inventory.put(None, resource_slice(D, name="old", generation=1))
    inventory.put(None, resource_slice(E, name="new", generation=2))
    assert names(inventory) == ["e"]


def test_a_pool_that_names_a_device_twice_is_left_out() -> None:
    inventory = Inventory()
    inventory.put(None, resource_slice([*D, *D]))
    assert names(inventory) == []


def test_a_broken_device_does_not_hide_the_others() -> None:
    inventory = Inventory()
    inventory.put(None, resource_slice([shared_gpu("bad", m={"value": "much"}), *D]))
    assert names(inventory) == ["d"]


def test_a_slice_of_no_node_is_left_out() -> None:
    inventory = Inventory()
    inventory.put(None, resource_slice(D, node=""))
    assert inventory.nodes() == frozenset()
