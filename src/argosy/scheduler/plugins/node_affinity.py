"""NodeAffinity: nodes that the pod's `nodeSelector` and node affinity ask for, wanted ones first.

A profile may add an affinity of its own, for all of its pods. A pod that may be on one node alone
is `node_name_affinity`'s. Source: Kubernetes' "Assigning Pods to Nodes".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from argosy.api.nodeaffinity import REQUIRED
from argosy.api.validation.selectors import node_selector, node_term
from argosy.base.errors import FieldError, type_invalid
from argosy.scheduler.columns import Columns, Rows
from argosy.scheduler.framework import Mask, Plugin, Scores
from argosy.scheduler.nodeterms import PREFERRED, NodeRules, rules_in, rules_of
from argosy.scheduler.pluginargs import Args, read, refuse
from argosy.scheduler.shape import Shape

NAME = "NodeAffinity"
MISMATCH = "node(s) didn't match Pod's node affinity/selector"
ENFORCED = "node(s) didn't match scheduler-enforced node affinity"


@dataclass(frozen=True, slots=True)
class NodeAffinity:
    """What the profile adds."""

    added: NodeRules = NodeRules()

    def applies(self, shape: Shape) -> bool:
        """Whether pod or profile say anything of nodes."""
        return bool(shape.node_selector or shape.affinity or self.added != NodeRules())

    def filter(self, nodes: Columns, shape: Shape, rows: Rows) -> Mask:
        """Nodes that are asked for."""
        found = asked_for(nodes, shape, rows)
        enforced = self.added.mask(nodes, rows)
        return found if enforced is None else found & enforced

    def explain(self, nodes: Columns, shape: Shape, rows: Rows) -> Mapping[str, int]:
        """What the profile enforces comes first."""
        enforced = self.added.mask(nodes, rows)
        by_profile = 0 if enforced is None else int(np.count_nonzero(~enforced))
        counts = {ENFORCED: by_profile, MISMATCH: len(nodes.live[rows]) - by_profile}
        return {reason: count for reason, count in counts.items() if count}

    def wishes(self, nodes: Columns, shape: Shape, rows: Rows) -> Scores:
        """The weights of the preferred terms that a node matches."""
        return self.added.wish(nodes, rows) + rules_in(shape.affinity).wish(nodes, rows)


def asked_for(nodes: Columns, shape: Shape, rows: Rows) -> Mask:
    """Nodes that the pod itself asks for."""
    mask = np.ones(len(nodes.live[rows]), dtype=np.bool_)
    for key, value in shape.node_selector:
        mask &= nodes.labelled(key, value, rows)
    required = rules_in(shape.affinity).mask(nodes, rows)
    return mask if required is None else mask & required


def make_plugin(affinity: NodeAffinity) -> Plugin:
    """The plugin with this addition."""
    return Plugin(
        name=NAME,
        applies=affinity.applies,
        filter=affinity.filter,
        explain=affinity.explain,
        score=affinity.wishes,
        weight=2,
        normalize="up",
    )


class NodeAffinityArgs(Args, frozen=True, kw_only=True):
    """The arguments of a profile."""

    added_affinity: dict[str, Any] | None = None


def configured(args: Mapping[str, Any]) -> Plugin:
    """With NodeAffinityArgs as JSON. Raises ValueError, which begins with the field's path."""
    added = read(args, NodeAffinityArgs).added_affinity or {}
    try:
        refuse(_faults(added))
        return make_plugin(NodeAffinity(rules_of(added)))
    except (AttributeError, KeyError, TypeError):
        detail = "must be a node affinity"
        raise ValueError(str(type_invalid("addedAffinity", added, detail))) from None


def _faults(added: Mapping[str, Any]) -> Iterator[FieldError]:
    if (required := added.get(REQUIRED)) is not None:
        yield from node_selector(required, f"addedAffinity.{REQUIRED}")
    for index, item in enumerate(added.get(PREFERRED) or ()):
        yield from node_term(item["preference"], f"addedAffinity.{PREFERRED}[{index}]")


PLUGIN = make_plugin(NodeAffinity())
