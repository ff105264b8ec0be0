"""The reference's rules of volumes, on cases worked out by hand."""

from typing import Any

import pytest

from tests.scheduler.reference.kit import HOSTNAME, ZONE, Cluster, Object
from tests.scheduler.reference.things import cluster, let_in, node, pod

DRIVER = "csi.example.com"
BOUND = {"pv.kubernetes.io/bind-completed": "yes"}
EVERY = ["n0", "n1"]


def uses(*claims: str, at: str | None = None, name: str = "pod") -> Object:
    volumes = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims]
    return pod(name, at, volumes=volumes)


def claim(name: str, **spec: Any) -> Object:
    """Bound if it names a volume. `size`, and the rest is its spec."""
    size = spec.pop("size", "1Gi")
    meta: Object = {"name": name, "namespace": "default", "uid": name}
    if "volumeName" in spec:
        meta["annotations"] = BOUND
    base = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    return {"metadata": meta, "spec": {"storageClassName": "late", **base, **spec}}


def volume(name: str, node_name: str | None = None, **more: Any) -> Object:
    """On one node if one is named. `size` and `labels`, and the rest is its spec."""
    size, labels = more.pop("size", "5Gi"), more.pop("labels", {})
    spec = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"]}
    spec |= {"storageClassName": "late", "csi": {"driver": DRIVER, "volumeHandle": name}, **more}
    if node_name:
        line = {"key": HOSTNAME, "operator": "In", "values": [node_name]}
        terms = [{"matchExpressions": [line]}]
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
    status = {"phase": "Available"}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": status}


def storage_class(name: str, provisioner: str, mode: str, **more: Any) -> Object:
    return {
        "metadata": {"name": name},
        "provisioner": provisioner,
        "volumeBindingMode": mode,
        **more,
    }


CLASSES = [
    storage_class("late", "kubernetes.io/no-provisioner", "WaitForFirstConsumer"),
    storage_class("now", DRIVER, "Immediate"),
    storage_class("made", DRIVER, "WaitForFirstConsumer"),
    storage_class(
        "made-in-a",
        DRIVER,
        "WaitForFirstConsumer",
        allowedTopologies=[{"matchLabelExpressions": [{"key": ZONE, "values": ["a"]}]}],
    ),
]


def store(claims: list[Object], volumes: list[Object], **more: list[Object]) -> Cluster:
    pods = more.pop("pods", [])
    nodes = [node("n0", "a"), node("n1", "b")]
    return cluster(nodes, pods, pvcs=claims, pvs=volumes, storageclasses=CLASSES, **more)


@pytest.mark.parametrize(
    ("claims", "volumes", "nodes"),
    [
        ([claim("c", volumeName="v")], [volume("v")], EVERY),
        ([claim("c", volumeName="v")], [volume("v", "n1")], ["n1"]),
        ([claim("c", volumeName="gone")], [], []),
        ([], [], []),
        ([claim("c", storageClassName="now")], [], []),
        ([claim("c", storageClassName="unknown")], [], []),
        ([claim("c", storageClassName="made")], [], EVERY),
        ([claim("c", storageClassName="made-in-a")], [], ["n0"]),
        ([claim("c")], [], []),
        ([claim("c")], [volume("v", "n1")], ["n1"]),
        ([claim("c", size="6Gi")], [volume("v", "n1")], []),
        ([claim("c", accessModes=["ReadWriteMany"])], [volume("v")], []),
        ([claim("c", volumeMode="Block")], [volume("v")], []),
        ([claim("c")], [volume("v", storageClassName="made")], []),
        ([claim("c", selector={"matchLabels": {"a": "1"}})], [volume("v")], []),
        (
            [claim("c", selector={"matchLabels": {"a": "1"}})],
            [volume("v", labels={"a": "1"})],
            EVERY,
        ),
        ([claim("c")], [volume("v", claimRef={"name": "d", "namespace": "default"})], []),
        (
            [claim("c")],
            [volume("v", "n0", claimRef={"name": "c", "namespace": "default"}), volume("w", "n1")],
            ["n0"],
        ),
    ],
)
def test_binding_lets_in(claims: list[Object], volumes: list[Object], nodes: list[str]) -> None:
    assert let_in("VolumeBinding", store(claims, volumes), uses("c")) == nodes


