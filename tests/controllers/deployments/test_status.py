"""What a Deployment tells: counts, progress and deadlines, and why pods can't be made."""

from datetime import timedelta

import msgspec
import pytest

from argosy.api.replicas import Deployment, DeploymentStatus, ReplicaSet
from argosy.base.clock import timestamp
from argosy.controllers.deployments.plan import Plan, make_plan
from argosy.testing.clock import EPOCH
from tests.controllers.deployments.kit import (
    DESIRED,
    MAXIMUM,
    REVISION,
    deployment,
    replica_set,
    rolling,
)
from tests.controllers.replicakit import Json

NOW = EPOCH
NOTES = {DESIRED: "3", MAXIMUM: "4", REVISION: "1"}


def plan(it: Deployment, *sets: ReplicaSet, later: float = 0) -> Plan:
    return make_plan(it, sets, lambda _: (), NOW + timedelta(seconds=later))


def told(status: DeploymentStatus, kind: str) -> Json:
    found = next((item for item in status.conditions if item.type == kind), None)
    return msgspec.to_builtins(found) if found is not None else {}


def new(replicas: int = 3, available: int = 0, **given: int) -> ReplicaSet:
    counts = {"readyReplicas": available, **given}
    made = replica_set("new", replicas, available=available, image="one", annotations=NOTES)
    status = msgspec.convert({**msgspec.to_builtins(made.status), **counts}, type(made.status))
    return msgspec.structs.replace(made, status=status)


def test_counts() -> None:
    old = replica_set("old", 1, available=1, there=2, terminatingReplicas=2)
    it = deployment(replicas=3, generation=4, strategy=rolling(1, 0))
    status = plan(it, old, new(2, 1, readyReplicas=2)).status
    assert status.observed_generation == 4
    assert (status.replicas, status.updated_replicas) == (4, 2)
    assert (status.ready_replicas, status.available_replicas) == (3, 2)
    assert status.terminating_replicas == 2
    assert status.unavailable_replicas == 2  # of 4 that are asked for after this step


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((0, 0), 0), ((1, 2), 3), ((None, 2), None), ((None, None), None)],
)
def test_terminating_pods_are_told_where_all_sets_do(
    counts: tuple[int | None, int | None], expected: int | None
) -> None:
    sets = []
    for name, count in zip(("old", "new"), counts, strict=True):
        made = replica_set(name, 1)
        status = msgspec.structs.replace(made.status, terminating_replicas=count)
        sets.append(msgspec.structs.replace(made, status=status))
    assert plan(deployment(), *sets).status.terminating_replicas == expected


def test_a_set_that_nobody_looked_at_has_no_terminating_pods() -> None:
    fresh = replica_set("old", 1, observedGeneration=0)
    status = msgspec.structs.replace(fresh.status, terminating_replicas=None)
    assert plan(deployment(), msgspec.structs.replace(fresh, status=status)).status
    assert (
        plan(deployment(), msgspec.structs.replace(fresh, status=status)).status
    ).terminating_replicas == 0


@pytest.mark.parametrize(("available", "status"), [(3, "True"), (2, "True"), (1, "False")])
def test_availability(available: int, status: str) -> None:
    it = deployment(replicas=3, strategy=rolling(1, 1))
    found = told(plan(it, new(3, available)).status, "Available")
    assert found["status"] == status
    reason = "MinimumReplicasAvailable" if status == "True" else "MinimumReplicasUnavailable"
    assert found["reason"] == reason


def test_a_rollout_ends() -> None:
    found = told(plan(deployment(replicas=3), new(3, 3)).status, "Progressing")
    assert (found["status"], found["reason"]) == ("True", "NewReplicaSetAvailable")
    assert found["message"] == 'ReplicaSet "new" has successfully progressed.'


