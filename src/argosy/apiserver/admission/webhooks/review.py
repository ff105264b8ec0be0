"""`AdmissionReview` (admission.k8s.io/v1): what a webhook is asked, and what it answers.

Both sides are kube-apiserver's: which fields a request has, and what makes an answer one that can't
be used, in its words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from argosy.api.resource import Resource
from argosy.apiserver.admission.rule import Attributes

Json = dict[str, Any]
Kind = tuple[str, str, str]

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"
JSON_PATCH: Final = "JSONPatch"
POSTED: Final[Mapping[str, Kind]] = {
    "attach": ("", "v1", "PodAttachOptions"),
    "binding": ("", "v1", "Binding"),
    "eviction": ("policy", "v1", "Eviction"),
    "exec": ("", "v1", "PodExecOptions"),
    "nodes/proxy": ("", "v1", "NodeProxyOptions"),
    "pods/proxy": ("", "v1", "PodProxyOptions"),
    "portforward": ("", "v1", "PodPortForwardOptions"),
    "scale": ("autoscaling", "v1", "Scale"),
    "services/proxy": ("", "v1", "ServiceProxyOptions"),
    "token": ("authentication.k8s.io", "v1", "TokenRequest"),
}
"""Group, version and kind of what is sent to a subresource, where it is not the object itself."""
CHANGING: Final = ("CREATE", "UPDATE")


class UnusableError(Exception):
    """The answer is none that counts; the text says why."""


def sent_kind(attributes: Attributes) -> Kind | None:
    """What is sent to the request's subresource; None where it is the object itself."""
    below = attributes.target.subresource.partition("/")[0]
    if not below:
        return None
    plural = attributes.target.served.resource.plural
    return POSTED.get(below) or POSTED.get(f"{plural}/{below}")


def request(attributes: Attributes, wanted: Resource, new: Json | None, old: Json | None) -> Json:
    """The request of a review, but for its uid, which is every review's own."""
    # With it comes a part of what evaluates expressions; most servers have no webhooks.
    from argosy.apiserver.admission.policy.activation import request_of

    made = request_of(attributes, wanted)
    if new and not attributes.target.name:  # the name that it has so far
        made.pop("name", None)
        if name := new["metadata"].get("name"):
            made["name"] = name
    made["object"], made["oldObject"] = new or None, old or None
    made["options"] = _options(attributes, made.get("options"))
    return made


def _options(attributes: Attributes, known: Json | None) -> Json | None:
    if known is None:
        return None
    if attributes.operation not in CHANGING:
        return {**known, **(attributes.options or {})}
    query = attributes.query
    said = {name: query[name] for name in ("fieldManager", "fieldValidation") if query.get(name)}
    return {**known, **said}


def body(uid: str, asked: bytes) -> bytes:
    """A review of the request `asked`, which is an object's JSON, under that uid."""
    head = f'{{"kind":"{KIND}","apiVersion":"{API_VERSION}","request":{{"uid":"{uid}",'
    return b"".join((head.encode(), asked[1:], b"}"))


class _Cause(msgspec.Struct, omit_defaults=True):
    reason: str | None = None
    message: str | None = None
    field: str | None = None


class _Details(msgspec.Struct, rename="camel", omit_defaults=True):
    name: str | None = None
    group: str | None = None
    kind: str | None = None
    uid: str | None = None
    causes: list[_Cause] | None = None
    retry_after_seconds: int | None = None


class _Status(msgspec.Struct, rename="camel"):
    status: str | None = None
    message: str | None = None
    reason: str | None = None
    details: _Details | None = None
    code: int | None = None


class _Response(msgspec.Struct, rename="camel"):
    uid: str | None = None
    allowed: bool | None = None
    status: _Status | None = None
    patch: bytes | None = None
    patch_type: str | None = None
    audit_annotations: dict[str, str | None] | None = None
    warnings: list[str | None] | None = None


class _Review(msgspec.Struct, rename="camel"):
    api_version: str | None = None
    kind: str | None = None
    response: _Response | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a webhook says. `message`, `reason`, `code` and `details` are of a refusal."""

    allowed: bool
    message: str = ""
    reason: str = ""
    code: int = 0
    details: Mapping[str, Any] | None = None
    patch: bytes = b""
    patch_type: str = ""
    annotations: Mapping[str, str] | None = None
    warnings: Sequence[str] = ()


def verdict(answer: bytes, uid: str, *, mutating: bool) -> Verdict:
    """What an answer to the review `uid` says. Raises UnusableError, and ValueError for what is no
    review at all.
    """
    review = _decoded(answer)
    response = review.response
    if response is None:
        raise UnusableError("webhook response was absent")
    if (response.uid or "") != uid:
        raise UnusableError(f'expected response.uid="{uid}", got "{response.uid or ""}"')
    if (review.api_version, review.kind) != (API_VERSION, KIND):
        group, _, version = (review.api_version or "").rpartition("/")
        found = f"{group}/{version}, Kind={review.kind or ''}"
        raise UnusableError(f"expected webhook response of {API_VERSION}, Kind={KIND}, got {found}")
    _check_patch(response, mutating=mutating)
    status = response.status or _Status()
    notes = response.audit_annotations or {}
    return Verdict(
        allowed=bool(response.allowed),
        message=status.message or "",
        reason=status.reason or "",
        code=status.code or 0,
        details=msgspec.to_builtins(status.details),
        patch=response.patch or b"",
        patch_type=response.patch_type or "",
        annotations={key: value or "" for key, value in notes.items()},
        warnings=[text for text in response.warnings or () if text],
    )


def _decoded(answer: bytes) -> _Review:
    if not answer:
        raise ValueError("0-length response with status code: 200 and content type: ")
    try:
        review = msgspec.json.decode(answer, type=_Review | None)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ValueError(f"couldn't get version/kind; json parse error: {error}") from None
    return review or _Review()


def _check_patch(response: _Response, *, mutating: bool) -> None:
    patch, kind = response.patch, response.patch_type
    if not mutating:
        if patch:
            raise UnusableError("validating webhook may not return response.patch")
        if kind is not None:
            raise UnusableError("validating webhook may not return response.patchType")
        return
    if patch and kind is None:
        raise UnusableError("webhook returned response.patch but not response.patchType")
    if not patch and kind is not None:
        raise UnusableError("webhook returned response.patchType but not response.patch")
    if kind == "":
        raise UnusableError('webhook returned invalid response.patchType of ""')
