"""What to do next with a TrainJob: a table of situations."""

from collections.abc import Sequence
from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.api.meta import Condition, condition
from argosy.api.scheduling import PodGroup
from argosy.api.trainer import JobStatus, TrainJob, TrainJobStatus
from argosy.runtime.commit import Plan
from argosy.training.plan import finished, leftovers, make_plan, refused
from tests.training.builders import NOW, STAMP, group, job, pod, runtime

PODS_0 = ["Pod/j-node-0-0-0", "Pod/j-node-0-1-0"]
PODS_1 = ["Pod/j-node-0-0-1", "Pod/j-node-0-1-1"]
SERVICE = "Service/j"
COMPLETE = Condition(type="Complete", status="True", reason="JobsCompleted")
FAILED = Condition(type="Failed", status="True", reason="FailedJobs")
SUSPENDED = Condition(type="Suspended", status="True", reason="Suspended", message="m")
CRASH = {"exitCode": 1, "message": "Traceback\nValueError: no data\n"}


def plan(
    found: TrainJob,
    groups: Sequence[PodGroup] = (),
    pods: Sequence[Pod] = (),
    **options: Any,
) -> Plan:
    return make_plan(found, runtime(**options), groups, pods, NOW)


def applied(found: Plan) -> list[str]:
    return [f"{item.resource.kind}/{item.body['metadata']['name']}" for item in found.apply]


def deleted(found: Plan) -> list[str]:
    return [f"{item.resource.kind}/{item.metadata.name}" for item in found.delete]


def told(found: Plan, kind: str) -> tuple[str, str, str] | None:
    """Status, reason and message of a condition that the plan writes."""
    assert isinstance(found.status, TrainJobStatus)
    item = condition(found.status.conditions, kind)
    return None if item is None else (item.status, item.reason, item.message)


def counted(found: Plan) -> JobStatus:
    assert isinstance(found.status, TrainJobStatus)
    [counts] = found.status.jobs_status
    return counts


def notes(found: Plan) -> list[tuple[str, str, str]]:
    return [(note.type, note.reason, note.message) for note in found.notes]


def test_a_fresh_job_gets_its_service_its_gang_and_its_pods() -> None:
    found = plan(job())
    assert applied(found) == [SERVICE, "PodGroup/j-0", *PODS_0]
    assert deleted(found) == []
    assert told(found, "Scheduled") == ("False", "Waiting", "the gang is not placed yet")
    [_, gang, *_] = found.apply
    assert gang.body["spec"] == {"schedulingPolicy": {"gang": {"minCount": 2}}}
    assert gang.body["metadata"]["annotations"] == {"training.argosy.dev/failures": "0"}
    assert found.notes == () and found.after is None


def test_the_job_says_how_many_nodes_there_are() -> None:
    found = plan(job(trainer={"numNodes": 3}))
    assert applied(found)[2:] == [*PODS_0, "Pod/j-node-0-2-0"]


def test_what_is_missing_is_made_and_nothing_else() -> None:
    assert applied(plan(job(), [group()], [pod(1, "Pending")])) == [SERVICE, PODS_0[0]]
    assert applied(plan(job(), [], [pod(0), pod(1)])) == [SERVICE, "PodGroup/j-0"]
    assert applied(plan(job(), [group()], [pod(0), pod(1)])) == [SERVICE]


@pytest.mark.parametrize("status", ["True", "False"])
def test_the_schedulers_word_on_the_gang_is_passed_on(status: str) -> None:
    found = plan(job(), [group(placed=status)], [pod(0), pod(1)])
    assert told(found, "Scheduled") == (status, "R", "m")


def test_pods_are_counted_by_their_state() -> None:
    pods = [pod(0, ready=True), pod(1, "Pending"), pod(2, "Succeeded")]
    counts = counted(plan(job(), [group(count=3)], pods, nodes=3))
    assert counts == JobStatus(name="node", ready=1, succeeded=1, failed=0, active=2, suspended=0)


def test_a_runtime_that_changes_does_not_change_the_attempt_that_runs() -> None:
    pods = [pod(0), pod(1)]
    assert applied(plan(job(), [group()], pods, nodes=3)) == [SERVICE]
    ended = [pod(0, "Succeeded"), pod(1, "Succeeded")]
    assert told(plan(job(), [group()], ended, nodes=3), "Complete") is not None
    # The next attempt is as the runtime is then.
    failed = [pod(0, "Failed"), pod(1)]
    [gang] = plan(job(), [group()], failed, nodes=3).apply
    assert gang.body["spec"]["schedulingPolicy"]["gang"]["minCount"] == 3


