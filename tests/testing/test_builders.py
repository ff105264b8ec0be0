"""Tests of the builders: what they make is taken by the server, and read as it was meant."""

from typing import Any

import pytest

from argosy.api.core import ConfigMap, Node, Pod, Secret
from argosy.api.meta import Object, condition
from argosy.api.replicas import Deployment
from argosy.testing.builders import OWNER, body, deployment, node, pod, seen, view
from argosy.testing.clock import EPOCH
from argosy.testing.cluster import cluster

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        (ConfigMap, body("one", data={"a": "b"})),
        (Pod, pod("one", labels={"a": "b"}, requests={"cpu": "1"})),
        (Pod, pod("one", restartPolicy="Never", nodeName="n")),
        (Deployment, deployment("one", replicas=2, paused=True)),
        (Node, node("one", labels={"a": "b"})),
    ],
)
async def test_what_is_built_is_taken(kind: type[Object], made: Json) -> None:
    async with cluster() as running:
        found = await running.make(kind, made)
        assert found.metadata.name == "one"
        assert found.metadata.namespace == made["metadata"].get("namespace", "")


async def test_a_node_is_ready_and_has_room() -> None:
    async with cluster() as running:
        made = await running.make(Node, node(room={"cpu": "1", "pods": "2"}))
        assert made.status.allocatable == {"cpu": "1", "pods": "2"}
        ready = condition(made.status.conditions, "Ready")
        assert ready is not None and ready.status == "True"


def test_labels_annotations_and_owners() -> None:
    above = view(ConfigMap, body("above"), uid="u")
    meta = body("it", labels={"a": "b"}, annotations={"c": "d"}, owner=above)["metadata"]
    assert (meta["labels"], meta["annotations"]) == ({"a": "b"}, {"c": "d"})
    assert meta["ownerReferences"][0]["uid"] == "u"
    assert body("it", "") == {"metadata": {"name": "it"}}


def test_a_view_has_what_a_server_gives() -> None:
    made = view(Pod, pod("p", requests={"cpu": "1"}), generation=3)
    meta = made.metadata
    assert (meta.uid, meta.generation, meta.namespace) == ("uid-p", 3, "default")
    assert made.spec.containers[0].resources.requests == {"cpu": "1"}


def test_what_an_object_owns() -> None:
    first, second = view(ConfigMap, body("a")), view(ConfigMap, body("b"))
    found = seen(first, second, view(Pod, pod()))
    assert (found.now, found.uid) == (EPOCH, OWNER)
    assert found.all(ConfigMap) == [first, second]
    assert found.get(ConfigMap, "b") is second
    assert found.get(ConfigMap, "c") is None
    assert found.all(Secret) == []
