"""What to do next with a TrainJob: a pure function of what is there.

A job runs as one gang. Each attempt has a PodGroup, which is also the attempt's memory; when a pod
of the gang ends badly, all of it is taken away and, while the runtime's `maxRestarts` allows, the
next attempt begins once the last pod of the old one is gone (two attempts never write the same
checkpoints). What the node itself took down (`DisruptionTarget`) is not counted.

Whoever still acts on an older state (a second instance whose caches lag, a request that was long on
its way) may make pods of an attempt that is over, even after the job's end. They are taken away
whenever they are seen, and the end does not count them: so does JobSet with the jobs of previous
attempts, and with those that run once the set is over (`reconcile` in its jobset_controller.go).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from argosy.api.core import ContainerStatus, Pod
from argosy.api.meta import Condition, condition
from argosy.api.scheduling import PodGroup
from argosy.api.trainer import JobStatus, TrainingRuntimeSpec, TrainJob, TrainJobStatus
from argosy.base.clock import timestamp
from argosy.runtime.commit import Plan
from argosy.runtime.conditions import with_condition
from argosy.runtime.events import Note
from argosy.training import pods as made

FINAL = ("Complete", "Failed")
LONGEST_TEXT = 400
LONGEST_MESSAGE = 32768
"""What a condition holds."""
PLACED = "PodGroupInitiallyScheduled"


@dataclass(frozen=True, slots=True)
class Observed:
    """What is there of a job."""

    runtime: TrainingRuntimeSpec
    groups: Sequence[PodGroup]
    pods: Sequence[Pod]


def make_plan(
    job: TrainJob,
    runtime: TrainingRuntimeSpec | None,
    groups: Sequence[PodGroup],
    pods: Sequence[Pod],
    now: datetime,
) -> Plan:
    """The next step for `job`; `runtime` is None where the one that it names is not there."""
    if job.metadata.deletion_timestamp or finished(job):
        return Plan()
    if job.spec.suspend:
        return _suspended(job, groups, pods, now)
    if runtime is None:
        return _runtime_missing(job, pods, now)
    return _next(job, Observed(runtime, groups, pods), now)


def leftovers(
    job: TrainJob, groups: Sequence[PodGroup], pods: Sequence[Pod]
) -> list[Pod | PodGroup]:
    """What somebody who did not know yet made of a job that is over.

    It may be deleted only as it was seen: where the pods' cache is behind the job's, a pod that
    ended, and has its logs, still seems to run.
    """
    if job.metadata.deletion_timestamp or not finished(job):
        return []
    return _surplus(groups, pods)


def refused(job: TrainJob, pods: Sequence[Pod], answer: str, now: datetime) -> Plan:
    """What to tell where the API refused an object of the job's with `answer`."""
    return _not_scheduled(job, pods, "FailedCreate", answer, now)


def ungrouped(job: TrainJob, pods: Sequence[Pod], now: datetime) -> Plan:
    """What to tell where the cluster doesn't know gangs at all."""
    kind = PodGroup.resource
    message = (
        f"the cluster serves no {kind.qualified} ({kind.version}), without which the pods of a job "
        "can't be placed together: its feature gate GenericWorkload must be open"
    )
    return _not_scheduled(job, pods, "PodGroupsNotServed", message, now)


def _next(job: TrainJob, seen: Observed, now: datetime) -> Plan:
    attempt = _newest(seen.groups, seen.pods)
    current = [pod for pod in seen.pods if _attempt(pod) == attempt]
    group = _group(seen, attempt)
    if group is not None and group.metadata.deletion_timestamp and not current:
        return Plan()  # resumed: it begins anew once the group is gone, which is an event
    if _all_succeeded(current, _count(job, seen, attempt)):
        return _ended(
            job,
            seen,
            now,
            Condition(
                type="Complete",
                status="True",
                reason="JobsCompleted",
                message=f"all {len(current)} pods succeeded",
            ),
        )
    broken = _broken(current) or _vanished(job, seen, attempt, current)
    if broken is not None:
        return _restart(job, seen, attempt, broken, now)
    return _running(job, seen, attempt, current, now)


def finished(job: TrainJob) -> bool:
    """Whether nothing will change any more."""
    return any(item.type in FINAL and item.status == "True" for item in job.status.conditions)


def _runtime_missing(job: TrainJob, pods: Sequence[Pod], now: datetime) -> Plan:
    reference = job.spec.runtime_ref
    message = f'spec.runtimeRef: Not found: "{reference.kind}/{reference.name}"'
    return _not_scheduled(job, pods, "TrainingRuntimeNotFound", message, now)


