"""A node writes what is its own."""

from typing import Any

import pytest

from argosy.apiserver.admission.node_labels import forbidden_labels
from argosy.apiserver.admission.node_restriction import restrict_nodes
from argosy.apiserver.request import User
from argosy.base.errors import StatusError
from tests.apiserver.admission.kit import asked
from tests.apiserver.kit import Api, Json

NODE = User("system:node:here", ("system:nodes", "system:authenticated"))
META: Json = {"name": "it"}
MINE: Json = {"metadata": META, "spec": {"nodeName": "here"}}
THEIRS: Json = {"metadata": META, "spec": {"nodeName": "there"}}
MIRROR = {"annotations": {"kubernetes.io/config.mirror": "x"}}
OWNER = {"apiVersion": "v1", "kind": "Node", "name": "here", "uid": "u", "controller": True}


def refusal(api: Api, plural: str, new: Json, old: Json | None = None, **more: Any) -> str:
    """What the node is told; nothing where it may."""
    try:
        restrict_nodes(asked(api, plural, new, old, **{"user": NODE, "name": "it", **more}))
    except StatusError as error:
        assert error.code in (403, 404)
        return error.message
    return ""


async def test_others_are_not_restricted(api: Api) -> None:
    for user in (User("me", ("system:authenticated",)), User("x", ("system:nodes",))):
        assert not refusal(api, "pods", THEIRS, user=user)


async def test_a_node_without_a_name_may_nothing(api: Api) -> None:
    nobody = User("system:node:", ("system:nodes",))
    assert "could not determine node" in refusal(api, "pods", MINE, user=nobody)


@pytest.mark.parametrize(
    ("new", "old", "subresource", "why"),
    [
        (MINE, MINE, "status", ""),
        (THEIRS, THEIRS, "status", "can only update pod status for pods with spec.nodeName set"),
        (
            {**MINE, "metadata": {**META, "labels": {"a": "b"}}},
            MINE,
            "status",
            "cannot update labels through pod status",
        ),
        (
            {**MINE, "status": {"resourceClaimStatuses": [{"name": "a"}]}},
            MINE,
            "status",
            "cannot update resource claim statues",
        ),
        (MINE, MINE, "", 'unexpected operation "UPDATE"'),
        (MINE, None, "", "can only create mirror pods"),
        (MINE, None, "exec", "unexpected pod subresource"),
        ({}, THEIRS, "", "can only delete pods with spec.nodeName set to itself"),
        ({}, MINE, "", ""),
    ],
)
async def test_pods(api: Api, new: Json, old: Json | None, subresource: str, why: str) -> None:
    more: Json = {} if new else {"operation": "DELETE"}
    said = refusal(api, "pods", new, old, subresource=subresource, **more)
    assert why in said and bool(why) is bool(said)


@pytest.mark.parametrize(
    ("owners", "spec", "why"),
    [
        ([], {}, "with an owner reference set to itself"),
        ([OWNER, OWNER], {}, "with a single owner reference set to itself"),
        ([{**OWNER, "name": "there"}], {}, "with an owner reference set to itself"),
        ([{**OWNER, "controller": False}], {}, "with a controller owner reference"),
        ([{**OWNER, "blockOwnerDeletion": True}], {}, "must not set blockOwnerDeletion"),
        ([OWNER], {}, "UID mismatch"),
        ([OWNER], {"nodeName": "there"}, "with spec.nodeName set to itself"),
    ],
)
async def test_mirror_pods(api: Api, owners: list[Json], spec: Json, why: str) -> None:
    await api.ask("POST", "/api/v1/nodes", {"metadata": {"name": "here"}})
    meta = {**META, **MIRROR, "ownerReferences": owners}
    assert why in refusal(api, "pods", {"metadata": meta, "spec": {"nodeName": "here", **spec}})


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({}, ""),
        ({"serviceAccountName": "default"}, "serviceaccounts"),
        ({"volumes": [{"name": "v", "secret": {}}]}, "secrets (via secret volumes)"),
        ({"volumes": [{"name": "v", "hostPath": {}}]}, ""),
        (
            {"volumes": [{"name": "v", "projected": {"sources": [{"configMap": {}}]}}]},
            "configmaps (via projected volumes)",
        ),
        ({"resourceClaims": [{"name": "gpu"}]}, "resourceclaims"),
        (
            {"containers": [{"name": "a", "envFrom": [{"configMapRef": {"name": "x"}}]}]},
            "configmaps",
        ),
    ],
)
async def test_mirror_pods_reach_nothing_of_the_api(api: Api, spec: Json, why: str) -> None:
    made = await api.ask("POST", "/api/v1/nodes", {"metadata": {"name": "here"}})
    owner = {**OWNER, "uid": made.meta["uid"]}
    meta = {**META, **MIRROR, "ownerReferences": [owner]}
    said = refusal(api, "pods", {"metadata": meta, "spec": {"nodeName": "here", **spec}})
    assert said.endswith(f"can not create pods that reference {why}") if why else not said


