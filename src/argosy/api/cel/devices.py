"""Selectors of devices: expressions over `device`, as claims and device classes have them.

`device` has `driver`, `attributes` and `capacity` by domain and name, and
`allowMultipleAllocations`; a name without a domain is in that of its driver, and a domain that a
device knows nothing of is empty.
Source: KEP-4381, KEP-5075; the limits are those of `resource.k8s.io`.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from argosy.api.cel.decltypes import DeclType
from argosy.api.cel.engine import CompileError
from argosy.api.cel.environment import Environment, Program
from argosy.api.cel.lib_kinds import Quantity, semver
from argosy.api.cel.values import Budget, BudgetExceeded, CelError, Defaulted
from argosy.base import quantity

MOST_COST: Final = 1_000_000
"""What a selector may cost, estimated as well as at run time."""
MOST_NAMES: Final = 32
LONGEST_DOMAIN: Final = 63
LONGEST_NAME: Final = 32
LONGEST_VALUE: Final = 64
_KEPT: Final = 512
"""Selectors that are kept compiled."""


class SelectorError(Exception):
    """The selector is no use; the text is upstream's. `dear`: because of what it may cost."""

    def __init__(self, text: str, *, dear: bool = False) -> None:
        super().__init__(text)
        self.dear = dear


def _named(element: DeclType) -> DeclType:
    """A map by names, every one of which stands for the same type."""
    return DeclType("map", 2, MOST_NAMES, element=element, other=element)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    device = DeclType("message", 2)
    attributes = _named(DeclType("dyn", 1, LONGEST_VALUE))
    capacities = _named(DeclType("dyn", 1))
    device.fields = {
        "driver": DeclType("string", 2, LONGEST_DOMAIN),
        "allowMultipleAllocations": DeclType("bool", 4, 1),
        "attributes": DeclType("map", 2, MOST_NAMES, element=attributes),
        "capacity": DeclType("map", 2, MOST_NAMES, element=capacities),
    }
    return Environment({"device": device})


@lru_cache(maxsize=_KEPT)
def selector(expression: str) -> Program:
    """The program of a selector. Raises SelectorError in upstream's words."""
    try:
        program = _environment().compile(expression)
    except CompileError as error:
        raise SelectorError(f"compilation failed: {error}") from None
    if program.type.kind not in ("bool", "dyn"):
        found = program.type.name or program.type.kind
        raise SelectorError(f"must evaluate to bool or the unknown type, not {found}")
    if program.cost.most > MOST_COST:
        raise SelectorError("too complex, exceeds cost limit", dear=True)
    return program


def matches(program: Program, activation: Mapping[str, Any]) -> bool:
    """Whether a device is one that the selector means. Raises CelError."""
    try:
        found = program.evaluate(activation, Budget(MOST_COST))
    except BudgetExceeded as error:
        raise CelError(str(error)) from None
    if type(found) is not bool:
        raise CelError("the result is no bool")
    return found


def activation(
    driver: str,
    shared: bool,
    described: Mapping[str, Mapping[str, Any]],
    amounts: Mapping[str, Any],
) -> dict[str, Any]:
    """A device: its attributes and its amounts, versions and quantities as they were written.

    Raises CelError where one can't be read.
    """
    attributes: dict[str, dict[str, Any]] = {}
    for name, attribute in described.items():
        domain, own = _placed(name, driver)
        attributes.setdefault(domain, {})[own] = _value(name, attribute)
    capacity: dict[str, dict[str, Any]] = {}
    for name, amount in amounts.items():
        domain, own = _placed(name, driver)
        capacity.setdefault(domain, {})[own] = _amount(amount)
    return {
        "device": {
            "driver": driver,
            "allowMultipleAllocations": shared,
            "attributes": Defaulted(attributes),
            "capacity": Defaulted(capacity),
        }
    }


def _placed(name: str, driver: str) -> tuple[str, str]:
    domain, slash, own = name.partition("/")
    return (domain, own) if slash else (driver, name)


def _amount(written: Any) -> Quantity:
    try:
        return Quantity(quantity.parse(written))
    except ValueError as error:
        raise CelError(str(error)) from None


def _value(name: str, attribute: Mapping[str, Any]) -> Any:
    for kind in ("int", "bool", "string"):
        for form in (f"{kind}s", kind):
            if attribute.get(form) is not None:
                return attribute[form]
    if attribute.get("versions") is not None:
        return [semver(text) for text in attribute["versions"]]
    if attribute.get("version") is not None:
        return semver(attribute["version"])
    raise CelError(f"attribute {name}: unsupported attribute value")
