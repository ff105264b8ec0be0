"""`authorizer.group('apps').resource('deployments').check('create').allowed()`.

The caller puts an `Authorizer` with its own decision function into the activation; what is asked
of it is plain data, so this room needs no idea of who decides.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from argosy.api.cel.dispatch import Function, overloads
from argosy.api.cel.values import Budget, no_overload

CHECK_COST: Final = 350_000
"""Two checks fit into one expression."""


@dataclass(frozen=True, slots=True)
class Question:
    """What an expression asks. `user` is empty for the requester, or a service account's name."""

    verb: str = ""
    path: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    field_selector: str = ""
    label_selector: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """An authorizer's answer."""

    cel_type: ClassVar[str] = "kubernetes.authorization.Decision"
    allowed: bool
    reason: str = ""
    error: str = ""


Decide = Callable[[Question], Decision]


@dataclass(frozen=True, slots=True)
class Authorizer:
    """The variable `authorizer`."""

    cel_type: ClassVar[str] = "kubernetes.authorization.Authorizer"
    decide: Decide
    user: str = ""


@dataclass(frozen=True, slots=True)
class PathCheck:
    """A question about a path."""

    cel_type: ClassVar[str] = "kubernetes.authorization.PathCheck"
    decide: Decide
    question: Question


@dataclass(frozen=True, slots=True)
class GroupCheck:
    """A question about an API group, which lacks its resource."""

    cel_type: ClassVar[str] = "kubernetes.authorization.GroupCheck"
    decide: Decide
    question: Question


@dataclass(frozen=True, slots=True)
class ResourceCheck:
    """A question about a resource."""

    cel_type: ClassVar[str] = "kubernetes.authorization.ResourceCheck"
    decide: Decide
    question: Question


def _asking(part: str) -> Function:
    def asked(check: ResourceCheck, value: str) -> ResourceCheck:
        return replace(check, question=replace(check.question, **{part: value}))

    return overloads(((ResourceCheck, str), asked))


def _path(authorizer: Authorizer, path: str) -> PathCheck:
    return PathCheck(authorizer.decide, Question(path=path, user=authorizer.user))


def _group(authorizer: Authorizer, group: str) -> GroupCheck:
    return GroupCheck(authorizer.decide, Question(group=group, user=authorizer.user))


def _resource(check: GroupCheck, resource: str) -> ResourceCheck:
    return ResourceCheck(check.decide, replace(check.question, resource=resource))


def _service_account(authorizer: Authorizer, namespace: str, name: str) -> Authorizer:
    return replace(authorizer, user=f"system:serviceaccount:{namespace}:{name}")


def _check(budget: Budget, check: Any, verb: Any) -> Decision:
    if not isinstance(check, PathCheck | ResourceCheck) or type(verb) is not str:
        raise no_overload()
    budget.spend(CHECK_COST)
    return check.decide(replace(check.question, verb=verb))


FUNCTIONS: Final[Mapping[str, Function]] = {
    "path": overloads(((Authorizer, str), _path)),
    "group": overloads(((Authorizer, str), _group)),
    "serviceAccount": overloads(((Authorizer, str, str), _service_account)),
    "resource": overloads(((GroupCheck, str), _resource)),
    "subresource": _asking("subresource"),
    "namespace": _asking("namespace"),
    "name": _asking("name"),
    "fieldSelector": _asking("field_selector"),
    "labelSelector": _asking("label_selector"),
    "check": _check,
    "allowed": overloads(((Decision,), lambda a: a.allowed)),
    "reason": overloads(((Decision,), lambda a: a.reason)),
    "error": overloads(((Decision,), lambda a: a.error)),
    "errored": overloads(((Decision,), lambda a: bool(a.error))),
}
