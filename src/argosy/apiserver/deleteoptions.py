"""`DeleteOptions`: how somebody wants something deleted.

They come as the request's body or, where it has none, in the query. A body may say any version for
itself, as clients of old do, but no other kind; fields that it has beyond are passed over. What is
wrong is told in kube-apiserver's words.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from argosy.apiserver.negotiate import whole_object
from argosy.apiserver.request import Call
from argosy.apiserver.sent import read
from argosy.base.errors import StatusError, bad_request, invalid, invalid_value, not_supported

Json = dict[str, Any]

BACKGROUND = "Background"
FOREGROUND = "Foreground"
ORPHAN = "Orphan"
POLICIES = (FOREGROUND, BACKGROUND, ORPHAN)
SCHEME = "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"
"""How kube-apiserver calls the table in which it looks for the kind."""
TYPES: Mapping[str, tuple[type, str]] = {
    "dryRun": (list, "[]string"),
    "gracePeriodSeconds": (int, "int64"),
    "orphanDependents": (bool, "bool"),
    "preconditions": (dict, "v1.Preconditions"),
    "preconditions.resourceVersion": (str, "string"),
    "preconditions.uid": (str, "types.UID"),
    "propagationPolicy": (str, "v1.DeletionPropagation"),
}
"""What a field must be, and how Go calls that."""
WORDS: Mapping[type, str] = {str: "string", bool: "bool", list: "array", dict: "object"}
INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
LONGEST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions:
    """Options that were understood; None is what was not said. `grace` is in seconds."""

    grace: int | None = None
    policy: str | None = None
    orphan: bool | None = None
    uid: str = ""
    revision: str = ""
    dry_run: bool = False

    @property
    def said(self) -> Json:
        """What was said, as JSON."""
        wanted = {"uid": self.uid, "resourceVersion": self.revision}
        fields = {
            "gracePeriodSeconds": self.grace,
            "preconditions": {name: item for name, item in wanted.items() if item} or None,
            "orphanDependents": self.orphan,
            "propagationPolicy": self.policy,
            "dryRun": ["All"] if self.dry_run else None,
        }
        return {name: item for name, item in fields.items() if item is not None}


def read_options(call: Call, *, one: bool = True) -> DeleteOptions:
    """The call's options; not of `one` object, `resourceVersion` in the query is the list's.

    A dry run is one even if only the query says so: who asks for it wants nothing to be lost.
    Raises StatusError 400, 415, 422.
    """
    if call.request.body:
        options = _checked(whole_object(read(call)))
    else:
        options = _of_query(call, one=one)
    dry = options.get("dryRun") or ([call.query["dryRun"]] if call.query.get("dryRun") else [])
    wanted = options.get("preconditions") or {}
    _validate(options, dry)
    return DeleteOptions(
        grace=_positive(options.get("gracePeriodSeconds")),
        policy=options.get("propagationPolicy"),
        orphan=options.get("orphanDependents"),
        uid=wanted.get("uid") or "",
        revision=wanted.get("resourceVersion") or "",
        dry_run=bool(dry),
    )


def _positive(grace: int | None) -> int | None:
    """Less than no time is a second."""
    return 1 if grace is not None and grace < 0 else grace


def _validate(options: Json, dry: list[str]) -> None:
    errors = []
    policy = options.get("propagationPolicy")
    if policy is not None and options.get("orphanDependents") is not None:
        detail = "orphanDependents and deletionPropagation cannot be both set"
        errors.append(invalid_value("propagationPolicy", policy, detail))
    if policy is not None and policy not in POLICIES:
        errors.append(not_supported("propagationPolicy", policy, [*POLICIES, "nil"]))
    if any(item != "All" for item in dry):
        errors.append(not_supported("dryRun", dry, ["All"]))
    if errors:
        raise invalid("DeleteOptions", "meta.k8s.io", "", errors)


def _checked(body: Json) -> Json:
    """`body`, if it is what it should be and its fields have their types."""
    _identified(body)
    for path, (kind, shown) in TYPES.items():
        parent, _, name = path.rpartition(".")
        value = ((body.get(parent) or {}) if parent else body).get(name)
        if value is not None and not _is(value, kind):
            raise _mistyped(path, value, shown)
    for item in body.get("dryRun") or ():
        if not isinstance(item, str):
            raise _mistyped("dryRun", item, "string")
    return body


def _identified(body: Json) -> None:
    kind, version = body.get("kind") or "DeleteOptions", body.get("apiVersion") or "v1"
    for name, value in (("kind", kind), ("apiVersion", version)):
        if not isinstance(value, str):
            text = f"cannot unmarshal {_word(value)} into Go struct field TypeMeta.{name}"
            raise bad_request(
                f"couldn't get version/kind; json parse error: json: {text} of type string"
            )
    if version.count("/") > 1:
        raise bad_request(f"unexpected GroupVersion string: {version}")
    if kind != "DeleteOptions":
        raise bad_request(
            f'no kind "{kind}" is registered for version "{version}" in scheme "{SCHEME}"'
        )


def _is(value: object, kind: type) -> bool:
    if kind is int:
        return type(value) is int and -(2**63) <= value < 2**63
    return isinstance(value, kind)


def _mistyped(path: str, value: object, shown: str) -> StatusError:
    return bad_request(
        f"json: cannot unmarshal {_word(value)} into Go struct field DeleteOptions.{path} "
        f"of type {shown}"
    )


def _word(value: object) -> str:
    return WORDS.get(type(value)) or f"number {json.dumps(value)[:LONGEST]}"


def _of_query(call: Call, *, one: bool) -> Json:
    query, options = call.query, Json()
    if "gracePeriodSeconds" in query:
        options["gracePeriodSeconds"] = _integer(query["gracePeriodSeconds"])
    if "orphanDependents" in query:
        options["orphanDependents"] = call.flag("orphanDependents")
    if "propagationPolicy" in query:
        options["propagationPolicy"] = query["propagationPolicy"]
    names = ("uid", "resourceVersion") if one else ("uid",)
    options["preconditions"] = {name: query.get(name, "") for name in names}
    return options


def _integer(text: str) -> int:
    fault = "invalid syntax"
    if INTEGER.fullmatch(text):
        fault = "value out of range"
        if len(text) <= LONGEST and _is(number := int(text), int):
            return number
    raise bad_request(f"strconv.ParseInt: parsing {json.dumps(text[:LONGEST])}: {fault}")
