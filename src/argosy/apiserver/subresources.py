"""What there is below an object: one table, by the subresource's name.

The table says what works; `status` is there for every kind that has one. Discovery tells of these
and no others.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from argosy.api.resource import Resource
from argosy.apiserver.objects import Objects
from argosy.apiserver.request import Call
from argosy.apiserver.verbs.pods import Logs, bind
from argosy.apiserver.verbs.read import get
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

    `below` says that any path may follow, as for `proxy`.
    """

    methods: Mapping[str, Verb]
    kind: str = ""
    group: str = ""
    version: str = ""
    below: bool = False

    @property
    def verbs(self) -> list[str]:
        """What Kubernetes calls its methods."""
        return sorted(VERBS[method] for method in self.methods)


STATUS = Subresource({"GET": get, "PUT": update, "PATCH": patch})


def subresources(node: Handler | None) -> Mapping[str, Subresource]:
    """All that work, by name; `node` leads to the nodes' own API."""
    return {
        "status": STATUS,
        "binding": Subresource({"POST": bind}, "Binding"),
        "log": Subresource({"GET": Logs(node)}),
    }


def names_of(resource: Resource) -> tuple[str, ...]:
    """The subresources that the resource has upstream, whether they work or not."""
    return ("status",) * resource.status + resource.subresources
