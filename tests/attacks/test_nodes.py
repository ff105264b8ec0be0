"""Attempts of a node that was taken over to do more than its work: each with its refusal.

The node is `n1`; of its pods there are none, of another's one.
"""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from tests.apiserver.kit import MERGE, Api, serving
from tests.attacks.authorization_kit import CORE, MEMBER, NODE, UNRELATED, Attack, as_user

Json = dict[str, Any]
NODES, PODS = "/api/v1/nodes", f"{CORE}/pods"
SLICES = "/apis/resource.k8s.io/v1/resourceslices"
CONTAINER = {"name": "a", "image": "x"}


def mirror(**spec: Any) -> Json:
    annotations = {"kubernetes.io/config.mirror": "x"}
    containers = [CONTAINER]
    return {
        "metadata": {"name": "m", "annotations": annotations},
        "spec": {"nodeName": "n1", "containers": containers, **spec},
    }


def changing(name: str, path: str, body: Json, refusal: str) -> Attack:
    return Attack(name=name, method="PATCH", kind=MERGE, path=path, body=body, refusal=refusal)


def labelled(name: str) -> Json:
    return {"metadata": {"labels": {name: "x"}}}


SOURCE = {
    "configMap": {"namespace": "kube-system", "name": "c", "kubeletConfigKey": "k", "uid": "u"}
}
SLICE: Json = {
    "metadata": {"name": "s"},
    "spec": {
        "driver": "d.example",
        "nodeName": "n2",
        "pool": {"name": "a", "generation": 1, "resourceSliceCount": 1},
    },
}
ATTACKS = (
    Attack(
        name="be another node",
        path=NODES,
        body={"metadata": {"name": "n3"}},
        refusal='node "n1" is not allowed to modify node "n3"',
    ),
    changing(
        "speak for another node",
        f"{NODES}/n2/status",
        {"status": {"conditions": []}},
        'node "n1" is not allowed to modify node "n2"',
    ),
    changing(
        "attract pods by a label that is not its own to say",
        f"{NODES}/n1",
        labelled("node-restriction.kubernetes.io/secure"),
        "is not allowed to modify labels: node-restriction.kubernetes.io/secure",
    ),
    changing(
        "the same by its status",
        f"{NODES}/n1/status",
        labelled("node-restriction.kubernetes.io/secure"),
        "is not allowed to modify labels",
    ),
    changing(
        "become a control plane's node by a label",
        f"{NODES}/n1",
        labelled("node-role.kubernetes.io/control-plane"),
        "is not allowed to modify labels: node-role.kubernetes.io/control-plane",
    ),
    changing(
        "take its own taints away",
        f"{NODES}/n1",
        {"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}},
        'node "n1" is not allowed to modify taints',
    ),
    changing(
        "read a ConfigMap as its configuration",
        f"{NODES}/n1",
        {"spec": {"configSource": SOURCE}},
        "is not allowed to update configSource to a new non-nil configSource",
    ),
    changing(
        "have another node collected with it",
        f"{NODES}/n1",
        {
            "metadata": {
                "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n2", "uid": "x"}]
            }
        },
        'node "n1" is not allowed to modify ownerReferences',
    ),
    Attack(
        name="run a pod of its own making",
        path=PODS,
        body={"metadata": {"name": "m"}, "spec": mirror()["spec"]},
        refusal='node "n1" can only create mirror pods',
    ),
    Attack(
        name="run a pod on another node",
        path=PODS,
        body=mirror(nodeName="n2"),
        refusal='node "n1" can only create pods with spec.nodeName set to itself',
    ),
    Attack(
        name="take a pod that was not placed yet",
        path=f"{PODS}/free/binding",
        body={"metadata": {"name": "free"}, "target": {"name": "n1"}},
        refusal='cannot create resource "pods/binding"',
    ),
    changing(
        "speak for another's pod",
        f"{PODS}/theirs/status",
        {"status": {"phase": "Running"}},
        'node "n1" can only update pod status for pods with spec.nodeName set to itself',
    ),
    Attack(
        name="delete another's pod",
        method="DELETE",
        path=f"{PODS}/theirs",
        refusal='node "n1" can only delete pods with spec.nodeName set to itself',
    ),
    Attack(
        name="evict another's pod",
        path=f"{PODS}/theirs/eviction",
        body={"metadata": {"name": "theirs"}},
        refusal="node n1 can only evict pods with spec.nodeName set to itself",
    ),
    Attack(
        name="take the token of another's pod",
        path=f"{CORE}/serviceaccounts/default/token",
        body={
            "spec": {
                "audiences": [],
                "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "theirs"},
            }
        },
        refusal=UNRELATED,
    ),
    Attack(
        name="watch the secret of another's pod by its name",
        method="GET",
        path=f"{CORE}/secrets",
        query=(("fieldSelector", "metadata.name=theirs"), ("watch", "1")),
        refusal=UNRELATED,
    ),
    Attack(
        name="list the pods that are not its own",
        method="GET",
        path="/api/v1/pods",
        query=(("fieldSelector", "spec.nodeName!=n1"),),
        refusal="can only list/watch pods with spec.nodeName field selector",
    ),
    Attack(
        name="offer devices for another node",
        path=SLICES,
        body=SLICE,
        refusal="can only create ResourceSlice with the same NodeName as the requesting node",
    ),
    Attack(
        name="offer devices for all nodes",
        path=SLICES,
        body={
            "metadata": {"name": "s"},
            "spec": {"driver": "d.example", "allNodes": True, "pool": SLICE["spec"]["pool"]},
        },
        refusal="can only create ResourceSlice with the same NodeName as the requesting node",
    ),
    Attack(
        name="tell of another node's drivers",
        path="/apis/storage.k8s.io/v1/csinodes",
        body={"metadata": {"name": "n2"}, "spec": {"drivers": []}},
        refusal="can only access CSINode with the same name as the requesting node",
    ),
    Attack(
        name="reach another node's own API",
        method="GET",
        path=f"{NODES}/n2/proxy/pods",
        refusal='cannot get resource "nodes/proxy"',
    ),
    Attack(
        name="hold a lease elsewhere",
        path="/apis/coordination.k8s.io/v1/namespaces/default/leases",
        body={"metadata": {"name": "n1"}},
        refusal='can only access leases in the "kube-node-lease" system namespace',
    ),
    Attack(
        name="enter a pod",
        method="GET",
        path=f"{PODS}/theirs/exec",
        refusal='cannot get resource "pods/exec"',
    ),
    Attack(
        name="read a secret of another's pod",
        method="GET",
        path=f"{CORE}/secrets/theirs",
        refusal=UNRELATED,
    ),
    Attack(
        name="list all secrets",
        method="GET",
        path="/api/v1/secrets",
        refusal="can only read namespaced object of this type",
    ),
    Attack(
        name="list the pods of all nodes",
        method="GET",
        path="/api/v1/pods",
        refusal="can only list/watch pods with spec.nodeName field selector",
    ),
    Attack(
        name="take the lease of another",
        method="PUT",
        path="/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n2",
        refusal="can only access node lease with the same name as the requesting node",
    ),
    Attack(
        name="take a token of an account that none of its pods uses",
        path=f"{CORE}/serviceaccounts/default/token",
        refusal=UNRELATED,
    ),
    Attack(
        name="delete a node",
        method="DELETE",
        path="/api/v1/nodes/n2",
        refusal='User "system:node:n1" cannot delete resource "nodes"',
    ),
    Attack(
        name="be a node by name only",
        method="GET",
        path="/api/v1/nodes/n1",
        who=("system:node:n1", "system:authenticated"),
        refusal='User "system:node:n1" cannot get resource "nodes"',
    ),
)


@pytest_asyncio.fixture
async def api() -> AsyncGenerator[Api, None]:
    async with serving() as running:
        for name in ("n1", "n2"):
            made = await running.ask("POST", NODES, {"metadata": {"name": name}})
            assert made.status == 201, made.body
        for name, where in (("theirs", {"nodeName": "n2"}), ("free", {})):
            pod = {"metadata": {"name": name}, "spec": {"containers": [CONTAINER], **where}}
            made = await running.ask("POST", PODS, pod)
            assert made.status == 201, made.body
        yield running


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_it_is_refused(api: Api, attack: Attack) -> None:
    answer = await api.ask(
        attack.method,
        attack.path,
        attack.body,
        kind=attack.kind,
        headers=as_user(NODE if attack.who == MEMBER else attack.who),
        **dict(attack.query),
    )
    assert answer.status == attack.status, answer.body
    assert attack.refusal in answer.message
