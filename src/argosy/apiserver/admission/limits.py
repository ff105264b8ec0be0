"""The bounds of one limit of a LimitRange, and what is said where they are broken."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from argosy.api.amounts import Amounts, canonical, shown
from argosy.base import quantity

Bound = Callable[[str, Decimal, Decimal | None, Decimal | None], str]
"""(what is bounded, the bound, the request, the limit) → what is wrong, if anything."""


def faults(limit: Mapping[str, Any], requests: Amounts, limits: Amounts | None) -> Iterator[str]:
    """What breaks the bounds of `limit`. A claim for storage has no `limits`, and no ratio."""
    bounds: list[tuple[str, str, Bound]] = [
        ("min", "minimum {} usage", _least),
        ("max", "maximum {} usage", _most_asked if limits is None else _most),
    ]
    if limits is not None:
        bounds.append(("maxLimitRequestRatio", "{} max limit to request ratio", _ratio))
    for field, opening, bound in bounds:
        for name, text in sorted((limit.get(field) or {}).items()):
            most = None if limits is None else limits.get(name)
            if fault := bound(name, quantity.parse(text), requests.get(name), most):
                yield f"{opening.format(name)} per {limit['type']} is {canonical(text)}{fault}"


def _least(name: str, bound: Decimal, request: Decimal | None, limit: Decimal | None) -> str:
    if request is None:
        return ".  No request is specified"
    if request < bound:
        return f", but request is {shown(name, request)}"
    if limit is not None and limit < bound:
        return f", but limit is {shown(name, limit)}"
    return ""


def _most(name: str, bound: Decimal, request: Decimal | None, limit: Decimal | None) -> str:
    if limit is None:
        return ".  No limit is specified"
    if limit > bound:
        return f", but limit is {shown(name, limit)}"
    if request is not None and request > bound:
        return f", but request is {shown(name, request)}"
    return ""


def _most_asked(name: str, bound: Decimal, request: Decimal | None, _limit: Decimal | None) -> str:
    if request is None:
        return ".  No request is specified"
    return f", but request is {shown(name, request)}" if request > bound else ""


def _ratio(_name: str, bound: Decimal, request: Decimal | None, limit: Decimal | None) -> str:
    if not request:
        return ", but no request is specified or request is 0"
    if not limit:
        return ", but no limit is specified or limit is 0"
    ratio = limit / request
    return f", but provided ratio is {ratio:.6f}" if ratio > bound else ""
