"""What expressions of admission read: each value is made when the first of them asks for it.

One `Activation` serves all policies and webhooks that are asked about a request; what is one
policy's own is laid over it by `bound`. Objects are read as the plain JSON that they are.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from argosy.api.cel.lib_authorizer import Authorizer, Decide, Decision, Question, ResourceCheck
from argosy.api.resource import Resource
from argosy.api.resources.core import NAMESPACE
from argosy.apiserver.admission.policy.matching import name_of, namespace_of, subresource_of
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.admission.webhooks.review import sent_kind
from argosy.apiserver.authorization import attributes as access
from argosy.apiserver.request import User
from argosy.base.errors import not_found

Json = dict[str, Any]

_ACCOUNT: Final = "system:serviceaccount:"
_OPTIONS: Final = {
    "CONNECT": "",
    "CREATE": "CreateOptions",
    "DELETE": "DeleteOptions",
    "UPDATE": "UpdateOptions",
}
_TOLD: Final = ("fieldManager", "fieldValidation")
_OF_NAMESPACE: Final = (
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "finalizers",
)


Shown = Callable[[Attributes, Json | None, Resource], Json | None]


class Activation:
    """The values of a request, by name. `wanted` is the version in which `shown` gives objects."""

    __slots__ = ("_attributes", "_base", "_known", "_shown", "_wanted")

    def __init__(
        self,
        attributes: Attributes,
        wanted: Resource | None = None,
        *,
        shown: Shown | None = None,
        base: "Activation | None" = None,
        known: dict[str, Any] | None = None,
    ) -> None:
        self._attributes = attributes
        self._wanted = wanted or attributes.target.served.resource
        self._shown = shown or as_asked
        self._base = base
        self._known: dict[str, Any] = {} if known is None else known

    def bound(self, **own: Any) -> "Activation":
        """The same request, with values of somebody's own. What is made of it is made once."""
        return Activation(
            self._attributes,
            self._wanted,
            shown=self._shown,
            base=self._base or self,
            known={**self._known, **own},
        )

    def without_namespace(self) -> "Activation":
        """As match conditions see it: upstream shows them no namespace."""
        return self.bound(namespaceObject=None)

    def get(self, name: str, missing: Any = None) -> Any:
        """One value. Raises StatusError for a namespace that is not there."""
        known = self._known
        if name in known:
            return known[name]
        value = self._made(name, missing) if self._base is None else self._base.get(name, missing)
        if value is not missing:
            known[name] = value
        return value

    def _made(self, name: str, missing: Any) -> Any:
        attributes = self._attributes
        if name == "object":
            return self._shown(attributes, attributes.new, self._wanted)
        if name == "oldObject":
            return self._shown(attributes, attributes.old, self._wanted)
        make = _MADE.get(name)
        return missing if make is None else make(attributes, self._wanted)


def as_asked(attributes: Attributes, obj: Json | None, wanted: Resource) -> Json | None:
    """An object as it came; None where there is none."""
    return obj or None


def request_of(attributes: Attributes, wanted: Resource | None = None) -> Json:
    """The request as an AdmissionRequest has it, without its uid and its objects.

    As there, texts that are empty are absent, so that `has()` tells.
    """
    asked = attributes.target.served.resource
    wanted = wanted or asked
    subresource, sent = subresource_of(attributes), _sent(attributes)
    made = {
        "kind": sent or _kind(wanted),
        "resource": _resource(wanted),
        "subResource": subresource,
        "requestKind": sent or _kind(asked),
        "requestResource": _resource(asked),
        "requestSubResource": subresource,
        "name": name_of(attributes),
        "namespace": namespace_of(attributes),
        "operation": attributes.operation,
        "userInfo": _user(attributes.user),
        "dryRun": attributes.dry_run,
        "options": _options(attributes),
    }
    return {name: value for name, value in made.items() if value != ""}


def _user(user: User) -> Json:
    told = {
        "username": user.name,
        "uid": user.uid,
        "groups": list(user.groups),
        "extra": {key: list(values) for key, values in user.extra.items()},
    }
    return {name: value for name, value in told.items() if value}


def _sent(attributes: Attributes) -> Json | None:
    """The kind of what is sent to a subresource, where it is not the object itself."""
    kind = sent_kind(attributes)
    return None if kind is None else dict(zip(("group", "version", "kind"), kind, strict=True))


def _kind(resource: Resource) -> Json:
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


def _resource(resource: Resource) -> Json:
    return {"group": resource.group, "version": resource.version, "resource": resource.plural}


def _options(attributes: Attributes) -> Json | None:
    kind = _OPTIONS[attributes.operation]
    if not kind:
        return None
    options: Json = {"kind": kind, "apiVersion": "meta.k8s.io/v1", **(attributes.options or {})}
    if attributes.dry_run:
        options["dryRun"] = ["All"]
    if attributes.operation != "DELETE":
        options |= {name: given for name in _TOLD if (given := attributes.query.get(name))}
    return options


def _namespace(attributes: Attributes, wanted: Resource) -> Json | None:
    """The namespace that the object is in; for what is in none, and for namespaces, null."""
    name = attributes.target.namespace
    if not name or attributes.target.served.resource is NAMESPACE:
        return None
    record = attributes.look(NAMESPACE.key(name=name))
    if record is None:
        raise not_found("namespaces", name)
    found = msgspec.json.decode(record.value)
    meta = found["metadata"]
    return {
        "metadata": {key: meta[key] for key in _OF_NAMESPACE if key in meta},
        "spec": found.get("spec") or {},
        "status": found.get("status") or {},
    }


def _authorizer(attributes: Attributes, wanted: Resource) -> Authorizer:
    return Authorizer(decider(attributes))


def _request_resource(attributes: Attributes, wanted: Resource) -> ResourceCheck:
    resource = attributes.target.served.resource
    question = Question(
        group=resource.group,
        resource=resource.plural,
        subresource=subresource_of(attributes),
        namespace=namespace_of(attributes),
        name=name_of(attributes),
    )
    return ResourceCheck(decider(attributes), question)


_MADE: Final[Mapping[str, Callable[[Attributes, Resource], Any]]] = {
    "request": request_of,
    "namespaceObject": _namespace,
    "authorizer": _authorizer,
    "authorizer.requestResource": _request_resource,
}


def decider(attributes: Attributes) -> Decide:
    """Answers what expressions ask about access, each question once."""
    answered: dict[Question, Decision] = {}

    def decide(question: Question) -> Decision:
        if question not in answered:
            decision = attributes.authorize(_asked(attributes.user, question))
            answered[question] = Decision(decision.allowed, decision.reason)
        return answered[question]

    return decide


def _asked(user: User, question: Question) -> access.Attributes:
    asking = _account(question.user) if question.user else user
    if question.path:
        return access.Attributes(user=asking, verb=question.verb, path=question.path)
    return access.Attributes(
        user=asking,
        verb=question.verb,
        group=question.group,
        resource=question.resource,
        subresource=question.subresource,
        namespace=question.namespace,
        name=question.name,
        labels=access.read_labels(question.label_selector),
        fields=access.read_fields(question.field_selector),
    )


def _account(name: str) -> User:
    namespace = name.removeprefix(_ACCOUNT).partition(":")[0]
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return User(name, (*groups, "system:authenticated"))
