"""The list of all controllers: each runs, under a name of its own."""

import asyncio
import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.api.core import ConfigMap, Node, Pod
from argosy.api.dra import ResourceClaim, ResourceClaimTemplate
from argosy.api.meta import owned
from argosy.api.resources.core import SECRET
from argosy.api.storage import PersistentVolumeClaim
from argosy.apiserver.authentication.keys import Keys
from argosy.cluster.operators import add_credentials, add_kubernetes, add_operators
from argosy.cluster.platform import OPERATORS
from argosy.controllers.nodetaints import node_taints
from argosy.controllers.tokens import Secret
from argosy.http.tls import ensure_certificates
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.test_resourceclaims import DEVICES
from tests.runtime.kit import config_map, make

Json = dict[str, Any]


async def test_each_controller_of_the_platform_has_a_name_of_its_own() -> None:
    async with cluster() as running:
        manager = Manager(running.client, FakeClock())
        names = [operator(manager, "host").name for _, operator in OPERATORS]
        assert names == ["training/trainjob", "models/modelversion", "serving/inferenceservice"]


async def test_what_a_real_cluster_brings_itself_runs(tmp_path: Path) -> None:
    clock = FakeClock()
    async with cluster(clock=clock, protected=True) as running:
        running.manager.add(node_taints(running.manager))
        add_operators(running.manager, running.plane.resources)
        add_kubernetes(running.manager, tmp_path, running.plane.resources)
        running.start()
        client = running.client
        # Scheduler, and the claims of a pod.
        await client.create(Node.resource, {"metadata": {"name": "n1"}})
        await settle()
        room = {"status": {"allocatable": {"cpu": "1", "memory": "1Gi", "pods": "10"}}}
        await client.merge(Node.resource, "n1", "", room, subresource="status")
        template = {"metadata": {"name": "t", "namespace": "default"}}
        spec: Json = {"spec": {"spec": {"devices": DEVICES}}}
        await client.create(ResourceClaimTemplate.resource, {**template, **spec})
        containers = [{"name": "c", "image": "i"}]
        claim = {"name": "gpu", "resourceClaimTemplateName": "t"}
        for name, claims in (("free", []), ("claims", [claim])):
            meta = {"name": name, "namespace": "default"}
            body = {"metadata": meta, "spec": {"containers": containers, "resourceClaims": claims}}
            await client.create(Pod.resource, body)
        await running.until(Pod, "free", "default", lambda pod: pod.spec.node_name == "n1")
        await settle()
        assert len((await client.list(ResourceClaim)).items) == 1
        # Volumes.
        body = {
            "metadata": {"name": "v", "namespace": "default"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }
        await client.create(PersistentVolumeClaim.resource, body)
        await running.until(
            PersistentVolumeClaim, "v", "default", lambda claim: claim.status.phase == "Bound"
        )
        # Garbage.
        owner = await make(client, "owner")
        await client.create(ConfigMap.resource, config_map("child", owner=owned(owner)))
        await settle()
        await client.delete(ConfigMap.resource, "owner", "default")
        await settle()
        assert (await client.list(ConfigMap)).items == []


async def test_credentials_are_given_out(tmp_path: Path) -> None:
    """A secret is given a token; the server, which has the same key, takes it."""
    keys = Keys()
    keys.make()
    authority = ensure_certificates(tmp_path, ["localhost"], datetime.now(UTC)).ca_pem
    async with cluster() as running:
        add_credentials(running.manager, tmp_path, keys, running.plane.server.used)
        running.start()
        annotations = {"kubernetes.io/service-account.name": "default"}
        body = {
            "metadata": {"name": "it", "namespace": "default", "annotations": annotations},
            "type": "kubernetes.io/service-account-token",
        }
        await running.client.create(SECRET, body)
        found = await running.until(Secret, "it", "default", lambda it: "token" in it.data)
        assert base64.b64decode(found.data["ca.crt"]) == authority
        said = msgspec.json.decode(keys.verified(base64.b64decode(found.data["token"]).decode()))
        assert said["sub"] == "system:serviceaccount:default:default"


async def test_kinds_that_are_switched_off_are_left_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with cluster(clock=FakeClock()) as running:
        ours = [one for one in running.plane.resources if one.kind != "TrainJob"]
        added: list[str] = []
        monkeypatch.setattr(running.manager, "add", lambda made: added.append(made.name))
        add_operators(running.manager, ours)
        assert added == ["models/modelversion", "serving/inferenceservice"]


async def test_they_end_together() -> None:
    async with cluster(clock=FakeClock()) as running:
        add_operators(running.manager, running.plane.resources)
        add_kubernetes(running.manager, Path("/nowhere"), running.plane.resources)
        task = asyncio.create_task(running.manager.run())
        await settle()
        task.cancel()
        [outcome] = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(outcome, asyncio.CancelledError)
