"""The API server: one handler, its filters in order.

authentication → what is asked for → the verb. Whatever happens, the answer is an object or a
`Status`. The handler knows no sockets: `argosy.http` serves it, and in one process the client
calls it directly.
"""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import replace

from argosy.api.builtin import Builtins
from argosy.apiserver import protobuf
from argosy.apiserver.admission.chain import rules
from argosy.apiserver.authentication import Tokens
from argosy.apiserver.beside import Beside
from argosy.apiserver.catalog import Catalog, Served
from argosy.apiserver.conversion import Converted
from argosy.apiserver.negotiate import answer_error
from argosy.apiserver.objects import Objects
from argosy.apiserver.request import Call, Target, User, parse_target
from argosy.apiserver.routes import Routes
from argosy.apiserver.subresources import subresources
from argosy.base.clock import Clock
from argosy.base.errors import StatusError, internal_error, service_unavailable
from argosy.http.message import Handler, Request, Response
from argosy.store.interface import Store, StoreUnavailableError

log = logging.getLogger(__name__)


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
        below = subresources(node)
        self._objects = Objects(store, clock, rules(store))
        self._catalog = catalog
        self._tokens = tokens
        self._routes = Routes(below)
        self._beside = Beside(catalog, definitions, below)
        self.state = self._beside.state

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
                return self._beside.answer(request)
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
        verb = self._routes.verb(request.method, call)
        return await _finished(verb(self._seen_as(target.served), call), call)

    def _seen_as(self, served: Served) -> Objects:
        """The objects, in the version that is asked for."""
        if served.resource is served.storage:
            return self._objects
        store = Converted(self._objects.store, served.storage, served.resource)
        return replace(self._objects, store=store)


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
