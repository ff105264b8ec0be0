"""What there is below an object: one table, by the subresource's name.

The table says what works; `status` is there for every kind that has one. Discovery tells of these
and no others.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from argosy.api.resource import Resource
from argosy.apiserver.authentication.keys import Keys
from argosy.apiserver.connecting import connection
from argosy.apiserver.objects import Objects
from argosy.apiserver.request import Call
from argosy.apiserver.verbs.eviction import evict
from argosy.apiserver.verbs.pods import Logs, bind
from argosy.apiserver.verbs.proxies import NodeProxy, PodProxy, ServiceProxy
from argosy.apiserver.verbs.read import get
from argosy.apiserver.verbs.scale import SCALE, get_scale, patch_scale, update_scale
from argosy.apiserver.verbs.streams import PortForward, Session
from argosy.apiserver.verbs.token import TokenRequests
from argosy.apiserver.verbs.write import patch, update
from argosy.http.message import Handler, Response

Verb = Callable[[Objects, Call], Awaitable[Response]]

VERBS: Mapping[str, str] = {
    "DELETE": "delete",
    "GET": "get",
    "PATCH": "patch",
    "POST": "create",
    "PUT": "update",
}
"""What Kubernetes calls a method on a subresource."""


@dataclass(frozen=True, slots=True)
class Subresource:
    """Its verbs by method, and the kind of its answers, where that is not the resource's own.

    `below` says that any path may follow, as for `proxy`; `shown` has the columns of another kind.
    """

    methods: Mapping[str, Verb]
    kind: str = ""
    group: str = ""
    version: str = ""
    below: bool = False
    shown: Resource | None = None

    @property
    def verbs(self) -> list[str]:
        """What Kubernetes calls its methods."""
        return sorted(VERBS[method] for method in self.methods if method in VERBS)


PART = Subresource({"GET": get, "PUT": update, "PATCH": patch})
"""One that writes a part of the object: see `parts`."""


STREAMED = ("GET", "POST")
PROXIED = (*VERBS, "HEAD", "OPTIONS")
"""Methods of a stream, and of a proxy: the latter two are no verbs."""


def _connecting(verb: Verb, kind: str) -> Verb:
    """The verb, once admission lets the caller connect."""

    async def connect(objects: Objects, call: Call) -> Response:
        below = call.target.subresource.partition("/")[2]
        objects.reviewed(call, "CONNECT", connection(kind, call.request.query, below), None)
        return await verb(objects, call)

    return connect


def _streamed(verb: Verb, kind: str) -> Subresource:
    return Subresource(dict.fromkeys(STREAMED, _connecting(verb, kind)), kind)


def _proxied(verb: Verb, kind: str) -> Subresource:
    return Subresource(dict.fromkeys(PROXIED, _connecting(verb, kind)), kind, below=True)


def subresources(node: Handler | None, keys: Keys | None = None) -> Mapping[str, Subresource]:
    """All that work, by name, or by `plural/name` where it is one resource's alone.

    `node` leads to the nodes' own API, `keys` sign the tokens of service accounts.
    """
    return {
        "status": PART,
        "approval": PART,
        "attach": _streamed(Session(node, "attach"), "PodAttachOptions"),
        "binding": Subresource({"POST": bind}, "Binding"),
        "ephemeralcontainers": PART,
        "exec": _streamed(Session(node, "exec"), "PodExecOptions"),
        "eviction": Subresource({"POST": evict}, "Eviction", "policy", "v1"),
        "finalize": Subresource({"PUT": update}),
        "log": Subresource({"GET": Logs(node)}),
        "portforward": _streamed(PortForward(node), "PodPortForwardOptions"),
        "nodes/proxy": _proxied(NodeProxy(node), "NodeProxyOptions"),
        "pods/proxy": _proxied(PodProxy(node), "PodProxyOptions"),
        "services/proxy": _proxied(ServiceProxy(node), "ServiceProxyOptions"),
        "resize": PART,
        "scale": Subresource(
            {"GET": get_scale, "PUT": update_scale, "PATCH": patch_scale},
            "Scale",
            "autoscaling",
            "v1",
            shown=SCALE,
        ),
        "token": Subresource(
            {"POST": TokenRequests(keys or Keys())},
            "TokenRequest",
            "authentication.k8s.io",
            "v1",
        ),
    }


def known_as(known: Mapping[str, Subresource], resource: Resource, name: str) -> Subresource | None:
    """The resource's subresource of that name, if it works."""
    return known.get(f"{resource.plural}/{name}") or known.get(name)


def names_of(resource: Resource) -> tuple[str, ...]:
    """The subresources that the resource has upstream, whether they work or not."""
    return ("status",) * resource.status + resource.subresources
