"""The example operator in a cluster of its own, in virtual time: days pass in a moment."""

import ast
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from argosy.api.batch import CronJob, Job
from argosy.api.core import Event, Pod, Secret, Service
from argosy.api.meta import Object, condition
from argosy.api.statefulsets import StatefulSet
from argosy.api.storage import PersistentVolumeClaim
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.testing.builders import body
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import Cluster, cluster
from argosy.testing.kubelet import Kubelet
from argosy.testing.workloads import add_workloads
from examples.database.kinds import Database
from examples.database.plan import DATABASES

T = TypeVar("T", bound=Object)
DAY = 86400.0
FOLDER = Path(__file__).parents[2] / "examples/database"
PLACE = "default"
MADE: tuple[type[Object], ...] = (Secret, Service, StatefulSet, CronJob, Job, Pod)


@dataclass
class Scene:
    """A cluster with the operator, and with what makes pods and lets them run."""

    running: Cluster
    clock: FakeClock

    @property
    def client(self) -> Client:
        return self.running.client

    async def make(self, name: str = "db", **spec: Any) -> Database:
        made = await self.running.make(Database, body(name, spec=spec))
        await self.running.calm()
        return made

    async def change(self, kind: type[Object], spec: Any, name: str = "db") -> None:
        await self.client.merge(kind.resource, name, PLACE, {"spec": spec})
        await self.running.calm()

    async def get(self, kind: type[T], name: str = "db") -> T:
        await self.running.calm()
        return await self.client.get(kind, name, PLACE)

    async def names(self, kind: type[Object]) -> list[str]:
        await self.running.calm()
        listed = (await self.client.list(kind, PLACE)).items
        return sorted(obj.metadata.name for obj in listed)

    async def ready(self) -> str:
        """What the database says of itself."""
        found = condition((await self.get(Database)).status.conditions, "Ready")
        return f"{found.status}: {found.message}" if found else ""


@asynccontextmanager
async def scene() -> AsyncGenerator[Scene, None]:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        await running.define(Database)
        manager = running.manager
        add_workloads(manager, running.plane.resources)
        manager.add(Kubelet(manager, everywhere=True, finishes=True).controller())
        manager.add(DATABASES.controller(manager))
        running.start()
        yield Scene(running, clock)


async def test_it_gets_ready() -> None:
    async with scene() as it:
        made = await it.make(replicas=2)
        assert await it.names(Pod) == ["db-0", "db-1"]
        assert await it.ready() == "True: 2 of 2 pods are ready"
        status = (await it.get(Database)).status
        assert (status.observed_generation, status.ready_replicas) == (made.metadata.generation, 2)
        assert (await it.get(Service)).spec.cluster_ip == "None"
        (container,) = (await it.get(Pod, "db-0")).spec.containers
        sources = {item.name: item.value_from for item in container.env}
        source = sources["POSTGRES_PASSWORD"]
        assert source is not None and source.secret_key_ref is not None
        assert (source.secret_key_ref.name, source.secret_key_ref.key) == ("db", "password")


async def test_the_password_is_made_once() -> None:
    async with scene() as it:
        await it.make("other")
        await it.make()
        password = (await it.get(Secret)).data["password"]
        assert len(password) > 40
        assert (await it.get(Secret, "other")).data["password"] != password
        await it.change(Database, {"replicas": 3, "image": "postgres:19"})
        await it.clock.advance(DAY)
        assert await it.ready() == "True: 3 of 3 pods are ready"
        assert (await it.get(Secret)).data["password"] == password


async def test_a_day_later_the_backup_runs() -> None:
    async with scene() as it:
        await it.make(backup="30 2 * * *")
        await it.clock.advance(DAY)
        (name,) = await it.names(Job)
        job = await it.get(Job, name)
        assert (job.status.start_time, job.status.succeeded) == ("2026-01-01T02:30:00Z", 1)
        (pod,) = [name for name in await it.names(Pod) if name != "db-0"]
        (container,) = (await it.get(Pod, pod)).spec.containers
        assert container.command[-1] == "--host=db"


