"""Selectors of devices: what they see, what they cost, what they may not be."""

from typing import Any

import pytest

from argosy.api.cel.devices import SelectorError, activation, matches, selector
from argosy.api.cel.values import CelError

ATTRIBUTES: dict[str, dict[str, Any]] = {
    "model": {"string": "H200"},
    "dra.example.com/index": {"int": 3},
    "ready": {"bool": True},
    "firmware": {"version": "1.2.3"},
    "links": {"strings": ["a", "b"]},
}
DEVICE = activation("gpu.example.com", True, ATTRIBUTES, {"memory": "80Gi"})
OWN = 'device.attributes["gpu.example.com"]'


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('device.driver == "gpu.example.com"', True),
        (f'{OWN}.model == "H100"', False),
        (f"{OWN}.ready", True),
        ('device.attributes["dra.example.com"].index > 2', True),
        ('device.attributes["dra.example.com"]["index"] > 3', False),
        (f'{OWN}.firmware.isGreaterThan(semver("1.0.0"))', True),
        (f'{OWN}.links.includes("b")', True),
        (f'{OWN}.model.includes("H200")', True),
        (f'{OWN}.links.exists(link, link == "c")', False),
        (f'cel.bind(own, {OWN}, own.ready && own.model.startsWith("H"))', True),
        ('has(device.attributes["nowhere"].model)', False),
        ('"nowhere" in device.attributes', False),
        ('"dra.example.com" in device.attributes', True),
        ("size(device.attributes) == 2", True),
        ('device.attributes.exists(domain, domain == "dra.example.com")', True),
        ('device.capacity["gpu.example.com"].memory.compareTo(quantity("40Gi")) >= 0', True),
        ('device.attributes["x"] == device.attributes["y"]', True),
        ("device.allowMultipleAllocations", True),
    ],
)
def test_what_a_selector_sees(expression: str, expected: bool) -> None:
    assert matches(selector(expression), DEVICE) is expected


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ('device.attributes["nowhere"].model == ""', "no such key: model"),
        ('device.capacity["gpu.example.com"].memory', "the result is no bool"),
        (f"{OWN}.model > 1", "no such overload"),
    ],
)
def test_what_can_not_be_said_of_a_device(expression: str, text: str) -> None:
    with pytest.raises(CelError, match=text):
        matches(selector(expression), DEVICE)


NESTED = "device.attributes.all(a, " * 4 + "a == b".replace("b", '""') + ")" * 4


@pytest.mark.parametrize(
    ("expression", "text", "dear"),
    [
        ("?!", "compilation failed: ERROR: <input>:1:1: Syntax error", False),
        ("device.name", "compilation failed: ERROR: <input>:1:7: undefined field 'name'", False),
        ('"a"', "must evaluate to bool or the unknown type, not string", False),
        (NESTED, "too complex, exceeds cost limit", True),
    ],
)
def test_a_selector_that_is_no_use(expression: str, text: str, dear: bool) -> None:
    with pytest.raises(SelectorError) as refused:
        selector(expression)
    assert str(refused.value).startswith(text)
    assert refused.value.dear is dear


@pytest.mark.parametrize(
    ("expression", "cost"),
    [
        # Figures of upstream's own tests. A name in a map of attributes costs one less here.
        ('"no-such-domain" in device.attributes', 3),
        ('device.driver == "dra.example.com"', 4),
        ('device.attributes["no-such-domain"]["noSuchAttr"].isGreaterThan(quantity("0"))', 6),
    ],
)
def test_what_a_selector_may_cost(expression: str, cost: int) -> None:
    assert selector(expression).cost.most == cost


@pytest.mark.parametrize("broken", [{"version": "one"}, {}])
def test_a_device_that_can_not_be_read(broken: dict[str, Any]) -> None:
    with pytest.raises(CelError):
        activation("d", False, {"a": broken}, {})
    with pytest.raises(CelError):
        activation("d", False, {}, {"memory": "lots"})
