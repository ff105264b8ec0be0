"""Tests of a pod's row: one case for each word that kubectl has for a pod's state."""

from datetime import UTC, datetime
from typing import Any

import pytest

from argosy.api.columns.cells import cells
from argosy.api.resources.core import POD

Json = dict[str, Any]
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ENDED = "2026-11-21T11:58:00Z"
READY = [{"type": "Ready", "status": "True"}]


def ran(name: str = "a", *, ready: bool = True, restarts: int = 0, **more: Any) -> Json:
    state = {"running": {"startedAt": ENDED}}
    return {"name": name, "ready": ready, "restartCount": restarts, "state": state, **more}


def waits(reason: str, name: str = "a") -> Json:
    return {"name": name, "state": {"waiting": {"reason": reason}}}


def ended(code: int, reason: str = "", name: str = "a", **more: Any) -> Json:
    terminated: Json = {"exitCode": code, "finishedAt": ENDED, **more}
    if reason:
        terminated["reason"] = reason
    return {"name": name, "state": {"terminated": terminated}}


def pod(
    *statuses: Json,
    phase: str = "Running",
    init: tuple[Json, ...] = (),
    sidecars: tuple[str, ...] = (),
    deleted: bool = False,
    **status: Any,
) -> Json:
    meta = {"name": "it", "creationTimestamp": ENDED}
    if deleted:
        meta["deletionTimestamp"] = ENDED
    policies = {name: {"restartPolicy": "Always"} for name in sidecars}
    return {
        "metadata": meta,
        "spec": {
            "containers": [{"name": item["name"]} for item in statuses],
            "initContainers": [
                {"name": item["name"], **policies.get(item["name"], {})} for item in init
            ],
        },
        "status": {
            "phase": phase,
            "containerStatuses": list(statuses),
            "initContainerStatuses": list(init),
            **status,
        },
    }


def row(obj: Json) -> dict[str, Any]:
    shown = cells(POD.columns, obj, NOW)
    return {column.name: cell for column, cell in zip(POD.columns, shown, strict=True)}


@pytest.mark.parametrize(
    "obj, ready, status",
    [
        (pod(ran()), "1/1", "Running"),
        (pod(ran(ready=False)), "0/1", "Running"),
        (pod(phase="Pending"), "0/0", "Pending"),
        (pod(phase="Failed", reason="Evicted"), "0/0", "Evicted"),
        (
            pod(conditions=[{"type": "PodScheduled", "reason": "SchedulingGated"}]),
            "0/0",
            "SchedulingGated",
        ),
        (pod(waits("ImagePullBackOff")), "0/1", "ImagePullBackOff"),
        (
            pod(waits("CrashLoopBackOff", "a"), waits("ErrImagePull", "b")),
            "0/2",
            "CrashLoopBackOff",
        ),
        (pod(ended(0, "Completed"), phase="Succeeded"), "0/1", "Completed"),
        (pod(ended(1, "Error"), phase="Failed"), "0/1", "Error"),
        (pod(ended(3), phase="Failed"), "0/1", "ExitCode:3"),
        (pod(ended(137, signal=9), phase="Failed"), "0/1", "Signal:9"),
        (pod(ended(0, "Completed"), ran("b"), conditions=READY), "1/2", "Running"),
        (pod(ended(0, "Completed"), ran("b")), "1/2", "NotReady"),
        (pod(ended(0, "Completed"), ended(2, "Error", "b")), "0/2", "Error"),
        (pod(ran(), deleted=True), "1/1", "Terminating"),
        (pod(ended(0, "Completed"), phase="Succeeded", deleted=True), "0/1", "Completed"),
        (pod(ran(), deleted=True, reason="NodeLost"), "1/1", "Unknown"),
        (pod(ran("m", ready=False), init=(ran("i"),)), "0/1", "Init:0/1"),
        (pod(ran("m"), init=(ended(0, "Completed", "i"),)), "1/1", "Running"),
        (
            pod(
                waits("PodInitializing", "m"),
                init=(ended(0, name="i"), waits("PodInitializing", "j")),
            ),
            "0/1",
            "Init:1/2",
        ),
        (pod(init=(waits("ErrImagePull", "i"),)), "0/0", "Init:ErrImagePull"),
        (pod(init=(ended(2, "Error", "i"),)), "0/0", "Init:Error"),
        (pod(init=(ended(2, name="i"),)), "0/0", "Init:ExitCode:2"),
        (pod(init=(ended(1, name="i", signal=9),)), "0/0", "Init:Signal:9"),
        (pod(ran("m"), init=(ran("s", started=True),), sidecars=("s",)), "2/2", "Running"),
        (pod(ran("m"), init=(ran("s", started=False),), sidecars=("s",)), "0/2", "Init:0/1"),
        (
            pod(ran("m"), init=(ran("i"),), conditions=[{"type": "Initialized", "status": "True"}]),
            "1/1",
            "Running",
        ),
    ],
)
def test_ready_and_status(obj: Json, ready: str, status: str) -> None:
    shown = row(obj)
    assert (shown["Ready"], shown["Status"]) == (ready, status)


BEFORE: Json = {"terminated": {"exitCode": 1, "finishedAt": ENDED}}


@pytest.mark.parametrize(
    "obj, shown",
    [
        (pod(ran()), "0"),
        (pod(ran(restarts=2)), "2"),
        (pod(ran(restarts=2, lastState=BEFORE), ran("b", restarts=1)), "3 (2m ago)"),
        (pod(ran(), init=(ended(0, name="i") | {"restartCount": 5},)), "0"),
        (pod(ran(), init=(ran("i", restarts=5),)), "5"),
        (pod(ran(restarts=1), init=(ran("s", restarts=2, started=True),), sidecars=("s",)), "3"),
    ],
)
def test_restarts_count_what_goes_on_running(obj: Json, shown: str) -> None:
    assert row(obj)["Restarts"] == shown


def test_the_wide_columns() -> None:
    bare = row(pod(ran()))
    assert {bare[name] for name in ("IP", "Node", "Nominated Node", "Readiness Gates")} == {
        "<none>"
    }
    obj = pod(ran(), podIPs=[{"ip": "10.0.0.1"}], nominatedNodeName="n2", conditions=READY)
    gates = [{"conditionType": "Ready"}, {"conditionType": "example.com/open"}]
    obj["spec"] |= {"nodeName": "n1", "readinessGates": gates}
    shown = row(obj)
    assert (shown["IP"], shown["Node"], shown["Nominated Node"]) == ("10.0.0.1", "n1", "n2")
    assert shown["Readiness Gates"] == "1/2"
    assert row(pod(ran(), podIP="10.0.0.2"))["IP"] == "10.0.0.2"