def test_when_all_pods_have_succeeded_the_job_is_complete() -> None:
    pods = [pod(0, "Succeeded"), pod(1, "Succeeded")]
    found = plan(job(), [group(placed="True")], pods)
    assert told(found, "Complete") == ("True", "JobsCompleted", "all 2 pods succeeded")
    assert (applied(found), deleted(found)) == ([], [])
    assert notes(found) == [("Normal", "JobsCompleted", "all 2 pods succeeded")]


def test_some_that_have_succeeded_wait_for_the_others() -> None:
    found = plan(job(), [group(placed="True")], [pod(0, "Succeeded"), pod(1)])
    assert told(found, "Complete") is None and deleted(found) == []


def test_a_failed_pod_takes_the_gang_down_and_the_next_attempt_remembers_it() -> None:
    found = plan(job(), [group()], [pod(0, "Failed", end=CRASH), pod(1)])
    assert deleted(found) == PODS_0
    assert applied(found) == ["PodGroup/j-1"]
    assert found.apply[0].body["metadata"]["annotations"]["training.argosy.dev/failures"] == "1"
    text = (
        'attempt 0 is over: pod j-node-0-0-0: container "node" exited with code 1: '
        "ValueError: no data"
    )
    assert notes(found) == [("Warning", "Restarting", text)]
    assert found.status is None


def test_the_next_attempt_waits_until_the_last_pod_of_the_old_one_is_gone() -> None:
    groups = [group(0), group(1, failures=1)]
    found = plan(job(), groups, [pod(0, leaving=True), pod(1)])
    assert (applied(found), deleted(found)) == ([], ["Pod/j-node-0-1-0"])
    found = plan(job(), groups, [pod(0, leaving=True)])
    assert (applied(found), deleted(found)) == ([], [])
    found = plan(job(), groups, [])
    assert (applied(found), deleted(found)) == ([SERVICE, *PODS_1], ["PodGroup/j-0"])


def test_beyond_the_restarts_that_are_allowed_the_job_fails_and_keeps_the_failed_pod() -> None:
    pods = [pod(0, "Failed", attempt=1, end=CRASH), pod(1, attempt=1)]
    found = plan(job(), [group(1, failures=1)], pods)
    text = (
        'pod j-node-0-0-1: container "node" exited with code 1: ValueError: no data '
        "(restarts allowed: 1)"
    )
    assert told(found, "Failed") == ("True", "ReachedMaxRestarts", text)
    assert (applied(found), deleted(found)) == ([], ["Pod/j-node-0-1-1"])
    assert notes(found) == [("Warning", "ReachedMaxRestarts", text)]


def test_a_script_that_crashes_at_once_fails_a_job_without_restarts() -> None:
    found = plan(job(), [group()], [pod(0, "Failed", end={"exitCode": 2}), pod(1)], restarts=0)
    text = 'pod j-node-0-0-0: container "node" exited with code 2 (restarts allowed: 0)'
    assert told(found, "Failed") == ("True", "FailedJobs", text)


@pytest.mark.parametrize(
    ("broken", "counts"),
    [
        (pod(0, "Failed"), True),
        (pod(0, "Failed", disrupted="False"), True),
        (pod(0, "Failed", disrupted="True"), False),
        (pod(0, leaving=True), False),
        (pod(0, "Failed", leaving=True), True),
    ],
    ids=["failed", "not disrupted", "disrupted", "deleted", "failed and deleted"],
)
def test_what_nobody_did_wrong_is_not_counted(broken: Pod, counts: bool) -> None:
    found = plan(job(), [group(0, failures=1)], [broken, pod(1)], restarts=5)
    [gang] = found.apply
    failures = gang.body["metadata"]["annotations"]["training.argosy.dev/failures"]
    assert failures == ("2" if counts else "1")


def test_a_disruption_starts_over_even_where_no_restart_is_left() -> None:
    pods = [pod(0, "Failed", disrupted="True"), pod(1, "Failed")]
    found = plan(job(), [group()], pods, restarts=0)
    assert applied(found) == ["PodGroup/j-1"]


