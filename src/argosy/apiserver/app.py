"""The API server: one handler, its filters in order, its verbs in a table.

authentication → what is asked for → the verb. Whatever happens, the answer is an object or a
`Status`. The handler knows no sockets: `argosy.http` serves it, and in one process the client
calls it directly.
"""

import asyncio
import logging
import platform
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from argosy.api.builtin import Builtins
from argosy.apiserver import protobuf
from argosy.apiserver.admission.chain import rules
from argosy.apiserver.authentication import Tokens
from argosy.apiserver.catalog import Catalog, Served
from argosy.apiserver.conversion import Converted
from argosy.apiserver.discovery import SUBRESOURCES, Discovery
from argosy.apiserver.negotiate import answer_error, answer_object
from argosy.apiserver.objects import Objects
from argosy.apiserver.openapi import OpenAPI
from argosy.apiserver.request import Call, Target, User, parse_target
from argosy.apiserver.verbs.delete import delete, delete_collection
from argosy.apiserver.verbs.pods import Logs, bind
from argosy.apiserver.verbs.read import get, list_
from argosy.apiserver.verbs.watch import watch
from argosy.apiserver.verbs.write import create, patch, update
from argosy.base.clock import Clock
from argosy.base.errors import (
    StatusError,
    internal_error,
    method_not_allowed,
    service_unavailable,
    unknown_path,
)
from argosy.http.message import Handler, Request, Response
from argosy.store.interface import Store, StoreUnavailableError

log = logging.getLogger(__name__)

Verb = Callable[[Objects, Call], Awaitable[Response]]

ON_COLLECTION: Mapping[str, Verb] = {
    "GET": list_,
    "POST": create,
    "DELETE": delete_collection,
}
ON_OBJECT: Mapping[str, Verb] = {"GET": get, "PUT": update, "PATCH": patch, "DELETE": delete}
ON_STATUS: Mapping[str, Verb] = {"GET": get, "PUT": update, "PATCH": patch}
HEALTH = ("/healthz", "/livez", "/readyz")


class APIServer:
    """Serves the kinds of `catalog` from `store`. `node` leads to the nodes' own API."""

    def __init__(
        self,
        *,
        store: Store,
        catalog: Catalog,
        definitions: Builtins,
        tokens: Tokens,
        clock: Clock,
        node: Handler | None = None,
    ) -> None:
        self._objects = Objects(store, clock, rules(store))
        self._catalog = catalog
        self._tokens = tokens
        self._discovery = Discovery(catalog)
        self._openapi = OpenAPI(catalog, definitions)
        self._version = _version(definitions.minor)
        self._on_pod: Mapping[tuple[str, str], Verb] = {
            ("POST", "binding"): bind,
            ("GET", "log"): Logs(node),
        }
        self.ready = False

    async def handle(self, request: Request) -> Response:
        """Answer any request; never raises but for cancellation."""
        if protobuf.concerns(request):
            return await protobuf.handled(request, self._answer)
        return await self._answer(request)

    async def _answer(self, request: Request) -> Response:
        """Answer any request in JSON."""
        try:
            user = self._tokens.authenticate(request)
            target = parse_target(self._catalog, request.path)
            if target is None:
                return self._beside_resources(request)
            return await self._dispatch(request, user, target)
        except StatusError as error:
            return answer_error(error)
        except StoreUnavailableError as error:
            return answer_error(service_unavailable(str(error)))
        except Exception:
            log.exception("request failed", extra={"method": request.method, "path": request.path})
            return answer_error(internal_error("the request failed; the server's log says why"))

    async def _dispatch(self, request: Request, user: User, target: Target) -> Response:
        call = Call(request, user, target, request.parameters())
        verb = self._verb(request.method, call)
        if verb is None:
            raise method_not_allowed()
        return await _finished(verb(self._seen_as(target.served), call), call)

    def _seen_as(self, served: Served) -> Objects:
        """The objects, in the version that is asked for."""
        if served.resource is served.storage:
            return self._objects
        store = Converted(self._objects.store, served.storage, served.resource)
        return replace(self._objects, store=store)

    def _verb(self, method: str, call: Call) -> Verb | None:
        """The verb of a request; None where the resource has no such verb."""
        target, resource = call.target, call.target.served.resource
        if resource.namespaced and not target.namespace:
            if target.name:
                raise unknown_path()
            if method != "GET":
                return None
        if not target.name:
            return watch if method == "GET" and call.flag("watch") else ON_COLLECTION.get(method)
        if not target.subresource:
            return watch if method == "GET" and call.flag("watch") else ON_OBJECT.get(method)
        if target.subresource == "status" and resource.status:
            return ON_STATUS.get(method)
        name = target.subresource.partition("/")[0]
        if name not in resource.subresources:
            raise unknown_path()
        if name not in SUBRESOURCES:
            raise method_not_allowed(f"{resource.plural}/{name} is not supported yet")
        return self._on_pod.get((method, target.subresource))

    def _beside_resources(self, request: Request) -> Response:
        path = request.path.rstrip("/") or "/"
        known = self._other(request, path)
        if known is None:
            raise unknown_path()
        if request.method not in ("GET", "HEAD"):
            raise method_not_allowed()
        return known

    def _other(self, request: Request, path: str) -> Response | None:
        if path in HEALTH:
            return self._health(path)
        if path == "/version":
            return answer_object(self._version)
        if path == "/":
            paths = [*self._discovery.documents, "/openapi/v3", "/version", *HEALTH]
            return answer_object({"paths": sorted(paths)})
        return self._discovery.find(request, path) or self._openapi.find(request, path)

    def _health(self, path: str) -> Response:
        headers = {"content-type": "text/plain; charset=utf-8"}
        if path == "/readyz" and not self.ready:
            return Response(503, headers, b"not ready: the cluster is starting\n")
        return Response(200, headers, b"ok")


async def _finished(answer: Awaitable[Response], call: Call) -> Response:
    """The answer, and then what is to be done after it."""
    try:
        return await answer
    except asyncio.CancelledError:
        call.afterwards.clear()
        raise
    finally:
        for function in call.afterwards:
            function()


def _version(minor: str) -> dict[str, str]:
    major, _, rest = minor.partition(".")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}
    return {
        "major": major,
        "minor": rest,
        "gitVersion": f"v{minor}.0+argosy",
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": platform.python_implementation(),
        "platform": f"linux/{machine.get(platform.machine(), platform.machine())}",
    }
