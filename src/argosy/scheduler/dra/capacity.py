"""How much of a shared device's capacity a request consumes.

Source: KEP-5075, "Consumable capacity": a request is rounded up to what the device's policy
allows; one without a wish takes the policy's default, or all there is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from argosy.api.dra import DeviceCapacity, Quantity, RequestPolicy
from argosy.base import quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What amounts a device hands out. `values` are ascending; bounds are None where open."""

    default: Decimal | None = None
    values: tuple[Decimal, ...] = ()
    lowest: Decimal | None = None
    highest: Decimal | None = None
    step: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """One capacity of a device. `binary`: amounts are written with binary suffixes."""

    value: Decimal
    policy: Policy = Policy()
    binary: bool = False

    def consumed(self, asked: Decimal | None) -> Decimal | None:
        """What a request takes of a shared device; None where the policy has no such amount."""
        policy = self.policy
        if asked is None:
            # The default is valid by definition, whatever the range says.
            return self.value if policy.default is None else policy.default
        if policy.values:
            return next((value for value in policy.values if value >= asked), None)
        if policy.lowest is None:
            return asked
        taken = max(asked, policy.lowest)
        if policy.step:
            steps = ((taken - policy.lowest) / policy.step).to_integral_value(ROUND_CEILING)
            taken = policy.lowest + steps * policy.step
        above = policy.highest is not None and taken > policy.highest
        return None if above else taken

    def written(self, amount: Decimal) -> str:
        """`amount` as a quantity, in the manner of the device's own."""
        if self.binary and amount == amount.to_integral_value():
            return quantity.binary(int(amount))
        return quantity.decimal(amount)


def read_capacities(capacities: Mapping[str, DeviceCapacity]) -> dict[str, Capacity]:
    """A device's capacities. Raises ValueError for a broken quantity."""
    return {
        name: Capacity(
            quantity.parse(capacity.value),
            _policy(capacity.request_policy),
            str(capacity.value).endswith("i"),
        )
        for name, capacity in capacities.items()
    }


def _policy(policy: RequestPolicy | None) -> Policy:
    if policy is None:
        return Policy()
    bounds = policy.valid_range
    return Policy(
        default=_maybe(policy.default),
        values=tuple(sorted(quantity.parse(value) for value in policy.valid_values)),
        lowest=_maybe(bounds.min) if bounds else None,
        highest=_maybe(bounds.max) if bounds else None,
        step=_maybe(bounds.step) if bounds else None,
    )


def _maybe(value: Quantity | None) -> Decimal | None:
    return None if value is None else quantity.parse(value)
