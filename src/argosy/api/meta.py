"""What all objects share, as typed views.

A view decodes the fields that somebody here reads and skips the rest; it is frozen and never
written back. Writes are patches and applied objects: plain JSON (see the architecture's decisions).
"""

from typing import Any, ClassVar

import msgspec

from argosy.api.resource import Resource


class View(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, gc=False):
    """The base of every view: camelCase names, unknown fields skipped."""


class OwnerReference(View, frozen=True, kw_only=True):
    """Who an object belongs to."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False
    block_owner_deletion: bool = False


class ObjectMeta(View, frozen=True, kw_only=True):
    """The metadata that controllers read; timestamps stay RFC 3339 text."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: tuple[OwnerReference, ...] = ()
    finalizers: tuple[str, ...] = ()


class Condition(View, frozen=True, kw_only=True):
    """One observation of an object's state."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    observed_generation: int = 0
    last_transition_time: str | None = None


class Object(View, frozen=True, kw_only=True):
    """A view of a whole object; `resource` tells where it lives."""

    resource: ClassVar[Resource]

    metadata: ObjectMeta = ObjectMeta()

    @property
    def key(self) -> "Key":
        """Namespace and name."""
        return (self.metadata.namespace, self.metadata.name)

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that manages this object."""
        for reference in self.metadata.owner_references:
            if reference.controller:
                return reference
        return None


class PartialObject(Object, frozen=True, kw_only=True):
    """Any object, seen as its metadata; for code that works on all kinds."""

    resource: ClassVar[Resource] = Resource(version="v1", kind="PartialObjectMetadata", plural="")


Key = tuple[str, str]
"""(namespace, name); the namespace of a cluster-scoped object is empty."""


def reference(obj: Object) -> dict[str, str]:
    """An `ObjectReference` to `obj`, as events carry it."""
    return {
        "apiVersion": obj.resource.api_version,
        "kind": obj.resource.kind,
        "namespace": obj.metadata.namespace,
        "name": obj.metadata.name,
        "uid": obj.metadata.uid,
        "resourceVersion": obj.metadata.resource_version,
    }


def owned(obj: Object) -> dict[str, Any]:
    """An owner reference to `obj` as the managing controller's object."""
    return {
        "apiVersion": obj.resource.api_version,
        "kind": obj.resource.kind,
        "name": obj.metadata.name,
        "uid": obj.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(conditions: tuple[Condition, ...], kind: str) -> Condition | None:
    """The condition of type `kind`, if it was observed."""
    return next((item for item in conditions if item.type == kind), None)
