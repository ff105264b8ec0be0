"""The cluster as it is listed: all that the scheduler goes by is in the state made of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.api.meta import Object
from argosy.api.replicas import ReplicaSet, ReplicationController
from argosy.api.statefulsets import StatefulSet
from argosy.scheduler.explain.report import explain
from argosy.scheduler.explain.snapshot import apply, snapshot_of, state_of, undo
from argosy.scheduler.plugins.pod_topology_spread import configured
from argosy.scheduler.plugins.table import PLUGINS
from tests.scheduler.builders import node, pod
from tests.scheduler.test_owners import service, workload

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ZONE = "topology.kubernetes.io/zone"
LABELS = {"app": "a"}
EVEN = {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule"}
SPREADING = configured({"defaultConstraints": [EVEN], "defaultingType": "List"})
SELECTOR = {"matchLabels": LABELS}


def member(name: str, kind: str = "", version: str = "apps/v1", **more: Any) -> Pod:
    owner = {"apiVersion": version, "kind": kind, "name": "w", "uid": "u", "controller": True}
    owners = [owner] if kind else []
    return pod(name, metadata={"labels": LABELS, "ownerReferences": owners}, **more)


@pytest.mark.parametrize(
    ("owner", "kind", "version"),
    [
        (service(**LABELS), "", ""),
        (workload(ReplicaSet, SELECTOR), "ReplicaSet", "apps/v1"),
        (workload(StatefulSet, SELECTOR), "StatefulSet", "apps/v1"),
        (workload(ReplicationController, LABELS), "ReplicationController", "v1"),
    ],
)
def test_pods_that_a_profile_spreads_by_their_owners(
    owner: Object, kind: str, version: str
) -> None:
    """One zone is full of others, so that a second pod of the owner may only go there."""
    there = (
        node("n1", labels={ZONE: "a"}),
        node("n2", labels={ZONE: "b"}),
        member("first", kind, version, node="n1"),
        pod("other", requests={"cpu": "4"}, node="n2"),
    )
    wanted = member("w", kind, version, requests={"cpu": "1"})
    plugins = [SPREADING if it.name == SPREADING.name else it for it in PLUGINS]
    snapshot = snapshot_of((wanted, *there, owner))
    told = explain(snapshot, wanted, plugins, NOW)
    assert {one.filter: one.nodes for one in told.removed} == {
        "NodeResourcesFit": 1,
        "PodTopologySpread": 1,
    }
    alone = explain(snapshot_of((wanted, *there)), wanted, plugins, NOW)
    assert alone.reason == "Schedulable"


def test_a_nominated_pod_keeps_its_room() -> None:
    coming = pod(
        "c", requests={"cpu": "3"}, spec={"priority": 5}, status={"nominatedNodeName": "n1"}
    )
    wanted = pod("w", requests={"cpu": "2"}, spec={"priority": 1})
    told = explain(snapshot_of((wanted, coming, node())), wanted, PLUGINS, NOW)
    assert told.reason == "NominatedPods"
    assert told.headline == "The only node that could take it: Insufficient cpu."
    assert explain(snapshot_of((wanted, node())), wanted, PLUGINS, NOW).reason == "Schedulable"


def test_changes_one_upon_the_other_are_undone_in_reverse() -> None:
    before = node(allocatable={"cpu": "1"})
    between, after = node(allocatable={"cpu": "2"}), node(allocatable={"cpu": "3"})
    held = pod("p", requests={"cpu": "1"}, node="n1")
    change = ((before, between), (between, after), (None, held))
    state = state_of(snapshot_of((before,)))
    apply(state, change)
    assert state.nodes.allocatable[0, 0] == 3000 and state.nodes.requested[0, 0] == 1000
    undo(state, change)
    assert state.nodes.allocatable[0, 0] == 1000 and state.nodes.requested[0, 0] == 0
