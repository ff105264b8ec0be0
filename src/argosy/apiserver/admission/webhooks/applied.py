"""A webhook's patch, applied to what a request brings.

The webhook saw the object in the version of its choice, without what the server adds later; what it
makes of it comes back into the version of the request: pruned, checked, with defaults, and with all
that is not a webhook's to say as it was. Who the object is may not change.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from argosy.api.defaults.prepare import prepare_again
from argosy.api.defaults.table import DEFAULTS
from argosy.api.resource import Resource
from argosy.api.schema import Schema
from argosy.api.structural import check, prune
from argosy.apiserver import jsonpatch
from argosy.apiserver.admission.policy.versions import Versions
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.admission.webhooks.review import sent_kind
from argosy.apiserver.parts import FIXED, limited, part
from argosy.apiserver.verbs.scale import scale_of
from argosy.base.errors import (
    StatusError,
    bad_request,
    conflict,
    internal_error,
    invalid,
    invalid_value,
)

Json = dict[str, Any]
LATER: Final = ("uid", "creationTimestamp", "generation")
"""Metadata of a new object that upstream adds after mutating webhooks."""
NAMED: Final = "name"
"""How `Answers.once` calls a name that the server made up."""
MODIFIED: Final = (
    "the object has been modified; please apply your changes to the latest version and try again"
)
DEFINITIONS: Final = {
    "Binding": "io.k8s.api.core.v1.Binding",
    "Eviction": "io.k8s.api.policy.v1.Eviction",
    "Scale": "io.k8s.api.autoscaling.v1.Scale",
    "TokenRequest": "io.k8s.api.authentication.v1.TokenRequest",
}
"""Of what is posted to subresources."""


@dataclass(frozen=True, slots=True)
class Patches:
    """Shows objects to mutating webhooks, and takes their patches."""

    versions: Versions
    now: Callable[[], str]

    def shown(self, attributes: Attributes, wanted: Resource) -> tuple[Json, Json]:
        """The new and the old object, as a mutating webhook sees them; empty for none."""
        new, old = seen(attributes, self.versions, wanted)
        if attributes.operation == "CREATE" and sent_kind(attributes) is None:
            meta = {name: item for name, item in new["metadata"].items() if name not in LATER}
            if made_up(attributes):
                del meta["name"]
            new = {**new, "metadata": meta}
        return new, old

    def apply(
        self, attributes: Attributes, name: str, wanted: Resource, shown: Json, patch: Sequence[Any]
    ) -> bool:
        """Change the object as the webhook `name` says. Whether that made a difference.

        Raises StatusError for what can't be done: 500 as upstream, or what a client would get that
        tried to change who an object is.
        """
        if not shown or attributes.operation not in ("CREATE", "UPDATE"):
            raise internal_error(
                f'admission webhook "{name}" attempted to modify the object, which is not '
                "supported for this operation"
            )
        whose = f'admission webhook "{name}"'
        return self.take(attributes, whose, wanted, shown, _patched(shown, patch))

    def take(
        self, attributes: Attributes, whose: str, wanted: Resource, shown: Json, patched: Json
    ) -> bool:
        """The same, where it is known what becomes of the object."""
        for field in ("apiVersion", "kind"):
            if patched.get(field) != shown.get(field):
                raise internal_error(
                    f"{whose} attempted to change {field} from "
                    f'"{shown.get(field)}" to "{patched.get(field)}"'
                )
        if not isinstance(patched.get("metadata"), dict):
            raise internal_error(f"{whose} left no metadata")
        changed, kind = patched != shown, sent_kind(attributes)
        if kind is None:
            self._take(attributes, wanted, patched)
        elif kind[2] == "Scale":
            _scale(attributes, patched)
        else:
            _take_posted(attributes, kind[2], patched)
        return changed

    def schema(self, attributes: Attributes, wanted: Resource) -> Schema:
        """That of what is `shown`."""
        kind, served = sent_kind(attributes), attributes.target.served
        if kind is None:
            return self.versions.catalog.find(wanted.group, wanted.version, wanted.plural).schema
        definition = DEFINITIONS.get(kind[2])
        if definition is None:
            raise internal_error(f"unable to change {kind[2]}")
        return served.definitions(definition)

    def _back(self, attributes: Attributes, patched: Json, wanted: Resource) -> Json:
        """What a webhook saw, in the version that was asked for."""
        target, asked = attributes.target, attributes.target.served.resource
        if wanted.api_version == asked.api_version:
            return patched
        served = self.versions.catalog.find(wanted.group, wanted.version, wanted.plural)
        seen_as = replace(attributes, target=replace(target, served=served))
        return self.versions.shown(seen_as, patched, asked) or {}

    def _take(self, attributes: Attributes, wanted: Resource, patched: Json) -> None:
        new, old, served = attributes.new, attributes.old, attributes.target.served
        below = attributes.target.subresource
        result = served.pruned(self._back(attributes, patched, wanted))
        if faults := served.faults(result):
            raise internal_error(str(faults[0]))
        _identify(attributes, result["metadata"])
        if old is not None:
            result = limited(part(served, below), result, old, self.now)
        elif served.resource.status:
            result.pop("status", None)
            if "status" in new:  # but for what is made anew of the spec
                result["status"] = {k: v for k, v in new["status"].items() if k != "qosClass"}
        served.fill(result)
        if (fill := DEFAULTS.get(served.name)) is not None:
            fill(result)
        prepare_again(served.name, below, result, old)
        served.drop_gated(result, old)
        new.clear()
        new.update(result)


def seen(attributes: Attributes, versions: Versions, wanted: Resource) -> tuple[Json, Json]:
    """The new and the old object in that version, or what is sent of them to the subresource."""
    new, old = attributes.new, attributes.old
    kind = sent_kind(attributes)
    if kind is not None and kind[2] == "Scale":
        paths = attributes.target.served.scale
        return scale_of(new, paths), {} if old is None else scale_of(old, paths)
    shown = versions.shown(attributes, new, wanted), versions.shown(attributes, old, wanted)
    return shown[0] or {}, shown[1] or {}


def made_up(attributes: Attributes) -> bool:
    """Whether the server gave a new object its name."""
    meta = attributes.new["metadata"]
    return bool(meta.get("generateName")) and attributes.answers.made(NAMED) == meta.get("name")


def _patched(shown: Json, patch: Sequence[Any]) -> Json:
    try:
        patched = jsonpatch.apply(shown, patch)
    except StatusError as error:
        raise internal_error(error.message.removeprefix(f"{jsonpatch.REJECTED}: ")) from None
    if not isinstance(patched, dict):
        raise internal_error("the patch does not leave an object")
    return patched


def _identify(attributes: Attributes, meta: Json) -> None:
    """Put back into `meta` what is not a webhook's to say. Raises StatusError for what is refused
    to clients too.
    """
    before, resource = attributes.new["metadata"], attributes.target.served.resource
    if meta.setdefault("namespace", before.get("namespace")) != before.get("namespace"):
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if meta["namespace"] is None:
        del meta["namespace"]
    _keep_name(attributes, meta)
    if attributes.operation == "UPDATE":
        wrong = meta.get("uid") or before.get("uid")
        if wrong != before.get("uid"):
            error = invalid_value("metadata.uid", wrong, "field is immutable")
            raise invalid(resource.kind, resource.group, attributes.target.name, [error])
        revision = meta.get("resourceVersion") or before.get("resourceVersion")
        if revision != before.get("resourceVersion"):
            raise conflict(resource.qualified, attributes.target.name, MODIFIED)
    for field in (*FIXED, "resourceVersion", "managedFields", "selfLink"):
        if field in before:
            meta[field] = before[field]
        else:
            meta.pop(field, None)


def _keep_name(attributes: Attributes, meta: Json) -> None:
    """A new object that no path names may get another name; all others keep theirs."""
    name, target = attributes.new["metadata"].get("name"), attributes.target
    given = meta.setdefault("name", name)
    if given == name or not target.name:
        return
    if attributes.operation == "CREATE":
        raise bad_request(
            f"the name of the object ({given}) does not match the name on the URL ({target.name})"
        )
    resource = target.served.resource
    error = invalid_value("metadata.name", given, "field is immutable")
    raise invalid(resource.kind, resource.group, target.name, [error])


def _scale(attributes: Attributes, patched: Json) -> None:
    """The replicas go where the object has them."""
    spec = patched.get("spec")
    replicas = (spec if isinstance(spec, dict) else {}).get("replicas") or 0
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise internal_error("spec.replicas: must be an integer")
    inside = attributes.new
    *way, last = attributes.target.served.scale.spec
    for name in way:
        below = inside.get(name)
        inside[name] = inside = dict(below) if isinstance(below, dict) else {}
    inside[last] = replicas


def _take_posted(attributes: Attributes, kind: str, patched: Json) -> None:
    """What was posted to a subresource, for the object of the same name."""
    new, definition = attributes.new, DEFINITIONS.get(kind)
    if definition is None:
        raise internal_error(f"unable to change {kind}")
    schema = attributes.target.served.definitions(definition)
    result: Json = prune(schema, patched)
    if faults := check(schema, result):
        raise internal_error(str(faults[0]))
    meta = result["metadata"]
    for field in ("name", "namespace"):
        if meta.setdefault(field, new["metadata"].get(field)) != new["metadata"].get(field):
            raise bad_request(f"metadata.{field}: the path says otherwise")
    new.clear()
    new.update(result)


def decoded(patch: bytes) -> list[Any]:
    """The operations of a patch. Raises ValueError."""
    try:
        operations = msgspec.json.decode(patch, type=list[Any] | None)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    return operations or []
