"""The subresources of pods: binding, and the log, which is a call to the pod's node."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec

from argosy.api.core import Pod
from argosy.apiserver.negotiate import answer_object, body_object
from argosy.apiserver.objects import Objects, absent
from argosy.apiserver.request import Call
from argosy.base.clock import timestamp
from argosy.base.errors import StatusError, bad_request, conflict, service_unavailable
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


async def bind(objects: Objects, call: Call) -> Response:
    """Put a pod on a node, once."""
    binding = body_object(call.request)
    target = binding.get("target")
    node = target.get("name") if isinstance(target, dict) else None
    if not isinstance(node, str) or not node:
        raise bad_request("target.name: Required value")

    def change(pod: Json | None) -> Json:
        if pod is None:
            raise absent(call.target)
        if pod["spec"].get("nodeName"):
            detail = f"pod {call.target.name} is already assigned to node "
            raise conflict("pods/binding", call.target.name, f'{detail}"{pod["spec"]["nodeName"]}"')
        if pod["spec"].get("schedulingGates"):
            detail = f"pod {call.target.name} has non-empty .spec.schedulingGates"
            raise conflict("pods/binding", call.target.name, detail)
        if pod["metadata"].get("deletionTimestamp"):
            detail = f"pod {call.target.name} is being deleted, cannot be assigned to a host"
            raise conflict("pods/binding", call.target.name, detail)
        return _bound(objects, call, pod, node)

    await objects.write(call, call.target.key, change)
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    return answer_object(body, status=201)


def _bound(objects: Objects, call: Call, pod: Json, node: str) -> Json:
    now = timestamp(objects.clock.now())
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": now}
    status = pod.get("status") or {}
    others = [item for item in status.get("conditions") or () if item["type"] != "PodScheduled"]
    bound = {
        **pod,
        "spec": {**pod["spec"], "nodeName": node},
        "status": {**status, "conditions": [*others, scheduled]},
    }
    return objects.tracked(call, bound, pod)


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
