"""Policies, their bindings, and objects for them to judge."""

from collections.abc import Sequence
from typing import Any

import yaml

from tests.apiserver.kit import Answer, Api, Json

ROOT = "/apis/admissionregistration.k8s.io/v1"
POLICIES = f"{ROOT}/validatingadmissionpolicies"
BINDINGS = f"{ROOT}/validatingadmissionpolicybindings"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def rule(resource: str = "deployments", *operations: str, group: str = "apps") -> Json:
    """A rule about one resource."""
    return {
        "apiGroups": [group],
        "apiVersions": ["v1"],
        "operations": list(operations) or ["CREATE", "UPDATE"],
        "resources": [resource],
    }


def policy(*validations: str | Json, name: str = "demo", **spec: Any) -> Json:
    """A policy for deployments."""
    rules = [{"expression": one} if isinstance(one, str) else one for one in validations]
    made = {"matchConstraints": {"resourceRules": [rule()]}, "validations": rules, **spec}
    return {"metadata": {"name": name}, "spec": made}


def binding(name: str = "bound", *actions: str, policy: str = "demo", **spec: Any) -> Json:
    """What puts a policy into force."""
    chosen = list(actions) or ["Deny"]
    return {
        "metadata": {"name": name},
        "spec": {"policyName": policy, "validationActions": chosen, **spec},
    }


def deployment(name: str = "web", replicas: int = 3, **meta: Any) -> Json:
    """A deployment."""
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": "python:3.12"}]},
    }
    selector = {"matchLabels": {"app": "web"}}
    spec = {"replicas": replicas, "selector": selector, "template": template}
    return {"metadata": {"name": name, **meta}, "spec": spec}


async def put(api: Api, where: str, obj: Json) -> Answer:
    """Create what must be accepted."""
    answer = await api.ask("POST", where, obj)
    assert answer.status == 201, answer.body
    return answer


async def enforce(api: Api, made: Json, bindings: Sequence[Json] = ()) -> None:
    """A policy with its bindings; without any, with one that denies."""
    await put(api, POLICIES, made)
    for one in bindings or [binding(policy=made["metadata"]["name"])]:
        await put(api, BINDINGS, one)


async def documents(api: Api, text: str) -> None:
    """Create all objects of a manifest."""
    for obj in yaml.safe_load_all(text):
        plural = {
            "ValidatingAdmissionPolicy": POLICIES,
            "ValidatingAdmissionPolicyBinding": BINDINGS,
        }
        await put(api, plural[obj["kind"]], obj)


def warned(answer: Answer) -> str:
    """The warnings that came with an answer."""
    return answer.headers.get("warning", "").replace('\\"', '"')