def test_a_pod_of_a_placed_gang_that_vanished_takes_the_gang_down() -> None:
    found = plan(job(), [group(placed="True", failures=1)], [pod(0)])
    assert (applied(found), deleted(found)) == (["PodGroup/j-1"], [PODS_0[0]])
    assert notes(found)[0][2] == "attempt 0 is over: pod j-node-0-1-0 was deleted"
    failures = found.apply[0].body["metadata"]["annotations"]["training.argosy.dev/failures"]
    assert failures == "1"


def test_the_attempt_is_known_by_its_pods_when_its_group_was_taken_away() -> None:
    pods = [pod(0, attempt=2), pod(1, attempt=2)]
    found = plan(job(), [], pods)
    assert (applied(found), deleted(found)) == ([SERVICE, "PodGroup/j-2"], [])


FIRST = [
    ({"exitCode": 1, "finishedAt": "2026-01-01T00:00:03Z"}, {"exitCode": 2}, 1),
    ({"exitCode": 1, "finishedAt": "2026-01-01T00:00:01Z"}, {"exitCode": 2}, 0),
    ({"exitCode": 1, "finishedAt": "2026-01-01T00:00:01Z"}, {"exitCode": 137}, 0),
]


@pytest.mark.parametrize(("first", "second", "rank"), FIRST)
def test_the_failure_that_came_first_is_told(first: Any, second: Any, rank: int) -> None:
    pods = [
        pod(0, "Failed", end=first),
        pod(1, "Failed", end={"finishedAt": "2026-01-01T00:00:02Z", **second}),
    ]
    [note] = plan(job(), [group()], pods).notes
    assert note.message.startswith(f"attempt 0 is over: pod j-node-0-{rank}-0: ")


def test_at_the_same_moment_the_killed_one_is_told() -> None:
    at = {"finishedAt": "2026-01-01T00:00:01Z"}
    pods = [
        pod(0, "Failed", end={"exitCode": 1, **at}),
        pod(1, "Failed", end={"exitCode": 137, **at}),
    ]
    [note] = plan(job(), [group()], pods).notes
    assert "j-node-0-1-0" in note.message and "137" in note.message


REASONS: list[tuple[dict[str, Any], str]] = [
    ({"message": "out of disk", "reason": "Evicted"}, "out of disk"),
    ({"reason": "Evicted"}, "Evicted"),
    ({}, "failed"),
    ({"end": {"exitCode": 3, "message": "x" * 999}}, f"exited with code 3: {'x' * 400}"),
]


@pytest.mark.parametrize(("options", "text"), REASONS)
def test_a_failure_is_told_by_what_is_known_of_it(options: dict[str, Any], text: str) -> None:
    [note] = plan(job(), [group()], [pod(0, "Failed", **options), pod(1)]).notes
    assert note.message.endswith(text)


def test_a_suspended_job_gives_everything_back() -> None:
    pods = [pod(0), pod(1, leaving=True), pod(2, "Failed")]
    found = plan(job(suspend=True), [group()], pods)
    assert deleted(found) == ["Pod/j-node-0-0-0", "Pod/j-node-0-2-0", "PodGroup/j-0"]
    assert applied(found) == []
    assert told(found, "Suspended") == ("True", "Suspended", "TrainJob is suspended")
    assert counted(found).suspended == 1


def test_a_job_that_is_resumed_says_so_and_begins_anew() -> None:
    found = plan(job(SUSPENDED, suspend=False))
    assert told(found, "Suspended") == ("False", "Resumed", "TrainJob is resumed")
    assert applied(found) == [SERVICE, "PodGroup/j-0", *PODS_0]


def test_a_job_that_was_never_suspended_says_nothing_of_it() -> None:
    assert told(plan(job()), "Suspended") is None


def test_a_job_resumed_while_its_pods_still_leave_waits_under_new_names() -> None:
    found = plan(job(SUSPENDED), [], [pod(0, leaving=True)])
    assert applied(found) == ["PodGroup/j-1"]
    found = plan(job(SUSPENDED), [group(1)], [pod(0, leaving=True)])
    assert applied(found) == []


def test_a_missing_runtime_is_told_once() -> None:
    text = 'spec.runtimeRef: Not found: "TrainingRuntime/r"'
    found = make_plan(job(), None, [], [], NOW)
    assert told(found, "Scheduled") == ("False", "TrainingRuntimeNotFound", text)
    assert notes(found) == [("Warning", "TrainingRuntimeNotFound", text)]
    assert (applied(found), deleted(found)) == ([], [])
    known = Condition(type="Scheduled", status="False", reason="R", message=text)
    assert make_plan(job(known), None, [], [], NOW).notes == ()


