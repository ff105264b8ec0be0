"""What a writer wants of an object: functions of the one that is there to the one that shall be.

They are the same whether the path leads to the object itself or to something else that it is shown
as, such as its scale. What the path may write, and what becomes of it, is for the verbs.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

import msgspec

from argosy.api.resource import Resource
from argosy.api.schema import Schema
from argosy.apiserver import jsonpatch, mergepatch, strategicmerge
from argosy.apiserver.answers import Answers, Ask
from argosy.apiserver.catalog import Served
from argosy.apiserver.fieldmanager.manager import apply_patch
from argosy.apiserver.negotiate import (
    APPLY,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    media_type,
    patches,
)
from argosy.apiserver.objects import Objects
from argosy.apiserver.parts import laid_over, narrowed, part, unowned
from argosy.apiserver.request import Call
from argosy.apiserver.sent import sent_object, sent_value
from argosy.base.clock import timestamp
from argosy.base.errors import StatusError, bad_request, forbidden_field, invalid, required

Json = dict[str, Any]

QUICK = 1000
"""Operations of a JSON patch that are done in about 20 ms."""
LONG = 64 * 1024
"""Bytes of one: a single path of so many takes as long."""


def shown_as(call: Call, resource: Resource) -> Call:
    """The call, as if the object were of another kind that is never stored."""
    served = Served(resource, resource, call.target.served.definitions)
    return replace(call, target=replace(call.target, served=served))


def replacing(objects: Objects, call: Call) -> Callable[[Json], Json]:
    """What an update, which must say what its object's name is, makes of one."""
    body = sent_object(call)
    meta = body.get("metadata")
    if not isinstance(meta, dict) or not meta.get("name"):
        raise bad_request(
            f"the name of the object ({call.target.name} based on URL) was undeterminable: "
            "name must be provided"
        )
    if call.target.subresource:
        return lambda current: _whole(objects, call, body, current)
    whole = objects.incoming(call, body)
    return lambda current: whole


def _whole(objects: Objects, call: Call, sent: Json, current: Json) -> Json:
    """What was sent by a path that writes a part only: the rest may be missing, or wrong."""
    told = len(call.warnings)
    try:
        return objects.incoming(call, sent)  # the common case, and by far the quickest
    except StatusError as error:
        if error.code != 422:
            raise
    del call.warnings[told:]
    what = part(call.target.served, call.target.subresource)
    return objects.checked(call, laid_over(what, objects.partial(call, sent), current))


def applies(call: Call) -> bool:
    """Whether a patch is server-side apply."""
    return media_type(call.request) == APPLY


def patching(objects: Objects, call: Call) -> Callable[[Json], Json]:
    """What a JSON patch or a merge patch (JSON's or the strategic one) makes of an object."""
    served, kind = call.target.served, media_type(call.request)
    body = _patch(call)
    if "force" in call.query:
        error = forbidden_field("force", "may not be specified for non-apply patch")
        raise invalid("PatchOptions", "meta.k8s.io", "", [error])
    merge = MERGES[kind]
    long = isinstance(body, list) and (len(body) > QUICK or len(call.request.body) > LONG)
    if kind == JSON_PATCH and long:
        merge = partial(_long_json_patch, call.answers)

    def patched(current: Json) -> Json:
        merged = merge(current, body, served.schema)
        if not call.target.subresource:
            return objects.incoming(call, merged)
        return _whole(objects, call, merged, current)

    return patched


def applying(objects: Objects, call: Call) -> Callable[[Json | None], Json]:
    """What server-side apply makes of an object, or of none; managed fields included."""
    body = _patch(call)
    if not call.query.get("fieldManager"):
        error = required("fieldManager", "is required for apply patch")
        raise invalid("PatchOptions", "meta.k8s.io", "", [error])
    served, subresource = call.target.served, call.target.subresource
    configuration = narrowed(served, subresource, objects.partial(call, body))

    def applied(current: Json | None) -> Json:
        merged = apply_patch(
            current,
            configuration,
            manager=call.manager,
            force=call.flag("force"),
            schema=served.schema,
            api_version=served.resource.api_version,
            time=timestamp(objects.clock.now()),
            subresource=subresource,
            strip=unowned(served, subresource),
            versions=objects.versions,
        )
        return objects.checked(call, merged)

    return applied


def _patch(call: Call) -> Any:
    read = sent_value if media_type(call.request) == JSON_PATCH else sent_object
    return read(call, patches(own=call.target.served.own))


def _merge_patch(current: Json, body: Json, schema: Schema) -> Json:
    return cast(Json, mergepatch.merge(current, body))


def _json_patch(current: Json, operations: Any, _schema: Schema) -> Json:
    if not isinstance(operations, list):
        raise bad_request("the body of a JSON patch must be a list of operations")
    patched = jsonpatch.apply(current, operations)
    if not isinstance(patched, dict):
        raise bad_request("the patch does not leave an object")
    return patched


def _long_json_patch(
    answers: Answers, current: Json, operations: list[Any], schema: Schema
) -> Json:
    """The same, in a thread. Raises Unanswered until it is done."""

    def work() -> bytes:
        return msgspec.json.encode(_json_patch(current, operations, schema))

    async def done() -> bytes:
        return await asyncio.to_thread(work)

    patched = answers.need(Ask("long JSON patch", msgspec.json.encode(current), done))[0]
    decoded: Json = msgspec.json.decode(patched)  # each attempt has its own, which it changes
    return decoded


MERGES: Mapping[str, Callable[[Json, Any, Schema], Json]] = {
    JSON_PATCH: _json_patch,
    MERGE: _merge_patch,
    STRATEGIC: strategicmerge.merge,
}
