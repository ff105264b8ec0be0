"""Says of each APIService whether it is there, and goes on to look.

Who looks is handed over: extension servers believe nobody but the API server. One that answered is
looked at again twice a minute, one that did not ever less often, one whose service is not ready
soon. When a service changes, all that lead to it are looked at.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.core import Service
from argosy.api.meta import Condition, Key
from argosy.api.registration import APIService
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import StatusError, service_unavailable
from argosy.client.client import Client
from argosy.runtime.conditions import with_condition
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.manager import Manager

NAME = "controllers/apiservices"
AGAIN = 30.0
SOON = 2.0
"""Seconds to the next look at one whose service is not ready."""
LOCAL = Condition(
    type="Available",
    status="True",
    reason="Local",
    message="Local APIServices are always available",
)

Look = Callable[[APIService], Awaitable[Condition]]
"""The condition `Available` of one that has a service, without its time."""


@dataclass(frozen=True)
class Availability:
    """Keeps the conditions."""

    client: Client
    clock: Clock
    look: Look

    async def reconcile(self, api: APIService) -> Result:
        """Look, and tell what is new. Raises StatusError where the server did not answer."""
        if api.spec.service is None:
            await self._tell(api, LOCAL)
            return DONE
        found = await self.look(api)
        await self._tell(api, found)
        if found.reason == "FailedDiscoveryCheck":
            raise service_unavailable(found.message)
        return Result(AGAIN if found.status == "True" else SOON)

    async def _tell(self, api: APIService, found: Condition) -> None:
        known = api.status.conditions
        conditions = with_condition(known, found, timestamp(self.clock.now()))
        if conditions == known:
            return
        meta = api.metadata
        patch: dict[str, Any] = {
            "metadata": {"uid": meta.uid, "resourceVersion": meta.resource_version},
            "status": {"conditions": msgspec.to_builtins(conditions)},
        }
        try:
            await self.client.merge(api.resource, meta.name, "", patch, subresource="status")
        except StatusError as error:
            if error.code != 404:
                raise


def api_services(manager: Manager, look: Look) -> Controller[APIService]:
    """The controller, on the manager's caches."""
    informer = manager.informer(APIService)

    def behind(service: Service) -> Iterable[Key]:
        for api in informer.items():
            wanted = api.spec.service
            if wanted is not None and (wanted.namespace, wanted.name) == service.key:
                yield api.key

    controller = Availability(manager.client_as(NAME), manager.clock, look)
    return Controller(
        name=NAME,
        informer=informer,
        reconcile=controller.reconcile,
        watches=(Watch(manager.informer(Service), behind),),
    )
