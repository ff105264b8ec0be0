"""A workload's pods, and what is said where there are none."""

from typing import Any

import msgspec
import pytest

from argosy.api.replicas import ReplicaSet
from argosy.scheduler.explain.workloads import (
    Workload,
    pods_of,
    refused_pods,
    wants_more,
    without_pods,
)
from tests.scheduler.builders import pod

META = {"name": "w", "namespace": "default", "uid": "uid-w"}
QUOTA = 'pods "w-x" is forbidden: exceeded quota: compute, requested: cpu=4, limited: cpu=8'


def workload(kind: str = "Job", **body: Any) -> Workload:
    return Workload(kind, {"metadata": META, **body})


def owned(name: str, uid: str) -> dict[str, Any]:
    reference = {"kind": "Owner", "name": name, "uid": uid, "controller": True}
    return {"ownerReferences": [reference]}


def test_pods_belong_to_what_owns_them_over_whatever_is_between() -> None:
    between = msgspec.convert(
        {"metadata": {"name": "w-1", "uid": "uid-rs", **owned("w", "uid-w")}}, ReplicaSet
    )
    pods = [
        pod("direct", metadata=owned("w", "uid-w")),
        pod("below", metadata=owned("w-1", "uid-rs")),
        pod("other", metadata=owned("x", "uid-x")),
        pod("alone"),
    ]
    found = pods_of(workload(), pods, [between])
    assert [one.metadata.name for one in found] == ["direct", "below"]


def test_owners_in_a_circle_end() -> None:
    circle = msgspec.convert(
        {"metadata": {"name": "a", "uid": "uid-a", **owned("a", "uid-a")}}, ReplicaSet
    )
    assert pods_of(workload(), [pod("p", metadata=owned("a", "uid-a"))], [circle]) == []


def test_a_pod_group_has_the_pods_that_name_it() -> None:
    pods = [
        pod("in", gang="w"),
        pod("other", gang="v"),
        pod("elsewhere", gang="w", metadata={"namespace": "elsewhere"}),
        pod("none"),
    ]
    found = pods_of(workload("PodGroup"), pods, [])
    assert [one.metadata.name for one in found] == ["in"]


@pytest.mark.parametrize(
    ("body", "reason", "text"),
    [
        ({"spec": {"suspend": True}}, "Suspended", "Job default/w is suspended."),
        (
            {
                "spec": {"suspend": True},
                "metadata": {**META, "labels": {"kueue.x-k8s.io/queue-name": "team"}},
            },
            "Suspended",
            'Job default/w is suspended: Kueue starts it when queue "team" admits it.',
        ),
        (
            {"status": {"conditions": [{"type": "Complete", "status": "True"}]}},
            "Finished",
            "Job default/w has ended: Complete.",
        ),
        ({"spec": {"replicas": 0}}, "NoneWanted", "Job default/w asks for no pods."),
        ({"spec": {"paused": True}}, "Paused", "Job default/w is paused."),
        ({}, "NoPods", "Job default/w has no pods yet: its controller makes them."),
        (
            {
                "status": {
                    "conditions": [
                        {"type": "ReplicaFailure", "status": "True", "message": QUOTA},
                        {"type": "Complete", "status": "False"},
                    ]
                }
            },
            "QuotaExceeded",
            f"Its pods can't be created: {QUOTA}.",
        ),
    ],
)
def test_why_there_are_no_pods(body: dict[str, Any], reason: str, text: str) -> None:
    told = without_pods(workload(**body), [])
    assert (told.reason, told.text) == (reason, text)


def test_the_newest_refusal_is_told() -> None:
    events = [
        {"reason": "FailedCreate", "message": "old", "lastTimestamp": "2026-01-01T00:00:00Z"},
        {
            "reason": "FailedCreate",
            "message": "Error creating: admission webhook denied it",
            "eventTime": "2026-01-02T00:00:00Z",
        },
        {"reason": "Other", "message": "newer", "lastTimestamp": "2026-01-03T00:00:00Z"},
    ]
    told = without_pods(workload(), events)
    assert told.reason == "PodsRefused"
    assert told.text == "Its pods can't be created: admission webhook denied it."


@pytest.mark.parametrize(
    ("kind", "body", "there", "more"),
    [
        ("Deployment", {"spec": {"replicas": 3}}, 2, True),
        ("Deployment", {"spec": {"replicas": 3}}, 3, False),
        ("DaemonSet", {"spec": {}}, 0, False),
        ("Job", {"spec": {"parallelism": 4, "completions": 8}}, 3, True),
        (
            "Job",
            {"spec": {"parallelism": 4, "completions": 8}, "status": {"succeeded": 5}},
            3,
            False,
        ),
        ("Job", {"spec": {"parallelism": 4}}, 3, True),
    ],
)
def test_whether_more_pods_are_wanted(
    kind: str, body: dict[str, Any], there: int, more: bool
) -> None:
    assert wants_more(workload(kind, **body), there) is more


def test_nothing_is_said_where_nothing_was_refused() -> None:
    assert refused_pods(workload(), []) is None