def test_a_runtime_that_is_gone_leaves_what_runs_alone_and_counts_it() -> None:
    found = make_plan(job(), None, [group()], [pod(0, ready=True), pod(1)], NOW)
    assert (applied(found), deleted(found)) == ([], [])
    assert counted(found).active == 2


def test_a_job_is_suspended_even_without_its_runtime() -> None:
    found = make_plan(job(suspend=True), None, [group()], [pod(0)], NOW)
    assert deleted(found) == ["Pod/j-node-0-0-0", "PodGroup/j-0"]


OVER = {
    "complete": job(COMPLETE),
    "failed": job(FAILED),
    "complete, then suspended": job(COMPLETE, suspend=True),
}
NOTHING_LEFT = {**OVER, "being deleted": job(metadata={"deletionTimestamp": STAMP})}


@pytest.mark.parametrize("found", NOTHING_LEFT.values(), ids=NOTHING_LEFT.keys())
def test_what_is_over_is_left_alone(found: TrainJob) -> None:
    pods = [pod(0, "Failed"), pod(1)]
    assert plan(found, [group()], pods) == Plan()
    assert make_plan(found, None, [group()], pods, NOW) == Plan()


def left(found: TrainJob, groups: Sequence[PodGroup], pods: Sequence[Pod]) -> list[str]:
    return deleted(Plan(delete=leftovers(found, groups, pods)))


@pytest.mark.parametrize("found", OVER.values(), ids=OVER.keys())
def test_what_is_made_after_the_end_by_somebody_who_is_late_goes(found: TrainJob) -> None:
    last = [pod(0, "Succeeded", attempt=1), pod(1, "Failed", attempt=1)]
    assert left(found, [group(1)], last) == []
    late = [pod(0, "Succeeded"), pod(1), pod(2, attempt=1), pod(3, leaving=True)]
    names = ["Pod/j-node-0-2-1", *PODS_0, "PodGroup/j-0"]
    assert left(found, [group(0), group(1)], [*last, *late]) == names


@pytest.mark.parametrize("leaving", [True, False], ids=["being deleted", "not over"])
def test_of_a_job_that_is_not_over_or_goes_itself_nothing_is_left_over(leaving: bool) -> None:
    metadata = {"deletionTimestamp": STAMP} if leaving else {}
    found = job(*[COMPLETE] * leaving, metadata=metadata)
    assert left(found, [group(0), group(1)], [pod(0), pod(0, attempt=1)]) == []


def test_of_an_earlier_attempt_nothing_stays_or_counts_when_the_job_is_complete() -> None:
    last = [pod(rank, "Succeeded", attempt=1) for rank in (0, 1)]
    found = plan(job(), [group(0), group(1)], [pod(0, "Succeeded"), pod(1), *last])
    assert told(found, "Complete") == ("True", "JobsCompleted", "all 2 pods succeeded")
    assert deleted(found) == [*PODS_0, "PodGroup/j-0"]
    assert (counted(found).succeeded, counted(found).active) == (2, 0)


def test_of_an_earlier_attempt_nothing_stays_or_counts_when_the_job_fails() -> None:
    last = [pod(0, "Failed", attempt=1), pod(1, "Succeeded", attempt=1)]
    found = plan(job(), [group(1, failures=1)], [pod(0, "Failed"), *last])
    assert told(found, "Failed") is not None
    assert deleted(found) == [PODS_0[0]]
    assert (counted(found).succeeded, counted(found).failed) == (1, 1)


def test_finished_means_that_a_final_condition_is_true() -> None:
    false = Condition(type="Complete", status="False")
    assert [finished(job(item)) for item in (COMPLETE, FAILED, SUSPENDED, false)] == [
        True,
        True,
        False,
        False,
    ]


def test_what_the_api_refuses_is_told_once_in_its_words() -> None:
    found = refused(job(), [pod(0)], "pods are forbidden", NOW)
    assert told(found, "Scheduled") == ("False", "FailedCreate", "pods are forbidden")
    assert notes(found) == [("Warning", "FailedCreate", "pods are forbidden")]
    assert (applied(found), deleted(found), counted(found).active) == ([], [], 1)
    known = Condition(type="Scheduled", status="False", message="pods are forbidden")
    assert refused(job(known), [], "pods are forbidden", NOW).notes == ()


def test_an_answer_without_end_fits_a_condition() -> None:
    found = told(refused(job(), [], "x" * 100_000, NOW), "Scheduled")
    assert found is not None and len(found[2]) == 32768
