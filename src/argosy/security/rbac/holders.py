"""Who may do something, and by which bindings: the question the other way round."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.security.rbac.objects import (
    CLUSTER_ROLE,
    BindingObject,
    PolicyRule,
    Question,
    RoleObject,
    SubjectRef,
)
from argosy.security.rbac.policy import NO_RULES, Role, resources_of

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Holder:
    """One subject, the binding that names it, and the role that is bound."""

    kind: str
    name: str
    namespace: str
    binding: str
    role: str


def holders(roles: Iterable[Json], bindings: Iterable[Json], asked: Question) -> list[Holder]:
    """All subjects of the bindings that allow what is asked, whoever its user is.

    `bindings` are those of the cluster and of the question's namespace.
    """
    able = {_ref(role) for role in roles if _allows(role, asked)}
    return sorted({holder for one in bindings for holder in _holders(one, able, asked)})


def _allows(role: Json, asked: Question) -> bool:
    rules: tuple[PolicyRule, ...] = msgspec.convert(role, RoleObject).rules or NO_RULES
    return Role(rules).allows(asked, resources_of(asked))


def _ref(role: Json) -> tuple[str, str, str]:
    meta = role["metadata"]
    return role["kind"], meta.get("namespace", ""), meta["name"]


def _holders(binding: Json, able: set[tuple[str, str, str]], asked: Question) -> Iterator[Holder]:
    known = msgspec.convert(binding, BindingObject)
    kind, namespace, name = _ref(binding)
    if namespace and (asked.path is not None or namespace != asked.namespace):
        return
    role = known.role
    if (role.kind, "" if role.kind == CLUSTER_ROLE else namespace, role.name) not in able:
        return
    called = f"{kind}/{namespace}/{name}" if namespace else f"{kind}/{name}"
    for subject in known.subjects or ():
        home = _home(subject, namespace)
        yield Holder(subject.kind, subject.name, home, called, f"{role.kind}/{role.name}")


def _home(subject: SubjectRef, namespace: str) -> str:
    return (subject.namespace or namespace) if subject.kind == "ServiceAccount" else ""
