"""Roles, bindings and questions, built shortly."""

from dataclasses import dataclass, field

from argosy.security.rbac.objects import BindingObject, PolicyRule, RoleObject, RoleRef, SubjectRef
from argosy.security.rbac.policy import Policy


@dataclass(frozen=True)
class Who:
    name: str = "bob"
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Asked:
    user: Who = field(default_factory=Who)
    verb: str = "get"
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str | None = None


def rule(verbs: str, resources: str, groups: str = "", names: str = "") -> PolicyRule:
    """A rule from comma-separated lists; the core group is the empty text."""
    return PolicyRule(_split(verbs), tuple(groups.split(",")), _split(resources), _split(names))


def paths(verbs: str, urls: str) -> PolicyRule:
    return PolicyRule(verbs=_split(verbs), paths=_split(urls))


def bind(policy: Policy, role: str, *subjects: str, name: str = "b", namespace: str = "") -> None:
    """Bind `Kind/role` to subjects `Kind/name` or `ServiceAccount/namespace/name`."""
    kind, _, called = role.partition("/")
    made = []
    for text in subjects:
        of, *rest = text.split("/")
        made.append(SubjectRef(of, rest[-1], rest[0] if len(rest) > 1 else ""))
    policy.set_binding((namespace, name), BindingObject(RoleRef(kind, called), tuple(made)))


def policy_of(**roles: PolicyRule) -> Policy:
    """A policy with these cluster roles, one rule each."""
    made = Policy()
    for name, one in roles.items():
        made.set_role(("", name), RoleObject((one,)))
    return made


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()
