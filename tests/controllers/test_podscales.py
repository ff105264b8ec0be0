"""How many pods are wanted, by whoever has them."""

from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.api.meta import ObjectMeta, OwnerReference
from argosy.api.resource import Resource
from argosy.api.resources.core import REPLICATION_CONTROLLER
from argosy.api.resources.extensions import CUSTOM_RESOURCE_DEFINITION
from argosy.api.resources.workloads import DEPLOYMENT, REPLICA_SET, STATEFUL_SET
from argosy.client.client import Client
from argosy.controllers.podscales import PodScales, ScaleError
from argosy.testing.cluster import cluster

Json = dict[str, Any]
LABELS = {"app": "a"}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
ROBOT = Resource(group="example.com", version="v1", kind="Robot", plural="robots")


async def make(
    client: Client, resource: Resource, name: str, replicas: int, owner: Json | None = None
) -> Json:
    selector: Any = {"matchLabels": LABELS}
    if resource is REPLICATION_CONTROLLER:
        selector = LABELS
    spec: Json = {"replicas": replicas, "selector": selector, "template": TEMPLATE}
    if resource is STATEFUL_SET:
        spec["serviceName"] = "s"
    meta: Json = {"name": name, "namespace": "default"}
    if owner is not None:
        meta["ownerReferences"] = [owner]
    kind = {"apiVersion": resource.api_version, "kind": resource.kind}
    return await client.create(resource, {**kind, "metadata": meta, "spec": spec})


def ref(owner: Json, **changed: Any) -> Json:
    meta = owner["metadata"]
    kind = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "controller": True}
    return {**kind, "name": meta["name"], "uid": meta["uid"], **changed}


def pod(name: str, owner: Json | None) -> Pod:
    owners: tuple[OwnerReference, ...] = ()
    if owner is not None:
        owners = (
            OwnerReference(
                api_version=owner["apiVersion"],
                kind=owner["kind"],
                name=owner["name"],
                uid=owner["uid"],
                controller=True,
            ),
        )
    return Pod(metadata=ObjectMeta(name=name, namespace="default", owner_references=owners))


@pytest.mark.parametrize(
    "resource", [REPLICATION_CONTROLLER, REPLICA_SET, STATEFUL_SET, DEPLOYMENT]
)
async def test_known_kinds(resource: Resource) -> None:
    async with cluster() as it:
        for replicas in (7, 0):
            made = await make(it.client, resource, f"o{replicas}", replicas)
            some = [pod("a", ref(made)), pod("b", ref(made)), pod("c", None)]
            assert await PodScales(it.client).total(some) == (replicas, ["c"])


async def test_a_replica_set_of_a_deployment_has_its_scale() -> None:
    async with cluster() as it:
        above = await make(it.client, DEPLOYMENT, "d", 5)
        one = await make(it.client, REPLICA_SET, "r1", 2, ref(above))
        two = await make(it.client, REPLICA_SET, "r2", 3, ref(above))
        some = [pod("a", ref(one)), pod("b", ref(two))]
        assert await PodScales(it.client).total(some) == (5, [])
        orphan = await make(it.client, REPLICA_SET, "r3", 4, ref(above, uid="other"))
        assert await PodScales(it.client).total([pod("a", ref(orphan))]) == (4, [])


async def define(client: Client, *, scaled: bool) -> None:
    subresources: Json = {"status": {}}
    if scaled:
        subresources["scale"] = {
            "specReplicasPath": ".spec.arms",
            "statusReplicasPath": ".status.arms",
        }
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": free, "status": free}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": subresources,
    }
    spec = {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "robots", "kind": "Robot"},
        "versions": [version],
    }
    body = {"metadata": {"name": "robots.example.com"}, "spec": spec}
    await client.create(CUSTOM_RESOURCE_DEFINITION, body)


@pytest.mark.parametrize("scaled", [True, False])
async def test_kinds_that_users_define(scaled: bool) -> None:
    async with cluster() as it:
        await define(it.client, scaled=scaled)
        kind = {"apiVersion": "example.com/v1", "kind": "Robot"}
        meta = {"name": "r", "namespace": "default"}
        made = await it.client.create(ROBOT, {**kind, "metadata": meta, "spec": {"arms": 6}})
        scales, some = PodScales(it.client), [pod("a", ref({**kind, **made}))]
        if scaled:
            assert await scales.total(some) == (6, [])
            other = ref({**kind, **made}, uid="other")
            with pytest.raises(ScaleError, match='found no controllers for pod "a"'):
                await scales.total([pod("a", other)])
        else:
            text = "robots.example.com does not implement the scale subresource"
            with pytest.raises(ScaleError, match=text):
                await scales.total(some)


@pytest.mark.parametrize(
    ("owner", "text"),
    [
        ({"apiVersion": "apps/v1", "kind": "ReplicaSet"}, 'found no controllers for pod "a"'),
        ({"apiVersion": "x.io/v1", "kind": "Y"}, 'no matches for kind "Y" in version "x.io/v1"'),
        ({"apiVersion": "apps/v1", "kind": "Y"}, 'no matches for kind "Y" in version "apps/v1"'),
        ({"apiVersion": "a/b/v1", "kind": "Y"}, "invalid owner"),
        ({"apiVersion": "v1", "kind": "Pod", "name": "../../../../metrics"}, "invalid owner"),
        ({"apiVersion": "..", "kind": "Y"}, "no matches"),
        ({"apiVersion": "batch/v1", "kind": "Job"}, "jobs.batch does not implement"),
    ],
)
async def test_owners_that_lead_nowhere(owner: Json, text: str) -> None:
    async with cluster() as it:
        with pytest.raises(ScaleError, match=text):
            await PodScales(it.client).total([pod("a", {"name": "o", "uid": "u", **owner})])
