"""create, update, patch and apply, of objects and of their parts."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from argosy.api.generation import following
from argosy.apiserver.authorization.attributes import attributes_of
from argosy.apiserver.authorization.authorizer import demand, is_master
from argosy.apiserver.negotiate import answer
from argosy.apiserver.objects import Leaving, Objects, absent
from argosy.apiserver.parts import limited, part
from argosy.apiserver.request import Call
from argosy.apiserver.sent import sent_object
from argosy.apiserver.verbs.edits import applies, applying, patching, replacing
from argosy.base.clock import timestamp
from argosy.base.errors import already_exists, bad_request, conflict, invalid, invalid_value
from argosy.http.message import Response

Json = dict[str, Any]

MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)
SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
GENERATED_TRIES = 8


async def create(objects: Objects, call: Call) -> Response:
    """A new object, named by the client or, with `generateName`, by the server."""
    obj = objects.incoming(call, sent_object(call))
    meta = obj["metadata"]
    if meta.get("resourceVersion"):
        raise bad_request("resourceVersion should not be set on objects to be created")
    generated = not meta.get("name") and meta.get("generateName")
    if generated:
        meta["name"] = call.answers.once("name", lambda: _generated(meta["generateName"]))
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
    drawn = secrets.randbelow(len(SUFFIX) ** 5)  # at once: five draws take five times as long
    letters = []
    for _ in range(5):
        drawn, letter = divmod(drawn, len(SUFFIX))
        letters.append(SUFFIX[letter])
    return prefix[:58] + "".join(letters)


def _only_new(call: Call, new: Json) -> Callable[[Json | None], Json]:
    def change(current: Json | None) -> Json:
        if current is not None:
            raise _TakenError
        return new

    return change


async def update(objects: Objects, call: Call) -> Response:
    """The object, or a part of it, as the client sends it."""
    replaced = replacing(objects, call)

    def change(current: Json | None) -> Json | object | None:
        if current is None:
            raise absent(call.target)
        sent = replaced(current)
        if call.target.served.own and not sent["metadata"].get("resourceVersion"):
            resource = call.target.served.resource
            error = invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
            raise invalid(resource.kind, resource.group, call.target.name, [error])
        return _changed(objects, call, current, sent)

    value = await objects.write(call, call.target.key, change)
    return answer(value, warnings=tuple(call.warnings))


async def patch(objects: Objects, call: Call) -> Response:
    """A JSON patch, a merge patch (JSON's or the strategic one), or server-side apply."""
    if applies(call):
        return await _apply(objects, call)
    patched = patching(objects, call)

    def change(current: Json | None) -> Json | object | None:
        if current is None:
            raise absent(call.target)
        return _changed(objects, call, current, patched(current))

    value = await objects.write(call, call.target.key, change)
    return answer(value, warnings=tuple(call.warnings))


async def _apply(objects: Objects, call: Call) -> Response:
    """Server-side apply: creates the object where it is not there."""
    applied = applying(objects, call)
    created = False

    def change(current: Json | None) -> Json | object | None:
        nonlocal created
        created = current is None
        if current is None:
            if call.target.subresource:
                raise absent(call.target)
            _demand_create(objects, call)
        merged = applied(current)
        preconditions(call, current, merged)
        if current is None:
            fields = merged["metadata"].pop("managedFields", None)
            new = objects.admitted(call, objects.initial(call, merged), None)
            if fields is not None:
                new["metadata"]["managedFields"] = fields
            return new
        if call.target.subresource:
            merged = _limited(objects, call, current, merged)
        return settled(objects, call, current, merged)

    value = await objects.write(call, call.target.key, change)
    return answer(value, status=201 if created else 200, warnings=tuple(call.warnings))


def _demand_create(objects: Objects, call: Call) -> None:
    """Who applies what is not there creates it, and `patch` alone does not allow that.

    Raises StatusError 403.
    """
    if not is_master(call.user):
        asked = replace(attributes_of(call.request, call.user), verb="create")
        demand(lambda one: objects.chain.authorize(one, call.answers), asked)


def preconditions(call: Call, current: Json | None, sent: Json) -> None:
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
    preconditions(call, current, sent)
    new = _limited(objects, call, current, sent)
    return settled(objects, call, current, new, track=True)


def _limited(objects: Objects, call: Call, current: Json, sent: Json) -> Json:
    """`sent`, with what this endpoint does not write taken from `current`."""
    what = part(call.target.served, call.target.subresource)
    return limited(what, sent, current, lambda: timestamp(objects.clock.now()))


def settled(
    objects: Objects, call: Call, current: Json, new: Json, *, track: bool = False
) -> Json | object | None:
    """`new` past defaults, admission and rules; None where nothing is to be written."""
    new = objects.admitted(call, new, current)
    served = call.target.served
    if call.target.subresource != "status":  # which may write annotations, and no wish in them
        generation = following(served.name, new, current, own=served.own)
        if generation is not None:
            new["metadata"]["generation"] = generation
    if track:
        new = objects.tracked(call, new, current)
    if _finally_gone(new):
        return Leaving(new)
    revision = current["metadata"]["resourceVersion"]
    same = {**new, "metadata": {**new["metadata"], "resourceVersion": revision}} == current
    return None if same else new


def _finally_gone(obj: Json) -> bool:
    """Whether the last finalizer of an object under deletion was taken away."""
    meta = cast(Json, obj["metadata"])
    waiting = meta.get("finalizers") or meta.get("deletionGracePeriodSeconds")
    if (obj["apiVersion"], obj["kind"]) == ("v1", "Namespace"):
        waiting = waiting or (obj.get("spec") or {}).get("finalizers")
    return bool(meta.get("deletionTimestamp")) and not waiting
