"""Streams into pods: exec, attach and port-forward, which are calls to the pod's node.

Options are read here as kube-apiserver reads them and become a request on the kubelet's own paths;
what the node answers, a refusal or an upgraded connection, goes back as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode

import msgspec

from argosy.api.core import Pod
from argosy.apiserver.authorization.attributes import attributes_of
from argosy.apiserver.objects import Objects
from argosy.apiserver.request import Call
from argosy.base.errors import StatusError, bad_request, forbidden, service_unavailable
from argosy.http.message import Handler, Request, Response

JSON: Final = "application/json"
CREATING: Final = "AuthorizePodWebsocketUpgradeCreatePermission"
# What the query says, and what it is called on the way to a kubelet.
STREAMS: Final = (("stdin", "input"), ("stdout", "output"), ("stderr", "error"), ("tty", "tty"))


@dataclass(frozen=True, slots=True)
class Session:
    """`exec` and `attach`: a process's streams. `node` is the way to the nodes' own API."""

    node: Handler | None
    path: str

    async def __call__(self, objects: Objects, call: Call) -> Response:
        _demand_create(objects, call)
        pod = _pod(objects, call)
        query = parse_qs(call.request.query, keep_blank_values=True)
        container = _container(pod, _first(query, "container"))
        options = [(sent, "1") for name, sent in STREAMS if _truth(query, name)]
        if self.path == "exec":
            options += [("command", word) for word in query.get("command", ())]
        _assigned(pod)
        _upgrading(call.request)
        if self.path == "exec" and not query.get("command"):
            raise bad_request("you must specify at least 1 command for the container")
        return await to_node(self.node, call, _path(self.path, pod, container), urlencode(options))


@dataclass(frozen=True, slots=True)
class PortForward:
    """`portforward`: connections to ports of a pod."""

    node: Handler | None

    async def __call__(self, objects: Objects, call: Call) -> Response:
        _demand_create(objects, call)
        pod = _pod(objects, call)
        query = parse_qs(call.request.query, keep_blank_values=True)
        ports = [_port(text) for text in query.get("ports", ())]
        _assigned(pod)
        _upgrading(call.request)
        options = urlencode({"port": ",".join(map(str, ports))}) if ports else ""
        return await to_node(self.node, call, _path("portForward", pod), options)


async def to_node(node: Handler | None, call: Call, path: str, query: str) -> Response:
    """The node's answer to the client's own request, on another path."""
    if node is None:
        raise service_unavailable("there is no way to the nodes of this cluster")
    request = call.request
    headers = {name: text for name, text in request.headers.items() if not _ours(name)}
    asked = replace(request, path=path, query=query, headers=headers)
    return _told(await node(asked))


def _demand_create(objects: Objects, call: Call) -> None:
    """Who enters a pod must be allowed to `create` that, whichever way they come.

    A WebSocket begins with GET, which is `get` to authorization, and SPDY with POST: without this,
    the right to look would be enough for the one and not for the other. Raises StatusError 403.
    Source: upstream's gate of this name.
    """
    gates = call.target.served.gates
    if call.request.method == "POST" or not (gates is None or gates.open(CREATING)):
        return
    asked = replace(attributes_of(call.request, call.user), verb="create")
    decision = objects.chain.authorize(asked, call.answers)
    if not decision.allowed:
        resource, name = call.target.served.resource, call.target.name
        error = forbidden(f'{resource.qualified} "{name}" is forbidden: {decision.reason}')
        error.details = {"name": name, "kind": resource.plural}
        raise error


def _ours(header: str) -> bool:
    """Who asks, and how they prove it, is this server's business alone."""
    return header == "authorization" or header.startswith(("impersonate-", "x-remote-"))


def _told(response: Response) -> Response:
    """Plain words of a node that refuses, as a `Status`."""
    text = response.body
    if response.status < 400 or not isinstance(text, bytes) or _typed(response.headers):
        return response
    reason = "ServiceUnavailable" if response.status == 503 else "Unknown"
    raise StatusError(response.status, reason, text.decode(errors="replace").strip())


def _typed(headers: Mapping[str, str]) -> bool:
    return any(name.lower() == "content-type" for name in headers)


def _pod(objects: Objects, call: Call) -> Pod:
    return msgspec.json.decode(objects.read(call.target).value, type=Pod)


def _container(pod: Pod, asked: str) -> str:
    """The container that is meant. Raises StatusError 400."""
    name, names = pod.metadata.name, [container.name for container in pod.spec.containers]
    if not asked and len(names) == 1:
        return names[0]
    others = [container.name for container in pod.spec.init_containers]
    if not asked:
        raise bad_request(
            f"a container name must be specified for pod {name}, "
            f"choose one of: [{' '.join([*others, *names])}]"
        )
    if asked not in (*names, *others):
        raise bad_request(f"container {asked} is not valid for pod {name}")
    return asked


def _assigned(pod: Pod) -> None:
    if not pod.spec.node_name:
        raise bad_request(f"pod {pod.metadata.name} does not have a host assigned")


def _upgrading(request: Request) -> None:
    if not request.upgrade:
        raise bad_request("Upgrade request required")


def _path(verb: str, pod: Pod, *below: str) -> str:
    meta = pod.metadata
    return "/".join(["", verb, *(quote(p, safe="") for p in (meta.namespace, meta.name, *below))])


def _first(query: Mapping[str, list[str]], name: str) -> str:
    return query.get(name, [""])[0]


def _truth(query: Mapping[str, list[Any]], name: str) -> bool:
    """As upstream reads it: any value, or none, but `0` and `false`."""
    return name in query and query[name][0].lower() not in ("0", "false")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise bad_request(f'ports: parsing "{text[:64]}": invalid syntax')
    if not 1 <= int(text[:6]) <= 65535:
        raise bad_request(f'ports: parsing "{text[:64]}": value out of range')
    return int(text)
