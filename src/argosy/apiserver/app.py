"""The API server: one handler, its filters in order.

authentication → impersonation → fairness → authorization → what is asked for → the verb. An audit
log, where there is one, sees all of it, from before the first to the end of the answer. Whatever
happens, the answer is an object or a `Status`. The handler knows no sockets: `argosy.http` serves
it, and in one process the client calls it directly.
"""

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from argosy.api.builtin import Builtins
from argosy.api.resources.core import BINDING, COMPONENT_STATUS
from argosy.apiserver.accept import PROTOBUF
from argosy.apiserver.admission.chain import Chain
from argosy.apiserver.admission.table import plugins
from argosy.apiserver.admission.webhooks.calling import Calls
from argosy.apiserver.answers import answered
from argosy.apiserver.audit import notes
from argosy.apiserver.authentication.issuer import PATHS as ISSUER_PATHS
from argosy.apiserver.authentication.issuer import Issuer
from argosy.apiserver.authentication.keys import Keys
from argosy.apiserver.authentication.legacy import Used
from argosy.apiserver.authentication.readers import authenticator
from argosy.apiserver.authentication.tokens import Tokens
from argosy.apiserver.authorization.authorizer import Authorizer, is_master
from argosy.apiserver.beside import Beside
from argosy.apiserver.catalog import Catalog
from argosy.apiserver.compress import compressed, large
from argosy.apiserver.door import Door
from argosy.apiserver.entrance import Entrance, configured, issued, reloads
from argosy.apiserver.flowcontrol.governor import Bounds, Governor
from argosy.apiserver.form import form_below
from argosy.apiserver.guards import Guards
from argosy.apiserver.metrics import Counter
from argosy.apiserver.negotiate import answer_error, warned
from argosy.apiserver.objects import Objects
from argosy.apiserver.outbound import Outbound
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
    from argosy.apiserver.extensions.conversions import Conversions

log = logging.getLogger(__name__)

UNKNOWN_FIELDS = (
    "apiserver_protobuf_unknown_fields_total",
    "Fields of protobuf bodies that have unknown numbers and were dropped.",
)


