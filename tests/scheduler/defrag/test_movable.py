"""Which pods may be moved."""

from typing import Any

import msgspec
import pytest

from argosy.scheduler.defrag.movable import KEEP, SAFE, SAFE_VOLUMES, obstacle, stays_with_node
from argosy.scheduler.holdings import MIRROR
from tests.scheduler.defrag.kit import runs

SCRATCH = [{"name": "scratch", "emptyDir": {}}]
SHARED_MEMORY = [{"name": "shm", "emptyDir": {"medium": "Memory"}}]
ON_DISK = [{"name": "disk", "hostPath": {"path": "/data"}}]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, ""),
        ({"kind": "StatefulSet"}, ""),
        ({"kind": "ReplicationController"}, ""),
        ({"kind": "DaemonSet"}, "of the node itself"),
        ({"kind": "Node"}, "of the node itself"),
        ({"annotations": {MIRROR: "x"}}, "of the node itself"),
        ({"kind": ""}, "without controller"),
        ({"kind": "", "annotations": {SAFE: "true"}}, "without controller"),
        ({"kind": "Job"}, "of a Job"),
        ({"kind": "Job", "annotations": {SAFE: "true"}}, ""),
        ({"kind": "Job", "annotations": {SAFE: "yes"}}, "of a Job"),
        ({"kind": "Carrot"}, "of a Carrot"),
        ({"annotations": {SAFE: "false"}}, "not to be disrupted, by annotation"),
        ({"annotations": {KEEP: "true"}}, "not to be disrupted, by annotation"),
        ({"annotations": {KEEP: "true", SAFE: "true"}}, "not to be disrupted, by annotation"),
        ({"annotations": {KEEP: "false"}}, ""),
        ({"spec": {"priority": 2_000_000_000}}, "critical to the system"),
        ({"spec": {"priority": 1_000_000_000}}, ""),
        ({"gang": "ring"}, "in a gang"),
        ({"labels": {"scheduling.x-k8s.io/pod-group": "ring"}}, "in a gang"),
        ({"spec": {"schedulerName": "volcano"}}, "of another scheduler"),
        ({"spec": {"volumes": SCRATCH}}, "with data on the node"),
        ({"spec": {"volumes": ON_DISK}}, "with data on the node"),
        ({"spec": {"volumes": SHARED_MEMORY}}, ""),
        ({"spec": {"volumes": SCRATCH}, "annotations": {SAFE: "true"}}, ""),
        ({"spec": {"volumes": SCRATCH}, "annotations": {SAFE_VOLUMES: "a, scratch"}}, ""),
        (
            {"spec": {"volumes": [*SCRATCH, *ON_DISK]}, "annotations": {SAFE_VOLUMES: "scratch"}},
            "with data on the node",
        ),
        ({"spec": {"volumes": [{"name": "x", "emptyDir": None}]}}, "with data on the node"),
    ],
)
def test_obstacles(options: dict[str, Any], why: str) -> None:
    found = runs("p", "n1", **options)
    assert obstacle(found) == why
    assert stays_with_node(found) == (why == "of the node itself")


def test_pods_that_come_and_go_are_left_alone() -> None:
    assert obstacle(runs("p", "")) == "just being placed"
    found = runs("p", "n1")
    meta = msgspec.structs.replace(found.metadata, deletion_timestamp="2026-01-01T00:00:00Z")
    assert obstacle(msgspec.structs.replace(found, metadata=meta)) == "being deleted"