def _not_scheduled(
    job: TrainJob, pods: Sequence[Pod], reason: str, message: str, now: datetime
) -> Plan:
    """Say, once, why the job can't go on."""
    message = message[:LONGEST_MESSAGE]
    problem = Condition(type="Scheduled", status="False", reason=reason, message=message)
    told = condition(job.status.conditions, "Scheduled")
    fresh = told is None or told.message != message
    note = Note(reason, message, "Warning")
    return Plan(status=_status(job, problem, pods, now), notes=(note,) * fresh)


def _running(
    job: TrainJob, seen: Observed, attempt: int, current: Sequence[Pod], now: datetime
) -> Plan:
    """Bring the attempt about, once nothing of the last one is left."""
    old = [pod for pod in seen.pods if _attempt(pod) != attempt]
    stale = [group for group in seen.groups if _attempt(group) != attempt]
    scheduled = _scheduled(job, seen, attempt)
    status = _status(job, scheduled, current, now, resumed=True)
    if old:
        return Plan(delete=_undeleted(old), status=status)
    wanted = [made.service(job)]
    if _group(seen, attempt) is None:
        wanted.append(made.group(job, seen.runtime, attempt, 0))
    there = {pod.metadata.name for pod in current}
    count = _count(job, seen, attempt)
    missing = [
        pod
        for pod in made.pods(job, seen.runtime, attempt, count)
        if pod.body["metadata"]["name"] not in there
    ]
    return Plan(delete=stale, apply=[*wanted, *missing], status=status)


def _scheduled(job: TrainJob, seen: Observed, attempt: int) -> Condition:
    """What the scheduler says of the gang."""
    group = _group(seen, attempt)
    told = condition(group.status.conditions, PLACED) if group else None
    if told is None:
        return Condition(
            type="Scheduled", status="False", reason="Waiting", message="the gang is not placed yet"
        )
    return Condition(
        type="Scheduled",
        status=told.status,
        reason=told.reason or "Scheduled",
        message=told.message,
    )


def _count(job: TrainJob, seen: Observed, attempt: int) -> int:
    """How many pods the attempt has: as it began, whatever the runtime has become since."""
    group = _group(seen, attempt)
    gang = group.spec.scheduling_policy.gang if group else None
    return gang.min_count if gang else made.nodes(job, seen.runtime)


def _group(seen: Observed, attempt: int) -> PodGroup | None:
    return next((item for item in seen.groups if _attempt(item) == attempt), None)


def _all_succeeded(current: Sequence[Pod], count: int) -> bool:
    return len(current) >= count and all(pod.status.phase == "Succeeded" for pod in current)


@dataclass(frozen=True, slots=True)
class _Break:
    """Why an attempt is over; a disruption is nobody's fault and is not counted."""

    message: str
    disruption: bool


def _broken(current: Sequence[Pod]) -> _Break | None:
    failed = [pod for pod in current if pod.status.phase == "Failed"]
    if failed:
        disrupted = any(_disrupted(pod) for pod in failed)
        return _Break("; ".join(_failure(pod) for pod in _first_ended(failed)), disrupted)
    leaving = [pod.metadata.name for pod in current if pod.metadata.deletion_timestamp]
    if leaving:
        return _Break(f"pod {leaving[0]} was deleted", True)
    return None


def _disrupted(pod: Pod) -> bool:
    told = condition(pod.status.conditions, "DisruptionTarget")
    return told is not None and told.status == "True"


def _vanished(job: TrainJob, seen: Observed, attempt: int, current: Sequence[Pod]) -> _Break | None:
    """A pod of a gang that was placed is gone: nobody saw it leave, but it can't come back."""
    group = _group(seen, attempt)
    placed = condition(group.status.conditions, PLACED) if group else None
    if placed is None or placed.status != "True":
        return None
    there = {pod.metadata.name for pod in current}
    wanted = made.pods(job, seen.runtime, attempt, _count(job, seen, attempt))
    names = (pod.body["metadata"]["name"] for pod in wanted)
    gone = next((name for name in names if name not in there), None)
    return None if gone is None else _Break(f"pod {gone} was deleted", True)


def _first_ended(failed: Sequence[Pod]) -> list[Pod]:
    """The pod that ended first: what the others say is mostly that they lost it."""
    return sorted(failed, key=_end)[:1]


def _end(pod: Pod) -> tuple[str, int]:
    ends = [item.state.terminated for item in pod.status.container_statuses]
    times = [end.finished_at or "" for end in ends if end is not None]
    killed = any(end is not None and end.exit_code > 128 for end in ends)
    return (min(times, default=""), 0 if killed else 1)


