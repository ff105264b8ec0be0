"""Tests of extension servers behind one API: routes, discovery, OpenAPI."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from argosy.api.resources.extensions import API_SERVICE
from argosy.apiserver.discovery import AGGREGATED
from tests.api.extensions.kit import kind
from tests.apiserver.aggregation.kit import (
    GROUP,
    NODES,
    PLACE,
    ROOT,
    VERSION,
    Extended,
    extended,
    registration,
    told,
)

Json = dict[str, Any]
NAME = f"{VERSION}.{GROUP}"


@pytest_asyncio.fixture
async def made(tmp_path: Path) -> AsyncGenerator[Extended]:
    async with extended(tmp_path) as found:
        yield found


async def test_an_extension_server_answers_for_its_group(made: Extended) -> None:
    status, listed = await made.get(NODES)
    assert status == 200
    assert [item["metadata"]["name"] for item in listed["items"]] == ["localhost"]
    assert (await made.get(ROOT))[1]["groupVersion"] == PLACE
    assert made.extension.strangers == 0


async def test_a_watch_passes_through(made: Extended) -> None:
    events = [event async for event in made.api.watch(NODES)]
    assert [event["object"]["metadata"]["name"] for event in events] == ["a", "b"]


async def test_no_form_is_turned_into_another(made: Extended) -> None:
    accept = "application/vnd.kubernetes.protobuf"
    await made.get(NODES, accept=accept)
    assert made.extension.seen(NODES)[-1].headers["accept"] == accept


async def test_groups_are_told_of_together(made: Extended) -> None:
    groups = (await made.api.get("/apis")).body["groups"]
    found = next(item for item in groups if item["name"] == GROUP)
    version = {"groupVersion": PLACE, "version": VERSION}
    assert found == {"name": GROUP, "versions": [version], "preferredVersion": version}
    assert groups[-1] == found  # its priority is the lowest
    one = (await made.api.get(f"/apis/{GROUP}")).body
    assert one == {"kind": "APIGroup", "apiVersion": "v1", **found}
    paths = (await made.api.get("/")).body["paths"]
    assert {f"/apis/{GROUP}", ROOT} <= set(paths)


async def everything(made: Extended) -> Json:
    """The group, in the document of everything at once."""
    status, told = await made.get("/apis", accept=AGGREGATED)
    assert (status, told["kind"]) == (200, "APIGroupDiscoveryList")
    found: Json = next(item for item in told["items"] if item["metadata"]["name"] == GROUP)
    return found


async def test_everything_at_once_has_the_extension_s_resources(made: Extended) -> None:
    (version,) = (await everything(made))["versions"]
    assert version["freshness"] == "Current"
    assert [item["resource"] for item in version["resources"]] == ["nodes", "pods"]
    assert version["resources"][0]["responseKind"]["kind"] == "NodeMetrics"
    asked = len(made.extension.asked)
    await everything(made)
    assert len(made.extension.asked) == asked  # remembered


async def test_what_is_away_is_marked_as_stale(made: Extended) -> None:
    await everything(made)
    made.extension.instead = lambda request: told({}, 500)
    spec = {"spec": {"versionPriority": 7}}  # a change: it is asked anew
    await made.cluster.client.merge(API_SERVICE, NAME, "", spec)
    (version,) = (await everything(made))["versions"]
    assert version["freshness"] == "Stale"
    assert [item["resource"] for item in version["resources"]] == ["nodes", "pods"]


async def test_openapi_names_the_document_and_leads_to_it(made: Extended) -> None:
    path = f"/openapi/v3/apis/{PLACE}"
    index = (await made.api.get("/openapi/v3")).body["paths"]
    assert index[f"apis/{PLACE}"] == {"serverRelativeURL": f"{path}?hash=AB12"}
    assert "apis/apps/v1" in index
    assert (await made.get(f"{path}?hash=AB12"))[1]["openapi"] == "3.0.0"


async def test_the_route_ends_with_the_registration(made: Extended) -> None:
    assert (await made.get(NODES))[0] == 200
    await made.cluster.client.delete(API_SERVICE, NAME)
    assert (await made.api.get(NODES)).status == 404
    assert (await made.api.get(ROOT)).status == 404
    groups = (await made.api.get("/apis")).body["groups"]
    assert GROUP not in {item["name"] for item in groups}


async def test_local_kinds_are_nobody_else_s(made: Extended) -> None:
    body = registration("apps", "v1", made.port)
    refused = await made.api.ask("POST", API_SERVICE.path(), body)
    assert refused.status == 422
    assert "apps/v1 is served by this server itself" in refused.message
    assert (await made.api.get("/apis/apps/v1/deployments")).status == 200
    assert not made.extension.seen("/apis/apps/v1/deployments")


async def test_a_defined_kind_gives_way(made: Extended) -> None:
    await made.register("example.com/v1")
    definition = await made.api.ask(
        "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", kind()
    )
    assert definition.status == 201, definition.body
    await made.send("GET", "/apis/example.com/v1/widgets")
    assert made.extension.seen("/apis/example.com/v1/widgets")


@pytest.mark.parametrize("path", ["/apis/none.example.com/v1", "/apis/none.example.com/v1/a"])
async def test_other_groups_are_not_there(made: Extended, path: str) -> None:
    assert (await made.api.get(path)).status == 404


async def test_local_ones_are_listed_and_available(made: Extended) -> None:
    async with asyncio.timeout(5):
        await made.until(lambda api: api.available, "v1.")
        await made.until(lambda api: api.available, "v1.apps")
    shown = await made.api.table(API_SERVICE.path())
    rows = {row["cells"][0]: row["cells"][1:3] for row in shown.body["rows"]}
    assert rows["v1.apps"] == ["Local", "True"]
    assert rows[NAME] == ["kube-system/metrics-server", "True"]
    assert "v1.apiregistration.k8s.io" not in rows
