"""Tests of versions as they are served: warnings, webhooks, definitions of built-in kinds."""

import asyncio
from typing import Any

import pytest

from argosy.api.extensions.bundle import bundle_fault
from tests.api.extensions.kit import Json, kind, version
from tests.apiserver.kit import Api

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
ITEMS = "/apis/example.com/{}/namespaces/default/widgets"


def gone(name: str, **facts: Any) -> Json:
    return version(name, storage=False, deprecated=True, **facts)


@pytest.mark.parametrize(
    ("old", "warning"),
    [
        (gone("v1beta1"), "example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget"),
        (gone("v1beta1", deprecationWarning="use cogs"), "use cogs"),
        (gone("v2"), "example.com/v2 Widget is deprecated"),
    ],
)
async def test_every_answer_of_a_deprecated_version_warns(
    api: Api, old: Json, warning: str
) -> None:
    await api.ask("POST", DEFINITIONS, kind(version("v1"), old))
    where = ITEMS.format(old["name"])
    body = {"metadata": {"name": "a"}, "evil": 1}
    made = await api.ask("POST", where, body)
    assert made.headers["warning"] == f'299 - "{warning}", 299 - "unknown field \\"evil\\""'
    for path in (where, f"{where}/a"):
        answer = await api.get(path)
        assert (answer.status, answer.headers["warning"]) == (200, f'299 - "{warning}"')
    assert "warning" not in (await api.get(ITEMS.format("v1"))).headers
    listed = await api.ask("GET", where, headers={"accept": "application/yaml"})
    assert warning in listed.headers["warning"]


async def test_definitions_of_built_in_kinds_are_taken_and_change_nothing(api: Api) -> None:
    for resource in api.cluster.plane.resources:
        if not resource.group.endswith(("kubeflow.org", "kserve.io", "argosy.dev")):
            continue
        names = {"plural": resource.plural, "kind": resource.kind}
        one = kind(version(resource.version), version("v9", storage=False), group=resource.group)
        one["metadata"]["name"] = resource.qualified
        one["spec"] |= {"names": names, "scope": "Namespaced" if resource.namespaced else "Cluster"}
        made = await api.ask("POST", DEFINITIONS, one)
        assert made.status == 201, made.body
        conditions = {item["type"]: item["status"] for item in made.body["status"]["conditions"]}
        assert conditions == {"NamesAccepted": "True", "Established": "True"}
        refused = await api.ask("POST", resource.path("", "default"), {"metadata": {"name": "x"}})
        assert refused.status == 422, resource.kind
        found = (await api.get(f"/apis/{resource.group}/{resource.version}")).body["resources"]
        assert [item["name"] for item in found].count(resource.plural) == 1


async def test_nobody_is_served_who_trusts_nobody(api: Api) -> None:
    client = {"url": "https://example.com/convert", "caBundle": "bm9uZQ=="}
    webhook = {"clientConfig": client, "conversionReviewVersions": ["v1"]}
    definition = kind(conversion={"strategy": "Webhook", "webhook": webhook})
    made = await api.ask("POST", DEFINITIONS, definition)
    assert made.status == 201
    told = {item["type"]: item for item in made.body["status"]["conditions"]}["Established"]
    assert (told["status"], told["reason"]) == ("False", "InvalidCABundle")
    assert (await api.get(ITEMS.format("v1"))).status == 404
    del client["caBundle"]
    mended = {**made.body, "spec": {**made.body["spec"], **definition["spec"]}}
    path = f"{DEFINITIONS}/widgets.example.com"
    assert (await api.ask("PUT", path, mended)).status == 200
    assert (await api.get(ITEMS.format("v1"))).status == 200
    client["caBundle"] = "bm9uZQ=="
    current = (await api.get(path)).body
    current["spec"]["conversion"] = definition["spec"]["conversion"]
    refused = await api.ask("PUT", path, current)
    assert refused.status == 422
    assert {field for field, _ in refused.causes} == {
        "spec.conversion.webhookClientConfig.caBundle"
    }


