"""One server, many minors: each serves what it served, over data that another one wrote."""

import asyncio
import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from argosy.api.core import Node
from argosy.api.dra import ResourceSlice
from argosy.api.features import switches
from argosy.api.kinds import RESOURCES
from argosy.base.errors import StatusError
from argosy.cluster.bootstrap import bootstrap
from argosy.cluster.server import ControlPlane, control_plane, memory_store
from argosy.node.gpus import parse_gpus
from argosy.node.machine import facts
from argosy.node.registration import Registration
from argosy.runtime.informer import Informer
from argosy.store.interface import Store
from argosy.testing.clock import FakeClock

Json = dict[str, Any]
POD: Json = {
    "metadata": {"name": "web"},
    "spec": {
        "containers": [
            {"name": "main", "image": "i", "lifecycle": {"stopSignal": "SIGUSR1"}},
        ],
        "hostnameOverride": "here",
        "os": {"name": "linux"},
    },
}
PODS = "/api/v1/namespaces/default/pods"
CLAIMS = "namespaces/default/resourceclaims"
CLAIM: Json = {
    "metadata": {"name": "gpu"},
    "spec": {"devices": {"requests": [{"name": "a", "exactly": {"deviceClassName": "gpu"}}]}},
}
OLD = "resource.k8s.io/v1beta2=true"


async def plane(store: Store, minor: str, config: str = "", gates: str = "") -> ControlPlane:
    """A server of `minor`, as `argosy up` makes it."""
    chosen = switches(RESOURCES, minor, runtime_config=config, feature_gates=gates)
    made = control_plane(store, FakeClock(), chosen=chosen)
    await bootstrap(made.client("test"), made.resources)
    return made


async def ask(
    server: ControlPlane, method: str, path: str, sent: Json | None = None, **query: str
) -> Json:
    client = server.client("test")
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    found: Json = json.loads(await client.call(method, path, query, sent, content_type=kind))
    return found


@pytest.mark.parametrize(
    "minor, groups, none",
    [
        ("1.30", {"flowcontrol.apiserver.k8s.io/v1beta3"}, {"resource.k8s.io/v1"}),
        ("1.33", {"flowcontrol.apiserver.k8s.io/v1"}, {"resource.k8s.io/v1"}),
        (
            "1.36",
            {"resource.k8s.io/v1"},
            {"scheduling.k8s.io/v1beta1", "lifecycle.k8s.io/v1alpha1"},
        ),
        ("1.37", {"scheduling.k8s.io/v1beta1", "lifecycle.k8s.io/v1alpha1"}, set()),
    ],
)
async def test_a_minor_serves_its_own(minor: str, groups: set[str], none: set[str]) -> None:
    server = await plane(memory_store(), minor)
    told = await ask(server, "GET", "/apis")
    served = {item["groupVersion"] for group in told["groups"] for item in group["versions"]}
    assert groups <= served
    assert not none & served
    version = await ask(server, "GET", "/version")
    assert f"{version['emulationMajor']}.{version['emulationMinor']}" == minor
    document = await ask(server, "GET", "/openapi/v3/api/v1")
    spec = document["components"]["schemas"]["io.k8s.api.core.v1.PodSpec"]["properties"]
    assert ("hostnameOverride" in spec) is (minor in ("1.36", "1.37"))


@pytest.mark.parametrize("gates, signal", [("", None), ("ContainerStopSignals=true", "SIGUSR1")])
async def test_fields_of_closed_gates_are_not_stored(gates: str, signal: str | None) -> None:
    server = await plane(memory_store(), "1.37", gates=gates)
    pod = await ask(server, "POST", PODS, POD)
    found = pod["spec"]["containers"][0].get("lifecycle", {}).get("stopSignal")
    assert found == signal
    assert pod["spec"]["hostnameOverride"] == "here"


async def test_what_is_in_use_survives_the_closing_of_its_gate() -> None:
    store = memory_store()
    await ask(await plane(store, "1.37", gates="ContainerStopSignals=true"), "POST", PODS, POD)
    closed = await plane(store, "1.37")
    changed = {"metadata": {"labels": {"a": "b"}}}
    pod = await ask(closed, "PATCH", f"{PODS}/web", changed)
    assert pod["spec"]["containers"][0]["lifecycle"] == {"stopSignal": "SIGUSR1"}


