"""Proxies to pods, services and nodes: the client's request, any method, on somebody else's path.

Names may say more than a name: `name:port`, `scheme:name:port`. A pod's request goes to its node,
which knows the pod's address for certain (a status may say anything); a service's goes to one of
the pods behind it. Paths, bodies and answers go through unread.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from argosy.api.core import Node, Pod
from argosy.api.meta import condition
from argosy.api.resources.core import ENDPOINTS, SERVICE
from argosy.apiserver.objects import Objects
from argosy.apiserver.outbound import kept_here, target_port
from argosy.apiserver.request import Call
from argosy.apiserver.verbs.streams import to_node
from argosy.base.errors import StatusError, bad_request, not_found
from argosy.http.message import Handler, Response

Json = dict[str, Any]
DEFAULT_PORTS: Final = {"": 80, "http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Meant:
    """What the name in a proxy's path says."""

    scheme: str
    name: str
    port: str

    @classmethod
    def of(cls, kind: str, text: str) -> "Meant":
        """Read `name`, `name:port` or `scheme:name:port`. Raises StatusError 400."""
        parts = text.split(":")
        scheme, name, port = {1: ["", *parts, ""], 2: ["", *parts], 3: parts}.get(
            len(parts), ["", "", ""]
        )
        if not name or "/" in text or scheme not in DEFAULT_PORTS:
            raise bad_request(f'invalid {kind} request "{text}"')
        return cls(scheme, name, port)


@dataclass(frozen=True, slots=True)
class PodProxy:
    """`pods/proxy`; `node` is the way to the nodes' own API."""

    node: Handler | None

    async def __call__(self, objects: Objects, call: Call) -> Response:
        meant = Meant.of("pod", call.target.name)
        pod = _pod(objects, call.target.namespace, meant.name)
        if pod is None:
            raise not_found("pods", meant.name)
        port = meant.port or _first_port(pod) or str(DEFAULT_PORTS[meant.scheme])
        if not pod.status.pod_ip:
            raise bad_request("address not allowed")
        return await _through(self.node, call, pod, meant.scheme, port)


@dataclass(frozen=True, slots=True)
class ServiceProxy:
    """`services/proxy`: to any ready pod behind the service."""

    node: Handler | None

    async def __call__(self, objects: Objects, call: Call) -> Response:
        namespace, meant = call.target.namespace, Meant.of("service", call.target.name)
        record = objects.store.get(SERVICE.key(namespace, meant.name))
        if record is None:
            raise not_found("services", meant.name)
        service: Json = msgspec.json.decode(record.value)["spec"]
        wanted = _service_port(service, meant)
        behind = list(_behind(objects, namespace, meant.name, service, wanted))
        if not behind:
            shown = call.target.name if meant.port else meant.name
            raise _unavailable(f'no endpoints available for service "{shown}"')
        pod, port = random.choice(behind)
        return await _through(self.node, call, pod, meant.scheme, str(port))


@dataclass(frozen=True, slots=True)
class NodeProxy:
    """`nodes/proxy`: the node's own API."""

    node: Handler | None

    async def __call__(self, objects: Objects, call: Call) -> Response:
        meant = Meant.of("node", call.target.name)
        if objects.store.get(Node.resource.key("", meant.name)) is None:
            raise not_found("nodes", meant.name)
        if meant.port not in ("", "10250"):
            raise bad_request(f"proxying to port {meant.port} of a node is not supported")
        rest = _below(call)
        return await to_node(self.node, call, rest or "/", call.request.query)


def _pod(objects: Objects, namespace: str, name: str) -> Pod | None:
    record = objects.store.get(Pod.resource.key(namespace, name))
    return None if record is None else msgspec.json.decode(record.value, type=Pod)


def _first_port(pod: Pod) -> str:
    declared = [port.container_port for one in pod.spec.containers for port in one.ports]
    return str(declared[0]) if declared else ""


async def _through(node: Handler | None, call: Call, pod: Pod, scheme: str, port: str) -> Response:
    """By way of the pod's node."""
    if not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        raise bad_request(f'invalid pod request "{call.target.name}": "{port[:64]}" is no port')
    below = _below(call)
    if not below and call.request.method in ("GET", "HEAD"):
        return _with_slash(call)
    meta = pod.metadata
    path = f"/podProxy/{meta.namespace}/{meta.name}/{scheme or 'http'}/{port}{below or '/'}"
    return await to_node(node, call, path, call.request.query)


def _below(call: Call) -> str:
    """What follows `proxy` in the path, as it was sent; empty where nothing does."""
    parts = call.request.path.lstrip("/").split("/")
    own = 7 if call.target.namespace else 5  # api, v1, (namespaces, its name,) nodes, name, proxy
    return "".join(f"/{part}" for part in parts[own:])


def _with_slash(call: Call) -> Response:
    """Relative links of a page lead astray without one."""
    query = f"?{call.request.query}" if call.request.query else ""
    return Response(301, {"location": f"/{call.request.path.strip('/')}/{query}"})


def _service_port(service: Json, meant: Meant) -> Json | None:
    """The service's port that is meant: by number, by name, or the one without a name."""
    ports: list[Json] = service.get("ports") or []
    if meant.port.isascii() and meant.port.isdigit():
        found = [port for port in ports if str(port["port"]) == meant.port]
        if not found:
            text = f'no service port {meant.port} found for service "{meant.name}"'
            raise _unavailable(text)
        return found[0]
    return next((port for port in ports if port.get("name", "") == meant.port), None)


def _behind(
    objects: Objects, namespace: str, name: str, service: Json, port: Json | None
) -> Iterable[tuple[Pod, int]]:
    """Pods behind the service's port, each with the port's number there."""
    if port is None:
        return
    record = objects.store.get(ENDPOINTS.key(namespace, name))
    endpoints = msgspec.json.decode(record.value) if record is not None else None
    found = list(_listed(objects, namespace, endpoints, port)) if endpoints is not None else []
    if not found and (endpoints is None or kept_here(endpoints)):
        yield from _selected(objects, namespace, service.get("selector") or {}, port)
    yield from found


def _listed(
    objects: Objects, namespace: str, endpoints: Json, port: Json
) -> Iterable[tuple[Pod, int]]:
    """As its Endpoints say; of addresses only those that are a pod's."""
    for subset in endpoints.get("subsets") or ():
        numbers = [
            item["port"]
            for item in subset.get("ports") or ()
            if item.get("name", "") == port.get("name", "")
        ]
        for address in subset.get("addresses") or () if numbers else ():
            target = address.get("targetRef") or {}
            pod = _pod(objects, namespace, str(target.get("name", "")))
            if pod is not None and pod.status.pod_ip == address["ip"]:
                yield pod, numbers[0]


def _selected(
    objects: Objects, namespace: str, selector: Json, port: Json
) -> Iterable[tuple[Pod, int]]:
    """As its selector says, where nobody keeps Endpoints, or has seen the first of them yet."""
    for record in objects.store.list(Pod.resource.key(namespace, "")) if selector else ():
        pod = msgspec.json.decode(record.value, type=Pod)
        ready = condition(pod.status.conditions, "Ready")
        if ready is None or ready.status != "True":
            continue
        if selector.items() <= pod.metadata.labels.items():
            number = target_port(pod, port)
            if number is not None:
                yield pod, number


def _unavailable(message: str) -> StatusError:
    return StatusError(503, "ServiceUnavailable", message)
