"""What keeps a cluster in order: accounts, roots, quotas, claims, roles, taints, pods of nobody."""

from collections.abc import Sequence
from pathlib import Path

from argosy.api.core import Namespace, Node, Pod
from argosy.api.dra import ResourceClaim, ResourceClaimTemplate
from argosy.api.rbac import ClusterRole
from argosy.api.replicas import ReplicaSet
from argosy.api.resource import Resource
from argosy.api.resources.core import (
    CONFIG_MAP,
    PERSISTENT_VOLUME_CLAIM,
    RESOURCE_QUOTA,
    SECRET,
    SERVICE_ACCOUNT,
)
from argosy.cluster.bootstrap import PROVISIONER
from argosy.controllers.claimprotection import claim_protection
from argosy.controllers.clusterroleaggregation import cluster_role_aggregation
from argosy.controllers.nodetaints import node_taints
from argosy.controllers.podgc import pod_collector
from argosy.controllers.replicasets import replica_sets
from argosy.controllers.reservations import reservations
from argosy.controllers.resourceclaims import resource_claims
from argosy.controllers.resourcequotas import resource_quotas
from argosy.controllers.rootca import root_ca
from argosy.controllers.serviceaccounts import service_accounts
from argosy.controllers.tokens import account_tokens
from argosy.controllers.volumeclaims import volume_claims
from argosy.runtime.manager import Manager
from tests.simulation.actors import User
from tests.simulation.engine import Scenario
from tests.simulation.scenarios.bodies import collect, conditions, finalizers, template, workload
from tests.simulation.world import Invariant, Json, Step, World


async def _issue(namespace: str, secret: str, account: str, uid: str) -> str:
    return f"{namespace}/{secret}/{account}"


