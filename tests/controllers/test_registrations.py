"""Tests of the APIServices of what the server serves itself."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from argosy.api.extensions.definition import CustomResourceDefinition
from argosy.api.meta import ObjectMeta
from argosy.api.registration import MANAGED, APIService, APIServiceSpec, ServiceReference
from argosy.api.resources.extensions import API_SERVICE
from argosy.controllers.registrations import differing, registrations, wanted
from argosy.testing.cluster import Cluster, cluster
from tests.api.extensions.kit import kind

Json = dict[str, Any]
BUILT_IN = [("", "v1"), ("apps", "v1"), ("apiregistration.k8s.io", "v1")]


@pytest_asyncio.fixture
async def made() -> AsyncGenerator[Cluster]:
    async with cluster() as running:
        running.manager.add_runner(registrations(running.manager, BUILT_IN).run)
        running.start()
        yield running


async def there(made: Cluster, name: str) -> APIService:
    return await made.until(APIService, name, "", lambda api: api.available)


async def gone(made: Cluster, name: str) -> None:
    async with asyncio.timeout(5):
        while name in {api.metadata.name for api in (await made.client.list(APIService, "")).items}:
            await asyncio.sleep(0.005)


async def test_built_in_groups_are_there_and_come_back(made: Cluster) -> None:
    first = await there(made, "v1.apps")
    assert (first.spec.group_priority_minimum, first.metadata.labels[MANAGED]) == (17800, "onstart")
    core = await there(made, "v1.")
    assert (core.spec.group, core.spec.version) == ("", "v1")
    await made.client.delete(API_SERVICE, "v1.apps")
    again = await made.until(
        APIService, "v1.apps", "", lambda api: api.metadata.uid != first.metadata.uid
    )
    assert again.available


async def test_those_of_defined_kinds_come_and_go_with_them(made: Cluster) -> None:
    await made.client.create(CustomResourceDefinition.resource, kind())
    found = await there(made, "v1.example.com")
    assert (found.spec.group_priority_minimum, found.spec.version_priority) == (1000, 100)
    assert found.metadata.labels[MANAGED] == "true"
    await made.client.delete(CustomResourceDefinition.resource, "widgets.example.com")
    definition = CustomResourceDefinition.resource.path("widgets.example.com")
    await made.client.call(
        "PATCH",
        definition,
        body={"metadata": {"finalizers": None}},
        content_type="application/merge-patch+json",
    )
    await gone(made, "v1.example.com")


async def test_what_was_changed_is_put_right(made: Cluster) -> None:
    await there(made, "v1.apps")
    await made.client.merge(API_SERVICE, "v1.apps", "", {"spec": {"versionPriority": 3}})
    priority = wanted([("apps", "v1")], ())["v1.apps"]["spec"]["versionPriority"]
    await made.until(APIService, "v1.apps", "", lambda api: api.spec.version_priority == priority)


def service(name: str, *, managed: bool, elsewhere: bool = False) -> APIService:
    version, _, group = name.partition(".")
    return APIService(
        metadata=ObjectMeta(name=name, labels={MANAGED: "true"} if managed else {}),
        spec=APIServiceSpec(
            group=group,
            version=version,
            service=ServiceReference() if elsewhere else None,
            group_priority_minimum=1000,
            version_priority=100,
        ),
    )


@pytest.mark.parametrize(
    ("now", "shall", "expected"),
    [
        (None, True, "written"),
        (service("v1.a", managed=True), True, ""),
        (service("v1.a", managed=True, elsewhere=True), True, "written"),
        (service("v1.a", managed=False, elsewhere=True), True, ""),
        (service("v1.a", managed=True), False, "deleted"),
        (service("v1.a", managed=False), False, ""),
        (None, False, ""),
    ],
)
def test_only_what_has_the_label_is_touched(
    now: APIService | None, shall: bool, expected: str
) -> None:
    bodies = wanted([("a", "v1")], ()) if shall else {}
    found = list(differing(bodies, {"v1.a": now} if now is not None else {}))
    assert len(found) == bool(expected)
    for _, body in found:
        assert (body is None) == (expected == "deleted")


def test_nobody_registers_registration_itself() -> None:
    assert set(wanted(BUILT_IN, ())) == {"v1.", "v1.apps"}
