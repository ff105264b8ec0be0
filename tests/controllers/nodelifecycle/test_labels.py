"""The old labels of nodes say what the new ones do."""

import pytest

from argosy.api.core import Node
from argosy.controllers.nodelifecycle.labels import lacking
from argosy.testing.clock import settle
from tests.controllers.nodelifecycle.kit import watched

NEW = "kubernetes.io/os"
OLD = "beta.kubernetes.io/os"


@pytest.mark.parametrize(
    ("labels", "missing"),
    [
        ({}, {}),
        ({OLD: "linux"}, {}),
        ({NEW: "linux"}, {OLD: "linux"}),
        ({NEW: "linux", OLD: "linux"}, {}),
        ({NEW: "linux", OLD: "windows"}, {OLD: "linux"}),
    ],
)
def test_what_is_lacking(labels: dict[str, str], missing: dict[str, str]) -> None:
    assert lacking(labels) == missing


async def test_a_node_gets_them() -> None:
    async with watched() as it:
        labels = {"kubernetes.io/arch": "arm64", NEW: "linux", "a": "b"}
        await it.client.create(Node.resource, {"metadata": {"name": "n", "labels": labels}})
        await settle()
        found = (await it.client.get(Node, "n")).metadata
        assert found.labels == {**labels, "beta.kubernetes.io/arch": "arm64", OLD: "linux"}
        await it.clock.advance(60)
        assert (await it.client.get(Node, "n")).metadata.labels == found.labels
