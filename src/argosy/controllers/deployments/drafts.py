"""ReplicaSets as a plan will have them, beside how they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from argosy.api.meta import owned
from argosy.api.replicas import Deployment, ReplicaSet
from argosy.controllers.deployments.amounts import DESIRED, MAXIMUM, max_surge
from argosy.controllers.deployments.revisions import HASH, set_name, template_hash
from argosy.runtime.events import Note

Json = dict[str, Any]


@dataclass(slots=True)
class Draft:
    """One set. `old` is None where it is to be made."""

    name: str
    old: ReplicaSet | None
    replicas: int
    min_ready: int
    annotations: dict[str, str]

    @property
    def available(self) -> int:
        """How many of its pods are available, and stay: its status may tell of some that go."""
        told = self.old.status.available_replicas if self.old is not None else 0
        return min(told, self.replicas)

    @property
    def made(self) -> tuple[str, str]:
        """What orders sets by their age."""
        since = self.old.metadata.creation_timestamp if self.old is not None else None
        return (since or "", self.name)

    def change(self) -> Json | None:
        """The patch that makes it so, of no other state than was seen; None where it is so."""
        if self.old is None:
            return None
        meta, spec = self.old.metadata, self.old.spec
        body: Json = {}
        if self.annotations != meta.annotations:
            body["metadata"] = {"annotations": _changed(meta.annotations, self.annotations)}
        numbers = {"replicas": self.replicas, "minReadySeconds": self.min_ready}
        before = {"replicas": spec.replicas, "minReadySeconds": spec.min_ready_seconds}
        if numbers != before:
            body["spec"] = dict(numbers.items() - before.items())
        if not body:
            return None
        seen = {"uid": meta.uid, "resourceVersion": meta.resource_version}
        return {**body, "metadata": {**body.get("metadata", {}), **seen}}


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> Json:
    return {name: text for name, text in after.items() if before.get(name) != text}


def draft(item: ReplicaSet) -> Draft:
    """The set as it is."""
    meta, spec = item.metadata, item.spec
    annotations = dict(meta.annotations)
    return Draft(meta.name, item, spec.replicas, spec.min_ready_seconds, annotations)


def total(drafts: Iterable[Draft]) -> int:
    """How many pods the sets are asked for together."""
    return sum(item.replicas for item in drafts)


@dataclass(slots=True)
class Scaling:
    """Changes the scale of drafts of one Deployment, and notes what it changed."""

    deployment: Deployment
    notes: list[Note] = field(default_factory=list)

    def scale(self, item: Draft, replicas: int, *, anyway: bool = False) -> bool:
        """Give the set so many replicas. Whether that is a change.

        The annotations tell what the Deployment asked for then: at a change, or `anyway`.
        """
        before = item.replicas
        if before == replicas and not anyway:
            return False
        self.annotate(item)
        item.replicas = replicas
        if before == replicas:
            return False
        way = "up" if before < replicas else "down"
        self.note(f"Scaled {way} replica set {item.name} from {before} to {replicas}")
        return True

    def annotate(self, item: Draft) -> None:
        """Tell what the Deployment asks for now."""
        wanted = self.deployment.spec.replicas
        item.annotations[DESIRED] = str(wanted)
        item.annotations[MAXIMUM] = str(wanted + max_surge(self.deployment))

    def note(self, message: str) -> None:
        """Tell of a change of scale."""
        self.notes.append(Note("ScalingReplicaSet", message))


def blank(deployment: Deployment) -> Draft:
    """A set of the Deployment's template that is to be made; it has no replicas yet."""
    spec = deployment.spec
    hashed = template_hash(bytes(spec.template), deployment.status.collision_count)
    return Draft(set_name(deployment, hashed), None, 0, spec.min_ready_seconds, {})


def body_of(deployment: Deployment, item: Draft) -> Json:
    """The object to make of a draft that is not there yet."""
    spec = deployment.spec
    hashed = template_hash(bytes(spec.template), deployment.status.collision_count)
    template = msgspec.json.decode(spec.template)
    meta = template.get("metadata") or {}
    labels = {**(meta.get("labels") or {}), HASH: hashed}
    selector = msgspec.to_builtins(spec.selector)
    matched = {**selector.get("matchLabels", {}), HASH: hashed}
    return {
        "apiVersion": ReplicaSet.resource.api_version,
        "kind": ReplicaSet.resource.kind,
        "metadata": {
            "name": item.name,
            "namespace": deployment.metadata.namespace,
            "labels": labels,
            "annotations": item.annotations,
            "ownerReferences": [owned(deployment)],
        },
        "spec": {
            "replicas": item.replicas,
            "minReadySeconds": item.min_ready,
            "selector": {**selector, "matchLabels": matched},
            "template": {**template, "metadata": {**meta, "labels": labels}},
        },
    }
