"""What requests consume of a shared device, by policy."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from argosy.api.dra import DeviceCapacity
from argosy.scheduler.dra.capacity import Capacity, read_capacities


def capacity(value: Any = "100", **policy: Any) -> Capacity:
    body = {"value": value, **({"requestPolicy": policy} if policy else {})}
    return read_capacities({"c": msgspec.convert(body, DeviceCapacity)})["c"]


RANGE = {"min": 10, "max": 50, "step": 10}


@pytest.mark.parametrize(
    ("policy", "asked", "consumed"),
    [
        ({}, None, 100),
        ({}, 30, 30),
        ({"default": 25}, None, 25),
        ({"default": 25}, 30, 30),
        ({"validValues": [50, 10, 20]}, 11, 20),
        ({"validValues": [50, 10, 20]}, 20, 20),
        ({"validValues": [50, 10, 20]}, 51, None),
        ({"default": 10, "validValues": [10, 20]}, None, 10),
        ({"validRange": RANGE}, 1, 10),
        ({"validRange": RANGE}, 10, 10),
        ({"validRange": RANGE}, 11, 20),
        ({"validRange": RANGE}, 50, 50),
        ({"validRange": RANGE}, 51, None),
        ({"validRange": {"min": 10, "max": 45, "step": 10}}, 41, None),
        ({"validRange": {"min": 10}}, 11, 11),
        ({"validRange": {"min": 10, "max": 20}}, 21, None),
        ({"validRange": {"min": 5, "step": 10}}, 6, 15),
    ],
)
def test_consumed(policy: dict[str, Any], asked: int | None, consumed: int | None) -> None:
    wanted = None if consumed is None else Decimal(consumed)
    assert capacity(**policy).consumed(None if asked is None else Decimal(asked)) == wanted


@pytest.mark.parametrize(
    ("value", "amount", "text"),
    [("80Gi", 40 * 2**30, "40Gi"), ("80Gi", 1500, "1500"), ("100", 50, "50"), ("1", "0.5", "500m")],
)
def test_written_in_the_manner_of_the_device(value: str, amount: Any, text: str) -> None:
    assert capacity(value).written(Decimal(amount)) == text


def test_a_broken_quantity_is_an_error() -> None:
    with pytest.raises(ValueError, match="quantities"):
        capacity("many")
