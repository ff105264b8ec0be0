"""What a node may do, with and without a way from the object to it."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from argosy.apiserver.authorization.attributes import Attributes
from argosy.apiserver.authorization.node import NO, YES, Nodes, node_name
from argosy.apiserver.request import User
from argosy.base.selectors import parse_fields
from argosy.store.interface import DELETE
from argosy.store.memory import MemoryStore

Json = dict[str, Any]
NODE = User("system:node:n1", ("system:nodes",))
UNRELATED = "no relationship found between node 'n1' and this object"
POD: Json = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "nodeName": "n1",
        "serviceAccountName": "runner",
        "imagePullSecrets": [{"name": "pull"}],
        "containers": [
            {
                "name": "c",
                "envFrom": [
                    {"secretRef": {"name": "env-from"}},
                    {"configMapRef": {"name": "map-from"}},
                ],
                "env": [
                    {"name": "A", "value": "1"},
                    {"name": "B", "valueFrom": {"secretKeyRef": {"name": "env", "key": "k"}}},
                    {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "map", "key": "k"}}},
                ],
            }
        ],
        "ephemeralContainers": [
            {"name": "e", "envFrom": [{"secretRef": {"name": "debug"}}]},
        ],
        "volumes": [
            {"name": "a", "secret": {"secretName": "volume"}},
            {"name": "b", "configMap": {"name": "map-volume"}},
            {"name": "c", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "d", "ephemeral": {"volumeClaimTemplate": {}}},
            {"name": "e", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "csi"}}},
            {
                "name": "f",
                "projected": {
                    "sources": [
                        {"secret": {"name": "projected"}},
                        {"configMap": {"name": "map-projected"}},
                    ]
                },
            },
        ],
        "resourceClaims": [
            {"name": "gpu", "resourceClaimName": "shared"},
            {"name": "own", "resourceClaimTemplateName": "t"},
        ],
    },
    "status": {"resourceClaimStatuses": [{"name": "own", "resourceClaimName": "web-own-x"}]},
}
VOLUME: Json = {
    "metadata": {"name": "pv"},
    "spec": {
        "claimRef": {"namespace": "default", "name": "data"},
        "csi": {
            "driver": "d",
            "nodeStageSecretRef": {"name": "stage", "namespace": "storage"},
            "controllerPublishSecretRef": {"name": "controllers", "namespace": "storage"},
        },
    },
}


@pytest_asyncio.fixture
async def store() -> AsyncIterator[MemoryStore]:
    made = MemoryStore()
    await put(made, "//pods/default/web", POD)
    await put(made, "//persistentvolumes/pv", VOLUME)
    for key, node in (("mine", "n1"), ("other", "n2")):
        spec = {"spec": {"nodeName": node}}
        await put(made, f"/storage.k8s.io/volumeattachments/{key}", spec)
        await put(made, f"/resource.k8s.io/resourceslices/{key}", spec)
        await put(made, f"/certificates.k8s.io/podcertificaterequests/default/{key}", spec)
    yield made
    await made.close()


@pytest.fixture
def nodes(store: MemoryStore) -> Nodes:
    return Nodes(store, lambda gate: True)


async def put(store: MemoryStore, key: str, obj: Json | None) -> None:
    await store.write(
        key, lambda record, revision: DELETE if obj is None else msgspec.json.encode(obj)
    )


def asks(verb: str, what: str, name: str = "", fields: str = "", namespace: str = "") -> Attributes:
    """`what` is `[group:]resource[/subresource]`."""
    group, _, what = what.rpartition(":")
    resource, _, subresource = what.partition("/")
    return Attributes(
        user=NODE,
        verb=verb,
        group=group,
        resource=resource,
        subresource=subresource,
        name=name,
        fields=parse_fields(fields),
        namespace=namespace,
    )


@pytest.mark.parametrize(
    ("what", "name"),
    [
        *(("secrets", name) for name in ("pull", "env-from", "env", "debug", "volume", "csi")),
        ("secrets", "projected"),
        *(("configmaps", name) for name in ("map-from", "map", "map-volume", "map-projected")),
        ("persistentvolumeclaims", "data"),
        ("persistentvolumeclaims", "web-d"),
        ("resource.k8s.io:resourceclaims", "shared"),
        ("resource.k8s.io:resourceclaims", "web-own-x"),
        ("serviceaccounts", "runner"),
        ("pods", "web"),
    ],
)
async def test_what_a_pod_names_its_node_may_get(
    store: MemoryStore, nodes: Nodes, what: str, name: str
) -> None:
    asked = asks("get", what, name, namespace="default")
    assert nodes.decide("n1", asked) == YES
    for other in (
        nodes.decide("n2", asked),
        nodes.decide("n1", asks("get", what, name, namespace="other")),
        nodes.decide("n1", asks("get", what, "strange", namespace="default")),
    ):
        assert not other[0]
    await put(store, "//pods/default/web", None)
    assert nodes.decide("n1", asked) == (False, UNRELATED)


async def test_volumes_and_their_secrets_are_found_by_the_claim(
    store: MemoryStore, nodes: Nodes
) -> None:
    volume = asks("get", "persistentvolumes", "pv")
    stage = asks("get", "secrets", "stage", namespace="storage")
    theirs = asks("get", "secrets", "controllers", namespace="storage")
    assert nodes.decide("n1", volume) == nodes.decide("n1", stage) == YES
    assert nodes.decide("n2", volume)[0] is nodes.decide("n1", theirs)[0] is False
    await put(store, "//persistentvolumes/pv", {**VOLUME, "spec": {}})
    assert nodes.decide("n1", volume) == nodes.decide("n1", stage) == (False, UNRELATED)


async def test_a_mirror_of_its_own_pod_leads_to_nothing(store: MemoryStore, nodes: Nodes) -> None:
    meta = {**POD["metadata"], "annotations": {"kubernetes.io/config.mirror": "x"}}
    await put(store, "//pods/default/web", {**POD, "metadata": meta})
    assert nodes.decide("n1", asks("get", "pods", "web", namespace="default")) == YES
    secret = asks("get", "secrets", "env", namespace="default")
    assert nodes.decide("n1", secret) == (False, UNRELATED)


async def test_pods_that_share_a_secret_keep_it_for_each_other(
    store: MemoryStore, nodes: Nodes
) -> None:
    twin = {**POD, "metadata": {"name": "twin", "namespace": "default"}}
    secret = asks("get", "secrets", "env", namespace="default")
    await put(store, "//pods/default/twin", twin)
    assert nodes.decide("n1", secret) == YES
    await put(store, "//pods/default/web", None)
    assert nodes.decide("n1", secret) == YES
    await put(store, "//pods/default/twin", {**twin, "spec": {**POD["spec"], "nodeName": "n2"}})
    assert nodes.decide("n1", secret) == (False, UNRELATED)
    assert nodes.decide("n2", secret) == YES


DEFAULT = {"namespace": "default"}
LEASE = {"namespace": "kube-node-lease"}
MINE = "spec.nodeName=n1"
SLICE = "resource.k8s.io:resourceslices"
REQUEST = "certificates.k8s.io:podcertificaterequests"
CSI = "storage.k8s.io:csinodes"
LEASES = "coordination.k8s.io:leases"
LEASE_VERBS = "can only get, create, update, patch, or delete a node lease"
CSI_VERBS = "can only get, create, update, patch, or delete a CSINode"
TABLE: list[tuple[Attributes, str | None]] = [
    (asks("get", "nodes", "n1"), None),
    (asks("list", "nodes", "n1"), None),
    (asks("list", "nodes"), "node 'n1' cannot read all nodes, only its own Node object"),
    (asks("get", "nodes", "n2"), "node 'n1' cannot read 'n2', only its own Node object"),
    (asks("create", "nodes"), None),
    (asks("patch", "nodes/status", "n1"), None),
    (asks("delete", "nodes", "n1"), ""),
    (asks("create", "nodes/status", "n1"), ""),
    (asks("get", "nodes/proxy", "n1"), ""),
    (asks("list", "pods", fields=MINE), None),
    (asks("watch", "pods", fields=f"status.phase=Running,{MINE}"), None),
    (asks("list", "pods"), "can only list/watch pods with spec.nodeName field selector"),
    (
        asks("list", "pods", fields="spec.nodeName=n2"),
        "can only list/watch pods with spec.nodeName field selector",
    ),
    (
        asks("list", "pods", fields="spec.nodeName!=n1"),
        "can only list/watch pods with spec.nodeName field selector",
    ),
    (asks("watch", "pods", "web", **DEFAULT), None),
    (asks("watch", "pods", "db", **DEFAULT), UNRELATED),
    (asks("get", "pods", **DEFAULT), "No Object name found"),
    (asks("create", "pods", **DEFAULT), None),
    (asks("delete", "pods", "web", **DEFAULT), None),
    (asks("update", "pods", "web", **DEFAULT), ""),
    (asks("update", "pods/status", "web", **DEFAULT), None),
    (asks("create", "pods/eviction", "web", **DEFAULT), None),
    (asks("get", "pods/log", "web", **DEFAULT), ""),
    (asks("create", "pods/exec", "web", **DEFAULT), ""),
    (asks("watch", "secrets", "env", **DEFAULT), None),
    (asks("list", "secrets", **DEFAULT), "No Object name found"),
    (asks("list", "secrets"), "can only read namespaced object of this type"),
    (asks("delete", "secrets", "env", **DEFAULT), "can only read resources of this type"),
    (asks("get", "secrets/x", "env", **DEFAULT), "cannot read subresource"),
    (
        asks("list", "persistentvolumeclaims", **DEFAULT),
        "can only get individual resources of this type",
    ),
    (asks("get", "persistentvolumes/status", "pv"), "cannot get subresource"),
    (asks("patch", "persistentvolumeclaims/status", "data", **DEFAULT), None),
    (
        asks("get", "persistentvolumeclaims/status", "data", **DEFAULT),
        "can only get/update/patch this type",
    ),
    (asks("create", "serviceaccounts/token", "runner", **DEFAULT), None),
    (asks("create", "serviceaccounts/token", "admin", **DEFAULT), UNRELATED),
    (
        asks("create", "serviceaccounts", "runner", **DEFAULT),
        "can only create token subresource of serviceaccount",
    ),
    (
        asks("list", "serviceaccounts", **DEFAULT),
        "can only create tokens for individual service accounts",
    ),
    (asks("update", LEASES, "n1", **LEASE), None),
    (asks("create", LEASES, **LEASE), None),
    (
        asks("get", LEASES, "n2", **LEASE),
        "can only access node lease with the same name as the requesting node",
    ),
    (asks("list", LEASES, **LEASE), LEASE_VERBS),
    (
        asks("get", LEASES, "n1", namespace="kube-system"),
        'can only access leases in the "kube-node-lease" system namespace',
    ),
    (asks("patch", CSI, "n1"), None),
    (asks("create", CSI), None),
    (
        asks("get", CSI, "n2"),
        "can only access CSINode with the same name as the requesting node",
    ),
    (asks("list", CSI), CSI_VERBS),
    (asks("get", f"{CSI}/status", "n1"), "cannot authorize CSINode subresources"),
    (asks("create", SLICE), None),
    (asks("delete", SLICE, "mine"), None),
    (asks("delete", SLICE, "other"), UNRELATED),
    (asks("deletecollection", SLICE, fields=MINE), None),
    (
        asks("list", SLICE),
        "can only list/watch/deletecollection resourceslices with nodeName field selector",
    ),
    (
        asks("escalate", SLICE),
        "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, "
        "update, patch, delete, deletecollection",
    ),
    (asks("get", f"{SLICE}/status", "mine"), "cannot authorize ResourceSlice subresources"),
    (asks("get", "storage.k8s.io:volumeattachments", "mine"), None),
    (asks("get", "storage.k8s.io:volumeattachments", "other"), UNRELATED),
    (asks("create", REQUEST, **DEFAULT), None),
    (asks("get", REQUEST, "mine", **DEFAULT), None),
    (asks("get", REQUEST, "other", **DEFAULT), UNRELATED),
    (asks("watch", REQUEST, fields=MINE), None),
    (
        asks("list", REQUEST),
        "can only list/watch podcertificaterequests with nodeName field selector",
    ),
    (asks("delete", REQUEST, "mine"), "nodes may not delete podcertificaterequests"),
    (
        asks("update", f"{REQUEST}/status", "mine"),
        "nodes may not access the status subresource of PodCertificateRequests",
    ),
    (asks("list", "services"), None),
    (asks("create", "services"), ""),
    (asks("create", "authentication.k8s.io:tokenreviews"), None),
    (asks("create", "events", **DEFAULT), None),
    (asks("list", "rbac.authorization.k8s.io:clusterroles"), ""),
]


@pytest.mark.parametrize(("asked", "why"), TABLE)
async def test_what_else_it_may(nodes: Nodes, asked: Attributes, why: str | None) -> None:
    assert nodes.decide("n1", asked) == (YES if why is None else (False, why))


async def test_it_has_no_paths_and_needs_a_name(nodes: Nodes) -> None:
    assert nodes.decide("n1", Attributes(user=NODE, verb="get", path="/metrics")) == NO
    asked = asks("get", "nodes", "n1")
    assert nodes.decide("", asked) == (False, 'unknown node for user "system:node:n1"')


async def test_requests_for_certificates_have_a_gate(store: MemoryStore) -> None:
    shut = Nodes(store, lambda gate: gate != "PodCertificateRequest")
    assert shut.decide("n1", asks("create", REQUEST, **DEFAULT)) == NO


@pytest.mark.parametrize(
    ("user", "name"),
    [
        (NODE, "n1"),
        (User("system:node:", ("system:nodes",)), ""),
        (User("system:node:n1", ("system:authenticated",)), None),
        (User("node:n1", ("system:nodes",)), None),
    ],
)
def test_who_is_a_node(user: User, name: str | None) -> None:
    assert node_name(user) == name
