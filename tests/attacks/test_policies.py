"""Ways of writing that might go around a policy: there is none, and none comes after the standards.

The policy refuses all that it is shown, and is bound when all that is written to is there.
"""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from tests.apiserver.kit import APPLY, JSON, MERGE, STRATEGIC, YAML, Api, serving
from tests.attacks.authorization_kit import CORE, Json

POLICIES = "/apis/admissionregistration.k8s.io/v1"
MAPS, PODS = f"{CORE}/configmaps", f"{CORE}/pods"
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/it"
MAP: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "it"}}
NEW: Json = {**MAP, "metadata": {"name": "new"}}
TEMPLATE: Json = {
    "metadata": {"labels": {"a": "b"}},
    "spec": {"containers": [{"name": "a", "image": "x"}]},
}
BINDING: Json = {"metadata": {"name": "it"}, "target": {"name": "n1"}}
SCALE: Json = {
    "apiVersion": "autoscaling/v1",
    "kind": "Scale",
    "metadata": {"name": "it"},
    "spec": {"replicas": 5},
}
Way = tuple[str, str, Any, str, Mapping[str, str]]
WAYS: Mapping[str, Way] = {
    "create": ("POST", MAPS, NEW, JSON, {}),
    "create with a name of the server's": (
        "POST",
        MAPS,
        {"metadata": {"generateName": "x"}},
        JSON,
        {},
    ),
    "create by YAML": ("POST", MAPS, b"metadata: {name: new}", YAML, {}),
    "create in a dry run": ("POST", MAPS, NEW, JSON, {"dryRun": "All"}),
    "create by apply": ("PATCH", f"{MAPS}/new", NEW, APPLY, {"fieldManager": "m"}),
    "update": ("PUT", f"{MAPS}/it", {**MAP, "data": {"a": "b"}}, JSON, {}),
    "merge": ("PATCH", f"{MAPS}/it", {"data": {"a": "b"}}, MERGE, {}),
    "merge strategically": ("PATCH", f"{MAPS}/it", {"data": {"a": "b"}}, STRATEGIC, {}),
    "patch": (
        "PATCH",
        f"{MAPS}/it",
        [{"op": "add", "path": "/data", "value": {"a": "b"}}],
        "application/json-patch+json",
        {},
    ),
    "apply": (
        "PATCH",
        f"{MAPS}/it",
        {**MAP, "data": {"a": "b"}},
        APPLY,
        {"fieldManager": "m", "force": "true"},
    ),
    "delete": ("DELETE", f"{MAPS}/it", b"", JSON, {}),
    "delete all": ("DELETE", MAPS, b"", JSON, {}),
    "write a status": ("PATCH", f"{PODS}/it/status", {"status": {"phase": "Failed"}}, MERGE, {}),
    "bind a pod": ("POST", f"{PODS}/it/binding", BINDING, JSON, {}),
    "bind a pod by its name in the body": ("POST", f"{CORE}/bindings", BINDING, JSON, {}),
    "evict a pod": ("POST", f"{PODS}/it/eviction", {"metadata": {"name": "it"}}, JSON, {}),
    "enter a pod": ("POST", f"{PODS}/it/exec", b"", JSON, {"command": "sh"}),
    "reach a pod": ("GET", f"{PODS}/it/proxy/x", b"", JSON, {}),
    "debug a pod": (
        "PATCH",
        f"{PODS}/it/ephemeralcontainers",
        {"spec": {"ephemeralContainers": [{"name": "e", "image": "x"}]}},
        STRATEGIC,
        {},
    ),
    "scale": ("PATCH", f"{DEPLOYMENT}/scale", {"spec": {"replicas": 5}}, MERGE, {}),
    "scale by apply": (
        "PATCH",
        f"{DEPLOYMENT}/scale",
        SCALE,
        APPLY,
        {"fieldManager": "m", "force": "true"},
    ),
    "take a token": ("POST", f"{CORE}/serviceaccounts/default/token", {"spec": {}}, JSON, {}),
    "write a namespace's finalizers": (
        "PUT",
        "/api/v1/namespaces/default/finalize",
        {"metadata": {"name": "default"}, "spec": {"finalizers": ["kubernetes", "x/y"]}},
        JSON,
        {},
    ),
}
RESOURCES = ["configmaps", "pods", "pods/*", "deployments/scale", "serviceaccounts/token"]
RULE: Json = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"]}


async def made(api: Api, path: str, body: Json) -> None:
    answer = await api.ask("POST", path, body)
    assert answer.status == 201, answer.body


async def bound(api: Api, kind: str, name: str, **spec: Any) -> None:
    """A policy, and what puts it in force."""
    await made(api, f"{POLICIES}/{kind}policies", {"metadata": {"name": name}, "spec": spec})
    binding: Json = {"policyName": name}
    if kind.startswith("validating"):
        binding["validationActions"] = ["Deny"]
    body = {"metadata": {"name": name}, "spec": binding}
    await made(api, f"{POLICIES}/{kind}policybindings", body)


@pytest_asyncio.fixture
async def api() -> AsyncGenerator[Api, None]:
    async with serving() as running:
        yield running


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_no_way_goes_around_a_policy(api: Api, way: Way) -> None:
    await made(api, MAPS, MAP)
    await made(api, PODS, {"metadata": {"name": "it"}, "spec": TEMPLATE["spec"]})
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
    await made(api, DEPLOYMENT.removesuffix("/it"), {"metadata": {"name": "it"}, "spec": spec})
    await bound(
        api,
        "validatingadmission",
        "never",
        matchConstraints={
            "resourceRules": [{**RULE, "resources": [*RESOURCES, "namespaces/finalize"]}]
        },
        validations=[{"expression": "false", "message": "never"}],
    )
    before = api.cluster.plane.server._objects.store.revision
    method, path, body, kind, query = way
    options: dict[str, Any] = dict(query)
    answer = await api.ask(method, path, body, kind=kind, **options)
    assert answer.status == 422, answer.body
    assert "ValidatingAdmissionPolicy 'never' with binding 'never' denied request" in answer.message
    assert api.cluster.plane.server._objects.store.revision == before


async def test_what_a_policy_adds_is_held_to_the_pod_standards(api: Api) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    body = {"metadata": {"labels": labels}}
    await api.ask("PATCH", "/api/v1/namespaces/default", body, kind=MERGE)
    await bound(
        api,
        "mutatingadmission",
        "root",
        matchConstraints={
            "resourceRules": [{**RULE, "operations": ["CREATE"], "resources": ["pods"]}]
        },
        reinvocationPolicy="Never",
        mutations=[
            {
                "patchType": "ApplyConfiguration",
                "applyConfiguration": {
                    "expression": "Object{spec: Object.spec{hostNetwork: true}}"
                },
            }
        ],
    )
    pod = {"metadata": {"name": "it"}, "spec": TEMPLATE["spec"]}
    answer = await api.ask("POST", PODS, pod)
    assert answer.status == 403, answer.body
    assert 'violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)' in (
        answer.message
    )
