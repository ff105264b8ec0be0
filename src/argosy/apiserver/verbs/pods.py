"""The subresources of pods: binding, and the log, which is a call to the pod's node."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import msgspec

from argosy.api.core import Pod
from argosy.api.resource import Resource
from argosy.api.resources.core import BINDING
from argosy.apiserver.catalog import Served
from argosy.apiserver.negotiate import answer, whole_object
from argosy.apiserver.objects import Objects, absent
from argosy.apiserver.request import Call, Target
from argosy.apiserver.sent import read, sent_object
from argosy.apiserver.verbs.edits import shown_as
from argosy.apiserver.verbs.write import preconditions
from argosy.base.clock import timestamp
from argosy.base.errors import (
    StatusError,
    bad_request,
    conflict,
    invalid,
    not_supported,
    required,
    service_unavailable,
)
from argosy.http.message import Handler, Request, Response

Json = dict[str, Any]
LOG_OPTIONS = (
    "follow",
    "limitBytes",
    "previous",
    "sinceSeconds",
    "tailLines",
    "timestamps",
)
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
SCHEDULED = {"type": "PodScheduled", "status": "True"}


async def bind(objects: Objects, call: Call) -> Response:
    """Put a pod on a node, once."""
    binding = _binding(objects, call)
    objects.reviewed(call, "CREATE", binding, None)
    meta, node = binding["metadata"], binding["target"]["name"]

    def change(pod: Json | None) -> Json:
        if pod is None:
            raise absent(call.target)
        preconditions(call, pod, binding)
        if pod["metadata"].get("deletionTimestamp"):
            detail = f"pod {call.target.name} is being deleted, cannot be assigned to a host"
            raise conflict("pods/binding", call.target.name, detail)
        if pod["spec"].get("nodeName"):
            detail = f"pod {call.target.name} is already assigned to node "
            raise conflict("pods/binding", call.target.name, f'{detail}"{pod["spec"]["nodeName"]}"')
        if pod["spec"].get("schedulingGates"):
            detail = f"pod {call.target.name} has non-empty .spec.schedulingGates"
            raise conflict("pods/binding", call.target.name, detail)
        return _bound(pod, node, meta, timestamp(objects.clock.now()))

    await objects.write(call, call.target.key, change)
    return done(call)


async def bind_named(objects: Objects, call: Call) -> Response:
    """The same by way of `bindings`: the pod is the one whose name the binding has."""
    meta = whole_object(read(call)).get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    if not isinstance(name, str) or not name:
        raise bad_request("name must be provided")
    pods = Served(Pod.resource, Pod.resource, call.target.served.definitions)
    target = Target(pods, call.target.namespace, name, "binding")
    return await bind(objects, replace(call, target=target))


def _binding(objects: Objects, call: Call) -> Json:
    """The body, which must name a node. Raises StatusError 400, 422."""
    binding = posted(objects, call, BINDING, sent_object(shown_as(call, BINDING)))
    target, errors = binding["target"], []
    if target.get("kind") not in (None, "", "Node"):
        errors.append(not_supported("target.kind", target["kind"], ["Node", "<empty>"]))
    if not target.get("name"):
        errors.append(required("target.name"))
    if errors:
        raise invalid(BINDING.kind, BINDING.group, call.target.name, errors)
    return binding


def _bound(pod: Json, node: str, meta: Json, now: str) -> Json:
    """The pod on its node. As upstream nobody is noted to own what changes."""
    known = dict(pod["metadata"])
    for name in ("annotations", "labels"):
        if meta.get(name):
            known[name] = {**(known.get(name) or {}), **meta[name]}
    status = conditioned(pod.get("status") or {}, SCHEDULED, now)
    status.pop("nominatedNodeName", None)  # a hint, and now an old one
    return {**pod, "metadata": known, "spec": {**pod["spec"], "nodeName": node}, "status": status}


def conditioned(status: Json, condition: Json, now: str) -> Json:
    """`status` with a condition, in the place of the one of its type; its time is kept if it was
    the same.
    """
    new, conditions = {**condition, "lastTransitionTime": now}, []
    found = False
    for one in status.get("conditions") or ():
        if one["type"] == new["type"]:
            found = True
            if one["status"] == new["status"] and one.get("lastTransitionTime"):
                new["lastTransitionTime"] = one["lastTransitionTime"]
            one = new
        conditions.append(one)
    return {**status, "conditions": conditions if found else [*conditions, new]}


def posted(objects: Objects, call: Call, resource: Resource, body: Json) -> Json:
    """What was sent to a pod's subresource: an object of another kind that is never stored, but
    has the pod's name. Raises StatusError 400, 422.
    """
    meta = body.get("metadata")
    if not isinstance(meta, dict) or meta.get("name") != call.target.name:
        raise bad_request(f"name in URL does not match name in {resource.kind} object")
    seen = shown_as(call, resource)
    return objects.checked(seen, objects.partial(seen, body))


def done(call: Call) -> Response:
    """The answer to what was posted and done."""
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    return answer(msgspec.json.encode(body), status=201, warnings=tuple(call.warnings))


@dataclass(frozen=True, slots=True)
class Logs:
    """Reads logs from nodes; `node` is the way to a node's own API, if there is one."""

    node: Handler | None

    async def __call__(self, objects: Objects, call: Call) -> Response:
        pod = msgspec.json.decode(objects.read(call.target).value, type=Pod)
        container = _container(pod, call.query.get("container", ""))
        if not pod.spec.node_name:
            raise bad_request(f"pod {pod.metadata.name} does not have a host assigned")
        if self.node is None:
            raise service_unavailable("there is no way to the nodes of this cluster")
        meta = pod.metadata
        query = {name: call.query[name] for name in LOG_OPTIONS if name in call.query}
        path = f"/containerLogs/{meta.namespace}/{meta.name}/{container}"
        response = await self.node(Request("GET", path, urlencode(query)))
        if response.status >= 400:
            body = response.body if isinstance(response.body, bytes) else b""
            raise StatusError.from_status(_node_error(body), response.status)
        return response


def _node_error(body: bytes) -> Json:
    try:
        decoded = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {"reason": "BadRequest", "message": body.decode(errors="replace")}
    return decoded if isinstance(decoded, dict) else {}


def _container(pod: Pod, asked: str) -> str:
    """The container whose log is asked for. Raises StatusError 400."""
    names = [container.name for container in pod.spec.containers]
    name = asked or pod.metadata.annotations.get(DEFAULT_CONTAINER, "")
    if not name and len(names) == 1:
        return names[0]
    if not name:
        raise bad_request(
            f"a container name must be specified for pod {pod.metadata.name}, "
            f"choose one of: [{' '.join(names)}]"
        )
    if name not in names:
        raise bad_request(f"container {name} is not valid for pod {pod.metadata.name}")
    return name
