"""What the plugins that score by resources are told: resources with weights, and a strategy.

The bounds and the words are kube-scheduler's.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from argosy.api.names import qualified
from argosy.base.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from argosy.scheduler.pluginargs import Args, Int32, Int64, read, refuse
from argosy.scheduler.strategies import (
    FULL,
    LeastAllocated,
    MostAllocated,
    RequestedToCapacityRatio,
    Strategy,
    Weighed,
    line_through,
)

EVEN = (Weighed("cpu"), Weighed("memory"))
_HIGHEST_POINT = 10
_TYPES = ("LeastAllocated", "MostAllocated", "RequestedToCapacityRatio")


class Resource(Args, frozen=True, kw_only=True):
    """A resource that counts; a weight of 0 is 1."""

    name: str = ""
    weight: Int64 = 0


class Point(Args, frozen=True, kw_only=True):
    """What a utilization in percent is worth, 0 to 10."""

    utilization: Int32 = 0
    score: Int32 = 0


class Ratio(Args, frozen=True, kw_only=True):
    """The points of a line."""

    shape: tuple[Point, ...] = ()


class ScoringStrategy(Args, frozen=True, kw_only=True):
    """How nodes are scored."""

    type: str = ""
    resources: tuple[Resource, ...] = ()
    requested_to_capacity_ratio: Ratio | None = None


class FitArgs(Args, frozen=True, kw_only=True):
    """NodeResourcesFitArgs."""

    ignored_resources: tuple[str, ...] = ()
    ignored_resource_groups: tuple[str, ...] = ()
    scoring_strategy: ScoringStrategy = ScoringStrategy(type="LeastAllocated")


class BalanceArgs(Args, frozen=True, kw_only=True):
    """NodeResourcesBalancedAllocationArgs."""

    resources: tuple[Resource, ...] = ()


def fit(
    args: Mapping[str, Any],
) -> tuple[Strategy, Sequence[Weighed], frozenset[str], frozenset[str]]:
    """Strategy, resources, and what is ignored. Raises ValueError."""
    given = read(args, FitArgs)
    refuse(_fit_faults(given))
    scoring = given.scoring_strategy
    ignored = frozenset(given.ignored_resources), frozenset(given.ignored_resource_groups)
    return (_strategy(scoring), _weighed(scoring.resources), *ignored)


def balance(args: Mapping[str, Any]) -> Sequence[Weighed]:
    """The resources. Raises ValueError."""
    given = read(args, BalanceArgs)
    refuse(_balance_faults(given.resources))
    return _weighed(given.resources)


def _weighed(resources: Sequence[Resource]) -> Sequence[Weighed]:
    return tuple(Weighed(item.name, item.weight or 1) for item in resources) or EVEN


def _strategy(given: ScoringStrategy) -> Strategy:
    if given.type == "MostAllocated":
        return MostAllocated()
    if ratio := given.requested_to_capacity_ratio:
        step = FULL // _HIGHEST_POINT
        points = [(point.utilization, point.score * step) for point in ratio.shape]
        return RequestedToCapacityRatio(line_through(points))
    return LeastAllocated()


def _balance_faults(resources: Sequence[Resource]) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, item in enumerate(resources):
        if item.name in seen:
            yield duplicate(f"resources[{index}].name", item.name)
        seen.add(item.name)
        if item.weight not in (0, 1):
            yield invalid_value(f"resources[{index}].weight", item.weight, "must be 1")


def _fit_faults(given: FitArgs) -> Iterator[FieldError]:
    for index, name in enumerate(given.ignored_resources):
        yield from qualified(name, f"ignoredResources[{index}]")
    for index, group in enumerate(given.ignored_resource_groups):
        path = f"ignoredResourceGroups[{index}]"
        if "/" in group:
            yield invalid_value(path, group, "resource group name can't contain '/'")
        yield from qualified(group, path)
    scoring, path = given.scoring_strategy, "scoringStrategy"
    if scoring.type not in _TYPES:
        yield not_supported(f"{path}.type", scoring.type, _TYPES)
    for index, item in enumerate(scoring.resources):
        if not 0 <= item.weight <= 100:
            detail = f"resource weight of {item.name} not in valid range (0, 100]"
            yield invalid_value(f"{path}.resources[{index}].weight", item.weight, detail)
    yield from _ratio_faults(scoring, f"{path}.requestedToCapacityRatio")


def _ratio_faults(given: ScoringStrategy, path: str) -> Iterator[FieldError]:
    ratio = given.requested_to_capacity_ratio
    if given.type != "RequestedToCapacityRatio":
        if ratio is not None:
            yield forbidden_field(path, "must be nil when type is not RequestedToCapacityRatio")
    elif ratio is None:
        yield required(path, "must be specified when type is RequestedToCapacityRatio")
    else:
        yield from _shape_faults(ratio.shape, f"{path}.shape")


def _shape_faults(shape: Sequence[Point], path: str) -> Iterator[FieldError]:
    if not shape:
        yield required(path, "at least one point must be specified")
    for index, (left, right) in enumerate(zip(shape, shape[1:], strict=False), 1):
        if left.utilization >= right.utilization:
            detail = "values must be sorted in increasing order"
            yield invalid_value(f"{path}[{index}].utilization", right.utilization, detail)
            break
    for index, point in enumerate(shape):
        named = (("utilization", point.utilization, 100), ("score", point.score, _HIGHEST_POINT))
        for name, value, most in named:
            if not 0 <= value <= most:
                yield invalid_value(
                    f"{path}[{index}].{name}", value, f"not in valid range [0, {most}]"
                )
