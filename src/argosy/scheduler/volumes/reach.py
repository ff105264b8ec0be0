"""From which nodes a volume can be had: selectors of nodes over the columns of labels.

Source: Kubernetes' "Persistent Volumes" (node affinity) and "Storage Classes" (allowed topologies).
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from argosy.api.nodeaffinity import REQUIRED
from argosy.api.storage import PersistentVolume, TopologyTerm
from argosy.base.selectors import Selector
from argosy.scheduler.columns import Columns, Flags, Rows
from argosy.scheduler.nodeterms import Condition, NodeRules, NodeTerm, rules_in

_NO_ROWS: NDArray[np.intp] = np.zeros(0, dtype=np.intp)


def rules_for(volume: PersistentVolume) -> NodeRules:
    """The node affinity of a volume; equal ones are parsed once."""
    affinity = volume.spec.node_affinity
    if affinity is None or affinity.required is None:
        return NodeRules()
    return rules_in(msgspec.json.encode({REQUIRED: affinity.required}).decode())


def reachable(nodes: Columns, rules: NodeRules) -> Flags:
    """The rows that can have a volume with such rules."""
    return _reachable(nodes, rules, nodes.everything)


def near(nodes: Columns, rules: NodeRules, row: int) -> bool:
    """Whether one row can have a volume with such rules."""
    return bool(_reachable(nodes, rules, np.array([row], dtype=np.intp))[0])


def allowed(nodes: Columns, terms: Sequence[TopologyTerm]) -> Flags:
    """Which rows have the labels of one of the terms of a class; no terms at all allow all."""
    found: Flags = np.full(nodes.size, not terms, dtype=np.bool_)
    for term in terms:
        lines = (Condition(line.key, "In", line.values) for line in term.match_label_expressions)
        found |= NodeTerm(tuple(lines)).mask(nodes, nodes.everything)
    return found


def labels_match(nodes: Columns, selector: Selector) -> Flags:
    """Which rows a label selector selects."""
    found: Flags = np.ones(nodes.size, dtype=np.bool_)
    for term in selector.requirements:
        line = Condition(term.key, term.operator, tuple(term.values))
        found &= line.mask(nodes, nodes.everything)
    return found


class Places:
    """Rows by the values of labels, as the nodes are just now: most volumes name some values of one
    label, and a class may have as many volumes as there are nodes.
    """

    def __init__(self, nodes: Columns) -> None:
        self._nodes = nodes
        self._by_key: dict[str, dict[int, NDArray[np.intp]]] = {}

    def rows(self, rules: NodeRules) -> NDArray[np.intp]:
        """The rows that can have a volume with such rules."""
        line = _only_line(rules)
        if line is None:
            return np.flatnonzero(reachable(self._nodes, rules))
        known = self._of(line.key)
        ids = (self._nodes.label_id(value) for value in dict.fromkeys(line.values))
        found = [known[number] for number in ids if number in known]
        return found[0] if len(found) == 1 else np.concatenate([_NO_ROWS, *found])

    def _of(self, key: str) -> dict[int, NDArray[np.intp]]:
        known = self._by_key.get(key)
        if known is None:
            ids = self._nodes.domains(key)
            order = np.argsort(ids, kind="stable")
            starts = np.flatnonzero(np.diff(ids[order])) + 1
            parts = np.split(order, starts)
            known = {int(ids[part[0]]): part for part in parts if len(part)}
            self._by_key[key] = known
        return known


def _reachable(nodes: Columns, rules: NodeRules, rows: Rows) -> Flags:
    mask = rules.mask(nodes, rows)
    return np.ones(len(nodes.live[: nodes.size][rows]), dtype=np.bool_) if mask is None else mask


def _only_line(rules: NodeRules) -> Condition | None:
    """The condition of rules that say nothing but which values a label may have."""
    terms = rules.required or ()
    lines = (terms[0].conditions or ()) if len(terms) == 1 else ()
    only = lines[0] if len(lines) == 1 else None
    return only if only is not None and only.key and only.operator == "In" else None
