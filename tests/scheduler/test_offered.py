"""What nodes offer, as nodes come, change and go."""

import pytest

from argosy.scheduler.offered import Offered, offer_of
from argosy.scheduler.shape import LARGEST
from tests.scheduler.builders import node


def test_a_resource_is_offered_as_long_as_a_node_has_it() -> None:
    offered = Offered()
    plain, better = node(), node(allocatable={"x.io/y": 1})
    assert offered.put(None, plain)
    assert not offered.put(None, plain)
    assert "cpu" in offered and "x.io/y" not in offered
    assert offered.put(plain, better)
    assert not offered.put(plain, better)
    assert not offered.put(better, plain)
    assert "x.io/y" in offered
    assert not offered.put(better, None)
    assert "x.io/y" not in offered and "cpu" in offered


@pytest.mark.parametrize(
    ("told", "amount"), [("3", 3), (0, 0), ("lots", 0), ("-4", 0), ("1e300", LARGEST), (None, 0)]
)
def test_how_much(told: str | int | None, amount: int) -> None:
    allocatable = {} if told is None else {"x.io/y": told}
    assert offer_of(node(allocatable=allocatable), "x.io/y") == amount
