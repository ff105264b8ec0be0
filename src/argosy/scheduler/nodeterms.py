"""Terms of node affinity as they are asked of columns: parsed once, matched for all nodes at once.

A term without anything matches nothing, and so does one that can't be read: the API refuses it, but
older objects may have it. Source: Kubernetes' "Assigning Pods to Nodes".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from argosy.api.names import label_value_faults
from argosy.api.nodeaffinity import NAME, REQUIRED
from argosy.scheduler.columns import Columns, Rows
from argosy.scheduler.numbers import number

PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_FEW = 6
"""So many values are faster compared one by one than looked up in a table."""

Json = Mapping[str, Any]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Condition:
    """One line on a label, or (`key` empty) on the node's name."""

    key: str
    operator: str
    values: tuple[str, ...] = ()
    bound: int = 0

    def mask(self, nodes: Columns, rows: Rows) -> Mask:
        """The rows for which it holds."""
        found: Mask
        if not self.key:
            found = _named(nodes, rows, self.values[0]) == (self.operator == "In")
            return found
        if self.operator in ("Gt", "Lt"):
            values, there = nodes.numbers(self.key, rows)
            found = there & (values > self.bound if self.operator == "Gt" else values < self.bound)
            return found
        ids = nodes.domains(self.key)[rows]
        match self.operator:
            case "In":
                found = _one_of(nodes, ids, self.values)
            case "NotIn":
                found = ~_one_of(nodes, ids, self.values)
            case "Exists":
                found = ids != 0
            case _:
                found = ids == 0
        return found


@dataclass(frozen=True, slots=True)
class NodeTerm:
    """All of its conditions must hold; None can't hold."""

    conditions: tuple[Condition, ...] | None

    def mask(self, nodes: Columns, rows: Rows) -> Mask:
        """The rows that it matches."""
        if not self.conditions:
            return np.zeros(len(nodes.live[rows]), dtype=np.bool_)
        mask = self.conditions[0].mask(nodes, rows)
        for condition in self.conditions[1:]:
            mask = mask & condition.mask(nodes, rows)
        return mask


@dataclass(frozen=True, slots=True)
class NodeRules:
    """What is required of nodes (one of the terms; None: nothing) and what is preferred."""

    required: tuple[NodeTerm, ...] | None = None
    preferred: tuple[tuple[int, NodeTerm], ...] = ()

    def mask(self, nodes: Columns, rows: Rows) -> Mask | None:
        """The rows that may be had; None for all."""
        if self.required is None:
            return None
        mask = np.zeros(len(nodes.live[rows]), dtype=np.bool_)
        for term in self.required:
            mask |= term.mask(nodes, rows)
        return mask

    def wish(self, nodes: Columns, rows: Rows) -> NDArray[np.int64]:
        """The weights of the preferred terms that match, added up."""
        total = np.zeros(len(nodes.live[rows]), dtype=np.int64)
        for weight, term in self.preferred:
            total += weight * term.mask(nodes, rows)
        return total


@lru_cache(maxsize=1024)
def rules_in(text: str) -> NodeRules:
    """The rules of a node affinity as JSON text (see `Shape`)."""
    return rules_of(msgspec.json.decode(text)) if text else NodeRules()


def rules_of(affinity: Json) -> NodeRules:
    """The rules of a node affinity."""
    required = affinity.get(REQUIRED)
    terms = None
    if required is not None:
        terms = tuple(_term(term) for term in required.get("nodeSelectorTerms") or ())
    preferred = [
        (int(item.get("weight") or 0), _term(item.get("preference") or {}))
        for item in affinity.get(PREFERRED) or ()
    ]
    return NodeRules(terms, tuple(pair for pair in preferred if pair[0] and pair[1].conditions))


def _term(term: Json) -> NodeTerm:
    lines = [_line(item) for item in term.get("matchExpressions") or ()]
    lines += [_field(item) for item in term.get("matchFields") or ()]
    conditions = tuple(line for line in lines if line is not None)
    return NodeTerm(conditions if len(conditions) == len(lines) else None)


def _line(item: Json) -> Condition | None:
    """None for what no selector can be made of."""
    key, operator = str(item.get("key") or ""), str(item.get("operator") or "")
    values = tuple(map(str, item.get("values") or ()))
    if not key or any(label_value_faults(value) for value in values):
        return None
    match operator:
        case "In" | "NotIn" if values:
            return Condition(key, operator, values)
        case "Exists" | "DoesNotExist" if not values:
            return Condition(key, operator)
        case "Gt" | "Lt" if len(values) == 1 and (bound := number(values[0])) is not None:
            return Condition(key, operator, bound=bound)
        case _:
            return None


def _field(item: Json) -> Condition | None:
    operator, values = item.get("operator"), tuple(map(str, item.get("values") or ()))
    if item.get("key") != NAME or operator not in ("In", "NotIn") or len(values) != 1:
        return None
    return Condition("", operator, values)


def _named(nodes: Columns, rows: Rows, name: str) -> Mask:
    row = nodes.row_of.get(name, -1)
    found: Mask = np.zeros(nodes.size, dtype=np.bool_)
    if row >= 0:
        found[row] = True
    return found[rows]


def _one_of(nodes: Columns, ids: NDArray[np.int32], values: Sequence[str]) -> Mask:
    known = [value for value in map(nodes.label_id, values) if value > 0]
    if len(known) <= _FEW:
        mask = np.zeros(len(ids), dtype=np.bool_)
        for value in known:
            mask |= ids == value
        return mask
    table = np.zeros(nodes.domain_limit, dtype=np.bool_)
    table[known] = True
    return table[ids]
