"""What a fresh cluster has: applied at every start, so that it comes back when it was deleted."""

from collections.abc import Container
from typing import Any

from argosy.api.core import Namespace
from argosy.api.dra import DeviceClass
from argosy.api.kinds import RuntimeClass
from argosy.api.resource import Resource
from argosy.api.resources.core import SERVICE_ACCOUNT
from argosy.api.storage import StorageClass
from argosy.client.client import Client

GPU_DRIVER = "gpu.argosy.dev"
PROVISIONER = "local.argosy.dev"

_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")

OBJECTS: tuple[tuple[Resource, dict[str, Any]], ...] = (
    *((Namespace.resource, {"metadata": {"name": name}}) for name in _NAMESPACES),
    (SERVICE_ACCOUNT, {"metadata": {"name": "default", "namespace": "default"}}),
    (RuntimeClass.resource, {"metadata": {"name": "host"}, "handler": "host"}),
    (
        StorageClass.resource,
        {
            "metadata": {
                "name": "standard",
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": PROVISIONER,
        },
    ),
    (
        DeviceClass.resource,
        {
            "metadata": {"name": GPU_DRIVER},
            "spec": {"selectors": [{"cel": {"expression": f'device.driver == "{GPU_DRIVER}"'}}]},
        },
    ),
)


async def bootstrap(client: Client, served: Container[Resource] | None = None) -> None:
    """Bring the cluster's own objects into being: those of the kinds in `served`, or all."""
    for resource, body in OBJECTS:
        if served is None or resource in served:
            await client.apply(resource, body)
