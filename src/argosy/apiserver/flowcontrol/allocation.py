"""Divides seats among levels by what they could use, within what each must have and may have.

Source: apiserver's `util/flowcontrol/conc_alloc.go`; KEP-1040.
"""

from collections.abc import Sequence
from dataclasses import dataclass

LEAST_TARGET = 0.001


@dataclass(frozen=True, slots=True)
class Claim:
    """What one level must get, wants, and may get."""

    low: float
    target: float
    high: float


def allocate(total: float, claims: Sequence[Claim]) -> tuple[list[float], float]:
    """So much for each, and the fair share: each gets that share of its target, or its bound.

    Where the bounds leave no choice (they ask for more than there is, or take less) they are it.
    """
    share = _fair_share(total, claims)
    return [_given(claim, share) for claim in claims], share


def _given(claim: Claim, share: float) -> float:
    return max(claim.low, min(claim.high, share * max(claim.target, LEAST_TARGET)))


def _fair_share(total: float, claims: Sequence[Claim]) -> float:
    """What is given grows with the share, straight between the points at which a bound is met."""
    points = sorted(
        {
            bound / max(claim.target, LEAST_TARGET)
            for claim in claims
            for bound in (claim.low, claim.high)
        }
    )
    before, given_before = 0.0, sum(_given(claim, 0.0) for claim in claims)
    for point in points:
        given = sum(_given(claim, point) for claim in claims)
        if given >= total:
            if given == given_before:
                return point
            part = (total - given_before) / (given - given_before)
            return before + max(0.0, part) * (point - before)
        before, given_before = point, given
    return before
