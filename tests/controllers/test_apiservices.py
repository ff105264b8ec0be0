"""Tests of how availability is kept, with somebody else's eyes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from argosy.api.core import Namespace
from argosy.api.meta import Condition, condition
from argosy.api.registration import APIService
from argosy.api.resources.core import SERVICE
from argosy.api.resources.extensions import API_SERVICE
from argosy.controllers.apiservices import api_services
from argosy.testing.cluster import Cluster, cluster
from tests.apiserver.aggregation.kit import GROUP, SERVICE_NAME, VERSION, registration

NAME = f"{VERSION}.{GROUP}"


class Eyes:
    """See what they are told to."""

    def __init__(self) -> None:
        self.reason = "Passed"

    async def __call__(self, api: APIService) -> Condition:
        status = "True" if self.reason == "Passed" else "False"
        return Condition(type="Available", status=status, reason=self.reason, message="seen")


@asynccontextmanager
async def running(eyes: Eyes) -> AsyncGenerator[Cluster]:
    async with cluster() as made:
        await made.client.apply(Namespace.resource, {"metadata": {"name": "kube-system"}})
        made.manager.add(api_services(made.manager, eyes))
        made.start()
        yield made


async def reason(made: Cluster, wanted: str) -> Condition:
    def has(api: APIService) -> bool:
        found = condition(api.status.conditions, "Available")
        return found is not None and found.reason == wanted

    api = await made.until(APIService, NAME, "", has)
    (found,) = api.status.conditions
    return found


async def test_what_is_seen_is_told_with_its_time() -> None:
    async with running(Eyes()) as made:
        await made.client.create(API_SERVICE, registration(GROUP, VERSION, 443))
        found = await reason(made, "Passed")
        assert (found.status, found.message) == ("True", "seen")
        assert found.last_transition_time


async def test_a_change_of_the_service_makes_it_look_again() -> None:
    eyes = Eyes()
    async with running(eyes) as made:
        await made.client.create(API_SERVICE, registration(GROUP, VERSION, 443))
        await reason(made, "Passed")
        eyes.reason = "MissingEndpoints"
        place = {"name": SERVICE_NAME, "namespace": "kube-system"}
        spec = {"type": "ExternalName", "externalName": "localhost"}
        await made.client.create(SERVICE, {"metadata": place, "spec": spec})
        assert (await reason(made, "MissingEndpoints")).status == "False"


async def test_who_did_not_answer_is_asked_again() -> None:
    eyes = Eyes()
    eyes.reason = "FailedDiscoveryCheck"
    async with running(eyes) as made:
        await made.client.create(API_SERVICE, registration(GROUP, VERSION, 443))
        await reason(made, "FailedDiscoveryCheck")
        eyes.reason = "Passed"
        await reason(made, "Passed")


async def test_what_becomes_local_is_available() -> None:
    eyes = Eyes()
    eyes.reason = "ServiceNotFound"
    async with running(eyes) as made:
        await made.client.create(API_SERVICE, registration(GROUP, VERSION, 443))
        await reason(made, "ServiceNotFound")
        async with asyncio.timeout(5):
            patch = {"spec": {"service": None, "caBundle": None}}
            await made.client.merge(API_SERVICE, NAME, "", patch)
            await reason(made, "Local")
