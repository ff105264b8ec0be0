"""Topology spread constraints as they are reckoned with: parsed once, alike for all pods alike.

Source: Kubernetes' "Pod Topology Spread Constraints"; KEP-3022 (minDomains), KEP-3094 (policies),
KEP-3243 (matchLabelKeys).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec

from argosy.api.labelselector import equal_to
from argosy.api.meta import View
from argosy.base.memo import remembered
from argosy.scheduler.terms import Selected, joined, selected

HARD = "DoNotSchedule"
Policy = Literal["Honor", "Ignore"]
_Whole = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


@dataclass(frozen=True, slots=True)
class Constraint:
    """Pods that `pods` selects lie evenly over the values of the label `key`.

    `hard` ones must hold, others had better. Nodes that the pod can't be on by its node affinity
    (`of_affinity`) or for their taints (`of_taints`) are left out of account. `least` domains must
    there be, or the emptiest counts as empty. Of `label_keys` the pod's own values are asked for.
    """

    key: str
    skew: int
    hard: bool
    pods: Selected
    least: int = 1
    of_affinity: bool = True
    of_taints: bool = False
    label_keys: tuple[str, ...] = field(default=())

    def selecting(self, labels: Mapping[str, str]) -> Selected:
        """What is counted for a pod with these labels."""
        own = {key: labels[key] for key in self.label_keys if key in labels}
        if not own:
            return self.pods
        text = msgspec.json.encode(own).decode()
        return joined((Selected(text, equal_to(own)), self.pods))


class _Stated(View, frozen=True, kw_only=True):
    """A constraint as the API has it."""

    max_skew: _Whole
    topology_key: str
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]
    label_selector: dict[str, Any] | None = None
    min_domains: _Whole | None = None
    node_affinity_policy: Policy | None = None
    node_taints_policy: Policy | None = None
    match_label_keys: tuple[str, ...] | None = None


def constraints_of(stated: Sequence[Mapping[str, Any]]) -> tuple[Constraint, ...]:
    """A pod's constraints, which the API has validated. Raises ValueError for what is none."""
    return _known(stated)


def _constraints(stated: Any) -> tuple[Constraint, ...]:
    try:
        items = msgspec.convert(stated, tuple[_Stated, ...])
    except msgspec.ValidationError as error:
        raise ValueError(f"spec.topologySpreadConstraints: {error}") from error
    return tuple(_constraint(item) for item in items)


def _constraint(item: _Stated) -> Constraint:
    return Constraint(
        item.topology_key,
        item.max_skew,
        item.when_unsatisfiable == HARD,
        selected(item.label_selector),
        item.min_domains or 1,
        item.node_affinity_policy != "Ignore",
        item.node_taints_policy == "Honor",
        item.match_label_keys or (),
    )


_known = remembered(_constraints)
