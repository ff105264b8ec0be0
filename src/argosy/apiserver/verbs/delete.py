"""delete: at once, or marked and left to finalizers and, for a pod, to its node."""

from datetime import timedelta
from typing import Any

import msgspec

from argosy.api.core import Namespace, Pod
from argosy.apiserver.negotiate import answer, answer_object, body_object
from argosy.apiserver.objects import Objects, absent
from argosy.apiserver.request import Call
from argosy.base.clock import timestamp
from argosy.base.errors import (
    bad_request,
    conflict,
    invalid,
    method_not_allowed,
    not_supported,
)
from argosy.http.message import Response
from argosy.store.interface import DELETE

Json = dict[str, Any]


async def delete(objects: Objects, call: Call) -> Response:
    """The object, under the options of body and query."""
    if call.target.served.kind is Namespace:
        raise method_not_allowed("deleting a namespace is not supported yet")
    options = _options(call)
    done = True

    def change(current: Json | None) -> Json | object | None:
        nonlocal done
        if current is None:
            raise absent(call.target)
        _preconditions(call, current, options.get("preconditions") or {})
        marked = _marked(objects, call, current, options)
        done = marked is DELETE
        return marked

    value = await objects.write(call, call.target.key, change)
    if not done:
        return answer(value)
    resource = call.target.served.resource
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


def _options(call: Call) -> Json:
    """`DeleteOptions` of the body, or of the query. Raises StatusError."""
    options = body_object(call.request) if call.request.body else {}
    for name in ("gracePeriodSeconds", "propagationPolicy"):
        if name in call.query:
            options.setdefault(
                name, call.number(name) if name == "gracePeriodSeconds" else call.query[name]
            )
    policy = options.get("propagationPolicy") or "Background"
    if policy != "Background":
        error = not_supported("propagationPolicy", policy, ["Background"])
        raise invalid("DeleteOptions", "meta.k8s.io", "", [error])
    grace = options.get("gracePeriodSeconds")
    if grace is not None and (type(grace) is not int or grace < 0):
        raise bad_request("gracePeriodSeconds must be a whole number, 0 or more")
    if options.get("dryRun") and not call.dry_run:
        raise bad_request("dryRun of a delete is taken from the query")
    return options


def _preconditions(call: Call, current: Json, wanted: Json) -> None:
    for name, field in (("uid", "uid"), ("resourceVersion", "resourceVersion")):
        if wanted.get(name) and wanted[name] != current["metadata"][field]:
            detail = (
                f"Precondition failed: {name} in precondition: {wanted[name]}, "
                f"{name} in object meta: {current['metadata'][field]}"
            )
            raise conflict(call.target.served.resource.qualified, call.target.name, detail)


def _marked(objects: Objects, call: Call, current: Json, options: Json) -> Json | object | None:
    """The object under deletion; DELETE where nothing has to be waited for, None if unchanged."""
    meta = current["metadata"]
    grace = _grace(call, current, options)
    if grace == 0 and not meta.get("finalizers"):
        return DELETE
    known = meta.get("deletionGracePeriodSeconds")
    if meta.get("deletionTimestamp") and known is not None and known <= grace:
        return None
    moment = timestamp(objects.clock.now() + timedelta(seconds=grace))
    generation = int(meta.get("generation") or 0) + 1
    stamped = {
        **meta,
        "deletionTimestamp": moment,
        "deletionGracePeriodSeconds": grace,
        "generation": generation,
    }
    return {**current, "metadata": stamped}


def _grace(call: Call, current: Json, options: Json) -> int:
    """Seconds that the object is given to end by itself; only a pod on a node is given any."""
    if call.target.served.kind is not Pod:
        return 0
    finished = current.get("status", {}).get("phase") in ("Succeeded", "Failed")
    if finished or not current["spec"].get("nodeName"):
        return 0
    asked = options.get("gracePeriodSeconds")
    return int(current["spec"]["terminationGracePeriodSeconds"] if asked is None else asked)
