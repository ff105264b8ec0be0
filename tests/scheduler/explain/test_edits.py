"""Pods as they would be after a fix: they ask for no more than they were told to."""

from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.scheduler.explain.edits import asking, without_host_ports, without_required
from argosy.scheduler.shape import shape_of
from tests.scheduler.builders import pod

GPU = "nvidia.com/gpu"


def made(*containers: Any, **spec: Any) -> Pod:
    body = [{"name": f"c{n}", "resources": one} for n, one in enumerate(containers)]
    return pod("w", spec={"containers": body, **spec})


def asked(wanted: Pod, resource: str) -> int:
    return dict(shape_of(wanted).request.amounts).get(resource, 0)


@pytest.mark.parametrize(
    ("wanted", "resource", "most", "left"),
    [
        (made({"limits": {GPU: "4"}}), GPU, 2, 2),
        (made({"limits": {GPU: "4"}, "requests": {GPU: "4"}}), GPU, 3, 3),
        (made({"requests": {"cpu": "4"}}, {"requests": {"cpu": "2"}}), "cpu", 3000, 3000),
        (made({"requests": {"cpu": "4"}}, overhead={"cpu": "500m"}), "cpu", 1500, 1500),
        (made({"limits": {"cpu": "4"}}), "cpu", 1000, 1000),
        (made({}, resources={"requests": {"cpu": "4"}}), "cpu", 1000, 1000),
        (
            made(
                {"requests": {"cpu": "1"}},
                initContainers=[{"name": "i", "resources": {"requests": {"cpu": "4"}}}],
            ),
            "cpu",
            2000,
            2000,
        ),
        (made({"requests": {"cpu": "1"}}, overhead={"cpu": "2"}), "cpu", 1000, 2000),
    ],
)
def test_asking_for_less(wanted: Pod, resource: str, most: int, left: int) -> None:
    assert asked(wanted, resource) > most
    assert asked(asking(resource, most)(wanted), resource) == left


def test_what_can_be_had_beyond_its_request_keeps_its_limit() -> None:
    both = {"limits": {"cpu": "8", GPU: "4"}, "requests": {"cpu": "4", GPU: "4"}}
    less = asking("cpu", 1000)(asking(GPU, 1)(made(both))).spec.containers[0].resources
    assert (dict(less.limits), dict(less.requests)) == (
        {"cpu": "8", GPU: "1"},
        {"cpu": "1", GPU: "1"},
    )


def test_what_is_only_preferred_stays() -> None:
    preferred: dict[str, Any] = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}
    required: dict[str, Any] = {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}
    wanted = pod("w", spec={"affinity": {"podAffinity": {**preferred, **required}}})
    edited = without_required("podAffinity")(wanted)
    assert edited.spec.affinity == {"podAffinity": preferred}
    assert without_required("podAffinity")(pod("w")).spec.affinity is None


def test_host_ports_are_given_up_everywhere_but_on_the_nodes_own_network() -> None:
    body = {"name": "c", "ports": [{"containerPort": 80, "hostPort": 80}]}
    spec = {"containers": [body], "initContainers": [{**body, "name": "i"}]}
    freed = without_host_ports(pod("w", spec=spec)).spec
    everything: list[Any] = [*freed.containers, *freed.init_containers]
    found = [one.ports[0] for one in everything]
    assert [(one.container_port, one.host_port) for one in found] == [(80, 0), (80, 0)]
    # An API server would give it its ports again.
    same = pod("w", spec={**spec, "hostNetwork": True})
    assert without_host_ports(same) is same
