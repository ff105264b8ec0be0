"""Tests of migrations: every object is stored anew, once, and the definition is told."""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from argosy.api.core import ConfigMap
from argosy.api.extensions.definition import CustomResourceDefinition
from argosy.api.extensions.migration import StorageVersionMigration
from argosy.api.resource import Resource
from argosy.base.clock import Clock
from argosy.base.errors import conflict
from argosy.controllers.storagemigration import PATIENCE, PAUSE, storage_migrations
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import Cluster, cluster
from tests.api.extensions.kit import Json, kind, version
from tests.runtime.kit import faulty

DEFINITIONS = CustomResourceDefinition.resource
MIGRATIONS = StorageVersionMigration.resource
WIDGETS = Resource(group="example.com", version="v1", kind="Widget", plural="widgets")
NAME = "widgets.example.com"
SPEC = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@asynccontextmanager
async def running(clock: Clock | None = None) -> AsyncGenerator[Cluster]:
    async with cluster(clock=clock) as made:
        controller = storage_migrations(made.manager, made.plane.resources)
        assert controller is not None
        made.manager.add(controller)
        yield made


def versions(storage: str) -> Json:
    return kind(
        version("v1", SPEC, storage=storage == "v1"), version("v2", SPEC, storage=storage == "v2")
    )


async def stored_in_both(made: Cluster, count: int = 3) -> None:
    """A kind whose objects are stored in v1, and which is stored in v2 by now."""
    await made.client.create(DEFINITIONS, versions("v1"))
    for at in range(count):
        body = {"metadata": {"name": f"w{at}", "namespace": "default"}, "spec": {"at": at}}
        await made.client.create(WIDGETS, body)
    await made.client.merge(DEFINITIONS, NAME, "", {"spec": versions("v2")["spec"]})


def lying(made: Cluster) -> list[str]:
    """The versions in which the objects lie in the store."""
    records = made.plane.server._objects.store.list(WIDGETS.key())
    return [msgspec.json.decode(record.value)["apiVersion"] for record in records]


async def migrate(made: Cluster, name: str = "m", resource: str = "widgets") -> None:
    spec = {"resource": {"group": "example.com" * (resource == "widgets"), "resource": resource}}
    await made.client.create(MIGRATIONS, {"metadata": {"name": name}, "spec": spec})


def ended(migration: StorageVersionMigration) -> bool:
    return migration.over and not migration.running


async def over(made: Cluster, name: str = "m") -> dict[str, tuple[str, str]]:
    """The conditions of a migration at its end."""
    found = await made.until(StorageVersionMigration, name, "", ended)
    return {item.type: (item.status, item.reason) for item in found.status.conditions}


async def definition(made: Cluster) -> Any:
    return msgspec.json.decode(await made.client.call("GET", DEFINITIONS.path(NAME)))


async def test_all_objects_are_stored_anew_and_the_definition_knows() -> None:
    async with running() as made:
        await stored_in_both(made)
        assert lying(made) == ["example.com/v1"] * 3
        made.start()
        await migrate(made)
        assert await over(made) == {
            "Running": ("False", "MigrationCompleted"),
            "Succeeded": ("True", "StorageVersionMigrationSucceeded"),
        }
        assert lying(made) == ["example.com/v2"] * 3
        status = (await definition(made))["status"]
        assert status["storedVersions"] == ["v2"]
        told = {item["type"]: item for item in status["conditions"]}["StorageMigrating"]
        assert (told["status"], told["reason"]) == ("False", "MigrationSucceeded")
        gone = versions("v2")["spec"]
        gone["versions"] = gone["versions"][1:]
        await made.client.merge(DEFINITIONS, NAME, "", {"spec": gone})


async def test_what_is_new_enough_is_left_alone() -> None:
    async with running() as made:
        await stored_in_both(made)
        made.start()
        await migrate(made, "first")
        await over(made, "first")
        before = [record.revision for record in made.plane.server._objects.store.list("/example")]
        await migrate(made, "second")
        await over(made, "second")
        after = [record.revision for record in made.plane.server._objects.store.list("/example")]
        assert before == after