def _failure(pod: Pod) -> str:
    for status in pod.status.container_statuses:
        text = _exit(status)
        if text:
            return f"pod {pod.metadata.name}: {text}"
    return f"pod {pod.metadata.name}: {pod.status.message or pod.status.reason or 'failed'}"


def _exit(status: ContainerStatus) -> str:
    end = status.state.terminated
    if end is None or end.exit_code == 0:
        return ""
    text = f'container "{status.name}" exited with code {end.exit_code}'
    detail = end.message.strip().splitlines()[-1:] or [""]
    return text + f": {detail[0][:LONGEST_TEXT]}" * bool(detail[0])


def _restart(job: TrainJob, seen: Observed, attempt: int, broken: _Break, now: datetime) -> Plan:
    failures = _failures(seen, attempt) + (not broken.disruption)
    allowed = seen.runtime.template.spec.failure_policy.max_restarts
    if failures > allowed:
        return _ended(
            job,
            seen,
            now,
            Condition(
                type="Failed",
                status="True",
                reason="FailedJobs" if allowed == 0 else "ReachedMaxRestarts",
                message=f"{broken.message} (restarts allowed: {allowed})",
            ),
        )
    note = Note("Restarting", f"attempt {attempt} is over: {broken.message}", "Warning")
    return Plan(
        delete=_undeleted(seen.pods),
        apply=[made.group(job, seen.runtime, attempt + 1, failures)],
        notes=[note],
    )


def _failures(seen: Observed, attempt: int) -> int:
    group = _group(seen, attempt)
    return int(group.metadata.annotations.get(made.FAILURES, "0")) if group else 0


def _ended(job: TrainJob, seen: Observed, now: datetime, end: Condition) -> Plan:
    """The job is over, and the last attempt's pods tell how it went."""
    attempt = _newest(seen.groups, seen.pods)
    current = [pod for pod in seen.pods if _attempt(pod) == attempt]
    kind = "Normal" if end.type == "Complete" else "Warning"
    assert end.reason
    note = Note(end.reason, end.message, "Normal" if kind == "Normal" else "Warning")
    status = _status(job, end, current, now)
    return Plan(delete=_surplus(seen.groups, seen.pods), status=status, notes=[note])


def _surplus(groups: Sequence[PodGroup], pods: Sequence[Pod]) -> list[Pod | PodGroup]:
    """All but the last attempt's pods that ended: these stay for their logs."""
    attempt = _newest(groups, pods)
    running = [pod for pod in pods if not pod.finished and _attempt(pod) == attempt]
    old = [pod for pod in pods if _attempt(pod) != attempt]
    stale = [group for group in groups if _attempt(group) != attempt]
    return _undeleted([*running, *old, *stale])


def _suspended(
    job: TrainJob, groups: Sequence[PodGroup], pods: Sequence[Pod], now: datetime
) -> Plan:
    paused = Condition(
        type="Suspended", status="True", reason="Suspended", message="TrainJob is suspended"
    )
    delete = [*_undeleted(pods), *groups]
    return Plan(delete=delete, status=_status(job, paused, (), now))


def _undeleted(objects: Iterable[Pod | PodGroup]) -> list[Pod | PodGroup]:
    return [obj for obj in objects if not obj.metadata.deletion_timestamp]


def _newest(groups: Sequence[PodGroup], pods: Sequence[Pod]) -> int:
    return max((*map(_attempt, groups), *map(_attempt, pods)), default=0)


def _attempt(obj: Pod | PodGroup) -> int:
    return int(obj.metadata.labels.get(made.ATTEMPT, "0"))


def _status(
    job: TrainJob, new: Condition, pods: Sequence[Pod], now: datetime, *, resumed: bool = False
) -> TrainJobStatus:
    stamp = timestamp(now)
    conditions = with_condition(job.status.conditions, new, stamp)
    paused = condition(conditions, "Suspended")
    if resumed and paused is not None and paused.status == "True":
        back = Condition(
            type="Suspended", status="False", reason="Resumed", message="TrainJob is resumed"
        )
        conditions = with_condition(conditions, back, stamp)
    phases = [pod.status.phase for pod in pods]
    jobs = JobStatus(
        name=made.JOB,
        ready=sum(1 for pod in pods if _ready(pod)),
        succeeded=phases.count("Succeeded"),
        failed=phases.count("Failed"),
        active=phases.count("Pending") + phases.count("Running"),
        suspended=int(job.spec.suspend),
    )
    return msgspec.structs.replace(job.status, conditions=conditions, jobs_status=(jobs,))


def _ready(pod: Pod) -> bool:
    ready = condition(pod.status.conditions, "Ready")
    return ready is not None and ready.status == "True"