@pytest.mark.parametrize("bundle", ["bm9uZQ==", "###", "w6Q=", "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0="])
def test_what_is_no_bundle(bundle: str) -> None:
    assert bundle_fault(bundle)


@pytest.mark.parametrize("bundle", ["", "ICAK"])
def test_no_bundle_is_the_systems(bundle: str) -> None:
    assert not bundle_fault(bundle)


@pytest.mark.parametrize(
    ("client", "field", "words"),
    [
        ({"url": "http://a/b"}, ".url", "'https' is the only allowed URL scheme"),
        ({"url": "https://a/b?c"}, ".url", "query parameters are not permitted"),
        ({}, "", "exactly one of url or service is required"),
        ({"service": {"name": "", "namespace": "a"}}, ".service.name", "Required value"),
        (
            {"service": {"name": "a", "namespace": "a", "port": 70000}},
            ".service.port",
            "port is not valid",
        ),
    ],
)
async def test_where_a_webhook_can_be(api: Api, client: Json, field: str, words: str) -> None:
    webhook = {"clientConfig": client, "conversionReviewVersions": ["v1"]}
    definition = kind(conversion={"strategy": "Webhook", "webhook": webhook})
    made = await api.ask("POST", DEFINITIONS, definition)
    assert made.status == 422
    wrong = [text for path, text in made.causes if path.endswith(f"webhookClientConfig{field}")]
    assert any(words in text for text in wrong), made.causes


async def test_a_service_gets_its_port(api: Api) -> None:
    client = {"service": {"name": "a", "namespace": "b"}}
    webhook = {"clientConfig": client, "conversionReviewVersions": ["v1"]}
    conversion = {"strategy": "Webhook", "webhook": webhook}
    made = await api.ask("POST", DEFINITIONS, kind(conversion=conversion))
    config = made.body["spec"]["conversion"]["webhook"]["clientConfig"]
    assert config["service"]["port"] == 443


async def test_a_watch_ends_where_its_definition_changed(api: Api) -> None:
    """What comes then may be stored in another version: the client watches on and sees it right."""
    definition = kind(version("v1"), version("v2", storage=False))
    made = await api.ask("POST", DEFINITIONS, definition)
    where = ITEMS.format("v1")
    async with asyncio.timeout(5):
        events = api.watch(where, resourceVersion=made.version)
        waiting = asyncio.ensure_future(anext(events))
        await api.ask("POST", where, {"metadata": {"name": "a"}})
        first = await waiting
        assert first["object"]["apiVersion"] == "example.com/v1"
        flipped = (await api.get(f"{DEFINITIONS}/widgets.example.com")).body
        for one in flipped["spec"]["versions"]:
            one["storage"] = one["name"] == "v2"
        path = f"{DEFINITIONS}/widgets.example.com"
        assert (await api.ask("PUT", path, flipped)).status == 200
        await api.ask("POST", where, {"metadata": {"name": "b"}})
        with pytest.raises(StopAsyncIteration):
            await anext(events)
        since = first["object"]["metadata"]["resourceVersion"]
        again = api.watch(where, resourceVersion=since)
        second = await anext(again)
        await again.aclose()
    assert second["object"]["metadata"]["name"] == "b"
    assert second["object"]["apiVersion"] == "example.com/v1"


async def test_unknown_fields_are_told_of_in_order(api: Api) -> None:
    await api.ask("POST", DEFINITIONS, kind(version(spec={"type": "object", "properties": {}})))
    body = {"spec": {"b": 1, "a": 2}, "metadata": {"name": "a", "z": 1}}
    refused = await api.ask("POST", ITEMS.format("v1"), body, fieldValidation="Strict")
    told = [f'unknown field "{path}"' for path in ("metadata.z", "spec.a", "spec.b")]
    assert refused.message.endswith(f"strict decoding error: {', '.join(told)}")
