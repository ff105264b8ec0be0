"""What `argosy install` brings, and that `argosy uninstall` takes just that away."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.api.kinds import PREFERRED
from argosy.api.modelversion import ModelVersion
from argosy.base.clock import SystemClock
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.client.transport import Transport
from argosy.cluster.foreign import chosen
from argosy.cluster.install import FIELD_MANAGER, Installation, InstallError, found
from argosy.cluster.manifests import Settings, manifests
from argosy.cluster.operators import add_kubernetes
from argosy.cluster.rights import NAME
from argosy.cluster.uninstall import Removal
from argosy.http.message import Request, Response
from argosy.testing.cluster import Cluster, cluster
from tests.runtime.kit import faulty

Json = dict[str, Any]
OFF = ",".join(
    f"{group}=false"
    for group in (
        "trainer.kubeflow.org/v1alpha1",
        "serving.kserve.io/v1beta1",
        "models.argosy.dev/v1alpha1",
    )
)
ALL = Settings(kinds=chosen(()), replicas=0)
SYSTEM = ALL.namespace
DEFINITION = PREFERRED["CustomResourceDefinition"]


@asynccontextmanager
async def foreign(folder: Path) -> AsyncGenerator[Cluster, None]:
    """A cluster with Kubernetes' own controllers, and without the platform's kinds."""
    async with cluster(runtime_config=OFF) as running:
        add_kubernetes(running.manager, folder, running.plane.resources)
        running.start()
        yield running


class Talk:
    """What a command says: data, and to the person."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.told: list[str] = []


async def installed(running: Cluster, settings: Settings = ALL, **more: Any) -> Talk:
    talk = Talk()
    client = Client(running.client.transport, FIELD_MANAGER)
    clock = SystemClock()
    await Installation(client, clock, settings, talk.lines.append, talk.told.append, **more).run()
    return talk


async def removed(running: Cluster, way: Transport | None = None, **more: Any) -> Talk:
    talk = Talk()
    client = Client(way or running.client.transport, FIELD_MANAGER)
    await Removal(client, SystemClock(), talk.lines.append, talk.told.append, **more).run()
    return talk


async def names(running: Cluster, kind: str) -> set[str]:
    listed = msgspec.json.decode(await running.client.call("GET", PREFERRED[kind].path()))
    return {item["metadata"]["name"] for item in listed["items"]}


async def test_what_came_goes_and_nothing_else(tmp_path: Path) -> None:
    async with foreign(tmp_path) as running:
        made = await installed(running)
        assert [line.rpartition(" ")[2] for line in made.lines] == ["created"] * len(manifests(ALL))
        again = await installed(running)
        assert {line.rpartition(" ")[2] for line in again.lines} == {"unchanged"}
        shipped = manifests(ALL)[0]["metadata"]["labels"]  # but somebody else wrote it
        other = {"metadata": {"name": "theirs", "labels": shipped}}
        await running.client.create(PREFERRED["ClusterRole"], other)
        gone = await removed(running)
        assert gone.lines[0] == f"deployment.apps/{NAME} deleted"
        assert gone.lines[-1] == f"namespace/{SYSTEM} deleted"
        assert len(gone.lines) == len(made.lines)
        assert await names(running, DEFINITION.kind) == set()
        assert SYSTEM not in await names(running, "Namespace")
        assert "theirs" in await names(running, "ClusterRole")
        nothing = await removed(running)
        assert nothing.lines == []
        assert nothing.told == ["there is nothing that argosy install has brought"]


async def test_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    async with foreign(tmp_path) as running:
        await running.define(ModelVersion)
        await running.client.create(PREFERRED["Namespace"], {"metadata": {"name": SYSTEM}})
        talk = await installed(running)
        assert [line.split(" is ")[1] for line in talk.told] == [
            "somebody else's: it stays as it is"
        ] * 2
        await removed(running)
        assert await names(running, DEFINITION.kind) == {"modelversions.models.argosy.dev"}
        assert SYSTEM in await names(running, "Namespace")


async def test_an_object_under_our_name_is_not_taken_over(tmp_path: Path) -> None:
    async with foreign(tmp_path) as running:
        await running.client.create(PREFERRED["ClusterRole"], {"metadata": {"name": NAME}})
        with pytest.raises(InstallError, match="was not brought by argosy install"):
            await installed(running)


async def test_a_second_installation_elsewhere_is_refused(tmp_path: Path) -> None:
    async with foreign(tmp_path) as running:
        await installed(running)
        elsewhere = Settings(kinds=chosen(()), namespace="elsewhere")
        with pytest.raises(InstallError, match=f"installed already, in namespace {SYSTEM}"):
            await installed(running, elsewhere)


