"""What is understood of a claim; everything else is refused with its path."""

from typing import Any

import pytest

from argosy.scheduler.dra.requests import RefusedError, needs_of
from tests.scheduler.builders import DRIVER, claim, device_class, exactly

CLASSES = {
    "gpu": device_class(),
    "any": device_class("any", ""),
    "other": device_class("other", "device.driver=='x.io'"),
    "cel": device_class("cel", "device.attributes['x'].y == 1"),
    "wrong": device_class("wrong", "1"),
}


def test_needs_are_read() -> None:
    (first, second) = needs_of(claim(requests=[exactly(count=2, capacity={"m": "1Ki"})]), CLASSES)
    assert (first.request, first.index, second.index) == ("r", 0, 1)
    assert first.drivers == frozenset({DRIVER})
    assert first.capacities == {"m": 1024}
    assert first.label == DRIVER


@pytest.mark.parametrize(
    ("device_class", "expressions", "drivers"),
    [
        ("any", [], None),
        ("any", ['device.driver == "a"'], frozenset({"a"})),
        ("any", [' device.driver  ==  "a" ', "device.driver == 'a'"], frozenset({"a"})),
        ("any", ['device.driver == "a"', 'device.driver == "b"'], frozenset()),
        ("other", [], frozenset({"x.io"})),
        ("other", ['device.driver == "a"'], frozenset()),
    ],
)
def test_selectors(
    device_class: str, expressions: list[str], drivers: frozenset[str] | None
) -> None:
    selectors = [{"cel": {"expression": text}} for text in expressions]
    request = exactly(deviceClassName=device_class, selectors=selectors)
    (need,) = needs_of(claim(requests=[request]), CLASSES)
    assert need.drivers == drivers


def test_other_selectors_are_kept_for_the_engine() -> None:
    asked = 'device.driver == "a" || device.allowMultipleAllocations'
    request = exactly(deviceClassName="cel", selectors=[{"cel": {"expression": asked}}])
    (need,) = needs_of(claim(requests=[request]), CLASSES)
    assert need.drivers is None
    assert need.selectors == ("device.attributes['x'].y == 1", asked)
    assert need.label == "cel"


WRONG = "must evaluate to bool or the unknown type, not int"


@pytest.mark.parametrize(
    ("requests", "spec", "text"),
    [
        (
            [{"name": "r", "firstAvailable": [{}]}],
            {},
            "spec.devices.requests[0].firstAvailable: not supported",
        ),
        ([{"name": "r"}], {}, "spec.devices.requests[0]: not supported"),
        ([], {}, "spec.devices.requests: a claim without requests is not supported"),
        (
            [exactly(), exactly(allocationMode="All")],
            {},
            'spec.devices.requests[1].exactly.allocationMode: "All" is not supported',
        ),
        (
            [exactly(adminAccess=True)],
            {},
            "spec.devices.requests[0].exactly.adminAccess: not supported",
        ),
        (
            [exactly(tolerations=[{}])],
            {},
            "spec.devices.requests[0].exactly.tolerations: not supported",
        ),
        (
            [exactly(count=0)],
            {},
            "spec.devices.requests[0].exactly.count: must be greater than zero",
        ),
        ([exactly(count=33)], {}, "spec.devices.requests[0]: more than 32 devices in one claim"),
        ([exactly()], {"constraints": [{}]}, "spec.devices.constraints: not supported"),
        ([exactly()], {"config": [{}]}, "spec.devices.config: not supported"),
        (
            [exactly(deviceClassName="none")],
            {},
            'spec.devices.requests[0].exactly.deviceClassName: device class "none" does not exist',
        ),
        (
            [exactly(deviceClassName="wrong")],
            {},
            'spec.devices.requests[0].exactly.deviceClassName: deviceclass "wrong": '
            f"spec.selectors[0].cel.expression: {WRONG}",
        ),
        (
            [exactly(selectors=[{"cel": {"expression": "device.nothing"}}])],
            {},
            "spec.devices.requests[0].exactly.selectors[0].cel.expression: compilation failed: "
            "ERROR: <input>:1:7: undefined field 'nothing'",
        ),
        (
            [exactly(capacity={"m": "lots"})],
            {},
            "spec.devices.requests[0].exactly.capacity.requests[m]: quantities",
        ),
    ],
)
def test_refused_by_name(requests: list[Any], spec: dict[str, Any], text: str) -> None:
    with pytest.raises(RefusedError) as refused:
        needs_of(claim("x", requests, spec=spec), CLASSES)
    assert str(refused.value).startswith(f'resourceclaim "x": {text}')
