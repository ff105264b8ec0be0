"""The objects of simulated nodes."""

from typing import Any

import msgspec

from argosy.api.core import Node
from argosy.api.dra import ResourceSlice
from argosy.node.simulated.groups import parse_groups
from argosy.node.simulated.nodes import NAME, SimulatedNode, all_nodes, revised
from argosy.testing.clock import EPOCH

Json = dict[str, Any]


def one(words: str, *, number: int = 1) -> SimulatedNode:
    return SimulatedNode(parse_groups([f"100x({words})"])[0], number)


def merged(target: Json, patch: Json) -> Json:
    """JSON merge patch (RFC 7396)."""
    result = dict(target)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = merged(result.get(key) or {}, value)
        else:
            result[key] = value
    return result


def test_a_node_says_what_it_is() -> None:
    node = one("cpu=64,memory=512Gi,gpu=8xH100,labels=tier=gold,taints=spot=yes:NoSchedule")
    found = msgspec.convert({**node.body(), "status": node.status(EPOCH)}, Node)
    assert found.metadata.name == "sim-0-0001" and NAME.fullmatch(found.metadata.name)
    assert found.metadata.labels == {
        "argosy.dev/simulated": "true",
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": "sim-0-0001",
        "kubernetes.io/os": "linux",
        "nvidia.com/gpu.count": "8",
        "nvidia.com/gpu.memory": "81920",
        "nvidia.com/gpu.product": "H100",
        "tier": "gold",
    }
    assert found.status.capacity == found.status.allocatable
    assert found.status.allocatable == {
        "cpu": "64",
        "ephemeral-storage": "1Ti",
        "memory": "512Gi",
        "nvidia.com/gpu": "8",
        "pods": "110",
    }
    conditions = {item.type: item.status for item in found.status.conditions}
    assert conditions.pop("Ready") == "True" and set(conditions.values()) == {"False"}
    assert [taint.key for taint in found.spec.taints] == ["spot"]


def test_nodes_are_spread_over_zones() -> None:
    nodes = all_nodes(parse_groups(["5x(zones=2)"])).values()
    labels = [node.body()["metadata"]["labels"] for node in nodes]
    zones = [found["topology.kubernetes.io/zone"] for found in labels]
    assert zones == ["zone-1", "zone-2", "zone-1", "zone-2", "zone-1"]
    assert {found["topology.kubernetes.io/region"] for found in labels} == {"simulated"}


def test_names_and_addresses_stay_when_groups_grow() -> None:
    few = all_nodes(parse_groups(["2x(),2x()"]))
    many = all_nodes(parse_groups(["50x(),12000x()"]))
    assert list(few) == ["sim-0-0001", "sim-0-0002", "sim-1-0001", "sim-1-0002"]
    assert {name: node.address for name, node in few.items()}.items() <= {
        name: node.address for name, node in many.items()
    }.items()
    assert len({node.address for node in many.values()}) == len(many) == 12050
    assert all(NAME.fullmatch(name) for name in many)


def test_devices_are_the_nodes() -> None:
    (body,) = one("gpu=8xH100").slices("u", [])
    piece = msgspec.convert(body, ResourceSlice)
    assert (piece.metadata.name, piece.spec.node_name) == (
        "sim-0-0001-gpu.argosy.dev-0",
        "sim-0-0001",
    )
    assert len(piece.spec.devices) == 8 and piece.metadata.owner_references[0].uid == "u"
    (changed,) = one("gpu=4xH100").slices("u", [piece])
    assert changed["spec"]["pool"]["generation"] == piece.spec.pool.generation + 1
    assert one("cpu=1").slices("u", [piece]) == []


def test_a_node_of_other_words_becomes_what_is_wanted() -> None:
    before = one("cpu=8,gpu=8xH100,labels=a=1;b=2,taints=spot=yes:NoSchedule,zones=3")
    after = one("cpu=16,labels=b=3")
    patch, status = revised(after, before.group.words, EPOCH)
    meta = before.body()["metadata"]
    there = {**before.body(), "metadata": {**meta, "labels": {**meta["labels"], "mine": "x"}}}
    found = merged(there, patch)
    assert found["metadata"]["labels"].pop("mine") == "x"
    assert found == after.body()
    other = {"capacity": {"example.com/by-hand": "1"}}
    told = merged(merged(before.status(EPOCH), other), status)
    assert told["capacity"].pop("example.com/by-hand") == "1"
    assert told == after.status(EPOCH)


def test_taints_of_others_stay_where_ours_are_the_same() -> None:
    patch, _ = revised(one("cpu=16"), "cpu=8", EPOCH)
    assert "spec" not in patch


def test_words_that_nobody_can_read_are_no_obstacle() -> None:
    node = one("cpu=16,labels=a=1")
    patch, status = revised(node, "((", EPOCH)
    assert patch["metadata"] == node.body()["metadata"] and status == node.status(EPOCH)
