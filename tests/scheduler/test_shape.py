"""What a pod asks for, in all the ways in which it can; and what makes shapes equal."""

from typing import Any

import pytest

from argosy.scheduler.shape import LARGEST, UNASKED_MEMORY, Request, request_of, shape_of
from tests.scheduler.builders import pod

GI = 2**30


def container(name: str = "c", *, limits: Any = None, sidecar: Any = False, **asked: Any) -> Any:
    made: dict[str, Any] = {"name": name, "resources": {"requests": asked}}
    if limits:
        made["resources"]["limits"] = limits
    if sidecar:
        made["restartPolicy"] = "Always"
    return made


def asking(*containers: Any, init: Any = (), status: Any = None, **spec: Any) -> Request:
    full = {"containers": list(containers), "initContainers": list(init), **spec}
    return request_of(pod(spec=full, status=status or {}))


def amounts(request: Request) -> dict[str, int]:
    found = dict(request.amounts)
    assert found.pop("pods") == 1
    return found


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            asking(container(cpu="1"), container("d", cpu="500m", memory=9)),
            {"cpu": 1500, "memory": 9},
        ),
        # A limit without a request counts as the request.
        (asking(container(limits={"cpu": 2, "memory": 9}, cpu="1")), {"cpu": 1000, "memory": 9}),
        (asking(container(cpu="1"), overhead={"cpu": "250m"}), {"cpu": 1250}),
        (asking(container(cpu="0")), {}),
        # Amounts are added up before they are rounded.
        (asking(*(container(f"c{i}", memory="500m") for i in range(3))), {"memory": 2}),
        (asking(container(cpu="1e300")), {"cpu": LARGEST + 1}),
        (asking(container(cpu="-5")), {}),
        # One after the other starts, beside the sidecars before it.
        (asking(container(cpu="1"), init=[container("i", cpu="3")]), {"cpu": 3000}),
        (
            asking(container(cpu="1"), init=[container("i", cpu="3"), container("j", cpu="2")]),
            {"cpu": 3000},
        ),
        (
            asking(
                container(cpu="1"),
                init=[container("s", sidecar=True, cpu="1"), container("i", cpu="3")],
            ),
            {"cpu": 4000},
        ),
        (
            asking(
                container(cpu="1"),
                init=[container("i", cpu="3"), container("s", sidecar=True, cpu="1")],
            ),
            {"cpu": 3000},
        ),
        (
            asking(container(cpu="3"), init=[container("s", sidecar=True, cpu="1")]),
            {"cpu": 4000},
        ),
        # What the pod asks for as a whole counts in place of what its containers do.
        (
            asking(
                container(cpu="1", **{"x.io/gpu": "1"}),
                resources={"requests": {"cpu": "5", "x.io/gpu": 3}},
                overhead={"cpu": "1"},
            ),
            {"cpu": 6000, "x.io/gpu": 1},
        ),
    ],
)
def test_what_a_pod_takes(request_: Request, expected: dict[str, int]) -> None:
    assert amounts(request_) == expected


@pytest.mark.parametrize(
    ("request_", "scored", "own"),
    [
        (asking(container()), (100, UNASKED_MEMORY), (100, UNASKED_MEMORY)),
        (asking(container(cpu="0", memory="0")), (0, 0), (0, 0)),
        (
            asking(container(), container("d", cpu="1")),
            (1100, 2 * UNASKED_MEMORY),
            (1100, 2 * UNASKED_MEMORY),
        ),
        # Where the pod as a whole says, its containers need not; unless nobody says.
        (
            asking(container(), resources={"requests": {"cpu": "2"}}),
            (2000, UNASKED_MEMORY),
            (100, UNASKED_MEMORY),
        ),
        (
            asking(container(memory=GI), container("d"), resources={"requests": {"cpu": "2"}}),
            (2000, GI),
            (200, GI + UNASKED_MEMORY),
        ),
    ],
)
def test_what_counts_in_scores(
    request_: Request, scored: tuple[int, int], own: tuple[int, int]
) -> None:
    assert request_.scored == scored
    mine = dict(request_.own)
    assert (mine.get("cpu", 0), mine.get("memory", 0)) == own


def resized(actual: Any, allocated: Any = None, reason: str = "") -> dict[str, Any]:
    """The status of a pod of which container `c` has other resources than it asks for."""
    report = {"name": "c", "resources": {"requests": actual}, "allocatedResources": allocated or {}}
    status: dict[str, Any] = {"containerStatuses": [report]}
    if reason:
        status["conditions"] = [{"type": "PodResizePending", "status": "True", "reason": reason}]
    return status


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"containerStatuses": [{"name": "c"}]}, 1000),
        (resized({"cpu": "500m"}), 1000),
        (resized({"cpu": "2"}), 2000),
        (resized({"cpu": "2"}, {"cpu": "3"}), 3000),
        (resized({"cpu": "500m"}, reason="Deferred"), 1000),
        (resized({"cpu": "500m"}, reason="Infeasible"), 500),
    ],
)
def test_while_a_container_is_resized(status: dict[str, Any], expected: int) -> None:
    assert amounts(asking(container(cpu="1"), status=status)) == {"cpu": expected}
    sidecar = [{**container(cpu="1"), "restartPolicy": "Always"}]
    of_init = {**status, "initContainerStatuses": status["containerStatuses"]}
    of_init["containerStatuses"] = []
    assert amounts(asking(container("d"), init=sidecar, status=of_init)) == {"cpu": expected}


def test_while_a_pod_is_resized() -> None:
    status = {"resources": {"requests": {"cpu": "3", "memory": GI}}, "allocatedResources": {}}
    given = {"requests": {"cpu": "2"}}
    assert amounts(asking(container(), resources=given, status=status)) == {"cpu": 3000}


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"containers": [container(cpu="x")]}, "spec.containers[0].resources.requests[cpu]"),
        (
            {"initContainers": [container(), container(memory="x")]},
            "spec.initContainers[1].resources.requests[memory]",
        ),
        ({"resources": {"requests": {"cpu": "x"}}}, "spec.resources.requests[cpu]"),
        ({"overhead": {"cpu": "x"}}, "spec.overhead[cpu]"),
    ],
)
def test_a_broken_quantity_is_told_with_its_path(spec: dict[str, Any], path: str) -> None:
    for _ in range(2):  # nothing broken is remembered
        with pytest.raises(ValueError) as broken:
            shape_of(pod(spec=spec))
        assert str(broken.value).startswith(f"{path}: quantities must match")


def test_shapes_are_equal_whatever_does_not_matter() -> None:
    one = shape_of(pod("a", requests={"cpu": "1"}))
    same = shape_of(pod("b", requests={"cpu": "1000m"}, metadata={"labels": {"x": "y"}}))
    assert one == same
    assert hash(one) == hash(same)
    assert shape_of(pod("a", requests={"cpu": "1"})) is one
    others = [
        {"nodeSelector": {"a": "b"}},
        {"tolerations": [{"operator": "Exists"}]},
        {"hostNetwork": True, "hostUsers": False},
        {"affinity": {"nodeAffinity": {"x": 1}}},
        {"containers": [{**container(cpu="1"), "ports": [{"containerPort": 1, "hostPort": 1}]}]},
    ]
    shapes = [shape_of(pod("a", requests={"cpu": "1"}, spec=spec)) for spec in others]
    assert len({one, *shapes}) == 6