async def test_backups_can_be_switched_off() -> None:
    async with scene() as it:
        await it.make()
        assert await it.names(CronJob) == ["db"]
        await it.change(Database, {"backup": ""})
        assert await it.names(CronJob) == []
        assert await it.names(PersistentVolumeClaim) == ["data-db-0", "db-backup"]


async def test_a_change_reaches_every_pod() -> None:
    async with scene() as it:
        await it.make(replicas=2)
        before = [(await it.get(Pod, name)).metadata.uid for name in await it.names(Pod)]
        await it.change(Database, {"memory": "1Gi", "replicas": 3})
        assert await it.ready() == "True: 3 of 3 pods are ready"
        for name in await it.names(Pod):
            pod = await it.get(Pod, name)
            assert pod.metadata.uid not in before
            assert pod.spec.containers[0].resources.requests == {"memory": "1Gi"}


async def test_drift_is_repaired() -> None:
    async with scene() as it:
        await it.make(replicas=2)
        await it.change(StatefulSet, {"replicas": 5})
        assert (await it.get(StatefulSet)).spec.replicas == 2
        uid = (await it.get(Service)).metadata.uid
        await it.client.delete(Service.resource, "db", PLACE)
        assert (await it.get(Service)).metadata.uid != uid
        assert await it.names(Pod) == ["db-0", "db-1"]


async def test_all_goes_with_it() -> None:
    async with scene() as it:
        await it.make()
        await it.clock.advance(DAY)
        await it.client.delete(Database.resource, "db", PLACE)
        assert {kind: await it.names(kind) for kind in MADE} == {kind: [] for kind in MADE}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"storage": "2Gi"}, 'spec.storage: Invalid value: "2Gi": is fixed'),
        ({"storage": "much"}, "spec.storage in body should match"),
        ({"replicas": 10}, "should be less than or equal to 9"),
    ],
)
async def test_the_definition_refuses(spec: Any, message: str) -> None:
    async with scene() as it:
        await it.make()
        with pytest.raises(StatusError, match=message):
            await it.change(Database, spec)


async def test_what_is_anothers_stays_theirs() -> None:
    async with scene() as it:
        await it.running.make(Secret, body("db", data={"password": "eA=="}))
        await it.make()
        assert (await it.get(Secret)).data == {"password": "eA=="}
        told = [event.reason for event in (await it.client.list(Event)).items]
        assert told == ["Refused"]
        assert await it.names(StatefulSet) == []
        await it.client.delete(Secret.resource, "db", PLACE)
        await it.clock.advance(DAY)
        assert await it.ready() == "True: 1 of 1 pods are ready"


async def test_the_manifest_is_taken() -> None:
    manifest = yaml.safe_load((FOLDER / "manifests/main.yaml").read_text())
    async with scene() as it:
        manifest["metadata"]["namespace"] = PLACE
        made = await it.running.make(Database, manifest)
        assert (made.resource.api_version, made.resource.kind) == ("example.com/v1", "Database")
        await it.running.calm()
        assert await it.names(Pod) == ["main-0"]


LOGIC = 60
"""Lines, beside those that declare the kind."""


def logic(source: str) -> int:
    """How many lines are neither empty, nor imports, comments or docstrings."""
    left_out: set[int] = set()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        block = getattr(node, "body", None)
        if isinstance(node, ast.Import | ast.ImportFrom):
            left_out |= set(range(node.lineno, (node.end_lineno or 0) + 1))
        elif isinstance(block, list) and block and _is_text(block[0]):
            left_out |= set(range(block[0].lineno, (block[0].end_lineno or 0) + 1))
    return sum(
        number not in left_out and bool(line.strip()) and not line.lstrip().startswith("#")
        for number, line in enumerate(source.splitlines(), 1)
    )


def _is_text(node: ast.stmt) -> bool:
    value = getattr(node, "value", None)
    return isinstance(node, ast.Expr) and isinstance(value, ast.Constant)


def test_it_takes_few_lines() -> None:
    files = [path for path in FOLDER.glob("*.py") if path.name != "kinds.py"]
    assert {path.name for path in files} == {"__main__.py", "plan.py"}
    assert sum(logic(path.read_text()) for path in files) <= LOGIC
    assert logic('"""Text."""\n\nimport a\n# no\nx = 1\n') == 1
