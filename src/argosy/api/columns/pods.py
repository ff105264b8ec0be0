"""A pod in one line: how many containers are ready, what it does, how often it began anew."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from argosy.api.columns.text import NONE, Cell, Json, age, at, condition, items

FINISHED = ("Succeeded", "Failed")


def _ready(pod: Json, now: datetime) -> Cell:
    """Ready containers of all, sidecars counted."""
    sidecars = _sidecars(pod)
    counted = [item for item in items(pod, "status.initContainerStatuses") if item.get("started")]
    statuses = [item for item in counted if item.get("name") in sidecars]
    if not _initializing(pod):
        statuses += [item for item in _containers(pod) if "running" in _state(item)]
    up = sum(1 for status in statuses if status.get("ready"))
    return f"{up}/{len(sidecars) + len(items(pod, 'spec.containers'))}"


def _status(pod: Json, now: datetime) -> Cell:
    """One word for the state of the pod and of its containers."""
    phase = at(pod, "status.phase")
    if pod["metadata"].get("deletionTimestamp"):
        if at(pod, "status.reason") == "NodeLost":
            return "Unknown"
        if phase not in FINISHED:
            return "Terminating"
    shown = str(at(pod, "status.reason") or phase or "Unknown")
    if condition(pod, "PodScheduled", "reason") == "SchedulingGated":
        shown = "SchedulingGated"
    if initial := _initializing(pod):
        return initial
    return _of_containers(pod, shown)


def _of_containers(pod: Json, shown: str) -> str:
    failed = ""
    for container in reversed(_containers(pod)):  # the first one's reason counts most
        state = _state(container)
        shown = _reason(state) or shown
        if "waiting" not in state and (state.get("terminated") or {}).get("exitCode"):
            failed = shown
    if shown != "Completed":
        return shown
    runs = any(item.get("ready") and "running" in _state(item) for item in _containers(pod))
    if runs and condition(pod, "Ready") == "True":
        return "Running"
    return failed or ("NotReady" if runs else shown)


def _initializing(pod: Json) -> str:
    """What the pod's start waits for; empty when the init containers are through."""
    if condition(pod, "Initialized") == "True":
        return ""
    sidecars = _sidecars(pod)
    for i, container in enumerate(items(pod, "status.initContainerStatuses")):
        state = _state(container)
        ended = state.get("terminated")
        if ended is not None and not ended.get("exitCode"):
            continue
        if container.get("name") in sidecars and container.get("started"):
            continue
        reason = _reason(state)
        if reason and reason != "PodInitializing":
            return f"Init:{reason}"
        return f"Init:{i}/{len(items(pod, 'spec.initContainers'))}"
    return ""


def _reason(state: Json) -> str:
    if reason := (state.get("waiting") or {}).get("reason"):
        return str(reason)
    ended = state.get("terminated")
    if ended is None:
        return ""
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended['exitCode']}"


def _restarts(pod: Json, now: datetime) -> Cell:
    """How often containers began anew, and when the last of them ended."""
    sidecars = _sidecars(pod)
    initial = items(pod, "status.initContainerStatuses")
    if _initializing(pod):
        statuses = list(initial)
    else:
        statuses = [item for item in initial if item.get("name") in sidecars]
        statuses += _containers(pod)
    times = sum(int(status.get("restartCount") or 0) for status in statuses)
    ends = [at(status, "lastState.terminated.finishedAt") for status in statuses]
    last = max((end for end in ends if end), default=None)
    return f"{times} ({age(last, now)} ago)" if times and last else str(times)


def _ip(pod: Json, now: datetime) -> Cell:
    ips = items(pod, "status.podIPs")
    return str(ips[0].get("ip") if ips else at(pod, "status.podIP") or NONE)


def _readiness_gates(pod: Json, now: datetime) -> Cell:
    gates = items(pod, "spec.readinessGates")
    if not gates:
        return NONE
    passed = sum(1 for gate in gates if condition(pod, gate["conditionType"]) == "True")
    return f"{passed}/{len(gates)}"


def _containers(pod: Json) -> Sequence[Json]:
    return items(pod, "status.containerStatuses")


def _state(container: Json) -> Json:
    return container.get("state") or {}


def _sidecars(pod: Json) -> frozenset[str]:
    """Init containers that go on running."""
    initial = items(pod, "spec.initContainers")
    return frozenset(item["name"] for item in initial if item.get("restartPolicy") == "Always")


CELLS: Mapping[str, Callable[[Json, datetime], Cell]] = {
    "pod-ip": _ip,
    "pod-readiness-gates": _readiness_gates,
    "pod-ready": _ready,
    "pod-restarts": _restarts,
    "pod-status": _status,
}
