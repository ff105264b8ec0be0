"""Plans: what they free, what they leave alone, and that every step holds."""

from typing import Any

import msgspec
import pytest

from argosy.api.core import Pod
from argosy.api.dra import ResourceClaim
from argosy.api.meta import Object
from argosy.scheduler.defrag.ground import Value
from argosy.scheduler.defrag.plan import Plan
from argosy.scheduler.defrag.told import plain, summary
from argosy.scheduler.packing.fragments import UNIT
from tests.scheduler.builders import device_class, group, pod
from tests.scheduler.defrag.kit import (
    APART,
    GPU,
    budget,
    devices,
    host,
    moved,
    planned,
    runs,
    sharing,
)

CORDONED = {"unschedulable": True}
NOT_READY = {"taints": [{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}]}
ANYWHERE = {"tolerations": [{"operator": "Exists"}]}
DEDICATED = {"taints": [{"key": "team", "value": "a", "effect": "NoSchedule"}]}


def test_nodes_are_emptied_onto_fuller_ones_and_a_waiting_pod_fits_then() -> None:
    found = planned(
        *(host(name, gpus=8) for name in ("a", "b", "c")),
        runs("four", "a", gpus=4),
        runs("two", "b", gpus=2),
        runs("one", "c", gpus=1),
        pod("whole", requests={GPU: "8"}),
        pod("small", requests={"cpu": "1"}),
    )
    # `small` has its place at once, on one of the nodes; who waits for 8 has one afterwards.
    assert [one.metadata.name for one in found.helped] == ["whole"]
    assert found.waiting == 2
    assert found.after.nodes - found.before.nodes >= 1
    assert found.after.stranded < found.before.stranded


def test_a_whole_node_without_gpus() -> None:
    found = planned(host("a"), host("b"), runs("p", "a", cpu="2"), runs("q", "b"))
    assert moved(found) == [("q", "b", "a")]
    assert (found.before, found.after) == (Value(0), Value(1))
    assert summary(found) == "1 move frees 1 node."


def test_a_shared_gpu_is_freed_also_on_its_own_node() -> None:
    objects: list[Object] = [device_class(), host("a"), devices("a", 2)]
    for name, device in (("p", "gpu-0"), ("q", "gpu-1")):
        objects += sharing(name, "a", device, 40)
    found = planned(*objects)
    assert [goal.candidate.kind for goal in found.goals] == ["GPU"]
    assert len(moved(found)) == 1
    assert found.after.gpus - found.before.gpus == 1
    told = plain(found)["goals"][0]
    assert told["moves"][0]["devices"] in (["a/gpu-0"], ["a/gpu-1"])
    assert told["gain"]["gpus"] == 1


def test_a_claim_that_others_use_too_keeps_its_pods() -> None:
    first, own = sharing("p", "a", "gpu-0", 40)
    body = msgspec.to_builtins(own)
    another = {"resource": "pods", "name": "x", "uid": "uid-x"}
    body["status"]["reservedFor"] = [*body["status"]["reservedFor"], another]
    shared = msgspec.json.decode(msgspec.json.encode(body), type=ResourceClaim)
    second = sharing("q", "b", "gpu-0", 40)
    there = (device_class(), host("a"), host("b"), devices("a", 1), devices("b", 1))
    found = planned(*there, first, shared, *second)
    assert moved(found) == [("q", "b", "a")]


def test_pods_without_gpus_leave_a_node_whose_gpus_lack_processors() -> None:
    found = planned(
        host("gpu", gpus=8, cpu="8"),
        host("cpu", cpu="16"),
        runs("idle", "gpu", cpu="6"),
        runs("rank", "gpu", gpus=2, cpu="2", kind="Job"),
        runs("other", "cpu", kind="Job"),
    )
    assert moved(found) == [("idle", "gpu", "cpu")]
    assert found.goals[0].candidate.kind == "Room"
    assert found.before.milli == 6000
    assert found.after.milli == 0
    assert summary(found) == ("1 move frees stranded GPUs; stranded GPUs: 6.0 before, 0.0 after.")


