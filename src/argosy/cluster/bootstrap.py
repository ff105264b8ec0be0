"""What a fresh cluster has: seen to at every start, so that it comes back when it was deleted.

The roles and bindings come after all is ready: they count before they are written.
"""

import asyncio
import logging
from collections.abc import Callable, Container
from typing import Any

import msgspec

from argosy.api.core import Namespace
from argosy.api.dra import DeviceClass
from argosy.api.kinds import RuntimeClass
from argosy.api.resource import Resource
from argosy.api.resources.access import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING
from argosy.api.resources.core import SERVICE_ACCOUNT
from argosy.api.resources.scheduling import PRIORITY_CLASS
from argosy.api.storage import StorageClass
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.security.rbac.aggregation import complete
from argosy.security.rbac.defaults import defaults
from argosy.security.rbac.reconciliation import reconciled

log = logging.getLogger(__name__)

GPU_DRIVER = "gpu.argosy.dev"
PROVISIONER = "local.argosy.dev"

Json = dict[str, Any]
_GRANTING = {one.kind: one for one in (CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING)}
_AT_ONCE = 16
_ATTEMPTS = 3

_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")

_PRIORITIES = (
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the "
        "cluster, but can be moved to another node if necessary.",
    ),
)


def _priority(name: str, value: int, description: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "value": value, "description": description}


OBJECTS: tuple[tuple[Resource, dict[str, Any]], ...] = (
    *((Namespace.resource, {"metadata": {"name": name}}) for name in _NAMESPACES),
    (SERVICE_ACCOUNT, {"metadata": {"name": "default", "namespace": "default"}}),
    *((PRIORITY_CLASS, _priority(*item)) for item in _PRIORITIES),
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


async def bootstrap_roles(client: Client, gate: Callable[[str], bool]) -> int:
    """Write what is missing of the default roles and bindings. Returns how many were written.

    What somebody else writes at the same time is looked at anew. What is refused (by a webhook, or
    by a full disk) is for the next start: the defaults that were never written count all the same.
    """
    written = 0
    for _ in range(_ATTEMPTS):
        differing = await _differing(client, gate)
        outcomes = []
        for start in range(0, len(differing), _AT_ONCE):
            some = differing[start : start + _AT_ONCE]
            outcomes += await asyncio.gather(*(_write(client, *pair) for pair in some))
        written += sum(outcomes)
        if all(outcomes):
            break
    return written


async def _differing(client: Client, gate: Callable[[str], bool]) -> list[tuple[Json | None, Json]]:
    """What is there, if anything, and what shall be there instead."""
    present = {
        (kind, meta.get("namespace", ""), meta["name"]): item
        for kind, resource in _GRANTING.items()
        for item in msgspec.json.decode(await client.call("GET", resource.path()))["items"]
        if (meta := item["metadata"])
    }
    found: list[tuple[Json | None, Json]] = []
    for wanted in complete(defaults(gate)):
        meta = wanted["metadata"]
        now = present.get((wanted["kind"], meta.get("namespace", ""), meta["name"]))
        if now is None or (wanted := reconciled(now, wanted)) is not now:
            found.append((now, wanted))
    return found


async def _write(client: Client, now: Json | None, wanted: Json) -> bool:
    """Write one; False where somebody else was faster, or it was refused."""
    resource, name = _GRANTING[wanted["kind"]], wanted["metadata"]["name"]
    try:
        if "resourceVersion" in wanted["metadata"]:
            await client.update(resource, wanted)
            return True
        if now is not None:  # a binding to another role
            meta = now["metadata"]
            await client.delete(resource, meta["name"], meta.get("namespace", ""), uid=meta["uid"])
        await client.create(resource, wanted)
    except StatusError as error:
        log.info("a default role is not written", extra={"object": name, "error": str(error)})
        return False
    return True
