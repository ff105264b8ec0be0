"""create, update, patch and apply, of objects and of their status."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any, cast

from argosy.api.generation import following
from argosy.api.schema import Schema
from argosy.apiserver import jsonpatch, mergepatch, strategicmerge
from argosy.apiserver.fieldmanager.manager import apply_patch
from argosy.apiserver.negotiate import (
    APPLY,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    answer,
    body_object,
    body_value,
    media_type,
    patches,
)
from argosy.apiserver.objects import KEPT, Objects, absent, strip
from argosy.apiserver.request import Call
from argosy.base.clock import timestamp
from argosy.base.errors import (
    already_exists,
    bad_request,
    conflict,
    forbidden_field,
    invalid,
    invalid_value,
    required,
)
from argosy.http.message import Response
from argosy.store.interface import DELETE

Json = dict[str, Any]

MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)
SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
GENERATED_TRIES = 8


async def create(objects: Objects, call: Call) -> Response:
    """A new object, named by the client or, with `generateName`, by the server."""
    obj = objects.incoming(call, body_object(call.request))
    meta = obj["metadata"]
    if meta.get("resourceVersion"):
        raise bad_request("resourceVersion should not be set on objects to be created")
    generated = not meta.get("name") and meta.get("generateName")
    if generated:
        meta["name"] = _generated(meta["generateName"])
    new = objects.admitted(call, objects.initial(call, obj), None)
    new = objects.tracked(call, new, None)
    resource = call.target.served.resource
    for attempt in range(GENERATED_TRIES):
        name = new["metadata"]["name"]
        key = resource.key(call.target.namespace, name)
        try:
            value = await objects.write(call, key, _only_new(call, new))
        except _TakenError:
            if not generated or attempt + 1 == GENERATED_TRIES:
                raise already_exists(resource.qualified, name) from None
            new["metadata"]["name"] = _generated(meta["generateName"])
        else:
            break
    return answer(value, status=201, warnings=tuple(call.warnings))


class _TakenError(Exception):
    """The name is another object's."""


def _generated(prefix: str) -> str:
    return prefix[:58] + "".join(secrets.choice(SUFFIX) for _ in range(5))


def _only_new(call: Call, new: Json) -> Callable[[Json | None], Json]:
    def change(current: Json | None) -> Json:
        if current is not None:
            raise _TakenError
        return new

    return change


async def update(objects: Objects, call: Call) -> Response:
    """The object, or its status, as the client sends it."""
    sent = objects.incoming(call, _named(call, body_object(call.request)))

    def change(current: Json | None) -> Json | object | None:
        if current is None:
            raise absent(call.target)
        if call.target.served.own and not sent["metadata"].get("resourceVersion"):
            resource = call.target.served.resource
            error = invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
            raise invalid(resource.kind, resource.group, call.target.name, [error])
        return _changed(objects, call, current, sent)

    value = await objects.write(call, call.target.key, change)
    return answer(value, warnings=tuple(call.warnings))


def _named(call: Call, body: Json) -> Json:
    """`body`, which must say what its name is. Raises StatusError 400."""
    meta = body.get("metadata")
    if not isinstance(meta, dict) or not meta.get("name"):
        raise bad_request(
            f"the name of the object ({call.target.name} based on URL) was undeterminable: "
            "name must be provided"
        )
    return body


def _merge_patch(current: Json, body: Json, schema: Schema) -> Json:
    return cast(Json, mergepatch.merge(current, body))


def _json_patch(current: Json, operations: Any, _schema: Schema) -> Json:
    if not isinstance(operations, list):
        raise bad_request("the body of a JSON patch must be a list of operations")
    patched = jsonpatch.apply(current, operations)
    if not isinstance(patched, dict):
        raise bad_request("the patch does not leave an object")
    return patched


MERGES: Mapping[str, Callable[[Json, Any, Schema], Json]] = {
    JSON_PATCH: _json_patch,
    MERGE: _merge_patch,
    STRATEGIC: strategicmerge.merge,
}


async def patch(objects: Objects, call: Call) -> Response:
    """A JSON patch, a merge patch (JSON's or the strategic one), or server-side apply."""
    served = call.target.served
    kind = media_type(call.request)
    read = body_value if kind == JSON_PATCH else body_object
    body = read(call.request, patches(own=served.own))
    if kind == APPLY:
        return await _apply(objects, call, body)
    if "force" in call.query:
        error = forbidden_field("force", "may not be specified for non-apply patch")
        raise invalid("PatchOptions", "meta.k8s.io", "", [error])
    merge = MERGES[kind]

    def change(current: Json | None) -> Json | object | None:
        if current is None:
            raise absent(call.target)
        merged = merge(current, body, served.schema)
        return _changed(objects, call, current, objects.incoming(call, merged))

    value = await objects.write(call, call.target.key, change)
    return answer(value, warnings=tuple(call.warnings))