async def test_definitions_with_objects_stay_unless_told(tmp_path: Path) -> None:
    async with foreign(tmp_path) as running:
        await installed(running, Settings(kinds=chosen(("modelversions",)), replicas=0))
        spec = {
            "model": "m",
            "version": "1",
            "storageUri": "pvc://c/p",
            "modelFormat": {"name": "onnx"},
        }
        body = {"metadata": {"name": "v", "namespace": "default"}, "spec": spec}
        await running.client.create(ModelVersion.resource, body)
        with pytest.raises(InstallError, match="objects of modelversions.models.argosy.dev, wh"):
            await removed(running)
        assert await found(running.client, PREFERRED["ClusterRole"], NAME) is not None
        await removed(running, keep_definitions=True)
        assert await found(running.client, PREFERRED["ClusterRole"], NAME) is None
        assert await found(running.client, ModelVersion.resource, "v", "default") is not None
        await removed(running, delete_data=True)
        assert await names(running, DEFINITION.kind) == set()


async def test_a_namespace_with_something_in_it_stays(tmp_path: Path) -> None:
    async with foreign(tmp_path) as running:
        await installed(running)
        own = {"metadata": {"name": "mine", "namespace": SYSTEM}}
        await running.client.create(PREFERRED["ConfigMap"], own)
        talk = await removed(running)
        assert talk.told == [f"namespace/{SYSTEM} stays: it holds configmaps/mine"]


async def test_a_namespace_that_cannot_be_looked_through_stays(tmp_path: Path) -> None:
    async def away(request: Request) -> Response | None:
        gone = request.path == "/apis/batch/v1"
        return Response(503, {}, b'{"message": "the server is away"}') if gone else None

    async with foreign(tmp_path) as running:
        await installed(running)
        _, way = faulty(running)
        way.fault = away
        talk = await removed(running, way)
        told = f"namespace/{SYSTEM} stays: what is in it can't be listed: the server is away"
        assert talk.told == [told]


async def test_kinds_that_go_while_the_namespace_is_looked_through_hold_nothing(
    tmp_path: Path,
) -> None:
    async def going(request: Request) -> Response | None:
        listed = request.path.startswith("/apis/apps/v1/namespaces/") and "limit=" in request.query
        gone = listed or request.path == "/apis/batch/v1"
        return Response(404, {}, b'{"message": "gone"}') if gone else None

    async with foreign(tmp_path) as running:
        await installed(running)
        _, way = faulty(running)
        way.fault = going
        talk = await removed(running, way)
        assert talk.told == []
        assert SYSTEM not in await names(running, "Namespace")


async def test_a_cluster_that_brings_the_kinds_needs_no_definitions(tmp_path: Path) -> None:
    async with cluster() as running:
        talk = await installed(running, dry=True)
        assert "trainjobs.trainer.kubeflow.org is served by the cluster itself" in str(talk.told)
        assert not any("customresourcedefinition" in line for line in talk.lines)


async def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    async with foreign(tmp_path) as running:
        talk = await installed(running, dry=True)
        assert len(talk.lines) == len(manifests(ALL))
        assert {line.partition(" ")[2] for line in talk.lines} == {"created (dry run)"}
        assert await names(running, DEFINITION.kind) == set()
        assert await found(running.client, PREFERRED["ClusterRole"], NAME) is None


async def test_fields_of_others_are_a_conflict_unless_forced(tmp_path: Path) -> None:
    async with foreign(tmp_path) as running:
        await installed(running)
        deployment, patch = PREFERRED["Deployment"], {"spec": {"replicas": 3}}
        await running.client.merge(deployment, NAME, SYSTEM, patch)
        with pytest.raises(Exception, match="conflict with"):
            await installed(running)
        talk = await installed(running, force=True)
        assert talk.lines[-1] == f"deployment.apps/{NAME} configured"


async def test_the_controllers_pods_are_of_the_strictest_standard(tmp_path: Path) -> None:
    """Their namespace enforces it."""
    shipped = next(body for body in manifests(ALL) if body["kind"] == "Deployment")
    async with foreign(tmp_path) as running:
        await installed(running)
        pod = {"metadata": {"name": "p", "namespace": SYSTEM}, **shipped["spec"]["template"]}
        pod["metadata"] = {"name": "p", "namespace": SYSTEM}
        await running.client.create(PREFERRED["Pod"], pod)
        del pod["spec"]["containers"][0]["securityContext"]["capabilities"]
        pod["metadata"]["name"] = "q"
        with pytest.raises(StatusError, match='violates PodSecurity "restricted'):
            await running.client.create(PREFERRED["Pod"], pod)
