"""Kinds that are asked, not stored: who somebody is, and what they may do.

Each is created and answered in the same breath. The questions are checked for their structure like
any object, and then by rules of their own (`argosy.api.validation.reviews`).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.resources.identity import (
    LOCAL_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_REVIEW,
    SELF_SUBJECT_RULES_REVIEW,
    SUBJECT_ACCESS_REVIEW,
    TOKEN_REVIEW,
)
from argosy.api.validation import reviews as rules
from argosy.api.validation.rule import Errors
from argosy.apiserver.authentication.authenticator import Authenticator
from argosy.apiserver.authentication.tokens import AUDIENCES, TokenError
from argosy.apiserver.authorization.attributes import Attributes
from argosy.apiserver.authorization.authorizer import Authorizer, Held
from argosy.apiserver.authorization.selectors import fields_asked, labels_asked
from argosy.apiserver.negotiate import answer
from argosy.apiserver.objects import Objects
from argosy.apiserver.request import Call, User
from argosy.apiserver.sent import sent_object
from argosy.base.clock import timestamp
from argosy.base.errors import bad_request, invalid
from argosy.http.message import Response

Json = dict[str, Any]
Answer = Callable[[Objects, Call], Awaitable[Response]]
NOTHING: Mapping[str, str] = {}
UNSENT = ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "uid", "selfLink")
"""Metadata that no client sets."""


@dataclass(frozen=True, slots=True)
class Reviews:
    """Answers by those who know: who asks, and who may what."""

    authenticator: Authenticator
    authorizer: Authorizer

    def verbs(self) -> Mapping[str, Mapping[str, Answer]]:
        """The answers, by the resource's qualified name and by method."""
        named: Mapping[str, Answer] = {
            TOKEN_REVIEW.qualified: self.token,
            SELF_SUBJECT_REVIEW.qualified: self.self_subject,
            SUBJECT_ACCESS_REVIEW.qualified: self.access,
            LOCAL_SUBJECT_ACCESS_REVIEW.qualified: self.local_access,
            SELF_SUBJECT_ACCESS_REVIEW.qualified: self.self_access,
            SELF_SUBJECT_RULES_REVIEW.qualified: self.self_rules,
        }
        return {name: {"POST": verb} for name, verb in named.items()}

    async def token(self, objects: Objects, call: Call) -> Response:
        """Whose token it is, and for which audiences it is good."""
        review = _asked(objects, call, empty={"token": ""})
        spec = review["spec"]
        if not spec.get("token"):
            raise bad_request("token is required for TokenReview in authentication")
        try:
            identity = await self.authenticator.identify(
                spec["token"], tuple(spec.get("audiences") or AUDIENCES)
            )
        except TokenError as error:
            status: Json = {"user": {}, "error": str(error)}
        else:
            status = {
                "authenticated": True,
                "user": _user_info(identity.user),
                "audiences": list(identity.audiences),
            }
        return _answered(call, {**review, "status": status})

    async def self_subject(self, objects: Objects, call: Call) -> Response:
        """Who asks."""
        review = _asked(objects, call)
        stamp = timestamp(objects.clock.now())
        status = {"userInfo": _user_info(call.user)}
        return _answered(
            call, {**review, "metadata": {"creationTimestamp": stamp}, "status": status}
        )

    async def access(self, objects: Objects, call: Call) -> Response:
        """Whether somebody may do something."""
        review = _asked(objects, call, rules.subject_access_review)
        return await self._decided(call, review, _subject(review["spec"]))

    async def local_access(self, objects: Objects, call: Call) -> Response:
        """Whether somebody may do something in this namespace."""
        review = _asked(objects, call, rules.local_subject_access_review)
        return await self._decided(call, review, _subject(review["spec"]))

    async def self_access(self, objects: Objects, call: Call) -> Response:
        """Whether whoever asks may do something."""
        review = _asked(objects, call, rules.self_subject_access_review)
        return await self._decided(call, review, call.user)

    async def _decided(self, call: Call, review: Json, user: User) -> Response:
        asked, ignored = _attributes(review["spec"], user)
        decision = await self.authorizer.settled(lambda authorize: authorize(asked))
        status: Json = {"allowed": decision.allowed}
        if decision.denied:
            status["denied"] = True
        if decision.reason:
            status["reason"] = decision.reason
        if wrong := [*filter(None, (decision.error,)), *ignored]:
            status["evaluationError"] = "; ".join(wrong)
        return _answered(call, {**review, "status": status})

    async def self_rules(self, objects: Objects, call: Call) -> Response:
        """All that whoever asks may do in a namespace."""
        review = _asked(objects, call)
        namespace = review["spec"].get("namespace")
        if not namespace:
            raise bad_request("no namespace on request")
        status = _held(self.authorizer.rules_of(call.user, namespace))
        return _answered(call, {**review, "metadata": {}, "spec": {}, "status": status})