def test_two_claims_need_two_volumes_and_the_smaller_one_chooses_first() -> None:
    claims = [claim("big", size="4Gi"), claim("small", size="1Gi")]
    both = uses("big", "small")
    small, big = volume("small", size="2Gi"), volume("big", size="5Gi")
    assert let_in("VolumeBinding", store(claims, [big, small]), both) == EVERY
    assert let_in("VolumeBinding", store(claims, [big]), both) == []
    other = volume("other", "n1", size="2Gi")
    assert let_in("VolumeBinding", store(claims, [big, other]), both) == ["n1"]


def test_a_claim_that_is_lost_or_leaving_or_meant_for_another_node_binds_nowhere_else() -> None:
    lost, leaving = claim("c", volumeName="v"), claim("c", volumeName="v")
    lost["status"] = {"phase": "Lost"}
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert let_in("VolumeBinding", store([lost], [volume("v")]), uses("c")) == []
    assert let_in("VolumeBinding", store([leaving], [volume("v")]), uses("c")) == []
    meant = claim("c", storageClassName="made")
    meant["metadata"]["annotations"] = {"volume.kubernetes.io/selected-node": "n1"}
    assert let_in("VolumeBinding", store([meant], []), uses("c")) == ["n1"]


def test_a_driver_that_tells_its_capacity_is_believed() -> None:
    driver = {"metadata": {"name": DRIVER}, "spec": {"storageCapacity": True}}
    room = {"storageClassName": "made", "nodeTopology": {"matchLabels": {ZONE: "b"}}}
    where = store(
        [claim("c", storageClassName="made", size="3Gi")],
        [],
        csidrivers=[driver],
        csistoragecapacities=[{**room, "capacity": "4Gi"}],
    )
    assert let_in("VolumeBinding", where, uses("c")) == ["n1"]
    where["csistoragecapacities"][0]["maximumVolumeSize"] = "2Gi"
    assert let_in("VolumeBinding", where, uses("c")) == []


@pytest.mark.parametrize(
    ("labels", "nodes"),
    [
        ({}, EVERY),
        ({ZONE: "a"}, ["n0"]),
        ({ZONE: "b__c"}, ["n1"]),
        ({ZONE: "a__"}, EVERY),
        ({"failure-domain.beta.kubernetes.io/zone": "b"}, ["n1"]),
        ({"topology.kubernetes.io/region": "r"}, []),
    ],
)
def test_a_zone_lets_in(labels: dict[str, str], nodes: list[str]) -> None:
    where = store([claim("c", volumeName="v")], [volume("v", labels=labels)])
    where["nodes"].append(node("n2"))
    assert let_in("VolumeZone", where, uses("c")) == [*nodes, "n2"]


def test_a_zone_waits_only_for_claims_that_may_wait() -> None:
    assert let_in("VolumeZone", store([claim("c")], []), uses("c")) == EVERY
    assert let_in("VolumeZone", store([claim("c", storageClassName="now")], []), uses("c")) == []
    assert let_in("VolumeZone", store([], []), uses("c")) == []


def test_a_node_attaches_as_many_volumes_as_its_driver_says() -> None:
    claims = [claim(name, volumeName=name) for name in ("a", "b", "c")]
    limit = {"name": DRIVER, "allocatable": {"count": 2}}
    csi = [{"metadata": {"name": "n0"}, "spec": {"drivers": [limit]}}]
    there = [uses("a", at="n0", name="p")]
    where = store(claims, [volume(name) for name in "abc"], pods=there, csinodes=csi)
    assert let_in("NodeVolumeLimits", where, uses("b")) == EVERY
    assert let_in("NodeVolumeLimits", where, uses("a", "b")) == EVERY
    assert let_in("NodeVolumeLimits", where, uses("b", "c")) == ["n1"]
    spec = {"attacher": DRIVER, "nodeName": "n0", "source": {"persistentVolumeName": "c"}}
    where["volumeattachments"] = [{"metadata": {"name": "x"}, "spec": spec}]
    assert let_in("NodeVolumeLimits", where, uses("b")) == ["n1"]
    assert let_in("NodeVolumeLimits", where, uses("missing")) == []


