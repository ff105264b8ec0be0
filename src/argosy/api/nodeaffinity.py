"""Whether a node is one that a pod asks for: `nodeSelector` and required node affinity.

Pure. Terms are alternatives, and all of a term must hold; a term without anything matches nothing.
Source: Kubernetes' "Assigning Pods to Nodes".
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
NAME = "metadata.name"
_NUMBER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)

Json = Mapping[str, Any]


def matches(spec: Json, name: str, labels: Mapping[str, str]) -> bool:
    """Whether the node is what the pod's plain `spec` asks for."""
    wanted = spec.get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    required = required_of(spec.get("affinity"))
    if required is None:
        return True
    return any(_term(term, name, labels) for term in required.get("nodeSelectorTerms") or ())


def required_of(affinity: Json | None) -> Json | None:
    """The node selector that must hold, if there is one."""
    found: Json | None = ((affinity or {}).get("nodeAffinity") or {}).get(REQUIRED)
    return found


def pinned(affinity: Json | None) -> str:
    """The one node that a term names by its name; '' where there is none."""
    for term in (required_of(affinity) or {}).get("nodeSelectorTerms") or ():
        for item in term.get("matchFields") or ():
            if item["key"] == NAME and item["operator"] == "In":
                values = list(item.get("values") or ())
                return str(values[0]) if len(values) == 1 else ""
    return ""


def only_pinned(affinity: Json) -> bool:
    """Whether the affinity says of nodes nothing but which one it shall be."""
    name = pinned(affinity)
    return name != "" and affinity["nodeAffinity"] == pin(None, name)["nodeAffinity"]


def pin(affinity: Json | None, name: str) -> dict[str, Any]:
    """`affinity` with the node's name in place of what it requires of nodes."""
    field = {"key": NAME, "operator": "In", "values": [name]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    rules = dict(affinity or {})
    rules["nodeAffinity"] = {**(rules.get("nodeAffinity") or {}), REQUIRED: required}
    return rules


def _term(term: Json, name: str, labels: Mapping[str, str]) -> bool:
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    return all(_holds(item, labels) for item in expressions) and all(
        _holds(item, {NAME: name}) for item in fields
    )


def _holds(item: Json, values: Mapping[str, str]) -> bool:
    there, wanted = values.get(item["key"]), item.get("values") or ()
    match item["operator"]:
        case "In":
            return there in wanted
        case "NotIn":
            return there not in wanted
        case "Exists":
            return there is not None
        case "DoesNotExist":
            return there is None
        case operator:
            return _compared(operator, there, wanted)


def _compared(operator: str, there: str | None, wanted: Sequence[str]) -> bool:
    numbers = [text for text in (there, *wanted) if text and _NUMBER.fullmatch(text)]
    if len(numbers) != 2 or operator not in ("Gt", "Lt"):
        return False
    left, right = map(int, numbers)
    return left > right if operator == "Gt" else left < right
