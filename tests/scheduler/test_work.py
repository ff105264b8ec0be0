"""What pods tell of their work, as the controllers and people write it."""

from collections.abc import Mapping
from typing import Any

import pytest

from argosy.scheduler.occupants import Mark, occupant_of
from argosy.scheduler.work import Team, saved_at, saves, team_of, trains
from tests.scheduler.builders import pod

INDEXED = {"batch.kubernetes.io/job-completion-index": "3"}
JOB = {"batch.kubernetes.io/job-name": "j"}
SET = {"jobset.sigs.k8s.io/jobset-name": "s"}


def labelled(labels: Mapping[str, str], **more: Any) -> Any:
    return pod(metadata={"labels": dict(labels), **more})


def owned(version: str, kind: str, **reference: Any) -> Any:
    owner = {"apiVersion": version, "kind": kind, "name": "o", "uid": "u", "controller": True}
    return pod(metadata={"ownerReferences": [{**owner, **reference}]})


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (pod(), None),
        (pod(gang="g"), Team("default", "PodGroup", "g")),
        (pod(gang="g", metadata={"labels": {**INDEXED, **JOB}}), Team("default", "PodGroup", "g")),
        (pod(spec={"schedulingGroup": {}}), None),
        (labelled({**INDEXED, **JOB}), Team("default", "Job", "j")),
        (labelled({**INDEXED, **JOB, **SET}), Team("default", "JobSet", "s")),
        (labelled(JOB), None),  # its pods don't know each other
        (labelled(INDEXED), None),
        (labelled({**INDEXED, "batch.kubernetes.io/job-name": ""}), None),
        (
            labelled({"scheduling.x-k8s.io/pod-group": "x"}),
            Team("default", "scheduling.x-k8s.io/pod-group", "x"),
        ),
        (
            pod(metadata={"annotations": {"scheduling.k8s.io/group-name": "v"}}),
            Team("default", "scheduling.k8s.io/group-name", "v"),
        ),
    ],
)
def test_teams(item: Any, expected: Team | None) -> None:
    assert team_of(item) == expected
    marks = [mark for mark in occupant_of(item).marks if mark.room == "team"]
    assert marks == ([Mark("team", expected)] if expected else [])


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (pod(), False),
        (pod(gang="g"), True),
        (labelled({**INDEXED, **JOB}), True),
        (owned("batch/v1", "Job"), True),
        (owned("jobset.x-k8s.io/v1alpha2", "JobSet"), True),
        (owned("trainer.kubeflow.org/v1alpha1", "TrainJob"), True),
        (owned("apps/v1", "ReplicaSet"), False),
        (owned("example.com/v1", "Job"), False),
        (owned("batch/v1", "Job", controller=False), False),
    ],
)
def test_who_trains(item: Any, expected: bool) -> None:
    assert trains(item) is expected


@pytest.mark.parametrize(
    ("value", "says", "moment"),
    [
        (None, False, None),
        ("", False, None),
        ("false", False, None),
        ("true", True, None),
        ("1970-01-01T00:01:00Z", True, 60.0),
        ("1970-01-01T01:01:00.5+01:00", True, 60.5),
        ("1970-01-01T00:01:00", True, None),  # of no time zone
        ("9999-99-99T00:00:00Z", True, None),
        ("0001-01-01T00:00:00+23:59", True, None),
        ("x" * 10_000, True, None),
    ],
)
def test_saved_work(value: str | None, says: bool, moment: float | None) -> None:
    annotations = {} if value is None else {"argosy.dev/checkpoint": value}
    item = pod(metadata={"annotations": annotations})
    assert (saves(item), saved_at(item)) == (says, moment)
