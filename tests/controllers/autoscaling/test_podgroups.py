"""Which pods count, and what they have asked for. The cases are those of upstream's own tests."""

from datetime import timedelta
from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.controllers.autoscaling.podgroups import (
    Delays,
    Measured,
    PodGroups,
    RequestError,
    grouped,
    ready_pods,
    requests,
)
from tests.controllers.autoscaling.kit import NOW, pod

DELAYS = Delays(timedelta(minutes=2), timedelta(seconds=10))
NAME = frozenset({"p"})
READY, UNREADY = PodGroups(1), PodGroups(0, unready=NAME)


def group(made: Pod, *, age: float = 0.0, window: float = 60.0, resource: str = "cpu") -> PodGroups:
    at = NOW - timedelta(seconds=age)
    metric = Measured(1, at, timedelta(seconds=window))
    return grouped([made], {"p": metric}, resource, NOW, DELAYS)


@pytest.mark.parametrize(
    "facts, measured, expected",
    [
        ({"ready": ""}, {"resource": "memory"}, READY),
        ({"ready": ""}, {}, UNREADY),
        ({"ran": None, "since": 600}, {}, UNREADY),
        ({"ran": 60, "since": 30}, {"window": 30}, READY),
        ({"ran": 60, "since": 30}, {"window": 60}, UNREADY),
        ({"ran": 60, "since": 54, "ready": "False"}, {}, UNREADY),
        ({"ran": 180, "since": 180}, {"age": 120}, READY),
        ({"ran": 600, "since": 540, "ready": "False"}, {}, READY),
        ({"ran": 600, "since": 594, "ready": "False"}, {}, UNREADY),
        ({"phase": "Pending"}, {}, UNREADY),
        ({"phase": "Succeeded"}, {}, READY),
        ({"phase": "Pending", "going": True}, {}, PodGroups(0, ignored=NAME)),
        ({"phase": "Failed"}, {}, PodGroups(0, ignored=NAME)),
    ],
)
def test_a_pod_counts(facts: dict[str, Any], measured: dict[str, Any], expected: PodGroups) -> None:
    assert group(pod("p", **facts), **measured) == expected


def test_a_pod_without_metrics_is_missing() -> None:
    assert grouped([pod("p")], {}, "cpu", NOW, DELAYS) == PodGroups(0, missing=NAME)
    assert grouped([], {}, "cpu", NOW, DELAYS) == PodGroups(0)


def test_running_and_ready() -> None:
    pods = [pod("a"), pod("b", ready="False"), pod("c", ready=""), pod("d", phase="Pending")]
    assert ready_pods(pods) == 1


TWO = ({"cpu": "100m"}, {"cpu": "50m"})
WHOLE: dict[str, Any] = {"resources": {"requests": {"cpu": "1"}}}
SIDECAR = {
    "name": "side",
    "restartPolicy": "Always",
    "resources": {"requests": {"cpu": "50m", "memory": "1Ki"}},
}
FIRST = {"name": "first", "resources": {"requests": {"cpu": "2", "memory": "4Ki"}}}


@pytest.mark.parametrize(
    "made, container, expected",
    [
        (pod("p", requests=TWO), "", 150),
        (pod("p", requests=TWO, **WHOLE), "", 1000),
        (pod("p", requests=({}, {"cpu": "50m"}), **WHOLE), "", 1000),
        (pod("p", requests=TWO), "c0", 100),
        (pod("p", requests=TWO, **WHOLE), "c1", 50),
        (pod("p", requests=TWO, initContainers=[FIRST, SIDECAR]), "", 200),
        (pod("p", requests=TWO, initContainers=[FIRST, SIDECAR]), "side", 50),
        (pod("p", requests=TWO, overhead={"cpu": "5m"}, **WHOLE), "", 1005),
        (pod("p", requests=TWO, resources={"requests": {"memory": "1Gi"}}), "", 150),
        (
            pod(
                "p",
                requests=TWO,
                resources={"requests": {"memory": "1Gi"}},
                initContainers=[SIDECAR, FIRST],
            ),
            "",
            2050,
        ),
    ],
)
def test_requests(made: Pod, container: str, expected: int) -> None:
    assert requests([made], "cpu", container) == {"p": expected}


@pytest.mark.parametrize(
    "made, container, expected",
    [
        (
            pod("p", requests=({}, {"cpu": "1"})),
            "",
            "missing request for cpu in container c0 of Pod p",
        ),
        (pod("p"), "other", "container other not found in Pod p"),
        (
            pod("p", requests=({},), resources={"requests": {"memory": "1Gi"}}),
            "",
            "missing pod-level request for cpu in Pod p",
        ),
    ],
)
def test_requests_that_are_missing(made: Pod, container: str, expected: str) -> None:
    with pytest.raises(RequestError, match=expected):
        requests([made], "cpu", container)
