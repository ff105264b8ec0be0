"""What every cluster has, from the first start on."""

import asyncio

from argosy.api.core import Namespace
from argosy.api.dra import DeviceClass
from argosy.api.kinds import RuntimeClass
from argosy.api.rbac import ClusterRole
from argosy.api.resources.access import CLUSTER_ROLE_BINDING
from argosy.api.resources.scheduling import PRIORITY_CLASS
from argosy.api.storage import StorageClass
from argosy.cluster.bootstrap import (
    GPU_DRIVER,
    OBJECTS,
    PROVISIONER,
    bootstrap,
    bootstrap_roles,
)
from argosy.cluster.server import control_plane, memory_store
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import cluster


async def test_a_fresh_cluster_has_all_of_it() -> None:
    async with cluster() as running:
        names = [item.metadata.name for item in (await running.client.list(Namespace)).items]
        assert names == ["default", "kube-node-lease", "kube-public", "kube-system"]
        assert (await running.client.get(RuntimeClass, "host")).handler == "host"
        storage = await running.client.get(StorageClass, "standard")
        assert storage.provisioner == PROVISIONER
        default = "storageclass.kubernetes.io/is-default-class"
        assert storage.metadata.annotations[default] == "true"
        [selector] = (await running.client.get(DeviceClass, GPU_DRIVER)).spec.selectors
        assert selector.cel is not None
        assert selector.cel.expression == f'device.driver == "{GPU_DRIVER}"'


async def test_later_starts_write_nothing() -> None:
    store = memory_store()
    client = control_plane(store, FakeClock()).client("test")
    for _ in range(2):  # the second apply notes what had no manager before
        await bootstrap(client)
    revision = store.revision
    await bootstrap(client)
    assert store.revision == revision
    await store.close()


async def test_what_was_deleted_comes_back_at_the_next_start() -> None:
    async with cluster() as running:
        stay = (Namespace.resource, PRIORITY_CLASS)  # these are not deleted at all
        others = [(resource, body) for resource, body in OBJECTS if resource not in stay]
        assert len(others) == 4
        for resource, body in others:
            await running.client.delete(resource, body["metadata"]["name"])
        await bootstrap(running.plane.client("test"))
        for kind in (RuntimeClass, StorageClass, DeviceClass):
            assert len((await running.client.list(kind)).items) == 1


async def test_roles_are_written_once_and_mended_at_later_starts() -> None:
    async with cluster() as running:
        client, gate = running.client, running.plane.gate
        assert await bootstrap_roles(client, gate) > 130
        assert await bootstrap_roles(client, gate) == 0
        view = await client.get(ClusterRole, "view")
        assert view.aggregation_rule
        assert view.rules

        await client.delete(ClusterRole.resource, "system:discovery")
        await client.merge(ClusterRole.resource, "system:basic-user", "", {"rules": None})
        wrong = {
            "metadata": {"name": "system:discovery"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "view",
            },
        }
        await client.delete(CLUSTER_ROLE_BINDING, "system:discovery")
        await client.create(CLUSTER_ROLE_BINDING, wrong)
        kept = {
            "metadata": {"annotations": {"rbac.authorization.kubernetes.io/autoupdate": "false"}}
        }
        await client.merge(ClusterRole.resource, "edit", "", {**kept, "aggregationRule": None})

        assert await bootstrap_roles(client, gate) == 3
        assert (await client.get(ClusterRole, "system:discovery")).rules
        assert (await client.get(ClusterRole, "system:basic-user")).rules
        assert (await client.get(ClusterRole, "edit")).aggregation_rule is None
        assert await bootstrap_roles(client, gate) == 0


async def test_roles_that_somebody_writes_at_the_same_time_are_looked_at_anew() -> None:
    async with cluster() as running:
        both = [bootstrap_roles(running.plane.client(name), running.plane.gate) for name in "ab"]
        await asyncio.gather(*both)
        assert await bootstrap_roles(running.client, running.plane.gate) == 0
