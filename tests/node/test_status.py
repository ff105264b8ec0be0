"""Statuses, by tables, and what is recalled of them after a crash."""

from typing import Any

import pytest

from argosy.node.plan import Situation, Verdict
from argosy.node.state import KILLED, UNKNOWN, Running, Seen, Terminated, Waiting, recovered
from argosy.node.status import Placement, pod_status
from tests.node.builders import container, pod_view
from tests.node.facts import DELETED, FRESH, T0, at, gone, situation, up

HERE = Placement(pod_ip="127.64.0.2", host_ip="127.64.0.1", runtime="host", prepared=True)
READY = up(started=True, healthy=True)
FAILED = Verdict("DeadlineExceeded", "too long")


def status(facts: Situation) -> dict[str, Any]:
    return pod_status(facts, HERE)


def conditions(facts: Situation) -> dict[str, tuple[str, str]]:
    return {c["type"]: (c["status"], c.get("reason", "")) for c in status(facts)["conditions"]}


@pytest.mark.parametrize(
    ("facts", "phase"),
    [
        (situation(FRESH), "Pending"),
        (situation(READY), "Running"),
        (situation(gone(0)), "Succeeded"),
        (situation(gone(2)), "Failed"),
        (situation(gone(0), policy="OnFailure"), "Succeeded"),
        (situation(gone(2), policy="OnFailure"), "Running"),
        (situation(gone(0), policy="Always"), "Running"),
        (situation(gone(0), policy="Always", meta=DELETED), "Succeeded"),
        (situation(READY, verdict=FAILED), "Running"),
        (situation(gone(137), verdict=FAILED, policy="Always"), "Failed"),
        (situation(gone(0), status={"phase": "Failed"}), "Failed"),
    ],
)
def test_phases(facts: Situation, phase: str) -> None:
    assert status(facts)["phase"] == phase


def test_conditions_of_a_ready_pod_keep_those_of_others() -> None:
    scheduled = {
        "type": "PodScheduled",
        "status": "True",
        "lastTransitionTime": "2025-01-01T00:00:00Z",
    }
    facts = situation(READY, 60, status={"conditions": [scheduled]})
    assert status(facts)["conditions"][0] == scheduled
    assert conditions(facts) == {
        "PodScheduled": ("True", ""),
        "PodReadyToStartContainers": ("True", ""),
        "Initialized": ("True", ""),
        "ContainersReady": ("True", ""),
        "Ready": ("True", ""),
    }


@pytest.mark.parametrize(
    ("facts", "ready", "disrupted"),
    [
        (situation(up(started=True)), ("False", "ContainersNotReady"), None),
        (situation(up(healthy=True)), ("False", "ContainersNotReady"), None),
        (situation(gone(0)), ("False", "PodCompleted"), None),
        (situation(gone(1)), ("False", "PodFailed"), None),
        (
            situation(gone(137), verdict=Verdict(disrupted=True)),
            ("False", "PodFailed"),
            ("True", "TerminationByKubelet"),
        ),
    ],
)
def test_conditions(
    facts: Situation, ready: tuple[str, str], disrupted: tuple[str, str] | None
) -> None:
    found = conditions(facts)
    assert found["Ready"] == found["ContainersReady"] == ready
    assert found.get("DisruptionTarget") == disrupted


def test_transition_times_move_with_the_status_only() -> None:
    def since(facts: Situation) -> str:
        return next(
            str(c["lastTransitionTime"])
            for c in status(facts)["conditions"]
            if c["type"] == "Ready"
        )

    old = {"type": "Ready", "status": "False", "lastTransitionTime": "2025-01-01T00:00:00Z"}
    assert since(situation(FRESH, 9, status={"conditions": [old]})) == old["lastTransitionTime"]
    assert since(situation(READY, 9, status={"conditions": [old]})) == "2026-01-01T00:00:09Z"


def test_a_container_in_back_off_waits_and_shows_how_it_ended() -> None:
    facts = situation(gone(2, reason="Error", restarts=3, crashes=3), policy="Always")
    (shown,) = status(facts)["containerStatuses"]
    assert shown["state"]["waiting"] == {
        "reason": "CrashLoopBackOff",
        "message": "back-off 20s restarting failed container=main pod=p_default(u1)",
    }
    assert shown["lastState"]["terminated"]["exitCode"] == 2
    assert (shown["ready"], shown["started"], shown["restartCount"]) == (False, False, 3)


def test_an_end_for_good_is_shown_as_it_was() -> None:
    state = Terminated(code=1, reason="Error", message="oh", started=T0, finished=at(2), id="abc")
    facts = situation(Seen(name="main", state=state), verdict=FAILED, policy="Always")
    found = status(facts)
    assert found["containerStatuses"][0]["state"] == {
        "terminated": {
            "exitCode": 1,
            "reason": "Error",
            "message": "oh",
            "startedAt": "2026-01-01T00:00:00Z",
            "finishedAt": "2026-01-01T00:00:02Z",
            "containerID": "host://abc",
        }
    }
    assert (found["reason"], found["message"]) == ("DeadlineExceeded", "too long")


def test_addresses_and_times() -> None:
    found = status(situation(FRESH, meta={"generation": 4}))
    assert found["podIP"] == "127.64.0.2"
    assert found["podIPs"] == [{"ip": "127.64.0.2"}]
    assert found["hostIPs"] == [{"ip": "127.64.0.1"}]
    assert found["startTime"] == "2026-01-01T00:00:00Z"
    assert found["observedGeneration"] == 4


def container_status(state: dict[str, Any], last: dict[str, Any] | None = None) -> dict[str, Any]:
    found = {"name": "main", "restartCount": 2, "containerID": "host://abc", "state": state}
    return {"phase": "Running", "containerStatuses": [{**found, "lastState": last or {}}]}


ENDED = {"terminated": {"exitCode": 3, "reason": "Error", "finishedAt": "2026-01-01T00:00:00Z"}}


@pytest.mark.parametrize(
    ("before", "code", "reason", "lost"),
    [
        (
            container_status({"running": {"startedAt": "2026-01-01T00:00:00Z"}}),
            KILLED,
            UNKNOWN,
            True,
        ),
        (container_status(ENDED), 3, "Error", False),
        (container_status({"waiting": {"reason": "CrashLoopBackOff"}}, ENDED), 3, "Error", False),
    ],
)
def test_after_a_crash_what_ran_is_known_to_be_gone(
    before: dict[str, Any], code: int, reason: str, lost: bool
) -> None:
    (seen,), ran = recovered(pod_view(container("true"), status=before), at(9))
    assert isinstance(seen.state, Terminated)
    assert (seen.state.code, seen.state.reason, ran) == (code, reason, lost)
    assert (seen.restarts, seen.delay) == (2, 0.0)


def test_after_a_crash_what_never_ran_waits() -> None:
    before = container_status({"waiting": {"reason": "ContainerCreating"}})
    for status_before in ({}, before):
        (seen,), ran = recovered(pod_view(container("true"), status=status_before), T0)
        assert isinstance(seen.state, Waiting) and not ran


def test_running_is_running() -> None:
    facts = situation(Seen(name="main", state=Running(T0, "abc"), started=True, healthy=True))
    (shown,) = status(facts)["containerStatuses"]
    assert shown["state"] == {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    assert (shown["containerID"], shown["imageID"]) == ("host://abc", "host://host")
