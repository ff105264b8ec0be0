"""The roles and bindings that every cluster has, from `defaults.txt`.

The file's head says how its lines are read. They are objects like any others: they are written
when a cluster starts (`argosy.security.rbac.reconciliation`), and may be changed.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from argosy.security.rbac.objects import CLUSTER_ROLE, GROUP, ROLE

Json = dict[str, Any]
AUTO_UPDATE = "rbac.authorization.kubernetes.io/autoupdate"
_FILE = Path(__file__).parent / "defaults.txt"
_AGGREGATE = f"{GROUP}/aggregate-to-"
_READ = ("get", "list", "watch")
_WRITE = ("create", "delete", "deletecollection", "patch", "update")
_VERBS = {"read": _READ, "write": _WRITE, "every": tuple(sorted(_READ + _WRITE))}


def defaults(gate: Callable[[str], bool]) -> list[Json]:
    """The objects, in the order in which they are written. `gate` says which gates are open."""
    made: list[Json] = []
    skipping = False
    for line in _lines():
        words = line.split()
        wanted = not words[-1].startswith("?") or gate(words.pop()[1:])
        if not line.startswith(" "):
            skipping = not wanted
            if wanted:
                made.append(_object(*words))
        elif wanted and not skipping:
            made[-1]["rules"].append(_rule(*words))
    return made


def _lines() -> Iterator[str]:
    return (line for line in _FILE.read_text().splitlines() if line and not line.startswith("#"))


def _object(kind: str, name: str, *words: str) -> Json:
    namespace, _, name = name.rpartition("/")
    meta: Json = {
        "name": name,
        "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
        "annotations": {AUTO_UPDATE: "true"},
    }
    if namespace:
        meta["namespace"] = namespace
    made: Json = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": meta}
    if kind in (ROLE, CLUSTER_ROLE):
        return _role(made, *words)
    of, _, role = words[0].partition("/")
    made["roleRef"] = {"apiGroup": GROUP, "kind": of, "name": role}
    made["subjects"] = [_subject(*word.split("/")) for word in words[1:]]
    return made


def _role(made: Json, *words: str) -> Json:
    made["rules"] = []
    for word in words:
        label = {_AGGREGATE + word[1:]: "true"}
        if word.startswith(">"):
            made["metadata"]["labels"] |= label
        else:
            made["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": label}]}
    return made


def _rule(verbs: str, what: str, resources: str = "", names: str = "") -> Json:
    rule: Json = {"verbs": list(_VERBS.get(verbs, verbs.split(",")))}
    if not resources:
        return {**rule, "nonResourceURLs": what.split(",")}
    rule["apiGroups"] = ["" if group == "-" else group for group in what.split(",")]
    rule["resources"] = resources.split(",")
    return {**rule, "resourceNames": names.split(",")} if names else rule


def _subject(kind: str, *words: str) -> Json:
    if kind == "ServiceAccount":
        return {"kind": kind, "name": words[1], "namespace": words[0]}
    return {"apiGroup": GROUP, "kind": kind, "name": words[0]}
