"""Tests of the kinds of extension servers, as namespaces that go find them."""

import asyncio
import json
from pathlib import Path
from typing import Any

from argosy.api.core import Namespace
from argosy.api.resources.extensions import API_SERVICE
from argosy.controllers.extended import failed
from argosy.controllers.namespaces import namespaces
from argosy.http.message import Request, Response
from argosy.testing.cluster import Cluster
from tests.apiserver.aggregation.kit import GROUP, PLACE, ROOT, VERSION, Extended, extended, told

Json = dict[str, Any]

WIDGETS = f"{ROOT}/namespaces/doomed/widgets"
KIND = {
    "name": "widgets",
    "namespaced": True,
    "kind": "Widget",
    "verbs": ["delete", "deletecollection", "get", "list"],
}


class Widgets:
    """An extension server's objects: one, until it is deleted."""

    def __init__(self) -> None:
        self.left = 1

    def __call__(self, request: Request) -> Response | None:
        if request.path == ROOT:
            return told({"groupVersion": PLACE, "resources": [KIND]})
        if request.path != WIDGETS:
            return None
        if request.method == "DELETE":
            self.left = 0
            return told({"kind": "Status", "status": "Success"})
        items = [{"metadata": {"name": "w", "namespace": "doomed"}}] * self.left
        return told({"metadata": {"resourceVersion": "1"}, "items": items})


async def ending(made: Extended) -> None:
    await made.cluster.client.create(Namespace.resource, {"metadata": {"name": "doomed"}})
    await made.cluster.client.delete(Namespace.resource, "doomed")


async def test_objects_that_are_kept_elsewhere_go_with_their_namespace(tmp_path: Path) -> None:
    async with extended(tmp_path, more=(_namespaces,)) as made:
        widgets = Widgets()
        made.extension.instead = widgets
        await ending(made)
        async for event in made.cluster.client.watch(Namespace, "", since="1"):
            if event.type == "DELETED" and event.object.metadata.name == "doomed":
                break
        assert widgets.left == 0


async def test_nobody_goes_while_it_is_not_known_what_there_is(tmp_path: Path) -> None:
    async with extended(tmp_path, more=(_namespaces,)) as made:
        made.extension.instead = lambda request: Response(500)
        await ending(made)
        async with asyncio.timeout(5):
            while (found := await undiscovered(made)) is None:
                await asyncio.sleep(0.005)
        assert found["reason"] == "DiscoveryFailed"
        assert found["message"] == failed({PLACE: f"stale GroupVersion discovery: {PLACE}"})
        await made.cluster.client.delete(API_SERVICE, f"{VERSION}.{GROUP}")


def _namespaces(made: Cluster) -> None:
    made.manager.add(namespaces(made.manager, made.plane.resources))


async def undiscovered(made: Extended) -> Json | None:
    """The condition that tells of it, where it is true."""
    body = await made.cluster.client.call("GET", Namespace.resource.path("doomed"))
    for item in json.loads(body)["status"].get("conditions", ()):
        if (item["type"], item["status"]) == ("NamespaceDeletionDiscoveryFailure", "True"):
            return dict(item)
    return None


def test_the_sentence_names_each_version_once() -> None:
    assert failed({"b/v1": "y", "a/v1": "x"}) == (
        "Discovery failed for some groups, 2 failing: unable to retrieve the complete list of "
        "server APIs: a/v1: x, b/v1: y"
    )