def begun(**status: object) -> Deployment:
    """A rollout that has begun now."""
    condition = {
        "type": "Progressing",
        "status": "True",
        "reason": "NewReplicaSetCreated",
        "message": "created",
        "lastUpdateTime": timestamp(NOW),
        "lastTransitionTime": timestamp(NOW - timedelta(seconds=5)),
    }
    counts = {"replicas": 3, "updatedReplicas": 3, "observedGeneration": 1}
    given: Json = {"conditions": [condition], **counts, **status}
    return deployment(replicas=3, status=given, meta={"annotations": {REVISION: "1"}})


def test_each_pod_that_is_ready_is_progress() -> None:
    made = plan(begun(), new(3, 1), later=10)
    found = told(made.status, "Progressing")
    assert (found["status"], found["reason"]) == ("True", "ReplicaSetUpdated")
    assert found["message"] == 'ReplicaSet "new" is progressing.'
    assert found["lastUpdateTime"] == timestamp(NOW + timedelta(seconds=10))
    assert found["lastTransitionTime"] == timestamp(NOW - timedelta(seconds=5))
    assert made.after == 601
    again = plan(msgspec.structs.replace(begun(), status=made.status), new(3, 2), later=20)
    assert told(again.status, "Progressing")["lastUpdateTime"] == timestamp(
        NOW + timedelta(seconds=20)
    )


def test_without_progress_the_deadline_passes() -> None:
    waiting = plan(begun(), new(), later=590)
    assert told(waiting.status, "Progressing")["reason"] == "NewReplicaSetCreated"
    assert waiting.after == 11
    late = plan(begun(), new(), later=601)
    found = told(late.status, "Progressing")
    assert (found["status"], found["reason"]) == ("False", "ProgressDeadlineExceeded")
    assert found["message"] == 'ReplicaSet "new" has timed out progressing.'
    assert late.after is None
    stuck = msgspec.structs.replace(begun(), status=late.status)
    assert plan(stuck, new(), later=700).status == late.status
    better = told(plan(stuck, new(3, 1), later=700).status, "Progressing")
    assert (better["status"], better["reason"]) == ("True", "ReplicaSetUpdated")
    assert better["lastTransitionTime"] == timestamp(NOW + timedelta(seconds=700))


def test_after_the_rollout_pods_may_fail() -> None:
    done = plan(deployment(replicas=3), new(3, 3)).status
    it = msgspec.structs.replace(begun(), status=done)
    worse = plan(it, new(3, 0), later=5000)
    assert told(worse.status, "Progressing") == told(done, "Progressing")
    assert told(worse.status, "Available")["status"] == "False"
    it = msgspec.structs.replace(begun(), status=worse.status)
    better = plan(it, new(3, 2), later=6000)
    assert told(better.status, "Progressing") == told(done, "Progressing")


def failing(made: ReplicaSet, message: str) -> ReplicaSet:
    condition = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": message,
        "lastTransitionTime": timestamp(NOW),
    }
    status = {**msgspec.to_builtins(made.status), "conditions": [condition]}
    return msgspec.structs.replace(made, status=msgspec.convert(status, type(made.status)))


def test_why_pods_can_not_be_made() -> None:
    old = failing(replica_set("old", 1), "of the old")
    both = plan(begun(), old, failing(new(2), "of the new"))
    found = told(both.status, "ReplicaFailure")
    assert (found["status"], found["reason"], found["message"]) == (
        "True",
        "FailedCreate",
        "of the new",
    )
    assert found["lastUpdateTime"] == timestamp(NOW)
    assert told(plan(begun(), old, new(2)).status, "ReplicaFailure")["message"] == "of the old"
    it = msgspec.structs.replace(begun(), status=both.status)
    assert told(plan(it, new(3, 1)).status, "ReplicaFailure") == {}


def test_other_conditions_stay() -> None:
    mine = {"type": "example.com/Mine", "status": "True", "reason": "A", "message": "b"}
    status = plan(deployment(replicas=3, status={"conditions": [mine]}), new(3, 3)).status
    assert told(status, "example.com/Mine") == mine