def _accounts(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(service_accounts(manager))
    manager.add(root_ca(manager, b"PEM"))
    manager.add(account_tokens(manager, _issue, b"PEM"))


async def _accounted(user: User) -> None:
    await user.create(Namespace.resource, {"metadata": {"name": "team"}})
    for name in ("stays", "goes"):
        meta: Json = {"name": name, "namespace": "default"}
        await user.create(SERVICE_ACCOUNT, {"metadata": meta})
        await user.pause(5)
        meta = {
            **meta,
            "name": f"token-{name}",
            "annotations": {"kubernetes.io/service-account.name": name},
        }
        await user.create(SECRET, {"metadata": meta, "type": "kubernetes.io/service-account-token"})
    await user.pause()
    await user.delete(SERVICE_ACCOUNT, "goes")
    await user.delete(SERVICE_ACCOUNT, "default", namespace="team")
    await user.delete(CONFIG_MAP, "kube-root-ca.crt")


ACCOUNTS = Scenario(
    name="service-accounts",
    controllers=_accounts,
    script=_accounted,
    final=lambda world: {
        "accounts": [
            "/".join((item["metadata"]["namespace"], item["metadata"]["name"]))
            for item in world.all(SERVICE_ACCOUNT)
            if item["metadata"]["namespace"] in ("default", "team")
        ],
        "roots": sum(
            item["data"] == {"ca.crt": "PEM"}
            for item in world.all(CONFIG_MAP)
            if item["metadata"]["name"] == "kube-root-ca.crt"
        ),
        "secrets": {
            item["metadata"]["name"]: sorted(item.get("data", ())) for item in world.all(SECRET)
        },
    },
    expected={
        "accounts": ["default/default", "default/stays", "team/default"],
        "roots": 5,
        "secrets": {"token-stays": ["ca.crt", "namespace", "token"]},
    },
    writes=100,
)


def _quotas(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(resource_quotas(manager, served))
    manager.add(replica_sets(manager))


def within(most: int) -> Invariant:
    """The quota is never exceeded."""

    def check(world: World, step: Step) -> None:
        if step.concerns(Pod.resource) and step.before is None:
            phases = [pod["status"].get("phase") for pod in world.all(Pod.resource)]
            count = sum(phase not in ("Succeeded", "Failed") for phase in phases)
            assert count <= most, f"{count} pods, {most} allowed"

    return check


async def _limited(user: User) -> None:
    meta = {"name": "q", "namespace": "default"}
    quota = {"metadata": meta, "spec": {"hard": {"pods": "5"}}}
    await user.create(RESOURCE_QUOTA, quota)
    await user.until(lambda: "hard" in (user.world.get(RESOURCE_QUOTA, "q") or {})["status"])
    for name, replicas in (("one", 4), ("two", 3)):
        await user.create(ReplicaSet.resource, workload(name, replicas=replicas))
        await user.pause()
    await user.merge(ReplicaSet.resource, "one", {"spec": {"replicas": 2}})
    await user.pause()
    if pods := user.world.all(Pod.resource):
        await user.delete(Pod.resource, pods[-1]["metadata"]["name"])


QUOTAS = Scenario(
    name="resource-quota",
    controllers=_quotas,
    script=_limited,
    final=lambda world: {
        "used": [item["status"].get("used") for item in world.all(RESOURCE_QUOTA)],
        "pods": len(world.all(Pod.resource)),
        "sets": {
            item["metadata"]["name"]: item["status"].get("readyReplicas", 0)
            for item in world.all(ReplicaSet.resource)
        },
        "failures": [conditions(item) for item in world.all(ReplicaSet.resource)],
    },
    expected={
        "used": [{"pods": "5"}],
        "pods": 5,
        "sets": {"one": 2, "two": 3},
        "failures": [{}, {}],
    },
    invariants=(lambda: within(5),),
    writes=400,
)


def _claims(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(volume_claims(manager, Path("/nowhere"), PROVISIONER))
    manager.add(claim_protection(manager))


def held() -> Invariant:
    """A claim that a pod on a node uses does not go."""

    def check(world: World, step: Step) -> None:
        if step.after is not None or not step.concerns(PERSISTENT_VOLUME_CLAIM):
            return
        name = step.key.rpartition("/")[2]
        users = [
            pod["metadata"]["name"]
            for pod in world.all(Pod.resource)
            for volume in pod["spec"].get("volumes") or ()
            if volume.get("persistentVolumeClaim", {}).get("claimName") == name
            and pod["spec"].get("nodeName")
            and pod["status"].get("phase") not in ("Succeeded", "Failed")
        ]
        assert not users, f"{users} use it"

    return check


def _placed(world: World) -> bool:
    return all(pod["spec"].get("nodeName") for pod in world.all(Pod.resource))


async def _store(user: User) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    for name in ("a", "b"):
        meta = {"name": name, "namespace": "default"}
        await user.create(PERSISTENT_VOLUME_CLAIM, {"metadata": meta, "spec": spec})
        await user.pause(5)
        volume = {"name": "v", "persistentVolumeClaim": {"claimName": name}}
        body = template(name, volumes=[volume])
        body["metadata"] = {"name": f"uses-{name}", "namespace": "default"}
        await user.create(Pod.resource, body)
        await user.pause(5)
    await user.until(lambda: _placed(user.world))  # no scheduler takes a claim that goes
    await user.delete(PERSISTENT_VOLUME_CLAIM, "a")
    await user.pause()
    await user.delete(Pod.resource, "uses-a")


CLAIMS = Scenario(
    name="volume-claims",
    controllers=_claims,
    script=_store,
    final=lambda world: {
        item["metadata"]["name"]: [item["status"].get("phase"), *finalizers(item)]
        for item in world.all(PERSISTENT_VOLUME_CLAIM)
    },
    expected={"b": ["Bound", "kubernetes.io/pvc-protection"]},
    invariants=(held,),
    protected=True,
    nodes=("a",),
    writes=120,
)


def _devices(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(resource_claims(manager))
    manager.add(reservations(manager))
    collect(manager, Pod.resource, ResourceClaim.resource)


async def _ask(user: User) -> None:
    request = {"name": "gpu", "exactly": {"deviceClassName": "gpu.argosy.dev"}}
    body = {
        "metadata": {"name": "t", "namespace": "default"},
        "spec": {"spec": {"devices": {"requests": [request]}}},
    }
    await user.create(ResourceClaimTemplate.resource, body)
    for number in range(4):
        pod = template("x", resourceClaims=[{"name": "gpu", "resourceClaimTemplateName": "t"}])
        pod["metadata"] = {"name": f"p{number}", "namespace": "default"}
        await user.create(Pod.resource, pod)
        await user.pause(5)
    await user.delete(Pod.resource, "p1")


DEVICES = Scenario(
    name="resource-claims",
    controllers=_devices,
    script=_ask,
    final=lambda world: {
        "pods": {
            pod["metadata"]["name"]: len(pod["status"].get("resourceClaimStatuses") or ())
            for pod in world.all(Pod.resource)
        },
        "claims": sorted(
            item["metadata"]["ownerReferences"][0]["name"]
            for item in world.all(ResourceClaim.resource)
        ),
    },
    expected={
        "pods": {"p0": 1, "p2": 1, "p3": 1},
        "claims": ["p0", "p2", "p3"],
    },
    writes=120,
)


def _roles(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(cluster_role_aggregation(manager))


async def _gather(user: User) -> None:
    chosen = {"clusterRoleSelectors": [{"matchLabels": {"to": "all"}}]}
    await user.create(
        ClusterRole.resource, {"metadata": {"name": "all"}, "aggregationRule": chosen, "rules": []}
    )
    for name in ("pods", "secrets", "nodes"):
        rule = {"verbs": ["get"], "apiGroups": [""], "resources": [name]}
        meta = {"name": name, "labels": {"to": "all"}}
        await user.create(ClusterRole.resource, {"metadata": meta, "rules": [rule]})
        await user.pause(5)
    await user.delete(ClusterRole.resource, "secrets")
    await user.merge(ClusterRole.resource, "nodes", {"metadata": {"labels": {"to": None}}})
    await user.pause(5)
    await user.merge(ClusterRole.resource, "nodes", {"metadata": {"labels": {"to": "all"}}})


ROLES = Scenario(
    name="cluster-roles",
    controllers=_roles,
    script=_gather,
    final=lambda world: {
        "rules": [
            rule["resources"]
            for rule in (world.get(ClusterRole.resource, "all") or {}).get("rules") or ()
        ]
    },
    expected={"rules": [["nodes"], ["pods"]]},
    writes=60,
)


def _taints(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(node_taints(manager))


async def _sicken(user: User) -> None:
    for _ in range(3):
        for kind, status in (("Ready", "False"), ("MemoryPressure", "True")):
            told = [{"type": kind, "status": status}]
            await user.merge(
                Node.resource, "a", {"status": {"conditions": told}}, subresource="status"
            )
            await user.pause(5)
    well = [{"type": "Ready", "status": "True"}, {"type": "DiskPressure", "status": "True"}]
    await user.merge(Node.resource, "a", {"status": {"conditions": well}}, subresource="status")


TAINTS = Scenario(
    name="node-taints",
    controllers=_taints,
    script=_sicken,
    final=lambda world: {
        item["metadata"]["name"]: [taint["key"] for taint in item["spec"].get("taints") or ()]
        for item in world.all(Node.resource)
    },
    expected={"a": ["node.kubernetes.io/disk-pressure"], "b": []},
    protected=True,
    writes=60,
)


def _strays(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add_runner(pod_collector(manager).run)


async def _lose(user: User) -> None:
    for number in range(6):
        body = template("x")
        body["metadata"] = {"name": f"p{number}", "namespace": "default"}
        await user.create(Pod.resource, body)
    await user.until(lambda: _placed(user.world))
    await user.delete(Node.resource, "a")
    await user.pause(60)


STRAYS = Scenario(
    name="pod-gc",
    controllers=_strays,
    script=_lose,
    final=lambda world: {
        "nodes": sorted({pod["spec"]["nodeName"] for pod in world.all(Pod.resource)} - {"b"})
    },
    expected={"nodes": []},
    writes=100,
)


UPKEEP = (ACCOUNTS, QUOTAS, CLAIMS, DEVICES, ROLES, TAINTS, STRAYS)
