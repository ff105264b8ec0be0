"""Tests of `/metrics`: what a scraper finds after a few requests."""

from typing import Any

import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import parser as open_parser

from argosy.http.message import Request
from argosy.store.interface import StoreUnavailableError
from tests.apiserver.kit import APPLY, Api, body, path

OPEN = "application/openmetrics-text"


async def told(api: Api, where: str = "/metrics", accept: str = "") -> tuple[str, str]:
    """The content type and the text."""
    headers = {"authorization": f"Bearer {api.cluster.plane.token}", "accept": accept}
    response = await api.cluster.plane.server.handle(Request("GET", where, headers=headers))
    assert response.status == 200 and isinstance(response.body, bytes)
    return response.headers["content-type"], response.body.decode()


async def samples(api: Api, where: str = "/metrics") -> dict[str, list[Any]]:
    """The samples by name."""
    found: dict[str, list[Any]] = {}
    for family in parser.text_string_to_metric_families((await told(api, where))[1]):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def value(found: list[Any], **labels: str) -> float:
    """The sum of the samples with these labels."""
    chosen = [s.value for s in found if labels.items() <= s.labels.items()]
    assert chosen, labels
    return float(sum(chosen))


async def test_requests_have_upstreams_labels(api: Api) -> None:
    await api.create("ConfigMap")
    await api.get(path("ConfigMap", "it"))
    await api.get(path("ConfigMap", "none"))
    await api.get("/api/v1/configmaps")
    await api.ask("DELETE", path("ConfigMap"))
    found = (await samples(api))["apiserver_request_total"]
    where = {"group": "", "version": "v1", "resource": "configmaps", "component": "apiserver"}
    for verb, scope, code, count in (
        ("POST", "resource", "201", 1),
        ("GET", "resource", "200", 1),
        ("GET", "resource", "404", 1),
        ("LIST", "cluster", "200", 1),
        ("DELETE", "namespace", "200", 1),
    ):
        labels = {**where, "verb": verb, "scope": scope, "code": code, "dry_run": ""}
        assert value(found, subresource="", **labels) == count


async def test_more_verbs(api: Api) -> None:
    await api.create("Pod")
    await api.apply(path("ConfigMap", "it"), {"data": {"a": "b"}}, dryRun="All")
    await api.ask("GET", path("Pod", "it", "log"))
    watch = api.watch(path("Pod"))
    await anext(watch)
    found = await samples(api)
    assert value(found["apiserver_request_total"], verb="APPLY", dry_run="All") == 1
    assert value(found["apiserver_request_total"], verb="CONNECT", subresource="log") == 1
    assert value(found["apiserver_longrunning_requests"], verb="WATCH", resource="pods") == 1
    assert value(found["apiserver_watch_events_total"], resource="pods") == 1
    assert value(found["apiserver_watch_events_sizes_count"], resource="pods") == 1
    assert value(found["apiserver_init_events_total"], resource="pods") == 1
    assert not any(
        s.labels["verb"] == "APPLY" and s.labels["resource"] == "configmaps"
        for s in found["apiserver_request_sli_duration_seconds_count"]
    )
    await watch.aclose()
    found = await samples(api)
    assert value(found["apiserver_longrunning_requests"], verb="WATCH", resource="pods") == 0
    assert value(found["apiserver_request_total"], verb="WATCH", resource="pods") == 1


async def test_histograms_hold_every_request(api: Api) -> None:
    await api.create("ConfigMap", None, fieldValidation="Strict")
    await api.get(path("ConfigMap", "it"))
    found = await samples(api)
    total = value(found["apiserver_request_total"])
    assert value(found["apiserver_request_duration_seconds_count"]) == total
    assert value(found["apiserver_request_duration_seconds_bucket"], le="+Inf") == total
    one = {"verb": "GET", "resource": "configmaps"}
    assert value(found["apiserver_response_sizes_bucket"], le="1000", **one) == 1
    assert (
        value(found["field_validation_request_duration_seconds_count"], field_validation="Strict")
        == 1
    )


async def test_stored_objects_are_counted(api: Api) -> None:
    await api.create("ConfigMap")
    await api.create("StorageClass")
    found = await samples(api)
    assert value(found["apiserver_storage_objects"], resource="configmaps") == 1
    assert value(found["apiserver_storage_objects"], resource="storageclasses.storage.k8s.io") == 2
    assert value(found["apiserver_resource_objects"], group="apps", resource="deployments") == 0
    size = value(found["apiserver_resource_size_estimate_bytes"], resource="configmaps")
    assert 200 < size < 2000


async def test_the_server_says_what_it_is(api: Api) -> None:
    found = await samples(api)
    assert value(found["kubernetes_build_info"], major="1", minor="37", git_commit="") == 1
    assert value(found["version_info"], component="kube", emulation="1.37", min_compat="1.36") == 1
    assert value(found["kubernetes_feature_enabled"], name="GenericWorkload", stage="BETA") == 1
    assert value(found["kubernetes_feature_enabled"], name="CompositePodGroup") == 0
    assert value(found["apiserver_protobuf_unknown_fields_total"]) == 0
    assert value(found["process_resident_memory_bytes"]) > 0
    assert {s.labels["request_kind"] for s in found["apiserver_current_inflight_requests"]} == {
        "readOnly",
        "mutating",
    }


async def test_health_has_metrics_of_its_own(api: Api) -> None:
    await api.get("/readyz")
    found = await samples(api, "/metrics/slis")
    assert value(found["kubernetes_healthcheck"], name="etcd", type="readyz") == 1
    assert value(found["kubernetes_healthchecks_total"], name="ping", status="success") == 1
    requests = (await samples(api))["apiserver_request_total"]
    assert value(requests, verb="GET", subresource="/readyz", resource="", code="200") == 1


@pytest.mark.parametrize(
    "accept, kind",
    [("", "text/plain; version=0.0.4"), ("*/*", "text/plain"), (OPEN, f"{OPEN}; version=1.0.0")],
)
async def test_clients_choose_the_format(api: Api, accept: str, kind: str) -> None:
    await api.get(path("ConfigMap", "none"))
    content_type, text = await told(api, accept=accept)
    assert content_type.startswith(kind)
    if kind.startswith(OPEN):
        assert list(open_parser.text_string_to_metric_families(text))


async def test_other_formats_and_methods_are_refused(api: Api) -> None:
    assert (await api.ask("GET", "/metrics", headers={"accept": "image/png"})).status == 406
    assert (await api.ask("POST", "/metrics")).status == 405
    assert (await api.get("/metrics/cadvisor")).status == 404


async def test_strangers_read_no_metrics(api: Api) -> None:
    answer = await api.cluster.plane.server.handle(Request("GET", "/metrics"))
    assert answer.status in (401, 403)


async def test_a_refused_write_makes_the_store_unwell(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    plane = api.cluster.plane
    asked = Request("GET", "/readyz/etcd", headers={"authorization": f"Bearer {plane.token}"})

    async def refuse(*_: object) -> None:
        raise StoreUnavailableError("no room")

    with monkeypatch.context() as patched:
        patched.setattr("argosy.store.memory.MemoryStore.write", refuse)
        assert (await api.ask("POST", path("ConfigMap"), body("ConfigMap"))).status == 503
    told = await plane.server.handle(asked)
    assert (told.status, told.body) == (500, b"internal server error: no room\n")
    applied = await api.ask("PATCH", path("ConfigMap", "it"), {}, kind=APPLY, fieldManager="me")
    assert applied.status == 201
    assert (await api.get("/readyz/etcd")).status == 200
