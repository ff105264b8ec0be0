"""The rules of a shared capacity's policy: what may be asked of it, and what is if nobody says."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from argosy.api.validation.fields import items_at_most
from argosy.api.validation.rule import Json
from argosy.base.errors import FieldError, duplicate, forbidden_field, invalid_value, required
from argosy.base.quantity import decimal, parse, whole

Errors = Iterator[FieldError]
Amount = str | int | float

BOTH = (
    'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the '
    "same time"
)


def request_policy(policy: Json, capacity: Amount, path: str) -> Errors:
    """The policy of a device's capacity, of which there is `capacity` in all."""
    values, span = policy.get("validValues") or [], policy.get("validRange")
    default = policy.get("default")
    if values and span is not None:
        yield forbidden_field(path, BOTH)
        return
    name = "validValues" if values else "validRange"
    if not values and span is None:
        return
    if default is None:
        yield required(f"{path}.default", f"required when {name} is defined")
    elif values:
        yield from _values(values, default, capacity, f"{path}.{name}")
    elif span is not None:
        yield from _range(span, default, capacity, f"{path}.{name}")


def _values(values: Sequence[Amount], default: Amount, capacity: Amount, path: str) -> Errors:
    amounts = [parse(value) for value in values]
    for i in range(1, len(amounts)):
        if amounts[i - 1] > amounts[i]:
            detail = "values must be sorted in ascending order"
            yield invalid_value(f"{path}[{i}]", str(values[i]), detail)
    if len(values) > 10:
        yield from items_at_most(10)(values, path)
    else:
        yield from _options(values, capacity, path)
    if parse(default) not in amounts:
        detail = "default value is not valid according to the requestPolicy"
        yield invalid_value(path, str(default), detail)


def _options(values: Sequence[Amount], capacity: Amount, path: str) -> Errors:
    seen: set[int] = set()
    for i, value in enumerate(values):
        if parse(value) > parse(capacity):
            detail = f"option is larger than capacity value: {capacity}"
            yield invalid_value(f"{path}[{i}]", str(value), detail)
        if (amount := whole(value)) in seen:
            yield duplicate(f"{path}[{i}]", str(amount))
        seen.add(amount)


def _range(span: Json, default: Amount, capacity: Amount, path: str) -> Errors:
    least, most, step = (span.get(name) for name in ("min", "max", "step"))
    if least is None:
        yield required(f"{path}.min", "required when validRange is defined")
        return
    found = [
        (least, capacity, "min", least, "min is larger than capacity value"),
        (least, default, "min", default, "default is less than min"),
    ]
    if most is not None:
        found += [
            (least, most, "max", least, "min is larger than max"),
            (most, capacity, "max", most, "max is larger than capacity value"),
            (default, most, "max", default, "default is more than max"),
        ]
    for low, high, name, shown, text in found:
        if parse(low) > parse(high):
            limit = low if text.endswith("less than min") else high
            yield invalid_value(f"{path}.{name}", str(shown), f"{text}: {limit}")
    if step is not None:
        yield from _steps(span, default, parse(capacity), f"{path}.step")


def _steps(span: Json, default: Amount, capacity: Decimal, path: str) -> Errors:
    """The default and the end of the range are whole steps away from its beginning."""
    least, step = span["min"], span["step"]
    first = parse(least) + parse(step)
    if first > capacity:
        detail = f"one step {decimal(first)} is larger than capacity value: {decimal(capacity)}"
        yield invalid_value(path, str(step), detail)
    for value in (default, span.get("max")):
        if value is None or not whole(step):
            continue
        if (whole(value) - whole(least)) % whole(step):
            detail = f"value is not a multiple of a given step ({step}) from ({least})"
            yield invalid_value(path, str(value), detail)
