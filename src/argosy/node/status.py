"""A pod's status, made from what is known of its containers. Pure.

Source: Kubernetes' "Pod Lifecycle", and KEP-3329 for the condition DisruptionTarget.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from argosy.api.core import Pod
from argosy.api.meta import Condition
from argosy.base.clock import timestamp
from argosy.node.plan import Situation, restarts
from argosy.node.state import Running, Seen, Terminated, Waiting
from argosy.runtime.conditions import with_condition

Body = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where the pod is. `runtime` is the scheme of container ids; `prepared`: volumes are there."""

    pod_ip: str
    host_ip: str
    runtime: str
    prepared: bool


def pod_status(situation: Situation, placement: Placement) -> Body:
    """The `status` that the node owns: whole lists, ready for a merge patch."""
    pod = situation.pod
    phase = _phase(situation)
    status: Body = {
        "phase": phase,
        "hostIP": placement.host_ip,
        "hostIPs": [{"ip": placement.host_ip}],
        "podIP": placement.pod_ip,
        "podIPs": [{"ip": placement.pod_ip}],
        "startTime": pod.status.start_time or timestamp(situation.begun),
        "conditions": [
            msgspec.to_builtins(item) for item in _conditions(situation, placement, phase)
        ],
        "containerStatuses": [
            _container(situation, seen, placement) for seen in situation.containers
        ],
    }
    if pod.metadata.generation:
        status["observedGeneration"] = pod.metadata.generation
    if phase == "Failed" and situation.verdict is not None and situation.verdict.reason:
        status |= {"reason": situation.verdict.reason, "message": situation.verdict.message}
    return status


def _phase(situation: Situation) -> str:
    if situation.pod.finished:  # an end is final
        return situation.pod.status.phase
    states = [seen.state for seen in situation.containers]
    # An end is told when it has come: never while something of the pod still runs.
    if situation.verdict is not None and not any(isinstance(s, Running) for s in states):
        return "Failed"
    if any(isinstance(state, Waiting) for state in states):
        return "Pending"
    if any(isinstance(state, Running) for state in states):
        return "Running"
    return _ended_phase(situation, [state for state in states if isinstance(state, Terminated)])


def _ended_phase(situation: Situation, states: list[Terminated]) -> str:
    deleted = situation.pod.metadata.deletion_timestamp is not None
    policy = "Never" if deleted else situation.pod.spec.restart_policy
    if any(restarts(policy, state) for state in states):
        return "Running"
    return "Succeeded" if all(state.code == 0 for state in states) else "Failed"


def _conditions(situation: Situation, placement: Placement, phase: str) -> tuple[Condition, ...]:
    conditions = situation.pod.status.conditions
    now = timestamp(situation.now)
    for condition in _own_conditions(situation, placement, phase):
        conditions = with_condition(conditions, condition, now)
    return conditions


def _own_conditions(situation: Situation, placement: Placement, phase: str) -> Iterator[Condition]:
    over = phase in ("Succeeded", "Failed")
    up = placement.prepared and not over
    yield Condition(type="PodReadyToStartContainers", status=_truth(up))
    completed = "PodCompleted" if phase == "Succeeded" else ""
    yield Condition(type="Initialized", status="True", reason=completed)
    unready = [seen.name for seen in situation.containers if not seen.ready]
    reason = message = ""
    if over:
        reason = "PodCompleted" if phase == "Succeeded" else "PodFailed"
    elif unready:
        reason = "ContainersNotReady"
        message = f"containers with unready status: [{' '.join(unready)}]"
    for kind in ("ContainersReady", "Ready"):
        ready = _truth(not (over or unready))
        yield Condition(type=kind, status=ready, reason=reason, message=message)
    if situation.verdict is not None and situation.verdict.disrupted:
        text = "The node stopped while the pod was running on it."
        yield Condition(
            type="DisruptionTarget", status="True", reason="TerminationByKubelet", message=text
        )


def _truth(value: bool) -> str:
    return "True" if value else "False"


def _container(situation: Situation, seen: Seen, placement: Placement) -> Body:
    image = next(c.image for c in situation.pod.spec.containers if c.name == seen.name)
    running = isinstance(seen.state, Running)
    body: Body = {
        "name": seen.name,
        "image": image,
        "imageID": f"{placement.runtime}://{image}" if not isinstance(seen.state, Waiting) else "",
        "ready": seen.ready,
        "started": running and seen.started,
        "restartCount": seen.restarts,
    }
    state, last = seen.state, seen.last
    if isinstance(state, Terminated) and _comes_back(situation, state):
        last = state
        state = Waiting("CrashLoopBackOff", _back_off(situation.pod, seen))
    if not isinstance(state, Waiting) and state.id:
        body["containerID"] = f"{placement.runtime}://{state.id}"
    body["state"] = _state(state, placement.runtime)
    if last is not None:
        body["lastState"] = _state(last, placement.runtime)
    return body


def _comes_back(situation: Situation, state: Terminated) -> bool:
    """Whether it will be started again, as far as this node is concerned, now."""
    pod = situation.pod
    if situation.shutdown is not None or situation.verdict is not None or pod.finished:
        return False
    deleted = pod.metadata.deletion_timestamp is not None
    return not deleted and restarts(pod.spec.restart_policy, state)


def _back_off(pod: Pod, seen: Seen) -> str:
    where = f"{pod.metadata.name}_{pod.metadata.namespace}({pod.metadata.uid})"
    pause = f"{seen.delay:.0f}s"
    return f"back-off {pause} restarting failed container={seen.name} pod={where}"


def _state(state: Waiting | Running | Terminated, runtime: str) -> Body:
    if isinstance(state, Waiting):
        return {"waiting": _without_empty({"reason": state.reason, "message": state.message})}
    if isinstance(state, Running):
        return {"running": {"startedAt": timestamp(state.since)}}
    body = {
        "reason": state.reason,
        "message": state.message,
        "startedAt": _moment(state.started),
        "finishedAt": timestamp(state.finished),
        "containerID": f"{runtime}://{state.id}" if state.id else "",
    }
    return {"terminated": {"exitCode": state.code, **_without_empty(body)}}


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else timestamp(moment)


def _without_empty(body: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in body.items() if value}
