"""`argosy defrag`: plans over a cluster's API, prints the plan, and evicts nobody."""

from pathlib import Path
from typing import Any

import msgspec
from typer.testing import CliRunner

from argosy.api.core import Node, Pod
from argosy.api.disruption import PodDisruptionBudget
from argosy.cli.defrag import lines, planned
from argosy.cli.main import app
from argosy.testing.cluster import Cluster, cluster

Json = dict[str, Any]
GPU = "nvidia.com/gpu"
OWNER = {
    "apiVersion": "apps/v1",
    "kind": "ReplicaSet",
    "name": "web",
    "uid": "uid-web",
    "controller": True,
}


class Known(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What is free."""

    free_nodes: int
    free_gpus: int = msgspec.field(name="freeGPUs")
    stranded_milli: int


class Gain(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What a goal wins."""

    nodes: int
    gpus: int
    stranded_milli: int


class Move(msgspec.Struct, forbid_unknown_fields=True):
    """One pod."""

    step: int
    pod: str
    controller: str
    source: str = msgspec.field(name="from")
    target: str = msgspec.field(name="to")
    devices: list[str]


class Goal(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Something that is freed."""

    kind: str
    name: str
    frees: str
    gain: Gain
    gain_per_move_milli: int
    moves: list[Move]


class Told(msgspec.Struct, forbid_unknown_fields=True):
    """The schema of `-o json`."""

    summary: str
    before: Known
    after: Known
    goals: list[Goal]
    cordon: list[str]
    schedulable: list[str]
    waiting: int
    nodes: int
    pods: int
    movable: int
    kept: dict[str, int]
    passed: dict[str, int]
    complete: bool


async def with_node(running: Cluster, name: str) -> None:
    status = {"allocatable": {"cpu": "8", "memory": "8Gi", "pods": "10", GPU: "4"}}
    await running.make(Node, {"metadata": {"name": name}, "status": status})


async def with_pod(running: Cluster, name: str, gpus: int, node: str = "") -> None:
    meta: Json = {"name": name, "namespace": "default", "labels": {"app": "web"}}
    resources = {"requests": {"cpu": "1"}, "limits": {GPU: str(gpus)}}
    spec: Json = {"containers": [{"name": "c", "image": "i", "resources": resources}]}
    if node:
        spec["nodeName"] = node
        meta["ownerReferences"] = [OWNER]
    await running.make(Pod, {"metadata": meta, "spec": spec})


async def test_a_plan_over_the_api() -> None:
    async with cluster() as running:
        for name in ("n1", "n2"):
            await with_node(running, name)
        await with_pod(running, "one", 1, "n1")
        await with_pod(running, "two", 2, "n2")
        await with_pod(running, "whole", 4)
        told = msgspec.convert(await planned(running.client, 100), Told)
        assert told.summary == (
            "1 move frees 1 node; stranded GPUs: 1.7 before, 0.7 after; "
            "waiting pods that then fit: 1 of 1."
        )
        [goal] = told.goals
        assert [(move.pod, move.source, move.target) for move in goal.moves] == [
            ("default/one", "n1", "n2")
        ]
        assert (goal.kind, goal.name, goal.gain) == ("Node", "n1", Gain(1, 0, -1000))
        assert told.schedulable == ["default/whole"]
        assert told.cordon == ["n1"]

        where = {"matchLabels": {"app": "web"}}
        body = {
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"selector": where, "minAvailable": 2},
            "status": {"disruptionsAllowed": 0, "observedGeneration": 1},
        }
        await running.make(PodDisruptionBudget, body)
        told = msgspec.convert(await planned(running.client, 100), Told)
        assert not told.goals
        assert "kept by budgets" in told.summary
        # Nobody went.
        pods = (await running.client.list(Pod, "default")).items
        assert {one.metadata.name: one.spec.node_name for one in pods} == {
            "one": "n1",
            "two": "n2",
            "whole": "",
        }


async def test_a_cluster_without_nodes() -> None:
    async with cluster() as running:
        told = await planned(running.client, 100)
        assert lines(told) == ["Nothing to move: the cluster has no nodes."]


def test_text_has_the_summary_first_and_then_the_moves() -> None:
    move = {"step": 1, "pod": "default/p", "from": "n1", "to": "n2", "devices": []}
    other = {"step": 2, "pod": "default/quite", "from": "n1", "to": "n3", "devices": ["n3/gpu-0"]}
    told = {
        "summary": "2 moves free 1 node.",
        "before": {"freeNodes": 0, "freeGPUs": 9, "strandedMilli": 1500},
        "after": {"freeNodes": 1, "freeGPUs": 10, "strandedMilli": 250},
        "goals": [
            {
                "frees": "node n1",
                "gainPerMoveMilli": 1625,
                "moves": [move, other],
            }
        ],
        "cordon": ["n1"],
        "schedulable": ["default/big"],
        "pods": 5,
        "movable": 2,
        "kept": {"of a Job": 2, "in a gang": 1},
        "complete": False,
    }
    assert lines(told) == [
        "2 moves free 1 node.",
        "",
        "  MOVE  POD            FROM  TO        FREES    GAIN PER MOVE",
        "  1     default/p      n1    n2        node n1  1.62",
        "  2     default/quite  n1    n3/gpu-0  node n1  1.62",
        "",
        "What is free, before and after:",
        "  nodes          0     1",
        "  GPUs           9     10",
        "  stranded GPUs  1.50  0.25",
        "",
        "Pods that wait and fit then:",
        "  default/big",
        "",
        "Cordon these first, or evicted pods may come back: n1",
        "",
        "Of 5 pods 3 can't be moved:",
        "  of a Job: 2",
        "  in a gang: 1",
        "",
        "The cluster is too large to be looked at wholly: there may be more to gain.",
    ]


def test_without_dry_run_the_command_says_that_it_only_plans(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["defrag", "--kubeconfig", str(tmp_path / "none")])
    assert done.exit_code == 2
    assert "argosy defrag only plans: it evicts nobody" in done.stderr
    assert "hint: argosy defrag --dry-run shows the plan" in done.stderr


def test_without_a_cluster_the_command_ends_with_a_hint(tmp_path: Path) -> None:
    arguments = ["defrag", "--dry-run", "--kubeconfig", str(tmp_path / "none")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert "hint: " in done.stderr
