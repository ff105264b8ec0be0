"""Amounts as Kubernetes writes them when it has calculated with them: `1Gi`, `1500m`, `1k`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from argosy.base import quantity

Amounts = Mapping[str, Decimal]
OF_BYTES = ("memory", "storage")
DECIMAL = ((10**18, "E"), (10**15, "P"), (10**12, "T"), (10**9, "G"), (10**6, "M"), (1000, "k"))


def canonical(text: str | int | float) -> str:
    """A quantity that somebody wrote, as it is shown."""
    amount = quantity.parse(text)
    return _binary(amount) if str(text).endswith("i") else _decimal(amount)


def shown(name: str, amount: Decimal) -> str:
    """A calculated amount of the resource `name`."""
    of_bytes = name.endswith(OF_BYTES) or "hugepages-" in name
    return _binary(amount) if of_bytes else _decimal(amount)


def listed(amounts: Amounts) -> str:
    """Amounts by their names: `cpu=1,pods=2`."""
    return ",".join(f"{name}={shown(name, amounts[name])}" for name in sorted(amounts))


def parsed(amounts: Mapping[str, Any] | None) -> dict[str, Decimal]:
    """What an object says of amounts, to calculate with."""
    return {name: quantity.parse(text) for name, text in (amounts or {}).items()}


def _binary(amount: Decimal) -> str:
    if amount != amount.to_integral_value():
        return quantity.decimal(amount)
    return quantity.binary(int(amount))


def _decimal(amount: Decimal) -> str:
    if amount != amount.to_integral_value():
        return quantity.decimal(amount)
    whole = int(amount)
    for unit, suffix in DECIMAL:
        if whole and whole % unit == 0:
            return f"{whole // unit}{suffix}"
    return str(whole)
