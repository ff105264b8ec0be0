"""What is read of roles and bindings, and when a rule covers what somebody asks for.

Source: kube-apiserver's RBAC (`rbac.authorization.k8s.io/v1`).
"""

import json
from collections.abc import Iterable
from typing import Protocol

import msgspec

GROUP = "rbac.authorization.k8s.io"
ROLE, CLUSTER_ROLE = "Role", "ClusterRole"
_RENAMED = {
    "groups": "apiGroups",
    "names": "resourceNames",
    "paths": "nonResourceURLs",
    "role": "roleRef",
}


class Subject(Protocol):
    """Who asks."""

    @property
    def name(self) -> str: ...
    @property
    def groups(self) -> tuple[str, ...]: ...


class Question(Protocol):
    """What is asked for; with a `path` it is no resource."""

    @property
    def user(self) -> Subject: ...
    @property
    def verb(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def resource(self) -> str: ...
    @property
    def subresource(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str | None: ...


class PolicyRule(msgspec.Struct, frozen=True, rename=_RENAMED):
    """Verbs on resources of API groups, perhaps only some names, or on paths."""

    verbs: tuple[str, ...] | None = ()
    groups: tuple[str, ...] | None = ()
    resources: tuple[str, ...] | None = ()
    names: tuple[str, ...] | None = ()
    paths: tuple[str, ...] | None = ()

    def allows(self, asked: Question) -> bool:
        """Whether it covers what is asked, the resource being one of its own."""
        if not among(asked.verb, self.verbs or ()):
            return False
        if asked.path is not None:
            return any(path_covers(path, asked.path) for path in self.paths or ())
        return among(asked.group, self.groups or ()) and (
            not self.names or asked.name in self.names
        )

    def __str__(self) -> str:
        """As kube-apiserver tells of it: each part that is not empty."""
        parts = (
            ("APIGroups", self.groups),
            ("Resources", self.resources),
            ("NonResourceURLs", self.paths),
            ("ResourceNames", self.names),
            ("Verbs", self.verbs),
        )
        return "{" + ", ".join(f"{name}:{listed(items)}" for name, items in parts if items) + "}"


class RoleObject(msgspec.Struct, frozen=True):
    """A Role or ClusterRole."""

    rules: tuple[PolicyRule, ...] | None = ()


class RoleRef(msgspec.Struct, frozen=True):
    """The role that a binding grants."""

    kind: str
    name: str


class SubjectRef(msgspec.Struct, frozen=True):
    """To whom a binding grants it."""

    kind: str
    name: str
    namespace: str | None = ""


class BindingObject(msgspec.Struct, frozen=True, rename=_RENAMED):
    """A RoleBinding or ClusterRoleBinding."""

    role: RoleRef
    subjects: tuple[SubjectRef, ...] | None = ()


def among(wanted: str, known: tuple[str, ...]) -> bool:
    """Whether it is listed, by name or as `*`."""
    return wanted in known or "*" in known


def path_covers(pattern: str, path: str) -> bool:
    """Whether a path is meant, exactly or by its beginning."""
    return path == pattern or (pattern.endswith("*") and path.startswith(pattern.rstrip("*")))


def quoted(text: str) -> str:
    """As Go quotes it."""
    return json.dumps(text, ensure_ascii=False)


def listed(items: Iterable[str]) -> str:
    """As Go prints a list of quoted texts."""
    return "[" + " ".join(map(quoted, items)) + "]"
