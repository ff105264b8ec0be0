"""What the containers of a pod ask for at most at any time, resource by resource, exactly.

Amounts are thousandths, added up before anything is rounded. Sources: KEP-753 (an init container
runs beside the sidecars before it), KEP-1287 (while a container is resized).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from argosy.base import quantity

Amounts = dict[str, int]


def parsed(asked: Mapping[str, str | int | float], path: str) -> Amounts:
    """Quantities as thousandths, none below zero. Raises ValueError with the field's path."""
    found = {}
    for name, value in asked.items():
        try:
            found[name] = _thousandths(value)
        except ValueError as error:
            raise ValueError(f"{path}[{name}]: {error}") from error
    return found


@lru_cache(maxsize=4096)
def _thousandths(value: str | int | float) -> int:
    return max(0, quantity.milli(value))


def added(one: Amounts, other: Amounts) -> Amounts:
    """Both together."""
    total = dict(one)
    for name, value in other.items():
        total[name] = total.get(name, 0) + value
    return total


def larger(one: Amounts, other: Amounts) -> Amounts:
    """Of each resource the larger amount."""
    return one | {name: max(value, one.get(name, 0)) for name, value in other.items()}


def peak(
    running: Sequence[Amounts], starting: Sequence[tuple[Amounts, bool]], unasked: Amounts
) -> Amounts:
    """The most of both times: containers and sidecars run; one after the other starts.

    `starting` tells of each init container whether it is a sidecar; `unasked` is what a container
    counts for that does not say.
    """
    together: Amounts = {}
    for asked in running:
        together = added(together, unasked | asked)
    sidecars: Amounts = {}
    before: Amounts = {}
    for asked, sidecar in starting:
        beside = added(sidecars, unasked | asked)
        if sidecar:
            together, sidecars = added(together, unasked | asked), beside
        before = larger(before, beside)
    return larger(together, before)