def test_a_claim_without_a_volume_counts_for_the_driver_of_its_class() -> None:
    csi: list[Object] = [{"metadata": {"name": "n0"}, "spec": {"drivers": [{"name": DRIVER}]}}]
    where = store([claim("c", storageClassName="made")], [], csinodes=csi)
    assert let_in("NodeVolumeLimits", where, uses("c")) == EVERY
    csi[0]["spec"]["drivers"] = [{"name": DRIVER, "allocatable": {"count": 0}}]
    assert let_in("NodeVolumeLimits", where, uses("c")) == ["n1"]


def test_a_volume_of_its_own_needs_a_claim_that_the_pod_owns() -> None:
    one = pod(volumes=[{"name": "own", "ephemeral": {}}])
    own = claim("pod-own", storageClassName="made")
    plugins = ("VolumeBinding", "NodeVolumeLimits")
    for owners, nodes in [
        ([], []),
        ([{"uid": "pod", "controller": True}], EVERY),
        ([{"uid": "pod"}], []),
        ([{"uid": "other", "controller": True}, {"uid": "pod"}], []),
    ]:
        own["metadata"]["ownerReferences"] = owners
        assert [let_in(plugin, store([own], []), one) for plugin in plugins] == [nodes, nodes]
    assert [let_in(plugin, store([], []), one) for plugin in plugins] == [[], []]


def test_one_pod_alone_may_use_a_claim_of_that_mode() -> None:
    alone = claim("c", volumeName="v", accessModes=["ReadWriteOncePod"])
    where = store([alone], [volume("v")])
    assert let_in("VolumeRestrictions", where, uses("c")) == EVERY
    where["pods"] = [uses("c", at="n0", name="p")]
    assert let_in("VolumeRestrictions", where, uses("c")) == []
    where["pods"][0]["metadata"]["namespace"] = "far"
    assert let_in("VolumeRestrictions", where, uses("c")) == EVERY


def rbd(*monitors: str, **more: Any) -> Object:
    return {"rbd": {"monitors": list(monitors), "image": "i", "pool": "rbd", **more}}


@pytest.mark.parametrize(
    ("held", "wanted", "shared"),
    [
        ({"gcePersistentDisk": {"pdName": "d"}}, {"gcePersistentDisk": {"pdName": "d"}}, False),
        ({"gcePersistentDisk": {"pdName": "d"}}, {"gcePersistentDisk": {"pdName": "e"}}, True),
        (
            {"gcePersistentDisk": {"pdName": "d", "readOnly": True}},
            {"gcePersistentDisk": {"pdName": "d", "readOnly": True}},
            True,
        ),
        (
            {"awsElasticBlockStore": {"volumeID": "d", "readOnly": True}},
            {"awsElasticBlockStore": {"volumeID": "d", "readOnly": True}},
            False,
        ),
        ({"iscsi": {"iqn": "q"}}, {"iscsi": {"iqn": "q", "readOnly": True}}, False),
        (rbd("a", "b"), rbd("b"), False),
        (rbd("a"), rbd("b"), True),
        (rbd("a"), rbd("a", image="j"), True),
        ({"iscsi": {"iqn": "d"}}, {"gcePersistentDisk": {"pdName": "d"}}, True),
    ],
)
def test_a_disk_may_be_shared(held: Object, wanted: Object, shared: bool) -> None:
    where = store([], [], pods=[pod("p", "n0", volumes=[held])])
    nodes = EVERY if shared else ["n1"]
    assert let_in("VolumeRestrictions", where, pod(volumes=[wanted])) == nodes
