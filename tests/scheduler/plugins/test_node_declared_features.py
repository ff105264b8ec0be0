"""Features that a pod needs its node to declare."""

from typing import Any

import msgspec
import pytest

from argosy.api.core import Node
from argosy.scheduler.columns import Columns
from argosy.scheduler.plugins import node_declared_features as plugin
from argosy.scheduler.shape import HOST_USERS, RESTART_ALL, shape_of
from tests.scheduler.builders import pod

RESTARTING = [{"name": "c", "restartPolicyRules": [{"action": "RestartAllContainers"}]}]
OTHERWISE = [{"name": "c", "restartPolicyRules": [{"action": "Restart"}]}]


def with_features(name: str, *features: str) -> Node:
    body = {"metadata": {"name": name}, "status": {"declaredFeatures": list(features)}}
    return msgspec.convert(body, Node)


@pytest.mark.parametrize(
    ("spec", "needed", "expected"),
    [
        ({}, (), "abc"),
        ({"containers": OTHERWISE}, (), "abc"),
        ({"containers": RESTARTING}, (RESTART_ALL,), "bc"),
        ({"initContainers": RESTARTING}, (RESTART_ALL,), "bc"),
        ({"hostNetwork": True}, (), "abc"),
        ({"hostUsers": False}, (), "abc"),
        ({"hostNetwork": True, "hostUsers": True}, (), "abc"),
        ({"hostNetwork": True, "hostUsers": False}, (HOST_USERS,), "c"),
        (
            {"hostNetwork": True, "hostUsers": False, "containers": RESTARTING},
            (RESTART_ALL, HOST_USERS),
            "c",
        ),
    ],
)
def test_nodes_that_declare_what_the_pod_needs(
    spec: dict[str, Any], needed: tuple[str, ...], expected: str
) -> None:
    nodes = Columns()
    nodes.put_node(with_features("a"))
    nodes.put_node(with_features("b", RESTART_ALL, "Other"))
    nodes.put_node(with_features("c", HOST_USERS, RESTART_ALL))
    shape = shape_of(pod(spec=spec))
    assert shape.features == needed
    assert plugin.applies(shape) is bool(needed)
    mask = plugin.declared(nodes, shape, nodes.everything)
    assert "".join(name for name, there in zip("abc", mask, strict=True) if there) == expected


def test_a_node_learns_and_forgets() -> None:
    nodes = Columns()
    shape = shape_of(pod(spec={"containers": RESTARTING}))
    assert nodes.put_node(with_features("a"))
    assert not nodes.put_node(with_features("a"))
    assert nodes.put_node(with_features("a", RESTART_ALL))
    assert plugin.declared(nodes, shape, nodes.everything).tolist() == [True]
    assert nodes.put_node(with_features("a"))
    assert plugin.declared(nodes, shape, nodes.everything).tolist() == [False]
    assert plugin.explain(nodes, shape, nodes.everything) == {plugin.LACKING: 1}
