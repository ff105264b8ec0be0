"""The constraints of pods that state none: a profile's, or those that every cluster has.

What they select follows from the pod's services and owner (owners).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from argosy.api import names
from argosy.api.core import Pod
from argosy.base.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from argosy.scheduler.owners import Owners
from argosy.scheduler.pluginargs import Args, Int32, read, refuse
from argosy.scheduler.spreading import HARD, Constraint, Policy
from argosy.scheduler.terms import Selected

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
KINDS = ("System", "List")
ACTIONS = (HARD, "ScheduleAnyway")
_NOTHING = Selected("null", None)


@dataclass(frozen=True, slots=True)
class Defaults:
    """Constraints that select nothing by themselves.

    `strict`: a node that lacks one of the labels is not scored.
    """

    constraints: tuple[Constraint, ...]
    strict: bool

    def of(self, owners: Owners, pod: Pod) -> Sequence[Constraint]:
        """The constraints of a pod that states none."""
        if not self.constraints:
            return ()
        selected = owners.selected(pod)
        if selected is None:
            return ()
        return [replace(item, pods=selected) for item in self.constraints]


SYSTEM = Defaults(
    (
        Constraint(HOSTNAME, 3, False, _NOTHING),
        Constraint(ZONE, 5, False, _NOTHING),
    ),
    strict=False,
)
"""What there is without a configuration."""


class _Default(Args, frozen=True, kw_only=True):
    max_skew: Int32 = 0
    topology_key: str = ""
    when_unsatisfiable: str = ""
    label_selector: dict[str, Any] | None = None
    min_domains: Int32 | None = None
    node_affinity_policy: Policy | None = None
    node_taints_policy: Policy | None = None
    match_label_keys: tuple[str, ...] | None = None


class PodTopologySpreadArgs(Args, frozen=True, kw_only=True):
    """The arguments of a profile."""

    default_constraints: tuple[_Default, ...] | None = None
    defaulting_type: str = "System"


def defaults_of(args: Mapping[str, Any]) -> Defaults:
    """From PodTopologySpreadArgs as JSON. Raises ValueError, which begins with the field's path."""
    given = read(args, PodTopologySpreadArgs)
    refuse(_faults(given))
    if given.defaulting_type == "System":
        return SYSTEM
    return Defaults(tuple(map(_constraint, given.default_constraints or ())), strict=True)


def _constraint(item: _Default) -> Constraint:
    return Constraint(
        item.topology_key,
        item.max_skew,
        item.when_unsatisfiable == HARD,
        _NOTHING,
        item.min_domains or 1,
        item.node_affinity_policy != "Ignore",
        item.node_taints_policy == "Honor",
    )


def _faults(given: PodTopologySpreadArgs) -> Iterator[FieldError]:
    kind, items = given.defaulting_type, given.default_constraints or ()
    if kind not in KINDS:
        yield not_supported("defaultingType", kind, KINDS)
    elif kind == "System" and items:
        yield invalid_value("defaultingType", kind, "when .defaultConstraints are not empty")
    seen: set[tuple[str, str]] = set()
    for i, item in enumerate(items):
        yield from _faults_of(item, f"defaultConstraints[{i}]")
        pair = (item.topology_key, item.when_unsatisfiable)
        if pair in seen:
            yield duplicate(f"defaultConstraints[{i}]", f"{{{pair[0]}, {pair[1]}}}")
        seen.add(pair)


def _faults_of(item: _Default, path: str) -> Iterator[FieldError]:
    if item.max_skew <= 0:
        yield invalid_value(f"{path}.maxSkew", item.max_skew, "not in valid range (0, inf)")
    if not item.topology_key:
        yield required(f"{path}.topologyKey", "can not be empty")
    else:
        yield from names.qualified(item.topology_key, f"{path}.topologyKey")
    if not item.when_unsatisfiable:
        yield required(f"{path}.whenUnsatisfiable", "can not be empty")
    elif item.when_unsatisfiable not in ACTIONS:
        yield not_supported(f"{path}.whenUnsatisfiable", item.when_unsatisfiable, ACTIONS)
    if item.label_selector is not None:
        detail = "constraint must not define a selector, as they deduced for each pod"
        yield forbidden_field(f"{path}.labelSelector", detail)
