"""Operators as a process: what the command line says is done, and one of several works."""

import asyncio
import json
import socket
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.api.core import ConfigMap, Event
from argosy.api.resources.access import CLUSTER_ROLE, CLUSTER_ROLE_BINDING
from argosy.api.resources.control import LEASE
from argosy.client import kubeconfig
from argosy.client.client import Client
from argosy.client.kubeconfig import KubeconfigError
from argosy.client.transport import Transport
from argosy.http.message import Request, Response
from argosy.runtime.controller import DONE, Result
from argosy.runtime.running import access, managed, role, run
from argosy.testing.builders import body
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import cluster
from tests.runtime.test_operator import BOXES, Box


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """This machine's own clusters are not meant."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)


def test_the_kinds_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(BOXES, arguments=["--print"]) == 0
    found = list(yaml.safe_load_all(capsys.readouterr().out))
    assert [(item["kind"], item["metadata"]["name"]) for item in found] == [
        ("CustomResourceDefinition", "boxes.example.com"),
        ("ClusterRole", "example.com-box"),
    ]


def test_a_cluster_that_is_nowhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("argosy.base.log.configure", lambda level: None)
    assert run(BOXES, arguments=["--kubeconfig", str(tmp_path / "none")]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: reading ") and "\nhint: " in told


def test_where_nothing_can_be_printed() -> None:
    code = (
        "import sys; from tests.runtime.test_operator import BOXES; "
        "from argosy.runtime.running import run; sys.exit(run(BOXES, arguments=['--print']))"
    )
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: printing: No space left on device\nhint: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("where", ["8080", "here:x"])
def test_an_address_that_is_none(where: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(BOXES, arguments=["--listen", where])
    assert "argument --listen" in capsys.readouterr().err


def test_an_address_that_is_taken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("argosy.base.log.configure", lambda level: None)
    config = written(tmp_path / "config", "https://127.0.0.1:1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        assert run(BOXES, arguments=["--kubeconfig", str(config), "--listen", where]) == 1
    told = capsys.readouterr().err
    assert "address already in use\nhint: --listen" in told and "Traceback" not in told


def written(path: Path, server: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(kubeconfig.render(server, b"", "token"))
    return path


def test_which_cluster_is_meant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError, match=r"\.kube/config"):
        access(None)
    written(tmp_path / ".kube/config", "https://usual")
    assert access(None).server == "https://usual"
    monkeypatch.setenv("KUBECONFIG", str(written(tmp_path / "named", "https://named")))
    assert access(None).server == "https://named"
    assert access(written(tmp_path / "given", "https://given")).server == "https://given"
    with pytest.raises(KubeconfigError, match="reading ~nobody-at-all/config"):
        access(Path("~nobody-at-all/config"))
    with pytest.raises(KubeconfigError, match="no entry"):
        access(None, "other")


def test_a_pod_means_its_own_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    with pytest.raises(KubeconfigError, match="the pod's service account"):
        access(None)


async def holder(client: Client) -> str:
    """Who has the lease."""
    lease = json.loads(await client.call("GET", LEASE.path("example.com-box", "default")))
    return str(lease["spec"]["holderIdentity"])


async def test_of_two_one_works_and_the_other_takes_over() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        await running.define(Box)
        tasks = []
        for _ in range(2):
            way = running.client.transport
            manager = managed(way, clock, lease="example.com-box", namespace="default")
            manager.add(BOXES.controller(manager))
            tasks.append(asyncio.create_task(manager.run()))
        await running.calm()
        first = await holder(running.client)
        await running.make(Box, body("one"))
        await running.calm()
        assert len((await running.client.list(ConfigMap)).items) == 1
        tasks[0].cancel()
        await clock.advance(20)
        assert first and await holder(running.client) not in ("", first)
        await running.make(Box, body("two"))
        await running.calm()
        assert len((await running.client.list(ConfigMap)).items) == 2
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_without_a_lease_it_works_at_once() -> None:
    async with cluster(clock=FakeClock()) as running:
        await running.define(Box)
        await running.make(Box, body("one"))
        manager = managed(running.client.transport, FakeClock(), lease="", namespace="default")
        manager.add(BOXES.controller(manager))
        task = asyncio.create_task(manager.run())
        await running.calm()
        assert len((await running.client.list(ConfigMap)).items) == 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@dataclass(frozen=True)
class Somebody:
    """Sends requests as a user without rights of their own; notes what was forbidden."""

    inner: Transport
    forbidden: list[str] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        headers = {**request.headers, "impersonate-user": "somebody"}
        response = await self.inner.send(replace(request, headers=headers))
        if response.status == 403:
            self.forbidden.append(f"{request.method} {request.path}")
        return response

    async def close(self) -> None:
        await self.inner.close()


async def finish(box: Box) -> Result:
    return DONE


async def test_the_role_is_enough() -> None:
    operator = replace(BOXES, finish=finish)
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        await running.define(Box)
        await running.client.create(CLUSTER_ROLE, role(operator))
        binding: dict[str, Any] = {
            "roleRef": {
                "apiGroup": CLUSTER_ROLE.group,
                "kind": "ClusterRole",
                "name": "example.com-box",
            },
            "subjects": [{"kind": "User", "name": "somebody"}],
        }
        await running.client.create(CLUSTER_ROLE_BINDING, body("it", "", **binding))
        way = Somebody(running.client.transport)
        manager = managed(way, clock, lease="example.com-box", namespace="default")
        manager.add(operator.controller(manager))
        task = asyncio.create_task(manager.run())
        await running.make(Box, body("bad", spec={"name": "Not_A_Name"}))
        await running.make(Box, body("box", spec={"sheets": 2}))
        await clock.advance(5)
        assert (await running.client.get(Box, "box", "default")).status.sheets == 2
        await running.client.merge(Box.resource, "box", "default", {"spec": {"sheets": 1}})
        await running.calm()
        await running.client.delete(Box.resource, "box", "default")
        await clock.advance(5)
        assert await running.client.find(Box, "box", "default") is None
        assert len((await running.client.list(ConfigMap)).items) == 1
        assert [item.reason for item in (await running.client.list(Event)).items].count("Refused")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert way.forbidden == []
