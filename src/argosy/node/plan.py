"""What is to be done for a pod now. Pure: facts and time in, actions out.

The worker carries a plan out and asks again at every change and after `after` seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from argosy.api.core import Pod
from argosy.base.clock import parse_timestamp
from argosy.node.state import SHUTDOWN, Running, Seen, Terminated


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided about the pod as a whole: it has failed for `reason`.

    With no reason it failed by its containers' exit codes; `disrupted` says that the node, not
    the pod, was at fault.
    """

    reason: str = ""
    message: str = ""
    disrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that a plan depends on. `hold`: nothing is started before. `shutdown`: the grace, in
    seconds, that a stopping node gives. `begun`: when the node took the pod on."""

    pod: Pod
    containers: tuple[Seen, ...]
    now: datetime
    begun: datetime
    hold: datetime | None = None
    shutdown: float | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Names of containers to start, to ask to end, to kill; when to look again (seconds).

    `leave`: nothing of the pod runs or will run, and it is going (deleted, or the node stops).
    """

    start: tuple[str, ...] = ()
    terminate: tuple[str, ...] = ()
    kill: tuple[str, ...] = ()
    after: float | None = None
    leave: bool = False
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    """What one container needs."""

    action: str = ""
    after: float | None = None


def restarts(policy: str, state: Terminated) -> bool:
    """Whether a container that ended so is started again."""
    if policy == "OnFailure":
        return state.code != 0 or state.reason == SHUTDOWN
    return policy == "Always"


def decide(situation: Situation) -> Plan:
    """The plan for now."""
    verdict = situation.verdict or _judge(situation)
    situation = replace(situation, verdict=verdict)
    grace = _grace(situation)
    steps = {seen.name: _step(situation, seen, grace) for seen in situation.containers}
    running = any(isinstance(seen.state, Running) for seen in situation.containers)
    going = _deleted(situation.pod) or situation.shutdown is not None
    return Plan(
        start=_named(steps.items(), "start"),
        terminate=_named(steps.items(), "terminate"),
        kill=_named(steps.items(), "kill"),
        after=_soonest([*(step.after for step in steps.values()), _deadline_in(situation)]),
        leave=going and not running,
        verdict=verdict,
    )


def _named(steps: Iterable[tuple[str, _Step]], action: str) -> tuple[str, ...]:
    return tuple(name for name, step in steps if step.action == action)


def _soonest(pauses: Iterable[float | None]) -> float | None:
    return min((pause for pause in pauses if pause is not None), default=None)


def _deleted(pod: Pod) -> bool:
    return pod.metadata.deletion_timestamp is not None


def _complete(situation: Situation) -> bool:
    """Whether all containers have ended for good."""
    policy = situation.pod.spec.restart_policy
    return all(
        isinstance(seen.state, Terminated) and not restarts(policy, seen.state)
        for seen in situation.containers
    )


def _settled(situation: Situation) -> bool:
    """Whether the pod's end needs no judgement of the node's."""
    return situation.pod.finished or _deleted(situation.pod) or _complete(situation)


def _judge(situation: Situation) -> Verdict | None:
    pod = situation.pod
    if _settled(situation):
        return None
    if (left := _deadline_in(situation)) is not None and left <= 0:
        return Verdict(
            "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
        )
    interrupted = any(isinstance(seen.state, Running) for seen in situation.containers)
    if situation.shutdown is not None and interrupted and pod.spec.restart_policy == "Never":
        return Verdict("Terminated", "Pod was terminated because its node shut down.", True)
    return None


def _deadline_in(situation: Situation) -> float | None:
    """Seconds until activeDeadlineSeconds is over, while that matters."""
    seconds = situation.pod.spec.active_deadline_seconds
    if seconds is None or situation.verdict is not None or _settled(situation):
        return None
    given = situation.pod.status.start_time
    since = parse_timestamp(given) if given else situation.begun
    return (since + timedelta(seconds=seconds) - situation.now).total_seconds()


def _grace(situation: Situation) -> float | None:
    """Seconds that running containers get to end; None where the pod shall go on."""
    pod, shutdown = situation.pod, situation.shutdown
    deleted, given = _deleted(pod), pod.metadata.deletion_grace_period_seconds
    grace = float(pod.spec.termination_grace_period_seconds)
    if deleted and given is not None:
        grace = float(given)
    if shutdown is not None:
        return min(grace, shutdown)
    return grace if deleted or situation.verdict or pod.finished else None


def _step(situation: Situation, seen: Seen, grace: float | None) -> _Step:
    if isinstance(seen.state, Running):
        if grace is None and seen.failing:
            grace = float(situation.pod.spec.termination_grace_period_seconds)
        return _Step() if grace is None else _end(seen, grace, situation.now)
    if grace is not None:
        return _Step()
    due = situation.hold or situation.now
    if isinstance(seen.state, Terminated):
        if not restarts(situation.pod.spec.restart_policy, seen.state):
            return _Step()
        due = max(due, seen.state.finished + timedelta(seconds=seen.delay))
    left = (due - situation.now).total_seconds()
    return _Step("start") if left <= 0 else _Step(after=left)


def _end(seen: Seen, grace: float, now: datetime) -> _Step:
    """Ask first, then, when the grace is over, don't."""
    left = grace if seen.stopping is None else grace - (now - seen.stopping).total_seconds()
    if left <= 0:
        return _Step("kill")
    return _Step("terminate" if seen.stopping is None else "", after=left)
