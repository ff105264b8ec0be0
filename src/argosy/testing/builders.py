"""Objects of tests: bodies to create, and views to hand to what is pure.

await running.make(Database, body("db", spec={"replicas": 2}))
made = plan(view(Database, body("db")), seen())
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from argosy.api.meta import Object, owned
from argosy.runtime.operator import Seen
from argosy.testing.clock import EPOCH

T = TypeVar("T", bound=Object)
Json = dict[str, Any]
Texts = Mapping[str, str]
OWNER = "uid-of-the-owner"


def body(
    name: str,
    namespace: str = "default",
    *,
    labels: Texts | None = None,
    annotations: Texts | None = None,
    owner: Object | None = None,
    **parts: Any,
) -> Json:
    """An object of any kind; `parts` are `spec` and its like. Without namespaces give ''."""
    meta: Json = {"name": name}
    if namespace:
        meta["namespace"] = namespace
    if labels is not None:
        meta["labels"] = dict(labels)
    if annotations is not None:
        meta["annotations"] = dict(annotations)
    if owner is not None:
        meta["ownerReferences"] = [owned(owner)]
    return {"metadata": meta, **parts}


def pod(
    name: str = "pod",
    namespace: str = "default",
    *,
    labels: Texts | None = None,
    owner: Object | None = None,
    requests: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Json:
    """A pod with one container, unless `spec` says otherwise."""
    container: Json = {"name": "main", "image": "image"}
    if requests:
        container["resources"] = {"requests": dict(requests)}
    whole = {"containers": [container], **spec}
    return body(name, namespace, labels=labels, owner=owner, spec=whole)


def deployment(
    name: str = "web", namespace: str = "default", *, replicas: int = 1, **spec: Any
) -> Json:
    """A Deployment, whose pods are told by its name."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod()["spec"]}
    known = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return body(name, namespace, labels=labels, spec={**known, **spec})


def node(
    name: str = "node",
    *,
    labels: Texts | None = None,
    room: Texts | None = None,
    taints: Sequence[Mapping[str, str]] = (),
) -> Json:
    """A node that is ready, with room for a hundred pods unless `room` says otherwise."""
    found = dict(room or {"cpu": "64", "memory": "256Gi", "pods": "100"})
    told = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    status = {"capacity": found, "allocatable": found, "conditions": [told]}
    return body(name, "", labels=labels, spec={"taints": list(taints)}, status=status)


def view(kind: type[T], obj: Mapping[str, Any], *, uid: str = "", generation: int = 1) -> T:
    """The object as controllers see it; it has a uid of its own, `uid-NAME` unless given."""
    meta = obj["metadata"]
    known = {"uid": uid or f"uid-{meta['name']}", "generation": generation, "resourceVersion": "1"}
    return msgspec.convert({**obj, "metadata": {**known, **meta}}, kind)


@dataclass(frozen=True, slots=True)
class _Cache:
    kind: type[Object]
    found: list[Object]

    def owned_by(self, uid: str) -> Sequence[Any]:
        return self.found


def seen(*objects: Object, now: datetime = EPOCH) -> Seen:
    """What an operator's plan sees, where the object owns just these."""
    kinds = dict.fromkeys(type(obj) for obj in objects)
    caches = (_Cache(kind, [obj for obj in objects if type(obj) is kind]) for kind in kinds)
    return Seen(now, OWNER, tuple(caches))