async def test_an_older_minor_reads_what_a_newer_one_wrote() -> None:
    store = memory_store()
    newer = await plane(store, "1.37")
    await ask(newer, "POST", PODS, POD)
    group = await ask(
        newer,
        "POST",
        "/apis/scheduling.k8s.io/v1beta1/namespaces/default/podgroups",
        {"metadata": {"name": "gang"}, "spec": {"schedulingPolicy": {"gang": {"minCount": 2}}}},
    )

    older = await plane(store, "1.30")
    pod = await ask(older, "GET", f"{PODS}/web")
    assert pod["spec"]["hostnameOverride"] == "here"  # what is stored is served as it is
    changed = {"metadata": {"labels": {"a": "b"}}}
    pod = await ask(older, "PATCH", f"{PODS}/web", changed, fieldValidation="Strict")
    assert pod["spec"]["hostnameOverride"] == "here"
    assert pod["metadata"]["labels"] == {"a": "b"}

    again = await plane(store, "1.37")
    kept = await ask(
        again, "GET", "/apis/scheduling.k8s.io/v1beta1/namespaces/default/podgroups/gang"
    )
    assert kept == group


async def test_a_version_of_its_own_is_what_each_minor_sees() -> None:
    store = memory_store()
    await ask(await plane(store, "1.37"), "POST", f"/apis/resource.k8s.io/v1/{CLAIMS}", CLAIM)
    older = await plane(store, "1.33", OLD)
    path = f"/apis/resource.k8s.io/v1beta2/{CLAIMS}"
    assert (await ask(older, "GET", f"{path}/gpu"))["apiVersion"] == "resource.k8s.io/v1beta2"
    await ask(older, "POST", path, {**CLAIM, "metadata": {"name": "too"}})
    newer = await plane(store, "1.37")
    listed = await ask(newer, "GET", f"/apis/resource.k8s.io/v1/{CLAIMS}")
    assert [item["metadata"]["name"] for item in listed["items"]] == ["gpu", "too"]
    assert all(
        item.get("apiVersion", "resource.k8s.io/v1") == "resource.k8s.io/v1"
        for item in listed["items"]
    )


async def test_who_waits_for_a_kind_of_a_newer_minor_goes_on() -> None:
    older = await plane(memory_store(), "1.30")
    informer = Informer(older.client("test"), ResourceSlice, FakeClock())
    running = asyncio.create_task(informer.run())
    async with asyncio.timeout(1):
        await informer.synced.wait()
    assert list(informer.items()) == []
    running.cancel()


async def test_a_node_with_gpus_is_one_without(tmp_path: Path) -> None:
    older, clock = await plane(memory_store(), "1.30"), FakeClock()
    registration = Registration(
        client=older.client("test"),
        clock=clock,
        name="here",
        address="127.0.0.1",
        facts=facts(tmp_path),
        since=clock.now(),
    )
    await registration.register(parse_gpus("1xH100"))
    assert (await older.client("test").get(Node, "here")).metadata.name == "here"


def policy(*expressions: str) -> Json:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"]}
    return {
        "metadata": {"name": "it"},
        "spec": {
            "matchConstraints": {"resourceRules": [{**rule, "resources": ["pods"]}]},
            "validations": [{"expression": one} for one in expressions],
        },
    }


def hook(*expressions: str) -> Json:
    conditions = [{"name": f"c{at}", "expression": one} for at, one in enumerate(expressions)]
    one = {
        "name": "a.b.c",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": "https://there"},
        "matchConditions": conditions,
    }
    return {"metadata": {"name": "it"}, "webhooks": [one]}


def definition(*expressions: str) -> Json:
    rules = [{"rule": one} for one in expressions]
    ruled = {"type": "object", "x-kubernetes-validations": rules}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": ruled}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "it", "kind": "It"}
    spec: Json = {"group": "example.com", "scope": "Cluster", "names": names, "versions": [version]}
    return {"metadata": {"name": "it.example.com"}, "spec": spec}


@pytest.mark.parametrize(
    ("where", "made"),
    [
        ("admissionregistration.k8s.io/v1/validatingadmissionpolicies", policy),
        ("admissionregistration.k8s.io/v1/validatingwebhookconfigurations", hook),
        ("apiextensions.k8s.io/v1/customresourcedefinitions", definition),
    ],
)
async def test_new_expressions_do_with_what_was_there_and_stored_ones_stay(
    where: str, made: Callable[..., Json]
) -> None:
    """Semantic versions came with 1.33, so that a server of 1.33 takes no new ones."""
    store = memory_store()
    newest, older = await plane(store, "1.37"), await plane(store, "1.33")
    refused = "ERROR: <input>:1:9: undeclared reference to 'isSemver' \\(in container ''\\)"
    there, path = "isSemver('1')", f"/apis/{where}"
    with pytest.raises(StatusError, match=refused):
        await ask(older, "POST", path, made(there))
    name = (await ask(newest, "POST", path, made(there)))["metadata"]["name"]
    for expressions, good in (((there, "true"), True), ((there, "isSemver('2')"), False)):
        stored = await ask(older, "GET", f"{path}/{name}")
        head = {
            "metadata": {"name": name, "resourceVersion": stored["metadata"]["resourceVersion"]}
        }
        with nullcontext() if good else pytest.raises(StatusError, match=refused):
            await ask(older, "PUT", f"{path}/{name}", {**made(*expressions), **head})