async def test_one_that_was_interrupted_goes_on() -> None:
    async with running() as made:
        await stored_in_both(made)
        await migrate(made)
        revision = str(made.plane.server._objects.store.revision)
        body = {"spec": {"at": 9}, "metadata": {"name": "new", "namespace": "default"}}
        await made.client.create(WIDGETS, body)
        condition = {
            "type": "Running",
            "status": "True",
            "reason": "MigrationRunning",
            "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        status = {"resourceVersion": revision, "conditions": [condition]}
        await made.client.merge(MIGRATIONS, "m", "", {"status": status}, subresource="status")
        made.start()
        assert (await over(made))["Succeeded"][0] == "True"
        assert lying(made) == ["example.com/v2"] * 4
        # Nobody can say of which definition the first part was.
        assert (await definition(made))["status"]["storedVersions"] == ["v1", "v2"]


async def test_a_storm_of_conflicts_leaves_nothing_undone() -> None:
    """Others' writes get in the way of every write, twice."""
    clock = FakeClock()
    async with cluster(clock=clock) as made:
        await stored_in_both(made)
        thrown: Counter[str] = Counter()

        async def stormy(request: Request) -> Response | None:
            if request.method != "PATCH" or thrown[request.path] == 2:
                return None
            thrown[request.path] += 1
            error = conflict("things", "it", "the object has been modified")
            return Response(409, {}, msgspec.json.encode(error.status()))

        client, transport = faulty(made)
        transport.fault = stormy
        manager = Manager(client, clock)
        controller = storage_migrations(manager, made.plane.resources)
        assert controller is not None
        manager.add(controller)
        made.manager.add_runner(manager.run)
        made.start()
        await migrate(made)
        for _ in range(120):
            await clock.advance(1)
        assert (await over(made))["Succeeded"][0] == "True"
        assert lying(made) == ["example.com/v2"] * 3
        assert len(thrown) == 5 and set(thrown.values()) == {2}


async def test_those_of_one_kind_run_one_after_the_other() -> None:
    async with running() as made:
        await stored_in_both(made, 1)
        for name in ("b", "a"):
            await migrate(made, name)
        made.start()
        for name in ("a", "b"):
            assert (await over(made, name))["Succeeded"][0] == "True"
        found = await made.client.get(StorageVersionMigration, "a")
        later = await made.client.get(StorageVersionMigration, "b")
        assert int(found.status.resource_version) < int(later.status.resource_version)


async def test_built_in_kinds_are_migrated_too() -> None:
    async with running() as made:
        await made.client.create(
            ConfigMap.resource, {"metadata": {"name": "a", "namespace": "default"}}
        )
        made.start()
        await migrate(made, resource="configmaps")
        assert (await over(made))["Succeeded"][0] == "True"


async def test_a_kind_that_is_none_fails_after_a_while() -> None:
    clock = FakeClock()
    async with running(clock) as made:
        made.start()
        await migrate(made, "late", resource="gadgets")
        await made.until(StorageVersionMigration, "late", "", lambda one: one.running)
        await clock.advance(PATIENCE / 2)
        assert not (await made.client.get(StorageVersionMigration, "late")).over
        for _ in range(40):
            await clock.advance(PAUSE)
        assert (await over(made, "late"))["Failed"] == ("True", "StorageVersionMigrationFailed")


async def test_a_process_that_begins_looks_for_the_kind_as_long_though_the_migration_is_old() -> (
    None
):
    clock = FakeClock()
    async with running(clock) as made:
        await migrate(made, "old", resource="gadgets")
        await clock.advance(2 * PATIENCE)
        made.start()
        await made.until(StorageVersionMigration, "old", "", lambda one: one.running)
        for _ in range(5):
            await clock.advance(PAUSE)
        assert not (await made.client.get(StorageVersionMigration, "old")).over
