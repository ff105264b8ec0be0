"""The API server: one handler, its filters in order.

authentication → impersonation → authorization → what is asked for → the verb. An audit log, where
there is one, sees all of it, from before the first to the end of the answer. Whatever happens, the
answer is an object or a `Status`. The handler knows no sockets: `argosy.http` serves it, and in one
process the client calls it directly.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from argosy.api.builtin import Builtins
from argosy.api.resources.core import BINDING, COMPONENT_STATUS
from argosy.apiserver.accept import PROTOBUF
from argosy.apiserver.admission.chain import Chain
from argosy.apiserver.admission.table import plugins
from argosy.apiserver.answers import answered
from argosy.apiserver.audit import notes
from argosy.apiserver.authentication.impersonation import concerns, impersonated
from argosy.apiserver.authentication.issuer import PATHS as ISSUER_PATHS
from argosy.apiserver.authentication.issuer import Issuer
from argosy.apiserver.authentication.keys import Keys
from argosy.apiserver.authentication.readers import authenticator
from argosy.apiserver.authentication.tokens import Tokens
from argosy.apiserver.authorization.attributes import attributes_of, refusal
from argosy.apiserver.authorization.authorizer import Authorizer, is_master
from argosy.apiserver.beside import Beside
from argosy.apiserver.catalog import Catalog, Served
from argosy.apiserver.compress import compressed, large
from argosy.apiserver.door import Door
from argosy.apiserver.form import form_below
from argosy.apiserver.metrics import Counter
from argosy.apiserver.negotiate import answer_error
from argosy.apiserver.objects import Objects
from argosy.apiserver.request import Call, Target, User, parse_target
from argosy.apiserver.routes import Routes
from argosy.apiserver.subresources import Verb, subresources
from argosy.apiserver.verbs.components import Components
from argosy.apiserver.verbs.pods import bind_named
from argosy.apiserver.verbs.reviews import Reviews
from argosy.base.clock import Clock
from argosy.base.errors import StatusError, internal_error, service_unavailable
from argosy.http.message import Handler, Request, Response
from argosy.store.interface import Store, StoreUnavailableError

if TYPE_CHECKING:
    from argosy.apiserver.audit.recorder import Recorder
    from argosy.apiserver.authentication.configuration import AuthenticationConfiguration

log = logging.getLogger(__name__)

UNKNOWN_FIELDS = (
    "apiserver_protobuf_unknown_fields_total",
    "Fields of protobuf bodies that have unknown numbers and were dropped.",
)


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
        keys: Keys | None = None,
        authentication: "AuthenticationConfiguration | None" = None,
    ) -> None:
        keys = keys or Keys()
        below = subresources(node, keys)
        self._catalog = catalog
        self._authenticator = authenticator(
            tokens, keys, store.get, clock, configuration=authentication
        )
        self._authorizer = Authorizer(store, catalog.gate)
        chain = plugins(store, self._authorizer.roles)
        self._objects = Objects(store, clock, Chain(chain, self._authorizer.authorize))
        self.issuer = Issuer(keys)
        self.door = Door(catalog)
        self._beside = Beside(catalog, definitions, below, store, clock)
        self.state = self._beside.state
        components = Components(self.state, self._beside.store.failure)
        virtual: dict[str, Mapping[str, Verb]] = {
            **Reviews(self._authenticator, self._authorizer).verbs(),
            BINDING.qualified: {"POST": bind_named},
            COMPONENT_STATUS.qualified: {"GET": components},
        }
        self._routes = Routes(below, virtual)
        self.metrics = self._beside.metrics
        self.metrics.counters.append(Counter(*UNKNOWN_FIELDS, lambda: self.door.dropped))
        self.audit: Recorder | None = None

    async def handle(self, request: Request) -> Response:
        """Answer any request; never raises but for cancellation."""
        handler = self._answer if self.audit is None else self._audited
        if self.door.concerns(request):
            answer = await self.door.handled(request, handler)
        else:
            answer = await handler(request)
        return await compressed(request, answer) if large(answer) else answer

    async def _audited(self, request: Request) -> Response:
        assert self.audit is not None
        return await self.audit.recorded(request, self._answer)

    async def _answer(self, request: Request) -> Response:
        """Answer any request in JSON."""
        try:
            user = await self._let_in(request)
            target = parse_target(self._catalog, request.path)
            if target is None and request.path in ISSUER_PATHS:
                return await self.issuer.answer(request)
            if target is None:
                return await self._beside.answer(request)
            return await self._dispatch(request, user, target)
        except StatusError as error:
            return answer_error(error)
        except StoreUnavailableError as error:
            self._beside.store.refused(str(error))
            return answer_error(service_unavailable(str(error)))
        except Exception as error:
            notes.panicked(error)
            log.exception("request failed", extra={"method": request.method, "path": request.path})
            return answer_error(internal_error("the request failed; the server's log says why"))

    async def _let_in(self, request: Request) -> User:
        """Who asks, or whom they act as, if they may ask for this. Raises StatusError 401, 403."""
        user = await self._authenticator.authenticate(request)
        notes.entered(user)
        if concerns(request.headers):
            user = impersonated(user, request.headers, self._authorizer.demand)
            notes.acting(user)
        self._permit(request, user)
        return user

    def _permit(self, request: Request, user: User) -> None:
        if is_master(user):
            notes.decided(True, "")
            return
        asked = attributes_of(request, user)
        decision = self._authorizer.authorize(asked)
        notes.decided(decision.allowed, decision.reason)
        if not decision.allowed:
            raise refusal(asked, decision.reason)

    async def _dispatch(self, request: Request, user: User, target: Target) -> Response:
        warnings: list[str] = []
        if PROTOBUF in request.headers.get("content-type", ""):
            request = await self.door.opened(request, target, warnings)
            notes.opened(request)
        call = Call(request, user, target, request.parameters(), warnings)
        verb = self._routes.verb(request.method, call)
        form = form_below(request, target.subresource)
        done = _finished(verb, self._seen_as(target.served), call)
        answer = await self.metrics.counted(call, done)
        if form.plain:
            return answer
        return form.whole(self._routes.shown(target), answer, self._objects.clock.now())

    def _seen_as(self, served: Served) -> Objects:
        """The objects, in the version that is asked for."""
        store = served.seen_in(self._objects.store)
        return (
            self._objects if store is self._objects.store else replace(self._objects, store=store)
        )


async def _finished(verb: Verb, objects: Objects, call: Call) -> Response:
    """The verb's answer, and then what is to be done after it."""
    try:
        return await answered(
            lambda: verb(objects, call), call.answers, call.warnings, call.afterwards
        )
    except asyncio.CancelledError:
        call.afterwards.clear()
        raise
    finally:
        for function in call.afterwards:
            function()