class APIServer:
    """Serves the kinds of `catalog` from `store`. `node` leads to the nodes' own API.

    Raises ConfigurationError where the guards can't be had.
    """

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
        guards: Guards | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        keys, guards = keys or Keys(), guards or Guards()
        below = subresources(node, keys)
        self._catalog = catalog
        self.outbound = Outbound(store)
        others = issued(guards, clock)
        self.used = Used()
        self._authenticator = authenticator(
            tokens,
            keys,
            store.get,
            clock,
            issued=others,
            guards=guards,
            used=self.used,
            outbound=self.outbound,
        )
        self._authorizer = Authorizer(store, catalog.gate)
        authorizers = configured(self._authorizer, guards, self.outbound, clock)
        self.reloads = reloads(others, authorizers)
        constrained = catalog.gate("ConstrainedImpersonation")
        self._entrance = Entrance(self._authenticator, self._authorizer, constrained)
        calls = Calls(self.outbound, clock)
        chain = plugins(store, self._authorizer.roles, catalog, self.converting, calls)
        if guards.admission is not None:
            from argosy.apiserver.admission.switches import switched  # most start without

            chain = switched(chain, guards.admission, clock)
        self._objects = Objects(store, clock, Chain(chain, self._authorizer.authorize))
        self.issuer = Issuer(keys)
        self.door = Door(catalog)
        self._beside = Beside(catalog, definitions, below, store, clock)
        self.state = self._beside.state
        self.aggregation = self._beside.aggregation
        components = Components(self.state, self._beside.store.failure)
        virtual: dict[str, Mapping[str, Verb]] = {
            **Reviews(self._authenticator, self._authorizer).verbs(),
            BINDING.qualified: {"POST": bind_named},
            COMPONENT_STATUS.qualified: {"GET": components},
        }
        self._routes = Routes(below, virtual)
        self.metrics = self._beside.metrics
        self.metrics.counters.append(Counter(*UNKNOWN_FIELDS, lambda: self.door.dropped))
        self.governor = Governor(store, catalog, clock, bounds or Bounds())
        self.metrics.others.append(self.governor.families)
        self.metrics.others.append(calls.counts.families)
        self.metrics.others += (reload.families for reload in self.reloads)
        self.audit: Recorder | None = None
        self.conversions: Conversions | None = None

    async def handle(self, request: Request) -> Response:
        """Answer any request; never raises but for cancellation."""
        handler = self._answer if self.audit is None else self._audited
        if self.door.concerns(request) and self.aggregation.route(request.path) is None:
            answer = await self.door.handled(request, handler)
        else:
            answer = await handler(request)
        return await compressed(request, answer) if large(answer) else answer

    async def followed(self) -> None:
        """Follow the files of configuration, where there are any, until cancelled."""
        await asyncio.gather(*(reload.run() for reload in self.reloads))

    async def _audited(self, request: Request) -> Response:
        assert self.audit is not None
        return await self.audit.recorded(request, self._answer)

    async def _answer(self, request: Request) -> Response:
        """Answer any request in JSON."""
        try:
            user = await self._entrance.let_in(request)
            request = self._entrance.plain(request)
            if is_master(user):
                return await self._found(request, user)
            return await self.governor.governed(request, user, self._served)
        except StatusError as error:
            return answer_error(error)
        except StoreUnavailableError as error:
            self._beside.store.refused(str(error))
            return answer_error(service_unavailable(str(error)))
        except Exception as error:
            notes.panicked(error)
            log.exception("request failed", extra={"method": request.method, "path": request.path})
            return answer_error(internal_error("the request failed; the server's log says why"))

    async def _served(self, request: Request, user: User) -> Response:
        """The answer, if they may ask for this. Raises StatusError."""
        await self._entrance.permit(request, user)
        return await self._found(request, user)

    def _found(self, request: Request, user: User) -> Awaitable[Response]:
        """What answers them, who may ask for this. Raises StatusError."""
        if (elsewhere := self.aggregation.route(request.path)) is not None:
            return self.aggregation.answer(request, user, elsewhere)
        target = parse_target(self._catalog, request.path)
        if target is None and request.path in ISSUER_PATHS:
            return self.issuer.answer(request)
        if target is None:
            return self._beside.answer(request)
        return self._dispatch(request, user, target)

    async def _dispatch(self, request: Request, user: User, target: Target) -> Response:
        warnings: list[str] = []
        if PROTOBUF in request.headers.get("content-type", ""):
            request = await self.door.opened(request, target, warnings)
            notes.opened(request)
        call = Call(request, user, target, request.parameters(), warnings)
        verb = self._routes.verb(request.method, call)
        form = form_below(request, target.subresource)
        done = _finished(verb, self._seen_as(call), call)
        try:
            answer = await self.metrics.counted(call, done)
        except StatusError as error:
            error.warnings = warnings
            raise
        if target.served.deprecated:
            answer = warned(answer, target.served.deprecated)
        if form.plain:
            return answer
        return form.whole(self._routes.shown(target), answer, self._objects.clock.now())

    async def close(self) -> None:
        """End what it asks of others. It answers as before, and asks anew where it must."""
        if self.conversions is not None:
            await self.conversions.close()
        await self.outbound.close()

    def converting(self) -> "Conversions":
        """Whoever asks conversion webhooks, from the first time on."""
        if self.conversions is None:
            from argosy.apiserver.extensions.conversions import Conversions

            self.conversions = Conversions(self.outbound)
        return self.conversions

    def _seen_as(self, call: Call) -> Objects:
        """The objects, in the version that is asked for."""
        served = call.target.served
        store = served.seen_in(self._objects.store, call.answers, self.converting)
        return (
            self._objects if store is self._objects.store else replace(self._objects, store=store)
        )


async def _finished(verb: Verb, objects: Objects, call: Call) -> Response:
    """The verb's answer, and then what is to be done after it."""

    def attempt() -> Awaitable[Response]:
        clock = call.answers.clock(objects.clock)
        same = clock is objects.clock
        return verb(objects if same else replace(objects, clock=clock), call)

    try:
        return await answered(attempt, call.answers, call.warnings, call.afterwards)
    except asyncio.CancelledError:
        call.afterwards.clear()
        raise
    finally:
        for function in call.afterwards:
            function()