async def _apply(objects: Objects, call: Call, body: Json) -> Response:
    """Server-side apply: creates the object where it is not there."""
    if not call.query.get("fieldManager"):
        error = required("fieldManager", "is required for apply patch")
        raise invalid("PatchOptions", "meta.k8s.io", "", [error])
    configuration = objects.partial(call, body)
    created = False

    def change(current: Json | None) -> Json | object | None:
        nonlocal created
        created = current is None
        if current is None and call.target.subresource:
            raise absent(call.target)
        _preconditions(call, current, configuration)
        merged = objects.checked(call, _applied(objects, call, current, configuration))
        if current is None:
            fields = merged["metadata"].pop("managedFields", None)
            new = objects.admitted(call, objects.initial(call, merged), None)
            if fields is not None:
                new["metadata"]["managedFields"] = fields
            return new
        merged["metadata"]["resourceVersion"] = current["metadata"]["resourceVersion"]
        return _settled(objects, call, current, merged)

    value = await objects.write(call, call.target.key, change)
    return answer(value, status=201 if created else 200, warnings=tuple(call.warnings))


def _applied(objects: Objects, call: Call, current: Json | None, configuration: Json) -> Json:
    served = call.target.served
    return apply_patch(
        current,
        configuration,
        manager=call.query["fieldManager"],
        force=call.flag("force"),
        schema=served.schema,
        api_version=served.resource.api_version,
        time=timestamp(objects.clock.now()),
        subresource=call.target.subresource,
        strip=strip(served, call.target.subresource),
    )


def _preconditions(call: Call, current: Json | None, sent: Json) -> None:
    """What the writer takes to be there must be there. Raises StatusError 409."""
    resource, name = call.target.served.resource, call.target.name
    uid, revision = (sent["metadata"].get(key) for key in ("uid", "resourceVersion"))
    if current is None:
        if uid or revision:
            detail = f"StorageError: object not found, UID in precondition: {uid or ''}"
            raise conflict(resource.qualified, name, detail)
        return
    if uid and uid != current["metadata"]["uid"]:
        detail = (
            f"Precondition failed: UID in precondition: {uid}, "
            f"UID in object meta: {current['metadata']['uid']}"
        )
        raise conflict(resource.qualified, name, detail)
    if revision and revision != current["metadata"]["resourceVersion"]:
        raise conflict(resource.qualified, name, MODIFIED)


def _changed(objects: Objects, call: Call, current: Json, sent: Json) -> Json | object | None:
    """What update and merge patch make of `current`: `sent`, limited to what the path writes."""
    _preconditions(call, current, sent)
    new = _limited(call, current, sent)
    return _settled(objects, call, current, new, track=True)


def _limited(call: Call, current: Json, sent: Json) -> Json:
    """`sent`, with what this endpoint does not write taken from `current`."""
    if call.target.subresource == "status":
        meta = dict(current["metadata"])
        if "managedFields" in sent["metadata"]:
            meta["managedFields"] = sent["metadata"]["managedFields"]
        new = {**current, "metadata": meta}
        new.pop("status", None)
        return {**new, "status": sent["status"]} if "status" in sent else new
    new = {**sent, "metadata": dict(sent["metadata"])}
    for name in KEPT:
        new["metadata"].pop(name, None)
        if name in current["metadata"]:
            new["metadata"][name] = current["metadata"][name]
    if call.target.served.resource.status:
        new.pop("status", None)
        if "status" in current:
            new["status"] = current["status"]
    return new


def _settled(
    objects: Objects, call: Call, current: Json, new: Json, *, track: bool = False
) -> Json | object | None:
    """`new` past defaults, admission and rules; None where nothing is to be written."""
    new = objects.admitted(call, new, current)
    served = call.target.served
    if (generation := following(served.name, new, current, own=served.own)) is not None:
        new["metadata"]["generation"] = generation
    if track:
        new = objects.tracked(call, new, current)
    if _finally_gone(new):
        return DELETE
    revision = current["metadata"]["resourceVersion"]
    same = {**new, "metadata": {**new["metadata"], "resourceVersion": revision}} == current
    return None if same else new


def _finally_gone(obj: Json) -> bool:
    """Whether the last finalizer of an object under deletion was taken away."""
    meta = cast(Json, obj["metadata"])
    waiting = meta.get("finalizers") or meta.get("deletionGracePeriodSeconds")
    return bool(meta.get("deletionTimestamp")) and not waiting
