"""What every cluster has, from the first start on."""

from argosy.api.core import Namespace
from argosy.api.dra import DeviceClass
from argosy.api.kinds import RuntimeClass
from argosy.api.storage import StorageClass
from argosy.cluster.bootstrap import GPU_DRIVER, OBJECTS, PROVISIONER, bootstrap
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
        others = [(resource, body) for resource, body in OBJECTS if resource != Namespace.resource]
        assert len(others) == 4
        for resource, body in others:
            await running.client.delete(resource, body["metadata"]["name"])
        await bootstrap(running.plane.client("test"))
        for kind in (RuntimeClass, StorageClass, DeviceClass):
            assert len((await running.client.list(kind)).items) == 1
