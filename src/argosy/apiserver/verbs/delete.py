"""delete: at once, or marked and left to finalizers and, for a pod, to its node."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec

from argosy.api.core import Namespace, Pod
from argosy.apiserver.negotiate import answer, answer_object, body_object
from argosy.apiserver.objects import Objects, absent
from argosy.apiserver.paging import read_piece
from argosy.apiserver.request import Call
from argosy.apiserver.verbs.read import matcher
from argosy.base.clock import parse_timestamp, timestamp
from argosy.base.errors import (
    StatusError,
    bad_request,
    conflict,
    invalid,
    method_not_allowed,
    not_supported,
)
from argosy.http.message import Response
from argosy.store.interface import DELETE

Json = dict[str, Any]

LONGEST = 10**9
"""Seconds of grace that a deletion's moment counts: three decades."""


async def delete(objects: Objects, call: Call) -> Response:
    """The object, under the options of body and query."""
    if call.target.served.resource == Namespace.resource:
        raise method_not_allowed("deleting a namespace is not supported yet")
    value, done = await _deleted(objects, *_with_options(call))
    resource = call.target.served.resource
    if resource.returned or not done:
        return answer(value)
    uid = msgspec.json.decode(value)["metadata"]["uid"]
    details = {"name": call.target.name, "group": resource.group, "kind": resource.plural}
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {**details, "uid": uid},
    }
    return answer_object(status)


async def delete_collection(objects: Objects, call: Call) -> Response:
    """Every object of the collection that the selectors match; one that is gone already is fine."""
    resource = call.target.served.resource
    if "deletecollection" not in resource.verbs:
        raise method_not_allowed()
    call, options = _with_options(call)
    piece = read_piece(objects.store, call, matcher(call), 0)
    gone = []
    for record in piece.records:
        meta = msgspec.json.decode(record.value)["metadata"]
        target = replace(call.target, namespace=meta.get("namespace", ""), name=meta["name"])
        with _unless_gone():
            gone.append((await _deleted(objects, replace(call, target=target), options))[0])
    head = {"resourceVersion": str(objects.store.revision)}
    kind = f'"kind":"{resource.kind}List","apiVersion":"{resource.api_version}"'
    start = f'{{{kind},"metadata":{msgspec.json.encode(head).decode()},"items":['
    return answer(start.encode() + b",".join(gone) + b"]}")


@contextmanager
def _unless_gone() -> Generator[None, None, None]:
    """Pass over a 404: somebody else was faster."""
    try:
        yield
    except StatusError as error:
        if error.code != 404:
            raise


def _with_options(call: Call) -> tuple[Call, Json]:
    """The call and its options; kubectl says in the body that it is a dry run."""
    options = _options(call)
    if options.get("dryRun"):
        call = replace(call, query={**call.query, "dryRun": ",".join(options["dryRun"])})
    return call, options


async def _deleted(objects: Objects, call: Call, options: Json) -> tuple[bytes, bool]:
    """The object as it was last, and whether it is gone rather than going."""
    done = True

    def change(current: Json | None) -> Json | object | None:
        nonlocal done
        if current is None:
            raise absent(call.target)
        _preconditions(call, current, options.get("preconditions") or {})
        marked = _marked(objects, call, current, options)
        done = marked is DELETE
        return marked

    return await objects.write(call, call.target.key, change), done


def _options(call: Call) -> Json:
    """`DeleteOptions` of the body, or of the query. Raises StatusError."""
    options = _understood(body_object(call.request) if call.request.body else {})
    for name in ("gracePeriodSeconds", "propagationPolicy"):
        if name in call.query:
            options.setdefault(
                name, call.number(name) if name == "gracePeriodSeconds" else call.query[name]
            )
    policy = options.get("propagationPolicy") or "Background"
    if policy != "Background":
        error = not_supported("propagationPolicy", policy, ["Background"])
        raise invalid("DeleteOptions", "meta.k8s.io", "", [error])
    return options


def _understood(options: Json) -> Json:
    """`options`, if those that count have their types. Raises StatusError 400."""
    grace, wanted = options.get("gracePeriodSeconds"), options.get("preconditions")
    if grace is not None and not (type(grace) is int and 0 <= grace < 2**63):
        raise bad_request("gracePeriodSeconds must be a whole number, 0 or more")
    if wanted is not None and not isinstance(wanted, dict):
        raise bad_request("preconditions must be an object")
    dry = options.get("dryRun") or []
    if not isinstance(dry, list) or not all(isinstance(item, str) for item in dry):
        raise bad_request("dryRun must be a list of strings")
    return options


def _preconditions(call: Call, current: Json, wanted: Json) -> None:
    for name, shown in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        if wanted.get(name) and wanted[name] != current["metadata"][name]:
            detail = (
                f"Precondition failed: {shown} in precondition: {wanted[name]}, "
                f"{shown} in object meta: {current['metadata'][name]}"
            )
            raise conflict(call.target.served.resource.qualified, call.target.name, detail)


def _marked(objects: Objects, call: Call, current: Json, options: Json) -> Json | object | None:
    """The object under deletion; DELETE where nothing has to be waited for, None if unchanged."""
    meta = current["metadata"]
    if meta.get("deletionTimestamp"):
        return _shortened(current, options)
    grace = _grace(call, current, options)
    if grace == 0 and not meta.get("finalizers"):
        return DELETE
    stamped = {
        **meta,
        "deletionTimestamp": timestamp(objects.clock.now() + _span(grace)),
        "deletionGracePeriodSeconds": grace,
    }
    if meta.get("generation"):
        stamped["generation"] = meta["generation"] + 1
    return {**current, "metadata": stamped}


def _shortened(current: Json, options: Json) -> Json | object | None:
    """What another delete makes of an object under deletion: it may only end sooner."""
    meta = current["metadata"]
    known = meta.get("deletionGracePeriodSeconds") or 0
    asked = options.get("gracePeriodSeconds")
    if known and (asked is None or asked >= known):
        return None
    left = int(asked or 0) if known else 0
    if not left and not meta.get("finalizers"):
        return DELETE
    return None if left == known else _ending(current, left - known)


def _ending(current: Json, later: int) -> Json:
    """`current`, ending so many seconds later (or sooner) than it said."""
    meta = current["metadata"]
    moment = parse_timestamp(meta["deletionTimestamp"]) + _span(later)
    stamped = {
        **meta,
        "deletionTimestamp": timestamp(moment),
        "deletionGracePeriodSeconds": meta["deletionGracePeriodSeconds"] + later,
    }
    return {**current, "metadata": stamped}


def _span(seconds: int) -> timedelta:
    """So many seconds, or as many as a moment in time can be moved by."""
    return timedelta(seconds=max(-LONGEST, min(seconds, LONGEST)))


def _grace(call: Call, current: Json, options: Json) -> int:
    """Seconds that the object is given to end by itself; only a pod on a node is given any."""
    if call.target.served.resource != Pod.resource:
        return 0
    finished = current.get("status", {}).get("phase") in ("Succeeded", "Failed")
    if finished or not current["spec"].get("nodeName"):
        return 0
    asked = options.get("gracePeriodSeconds")
    return int(current["spec"]["terminationGracePeriodSeconds"] if asked is None else asked)
