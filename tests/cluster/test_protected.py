"""What admission holds is let go by the controllers that run, in every minor that is served."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from argosy.api.features import switches
from argosy.api.kinds import RESOURCES
from argosy.api.meta import PartialObject
from argosy.base.errors import StatusError
from argosy.cluster.bootstrap import bootstrap
from argosy.cluster.operators import add_kubernetes
from argosy.cluster.server import control_plane, memory_store
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle

Json = dict[str, Any]
BODIES: dict[str, Json] = {
    "PersistentVolume": {
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "hostPath": {"path": "/data"},
        }
    },
    "PersistentVolumeClaim": {
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "",
        }
    },
    "PodGroup": {"spec": {"schedulingPolicy": {"gang": {"minCount": 2}}}},
    "VolumeAttributesClass": {"driverName": "d", "parameters": {"a": "b"}},
}


@pytest.mark.parametrize(
    ("minor", "kinds", "held"),
    [("1.37", set(BODIES), 4), ("1.33", set(BODIES) - {"PodGroup"}, 3)],
)
async def test_what_is_held_is_let_go(
    tmp_path: Path, minor: str, kinds: set[str], held: int
) -> None:
    clock = FakeClock()
    chosen = switches(RESOURCES, minor)
    if minor == "1.33":
        chosen = switches(
            RESOURCES,
            minor,
            feature_gates="VolumeAttributesClass=true",
            runtime_config="storage.k8s.io/v1beta1=true",
        )
    store = memory_store()
    plane = control_plane(store, clock, chosen=chosen)
    client = plane.client("test")
    await bootstrap(client, plane.resources)
    plane.server.state.bootstrapped = True
    manager = Manager(plane.client("argosy"), clock)
    add_kubernetes(manager, tmp_path, plane.resources)
    running = asyncio.create_task(manager.run())
    try:
        await settle()
        served = [item for item in plane.resources if item.kind in kinds]
        finalizers = 0
        for resource in served:
            namespace = {"namespace": "default"} if resource.namespaced else {}
            body = {"metadata": {"name": "it", **namespace}, **BODIES[resource.kind]}
            made = await client.create(resource, body)
            finalizers += len(made["metadata"]["finalizers"])
            await settle()
            await client.delete(resource, "it", namespace.get("namespace", ""))
        await settle()
        assert finalizers == held == len(served)
        for resource in served:
            with pytest.raises(StatusError) as error:
                await client.get(
                    PartialObject, "it", "default" * resource.namespaced, resource=resource
                )
            assert error.value.code == 404
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await plane.server.close()
        await store.close()