def _asked(
    objects: Objects,
    call: Call,
    check: Callable[[Json], Errors] | None = None,
    *,
    empty: Mapping[str, str] = NOTHING,
) -> Json:
    """The question, of the right structure. Raises StatusError 400 and 422.

    `empty` is what stands for parts of its `spec` that are left out.
    """
    body = sent_object(call)
    resource = call.target.served.resource
    if body.get("spec") is None and "spec" in call.target.served.schema.properties:
        body["spec"] = {}
    if isinstance(body.get("spec"), dict):
        body["spec"] = {**empty, **body["spec"]}
    if not resource.namespaced and isinstance(body.get("metadata"), dict):
        body["metadata"].pop("namespace", None)
    review = objects.incoming(call, body)
    for name in UNSENT:
        review["metadata"].pop(name, None)
    assert isinstance(call.dry_run, bool)  # read, so that a wrong option is refused
    if check is not None and (errors := list(check(review))):
        raise invalid(resource.kind, resource.group, "", errors)
    return review


def _answered(call: Call, review: Json) -> Response:
    body = msgspec.json.encode(review)
    return answer(body, status=201, warnings=tuple(call.warnings))


def _user_info(user: User) -> Json:
    info = {
        "username": user.name,
        "uid": user.uid,
        "groups": list(user.groups),
        "extra": {key: list(values) for key, values in user.extra.items()},
    }
    return {key: value for key, value in info.items() if value}


def _subject(spec: Json) -> User:
    extra = {key: tuple(values or ()) for key, values in (spec.get("extra") or {}).items()}
    groups = tuple(spec.get("groups") or ())
    return User(spec.get("user") or "", groups, spec.get("uid") or "", extra)


def _attributes(spec: Json, user: User) -> tuple[Attributes, list[str]]:
    """What a question is about, and which of its selectors could not be read."""
    other = spec.get("nonResourceAttributes")
    if other is not None:
        path, verb = other.get("path") or "", other.get("verb") or ""
        return Attributes(user=user, verb=verb, path=path), []
    asked = spec["resourceAttributes"]
    labels, labels_ignored = labels_asked(asked.get("labelSelector"))
    fields, fields_ignored = fields_asked(asked.get("fieldSelector"))
    names = ("verb", "group", "resource", "subresource", "namespace", "name")
    texts = {name: asked.get(name) or "" for name in names}
    version = asked.get("version") or "*"
    attributes = Attributes(user=user, version=version, labels=labels, fields=fields, **texts)
    return attributes, [text for text in (fields_ignored, labels_ignored) if text]


def _held(held: Held) -> Json:
    """What a user's rules are, those of resources and those of paths apart."""
    of_resources: list[Json] = []
    of_paths: list[Json] = []
    for rule in held.rules:
        verbs = {"verbs": list(rule.verbs or ())}
        if rule.resources:
            parts = (
                ("apiGroups", rule.groups),
                ("resources", rule.resources),
                ("resourceNames", rule.names),
            )
            of_resources.append({**verbs, **{name: list(part) for name, part in parts if part}})
        if rule.paths:
            of_paths.append({**verbs, "nonResourceURLs": list(rule.paths)})
    status: Json = {
        "resourceRules": of_resources,
        "nonResourceRules": of_paths,
        "incomplete": held.incomplete,
    }
    return {**status, "evaluationError": held.error} if held.error else status
