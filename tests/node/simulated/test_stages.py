"""What is told of a simulated pod at each moment of its life."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from argosy.api.core import Pod, PodStatus
from argosy.base.clock import timestamp
from argosy.node.simulated.runs import Run
from argosy.node.simulated.stages import Life, Stage, since, told_already
from argosy.testing.builders import pod, view
from argosy.testing.clock import EPOCH

Json = dict[str, Any]
MINUTE = Run(timedelta(minutes=1), fails=False)


def after(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def life(phase: str = "Running", **spec: Any) -> Life:
    status = {"phase": phase, "startTime": timestamp(EPOCH)} if phase != "Pending" else {}
    found = view(Pod, {**pod(**spec), "status": status})
    return Life(pod=found, address="10.128.0.1", host="100.64.0.1", began=EPOCH)


def read(stage: Stage) -> PodStatus:
    return msgspec.convert(stage.status, PodStatus)


def conditions(status: PodStatus) -> dict[str, str]:
    return {item.type: item.status for item in status.conditions}


@pytest.mark.parametrize(
    ("phase", "run", "seconds", "told", "left"),
    [
        ("Pending", Run(None, fails=True), 0, "Running", None),
        ("Pending", MINUTE, 0, "Running", 60.0),
        ("Pending", Run(timedelta(), fails=False), 0, "Running", 0.0),  # all see it run
        ("Running", Run(None, fails=True), 10**6, "Running", None),
        ("Running", MINUTE, 59.5, "Running", 0.5),
        ("Running", MINUTE, 60, "Succeeded", None),
        ("Running", Run(MINUTE.length, fails=True), 59, "Running", 1.0),
        ("Running", Run(MINUTE.length, fails=True), 61, "Failed", None),
    ],
)
def test_stages(phase: str, run: Run, seconds: float, told: str, left: float | None) -> None:
    stage = life(phase).stage(run, after(seconds))
    assert (stage.status["phase"], stage.after) == (told, left)


def test_a_pod_that_runs_is_ready() -> None:
    status = read(life("Pending").stage(MINUTE, EPOCH))
    assert (status.pod_ip, status.host_ip) == ("10.128.0.1", "100.64.0.1")
    assert status.start_time == timestamp(EPOCH)
    assert set(conditions(status).values()) == {"True"}
    (container,) = status.container_statuses
    assert container.ready and container.state.running is not None


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
@pytest.mark.parametrize(("fails", "code"), [(False, 0), (True, 1)])
def test_an_end_is_the_pods(policy: str, fails: bool, code: int) -> None:
    run = Run(MINUTE.length, fails=fails)
    status = read(life(restartPolicy=policy).stage(run, after(60)))
    assert status.phase == ("Failed" if fails else "Succeeded")
    ended = status.container_statuses[0].state.terminated
    assert ended is not None and ended.exit_code == code
    assert (ended.started_at, ended.finished_at) == (timestamp(EPOCH), timestamp(after(60)))
    assert conditions(status)["Ready"] == "False" and status.pod_ip == "10.128.0.1"


def test_a_deadline_ends_it() -> None:
    short = life(activeDeadlineSeconds=30)
    assert short.stage(MINUTE, after(10)).after == 20.0
    status = read(short.stage(MINUTE, after(30)))
    assert (status.phase, status.reason) == ("Failed", "DeadlineExceeded")


def test_what_is_deleted_fails_as_by_sigterm() -> None:
    status = read(life().ends(after(5)))
    ended = status.container_statuses[0].state.terminated
    assert status.phase == "Failed" and ended is not None and ended.exit_code == 143


def test_what_can_not_start_says_why() -> None:
    status = read(life("Pending").waits("no", EPOCH))
    waiting = status.container_statuses[0].state.waiting
    assert status.phase == "Pending" and waiting is not None
    assert (waiting.reason, waiting.message) == ("CreateContainerConfigError", "no")


def states(stage: Stage) -> list[tuple[bool, list[str]]]:
    found = stage.status["initContainerStatuses"]
    return [(status["ready"], list(status["state"])) for status in found]


def test_init_containers_come_before_and_sidecars_beside() -> None:
    init = [{"name": "first", "image": "a"}, {"name": "side", "restartPolicy": "Always"}]
    begun = life("Pending", initContainers=init)
    assert states(begun.waits("no", EPOCH)) == [(False, ["waiting"]), (False, ["waiting"])]
    running = life(initContainers=init)
    stage = running.stage(MINUTE, EPOCH)
    assert states(stage) == [(True, ["terminated"]), (True, ["running"])]
    assert stage.status["initContainerStatuses"][0]["image"] == "a"
    assert stage.status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 0
    ended = running.stage(Run(MINUTE.length, fails=True), after(60))
    assert states(ended) == [(True, ["terminated"]), (False, ["terminated"])]


def test_what_is_told_need_not_be_told_again() -> None:
    stage = life("Pending").stage(MINUTE, EPOCH)
    claims = [{"name": "gpu", "resourceClaimName": "c"}]
    others = {"resourceClaimStatuses": claims, "nominatedNodeName": "n"}
    found = view(Pod, {**pod(), "status": {**stage.status, **others}})
    assert told_already(found, stage.status) and since(found) == EPOCH
    later = Life(pod=found, address="10.128.0.1", host="100.64.0.1", began=EPOCH)
    assert told_already(found, later.stage(MINUTE, after(30)).status)
    assert not told_already(found, later.stage(MINUTE, after(60)).status)
    unready = [{"type": "Ready", "status": "False"}]
    doubted = view(Pod, {**pod(), "status": {**stage.status, "conditions": unready}})
    assert not told_already(doubted, later.stage(MINUTE, after(30)).status)
    assert since(view(Pod, pod())) is None