@pytest.mark.parametrize(
    ("new", "old", "why"),
    [
        ({"metadata": {"name": "there"}}, None, "not allowed to modify node"),
        (
            {"metadata": {"name": "here"}, "spec": {"taints": [{"key": "a"}]}},
            {"metadata": {"name": "here"}},
            "not allowed to modify taints",
        ),
        (
            {"metadata": {"name": "here", "labels": {"node-restriction.kubernetes.io/a": "b"}}},
            None,
            "to set the following labels: node-restriction.kubernetes.io/a",
        ),
        (
            {"metadata": {"name": "here"}},
            {"metadata": {"name": "here", "labels": {"node-role.kubernetes.io/x": ""}}},
            "is not allowed to modify labels: node-role.kubernetes.io/x",
        ),
        ({"metadata": {"name": "here", "labels": {"mine": "b"}}}, None, ""),
    ],
)
async def test_nodes(api: Api, new: Json, old: Json | None, why: str) -> None:
    said = refusal(api, "nodes", new, old, name="")
    assert why in said and bool(why) is bool(said)


def test_labels_that_are_not_a_nodes_own() -> None:
    labels = {
        "a": "1",
        "example.com/a": "1",
        "kubernetes.io/hostname": "1",
        "topology.kubernetes.io/zone": "1",
        "node.kubernetes.io/a": "1",
        "x.kubelet.kubernetes.io/a": "1",
        "kubernetes.io/a": "1",
        "a.k8s.io/b": "1",
        "x.node-restriction.kubernetes.io/a": "1",
        "notkubernetes.io/a": "1",
    }
    wrong = ["a.k8s.io/b", "kubernetes.io/a", "x.node-restriction.kubernetes.io/a"]
    assert forbidden_labels(labels, {}) == forbidden_labels({}, labels) == wrong
    assert forbidden_labels(labels, labels) == []


@pytest.mark.parametrize(
    ("plural", "group", "new", "why"),
    [
        ("leases", "coordination.k8s.io", {"metadata": {"name": "here"}}, "system namespace"),
        ("csinodes", "storage.k8s.io", {"metadata": {"name": "there"}}, "same name as"),
        ("csinodes", "storage.k8s.io", {"metadata": {"name": "here"}}, ""),
        ("resourceslices", "resource.k8s.io", THEIRS, "same NodeName as"),
        ("resourceslices", "resource.k8s.io", MINE, ""),
        ("persistentvolumeclaims", "", MINE, "may only update PVC status"),
    ],
)
async def test_others(api: Api, plural: str, group: str, new: Json, why: str) -> None:
    said = refusal(api, plural, new, group=group, name="")
    assert why in said and bool(why) is bool(said)


async def test_tokens_are_for_pods_of_the_node(api: Api) -> None:
    tokens = {"sources": [{"serviceAccountToken": {"path": "token", "audience": "vault"}}]}
    container = {"name": "main", "image": "x"}
    for name, node in (("mine", "here"), ("theirs", "there")):
        volumes = [{"name": "v", "projected": tokens}]
        spec = {"containers": [container], "nodeName": node, "volumes": volumes}
        await api.create("Pod", {"metadata": {"name": name}, "spec": spec})

    async def said(audiences: list[str], **reference: str) -> str:
        pod = reference.get("name") or "mine"
        uid = (await api.get(f"/api/v1/namespaces/default/pods/{pod}")).meta["uid"]
        bound = {"apiVersion": "v1", "kind": "Pod", "name": pod, "uid": uid, **reference}
        request = {"spec": {"boundObjectRef": bound, "audiences": audiences}}
        never = api.cluster.plane.server._authorizer.authorize
        more: Any = {"subresource": "token", "operation": "CREATE", "authorize": never}
        return refusal(api, "serviceaccounts", request, **more)

    assert await said(["vault"]) == ""
    assert "not found in pod spec volume" in await said(["other"])
    assert "may only request 0 or 1" in await said(["vault", "other"])
    assert "scheduled on a different node" in await said(["vault"], name="theirs")
    assert "does not match the UID" in await said(["vault"], uid="wrong")
    assert "without a uid" in await said(["vault"], uid="")
    assert "not bound to a pod" in await said(["vault"], kind="Secret")