def two(*pods: Pod, a: dict[str, Any] | None = None, b: dict[str, Any] | None = None) -> Plan:
    """The plan for two nodes of 8 cpu."""
    return planned(host("a", **(a or {})), host("b", **(b or {})), *pods)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (planned(), "the cluster has no nodes"),
        (two(), "no pods are on the nodes but the nodes' own"),
        (two(runs("d", "a", kind="DaemonSet")), "no pods are on the nodes but the nodes' own"),
        (
            two(runs("p", "a", kind="Job"), runs("q", "b", kind="")),
            "no pod may be moved (of a Job: 1; without controller: 1)",
        ),
        (
            two(runs("p", "a", cpu="5"), runs("q", "b", cpu="5")),
            "2 ways to free something won't do (with pods that fit nowhere else: 2)",
        ),
        (
            two(runs("p", "a"), runs("q", "b"), b={"spec": CORDONED}),
            "1 way to free something won't do (with pods that fit nowhere else: 1)",
        ),
        (
            two(runs("p", "a"), runs("q", "b"), b={"spec": NOT_READY}),
            "1 way to free something won't do (with pods that fit nowhere else: 1)",
        ),
        (
            two(runs("p", "a"), runs("q", "b", kind="Job"), b={"spec": DEDICATED}),
            "1 way to free something won't do (with pods that fit nowhere else: 1)",
        ),
        (
            two(runs("p", "a", spec={"affinity": APART}), runs("q", "b")),
            "2 ways to free something won't do (with pods that fit nowhere else: 2)",
        ),
        (
            two(runs("p", "a", spec=ANYWHERE), runs("q", "b", kind="Job"), b={"spec": NOT_READY}),
            "1 way to free something won't do (with pods that fit nowhere else: 1)",
        ),
        # To fill a node that is free wins nothing.
        (
            two(runs("p", "a")),
            "1 way to free something won't do (with pods that fit nowhere else: 1)",
        ),
        (
            planned(
                *(host("a"), host("b"), runs("p", "a"), runs("q", "b")),
                budget(0, {"matchLabels": {"app": "web"}}),
            ),
            "2 ways to free something won't do (kept by budgets: 2)",
        ),
        (
            two(runs("p", "a", gang="ring"), runs("q", "b", gang="ring")),
            "no pod may be moved (in a gang: 2)",
        ),
        (
            planned(
                *(host("a"), host("b"), runs("p", "a"), runs("p2", "a")),
                *(runs("q", "b"), runs("q2", "b")),
                most=1,
            ),
            "2 ways to free something won't do (beyond the limit of moves: 2)",
        ),
    ],
)
def test_an_empty_plan_says_why(found: Plan, why: str) -> None:
    assert summary(found) == f"Nothing to move: {why}."
    assert found.before == found.after
    assert not found.goals


def test_several_moves_count_against_one_budget() -> None:
    hosts = [host(f"n{at}") for at in range(4)]
    pods = [runs(f"p{at}", f"n{at}") for at in range(4)]
    assert planned(*hosts, *pods).moves == 3
    assert planned(*hosts, *pods, budget(2, {"matchLabels": {"app": "web"}})).moves == 2


def test_a_gang_that_waits_is_placed_as_a_whole() -> None:
    ranks = [pod(f"rank-{at}", requests={GPU: "4"}, gang="ring") for at in range(2)]
    found = planned(
        *(host("a", gpus=4), host("b", gpus=4), host("c", gpus=4)),
        *(runs("p", "a", gpus=1), runs("q", "b", gpus=1)),
        *ranks,
        group("ring", 2),
    )
    assert sorted(one.metadata.name for one in found.helped) == ["rank-0", "rank-1"]


@pytest.mark.parametrize(
    ("change", "better"),
    [
        (Value(), False),
        (Value(1, 0, 0), True),
        (Value(0, 1, 900 * UNIT), True),
        (Value(0, 1, 1000 * UNIT), False),
        (Value(0, 0, -UNIT), True),
        (Value(-1, 3, 0), False),
        (Value(3, -1, 0), False),
    ],
)
def test_what_is_better(change: Value, better: bool) -> None:
    assert change.better is better


def test_nodes_that_take_no_pods_don_t_count() -> None:
    nodes = (host("a", gpus=2), host("b", gpus=2, spec=CORDONED), host("c", spec=NOT_READY))
    assert planned(*nodes).before == Value(1, 2, 0)


def test_no_more_moves_than_asked() -> None:
    hosts = [host(f"n{at}") for at in range(8)]
    found = planned(*hosts, *(runs(f"p{at}", f"n{at}") for at in range(8)), most=3)
    assert found.moves == 3
    assert found.after.nodes == 3


def test_told_as_json() -> None:
    told = plain(planned(host("a"), host("b"), runs("p", "a", cpu="2"), runs("q", "b")))
    assert told == {
        "summary": "1 move frees 1 node.",
        "before": {"freeNodes": 0, "freeGPUs": 0, "strandedMilli": 0},
        "after": {"freeNodes": 1, "freeGPUs": 0, "strandedMilli": 0},
        "goals": [
            {
                "kind": "Node",
                "name": "b",
                "frees": "node b",
                "gain": {"nodes": 1, "gpus": 0, "strandedMilli": 0},
                "gainPerMoveMilli": 1000,
                "moves": [
                    {
                        "step": 1,
                        "pod": "default/q",
                        "controller": "ReplicaSet/web",
                        "from": "b",
                        "to": "a",
                        "devices": [],
                    }
                ],
            }
        ],
        "cordon": ["b"],
        "schedulable": [],
        "waiting": 0,
        "nodes": 2,
        "pods": 2,
        "movable": 2,
        "kept": {},
        "passed": {"filled by other moves": 1},
        "complete": True,
    }
