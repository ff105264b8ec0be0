"""delete and deletecollection: what `deletion` decides, done in one write for each object.

The decision falls on the newest state, inside the write, so that nobody's change slips in between.
"""

import asyncio
from dataclasses import replace
from typing import Any

import msgspec

from argosy.apiserver.answers import Answers, answered
from argosy.apiserver.deleteoptions import DeleteOptions, read_options
from argosy.apiserver.deletion import Outcome, orphans_unasked, outcome
from argosy.apiserver.negotiate import answer
from argosy.apiserver.objects import Objects, absent, encoded
from argosy.apiserver.paging import read_piece
from argosy.apiserver.request import Call
from argosy.apiserver.verbs.read import list_meta, matcher, seen
from argosy.base.errors import StatusError, conflict, method_not_allowed
from argosy.http.message import Response
from argosy.store.interface import DELETE, Record

Json = dict[str, Any]

AT_ONCE = 64
"""Objects of a collection that are deleted together: their writes share an fsync."""
ORPHANED = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background "
    "to remove them or set propagationPolicy=Orphan to suppress this warning"
)


async def delete(objects: Objects, call: Call) -> Response:
    """The object, under the options of body or query."""
    options = read_options(call)
    _warn(call, options)
    result, revision = await _deleted(objects, call, options)
    gone = result.step == "delete"
    resource = call.target.served.resource
    if gone and not resource.returned and resource.qualified != "namespaces":
        details = {"name": call.target.name, "group": resource.group, "kind": resource.plural}
        status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {**details, "uid": result.obj["metadata"]["uid"]},
        }
        return answer(msgspec.json.encode(status), warnings=tuple(call.warnings))
    # Who says that nothing is orphaned is told whether there is something to wait for.
    code = 202 if not gone and options.orphan is False else 200
    value = encoded(result.obj, revision)
    return answer(value, status=code, warnings=tuple(call.warnings))


async def delete_collection(objects: Objects, call: Call) -> Response:
    """The objects of the collection that the selectors match, or a piece of them, as they were.

    One that is gone already is fine.
    """
    resource = call.target.served.resource
    if "deletecollection" not in resource.verbs:
        raise method_not_allowed()
    options = read_options(call, one=False)
    _warn(call, options)
    piece = read_piece(objects.store, call, matcher(call), seen(objects, call))
    for start in range(0, len(piece.records), AT_ONCE):
        some = piece.records[start : start + AT_ONCE]
        await asyncio.gather(*(_delete_one(objects, call, options, record) for record in some))
    head = f'{{"kind":"{resource.list_kind}","apiVersion":"{resource.api_version}","metadata":'
    parts = [head.encode(), msgspec.json.encode(list_meta(piece)), b',"items":[']
    items = b",".join([record.value for record in piece.records])
    return answer(b"".join([*parts, items, b"]}"]), warnings=tuple(call.warnings))


def _warn(call: Call, options: DeleteOptions) -> None:
    resource = call.target.served.resource
    unsaid = options.policy is None and options.orphan is None
    if unsaid and resource.plural == "jobs" and orphans_unasked(resource):
        call.warnings.append(ORPHANED)


async def _delete_one(objects: Objects, call: Call, options: DeleteOptions, record: Record) -> None:
    meta = msgspec.json.decode(record.value)["metadata"]
    target = replace(call.target, namespace=meta.get("namespace", ""), name=meta["name"])
    own = replace(call, target=target, warnings=[], afterwards=[], answers=Answers())
    try:
        await _deleted(objects, own, options)
    except StatusError as error:
        if error.code != 404:
            raise
    finally:
        call.warnings.extend(own.warnings)
        call.afterwards.extend(own.afterwards)


async def _deleted(objects: Objects, call: Call, options: DeleteOptions) -> tuple[Outcome, int]:
    """What became of the object, and the revision of that. Raises StatusError 403, 404, 409."""
    results: list[Outcome] = []

    def mutate(record: Record | None, revision: int) -> bytes | object | None:
        if record is None:
            raise absent(call.target)
        result = _decided(objects, call, options, msgspec.json.decode(record.value))
        results.append(result)
        if result.step == "delete":
            return DELETE
        return encoded(result.obj, revision) if result.step == "write" else None

    async def attempt() -> Record | None:
        if not options.dry_run:
            return await objects.store.write(call.target.key, mutate)
        record = objects.store.get(call.target.key)
        mutate(record, 0)
        return record

    # Each deletion is tried anew by itself: what was done before it is not done twice.
    record = await answered(attempt, call.answers, call.warnings, call.afterwards)
    return results[-1], 0 if record is None else record.revision


def _decided(objects: Objects, call: Call, options: DeleteOptions, current: Json) -> Outcome:
    attributes = objects.asked(call, "DELETE", {}, current)
    attributes.dry_run = bool(options.dry_run)
    attributes.options = options.said
    objects.chain.mutate(attributes)
    _preconditions(call, options, current["metadata"])
    objects.chain.validate(attributes)
    return outcome(call.target.served.resource, current, options, objects.clock.now())


def _preconditions(call: Call, options: DeleteOptions, meta: Json) -> None:
    """What the caller takes to be there must be there. Raises StatusError 409."""
    resource = call.target.served.resource
    wanted = (
        ("UID", options.uid, meta["uid"], "have been deleted and then recreated"),
        ("ResourceVersion", options.revision, meta["resourceVersion"], "have been modified"),
    )
    for name, asked, there, guess in wanted:
        if not asked or asked == there:
            continue
        if resource.qualified == "namespaces":
            text = (
                f"Precondition failed: {name} in precondition: {asked}, "
                f"{name} in object meta: {there}"
            )
            raise conflict("namespaces", call.target.name, text)
        text = (
            f"the {name} in the precondition ({asked}) does not match the {name} in record "
            f"({there}). The object might {guess}"
        )
        kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
        raise conflict(kind, call.target.name, text)
