"""Host ports: who stands in whose way."""

from typing import Any

import numpy as np
import pytest

from argosy.scheduler.columns import Columns
from argosy.scheduler.plugins import node_ports
from argosy.scheduler.shape import shape_of
from tests.scheduler.builders import node, occupant, pod


def ports(*each: tuple[Any, ...]) -> dict[str, Any]:
    """A pod's spec with (number, protocol, address) as its host ports."""
    found = []
    for number, *more in each:
        item = {"containerPort": 1, "hostPort": number}
        found.append({**item, **dict(zip(("protocol", "hostIP"), more, strict=False))})
    return {"containers": [{"name": "c", "ports": found}]}


@pytest.mark.parametrize(
    ("taken", "wanted", "free"),
    [
        ([], [(80,)], True),
        ([(80,)], [], True),
        ([(80,)], [(81,)], True),
        ([(80,)], [(80,)], False),
        ([(80,)], [(80, "UDP")], True),
        ([(80, "TCP", "10.0.0.1")], [(80, "TCP", "10.0.0.2")], True),
        ([(80, "TCP", "10.0.0.1")], [(80, "TCP", "10.0.0.1")], False),
        ([(80, "TCP", "10.0.0.1")], [(80,)], False),
        ([(80, "TCP", "0.0.0.0")], [(80, "TCP", "10.0.0.1")], False),
        ([(80,), (81,)], [(82,), (81,)], False),
    ],
)
def test_ports(taken: list[Any], wanted: list[Any], free: bool) -> None:
    nodes = Columns()
    nodes.put_node(node("a"))
    nodes.put_node(node("b"))
    nodes.put_pod("b", occupant("other", spec=ports(*taken)))
    shape = shape_of(pod(spec=ports(*wanted)))
    assert node_ports.applies(shape) is bool(wanted)
    assert node_ports.free(nodes, shape, nodes.everything).tolist() == [True, free]
    assert node_ports.free(nodes, shape, np.array([1])).tolist() == [free]
    assert node_ports.free_row(nodes, shape, 1) is free
    nodes.drop_pod("uid-other")
    assert node_ports.free(nodes, shape, nodes.everything).all()


def test_sidecars_have_ports_too() -> None:
    nodes = Columns()
    nodes.put_node(node("a"))
    given = ports((80,))["containers"][0]
    sidecar = {"containers": [], "initContainers": [{**given, "restartPolicy": "Always"}]}
    starting = {"containers": [], "initContainers": [given]}
    nodes.put_pod("a", occupant("other", spec=sidecar))
    for spec, free in ((sidecar, False), (starting, True)):
        shape = shape_of(pod(spec=spec))
        assert node_ports.free(nodes, shape, nodes.everything).tolist() == [free]
    assert node_ports.explain(nodes, shape, np.array([0])) == {node_ports.TAKEN: 1}
