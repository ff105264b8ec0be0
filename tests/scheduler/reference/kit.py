"""What every rule of the reference needs: looking things up, selectors and Go's arithmetic.

The reference is a second opinion on the scheduler: kube-scheduler's filters and scores (1.36), told
node by node over plain JSON, as slowly and simply as they can be. It shares no code with
`argosy.scheduler`. A cluster is a dict of lists (`nodes`, `pods`, `namespaces`, `pvcs`, `pvs`,
`storageclasses`, `csinodes`, …) of objects as the API serves them; a pod is placed where its
`spec.nodeName` says. The rules are gathered in `rules.py`.
"""

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]
Cluster: TypeAlias = dict[str, list[Object]]
Labels: TypeAlias = dict[str, str]
Args: TypeAlias = dict[str, Any]

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
BEST = 100  # the most that a plugin may give a node
_INTEGER = re.compile(r"[+-]?[0-9]+")


def named(cluster: Cluster, kind: str, name: str, namespace: str | None = None) -> Object | None:
    """The object of that name, or None."""
    for item in cluster.get(kind, []):
        meta = item["metadata"]
        if meta["name"] == name and namespace in (None, meta.get("namespace")):
            return item
    return None


def node_named(cluster: Cluster, name: str) -> Object:
    node = named(cluster, "nodes", name)
    assert node is not None, name
    return node


def name_of(item: Object) -> str:
    name: str = item["metadata"]["name"]
    return name


def namespace_of(item: Object) -> str:
    namespace: str = item["metadata"].get("namespace", "default")
    return namespace


def labels_of(item: Object) -> Labels:
    return item["metadata"].get("labels") or {}


def terminating(item: Object) -> bool:
    return bool(item["metadata"].get("deletionTimestamp"))


def pods_on(cluster: Cluster, node: str) -> list[Object]:
    """The pods that a node has: terminating ones too, finished ones not."""
    return [
        pod
        for pod in cluster.get("pods", [])
        if pod["spec"].get("nodeName") == node
        and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
    ]


def placed(cluster: Cluster) -> list[tuple[Object, Object]]:
    """Every placed pod with its node; pods of nodes that are gone are of no account."""
    return [
        (pod, node) for node in cluster.get("nodes", []) for pod in pods_on(cluster, name_of(node))
    ]


def containers_of(pod: Object) -> list[Object]:
    containers: list[Object] = pod["spec"].get("containers") or []
    return containers


def init_containers_of(pod: Object) -> list[Object]:
    containers: list[Object] = pod["spec"].get("initContainers") or []
    return containers


def is_sidecar(container: Object) -> bool:
    """Of an init container: does it run as long as the pod?"""
    return container.get("restartPolicy") == "Always"


def selector_matches(selector: Object | None, labels: Labels) -> bool:
    """A LabelSelector: without one nothing matches, with an empty one everything."""
    if selector is None:
        return False
    wanted: Labels = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        requirement_matches(each, labels) for each in selector.get("matchExpressions") or []
    )


def requirement_matches(requirement: Object, labels: Labels) -> bool:
    """One line of a selector: of labels or, by the same rules, of nodes."""
    key, operator = requirement["key"], requirement["operator"]
    values: Sequence[str] = requirement.get("values") or []
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return key not in labels or labels[key] not in values
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    assert operator in ("Gt", "Lt"), operator
    have, bound = _int64(labels.get(key, "")), _int64(values[0])
    if have is None or bound is None:
        return False
    return have > bound if operator == "Gt" else have < bound


def _int64(text: str) -> int | None:
    if not _INTEGER.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
        return None
    return int(text)


def node_selector_matches(selector: Object, node: Object) -> bool:
    """A NodeSelector: any of its terms."""
    return any(term_matches(term, node) for term in selector.get("nodeSelectorTerms") or [])


def term_matches(term: Object, node: Object) -> bool:
    """All lines of one term; a term without any matches no node."""
    expressions = term.get("matchExpressions") or []
    fields = term.get("matchFields") or []
    if not expressions and not fields:
        return False
    known = {"metadata.name": name_of(node)}
    return all(requirement_matches(each, labels_of(node)) for each in expressions) and all(
        requirement_matches(each, known) for each in fields
    )


def quotient(over: int, under: int) -> int:
    """Go's division of integers: towards zero."""
    whole = abs(over) // abs(under)
    return whole if (over < 0) == (under < 0) else -whole


def rounded(value: float) -> int:
    """Go's rounding: halves away from zero."""
    down = int(abs(value))
    nearest = down + 1 if abs(value) - down >= 0.5 else down
    return nearest if value >= 0 else -nearest


def shares_of_most(raw: dict[str, int], *, fewer_is_better: bool = False) -> dict[str, int]:
    """Scores in hundredths of the highest one, as most plugins normalize theirs."""
    most = max(raw.values(), default=0)
    if most == 0:
        return {node: BEST if fewer_is_better else 0 for node in raw}
    shares = {node: BEST * score // most for node, score in raw.items()}
    return {node: BEST - share if fewer_is_better else share for node, share in shares.items()}
