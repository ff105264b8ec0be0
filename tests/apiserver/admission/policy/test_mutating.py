"""MutatingAdmissionPolicies: documented examples, failures, order, second rounds."""

from typing import Any

import pytest

from tests.apiserver.admission.policy.kit import DEPLOYMENTS, ROOT, deployment, put, rule
from tests.apiserver.kit import Answer, Api, Json

POLICIES = f"{ROOT}/mutatingadmissionpolicies"
BINDINGS = f"{ROOT}/mutatingadmissionpolicybindings"
PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"
POD: Json = {
    "metadata": {"name": "app"},
    "spec": {"containers": [{"name": "main", "image": "python:3.12"}]},
}
SIDECAR = """
Object{
  spec: Object.spec{
    initContainers: [
      Object.spec.initContainers{
        name: "mesh-proxy",
        image: "mesh/proxy:v1.0.0",
        args: ["proxy", "sidecar"],
        restartPolicy: "Always"
      }
    ]
  }
}
"""


def apply(expression: str) -> Json:
    """A mutation by an apply configuration."""
    return {
        "patchType": "ApplyConfiguration",
        "applyConfiguration": {"expression": expression},
    }


def patch(expression: str) -> Json:
    """A mutation by a JSON patch."""
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


def policy(*mutations: Json, name: str = "demo", resource: str = "configmaps", **spec: Any) -> Json:
    """A policy for one resource of the core group, or for deployments."""
    group = "apps" if resource == "deployments" else ""
    rules = [rule(resource, "CREATE", "UPDATE", group=group)]
    made = {
        "matchConstraints": {"resourceRules": rules},
        "mutations": list(mutations),
        "reinvocationPolicy": "Never",
        "failurePolicy": "Fail",
        **spec,
    }
    return {"metadata": {"name": name}, "spec": made}


async def enforce(api: Api, made: Json, **spec: Any) -> None:
    """A policy, and what puts it into force."""
    name = made["metadata"]["name"]
    await put(api, POLICIES, made)
    await put(
        api, BINDINGS, {"metadata": {"name": f"{name}-b"}, "spec": {"policyName": name, **spec}}
    )


async def made(api: Api, obj: Json, where: str = MAPS) -> Answer:
    """What a creation comes to."""
    return await api.ask("POST", where, obj)


def config(name: str = "c", **data: str) -> Json:
    """A ConfigMap."""
    return {"metadata": {"name": name}, "data": data}


async def test_a_sidecar_is_added(api: Api) -> None:
    unless = "!object.spec.?initContainers.orValue([]).exists(one, one.name == 'mesh-proxy')"
    conditions = [{"name": "no-proxy-yet", "expression": unless}]
    await enforce(api, policy(apply(SIDECAR), resource="pods", matchConditions=conditions))
    answer = await made(api, POD, PODS)
    assert answer.status == 201, answer.body
    (added,) = answer.body["spec"]["initContainers"]
    assert (added["name"], added["args"]) == ("mesh-proxy", ["proxy", "sidecar"])
    assert added["terminationMessagePath"] == "/dev/termination-log"  # a default
    assert [one["name"] for one in answer.body["spec"]["containers"]] == ["main"]


async def test_a_label_is_added_by_a_patch(api: Api) -> None:
    add = """
    [
      JSONPatch{
        op: "add", path: "/metadata/labels",
        value: object.metadata.?labels.orValue({})
      },
      JSONPatch{
        op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("example.com/environment"),
        value: "test"
      }
    ]
    """
    await enforce(api, policy(patch(add)))
    answer = await made(api, config())
    assert answer.body["metadata"]["labels"] == {"example.com/environment": "test"}


async def test_a_patch_whose_test_fails_changes_nothing(api: Api) -> None:
    only = """
    [
      JSONPatch{op: "test", path: "/data/color", value: "Red"},
      JSONPatch{op: "replace", path: "/data/color", value: "Green"}
    ]
    """
    await enforce(api, policy(patch(only)))
    assert (await made(api, config("a", color="Red"))).body["data"] == {"color": "Green"}
    assert (await made(api, config("b", color="Blue"))).body["data"] == {"color": "Blue"}


async def test_a_patch_takes_objects(api: Api) -> None:
    add = """
    [JSONPatch{
      op: "add", path: "/spec/template/spec/affinity",
      value: Object.spec.template.spec.affinity{nodeAffinity: Object.%s{}}
    }]
    """
    right = add % "spec.template.spec.affinity.nodeAffinity"
    await enforce(api, policy(patch(right), resource="deployments"))
    answer = await made(api, deployment(), DEPLOYMENTS)
    assert answer.body["spec"]["template"]["spec"]["affinity"] == {"nodeAffinity": {}}
    await enforce(api, policy(patch(add % "status"), resource="deployments", name="wrong"))
    answer = await made(api, deployment("other"), DEPLOYMENTS)
    assert answer.status == 403
    assert 'type mismatch: unexpected type name "Object.status"' in answer.body["message"]


async def test_parameters_and_variables(api: Api) -> None:
    await put(api, MAPS, config("settings", tier="gold"))
    await enforce(
        api,
        policy(
            apply("Object{metadata: Object.metadata{labels: {'tier': variables.tier}}}"),
            paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
            variables=[{"name": "tier", "expression": "params.data.tier + '-' + object.data.x"}],
            matchConditions=[{"name": "marked", "expression": "has(object.data.x)"}],
        ),
        paramRef={"name": "settings", "parameterNotFoundAction": "Deny"},
    )
    answer = await made(api, config(x="1"))
    assert answer.body["metadata"]["labels"] == {"tier": "gold-1"}
    assert "labels" not in (await made(api, config("other"))).body["metadata"]


async def test_updates_are_changed_too_and_deletions_are_not(api: Api) -> None:
    await put(api, MAPS, config(n="1"))
    await enforce(api, policy(apply("Object{data: Object.data{seen: object.data.n}}")))
    answer = await api.ask("PUT", f"{MAPS}/c", config(n="2"))
    assert answer.body["data"] == {"n": "2", "seen": "2"}
    assert (await api.ask("DELETE", f"{MAPS}/c")).status == 200


async def test_policies_run_in_order_and_again(api: Api) -> None:
    count = "Object{data: Object.data{%s: string(size(object.data))}}"
    await enforce(api, policy(apply(count % "first"), name="a", reinvocationPolicy="IfNeeded"))
    await enforce(api, policy(apply(count % "second"), name="b"))
    answer = await made(api, config(x="1"))
    # The first saw one entry, the second two; then the first is asked again, and sees three.
    assert answer.body["data"] == {"x": "1", "first": "3", "second": "2"}


BROKEN = [
    ("Object{data: Object.data{a: object.data.nothing}}", "no such key: nothing"),
    ("Object{data: Object.wrong{a: '1'}}", "type mismatch: unexpected type name"),
    ("Object{data: Object.data{a: 1}}", "failed to convert patch object to typed object: data[a]"),
    (
        "Object{datum: {'a': '1'}}",
        "patch object to typed object: .datum: field not declared in schema",
    ),
    ("Object{metadata: Object.metadata{ownerReferences: [{1: 2}]}}", "map key is not a string"),
]


@pytest.mark.parametrize(("expression", "words"), BROKEN)
async def test_what_fails_refuses(api: Api, expression: str, words: str) -> None:
    await enforce(api, policy(apply(expression)))
    answer = await made(api, config(x="1"))
    assert (answer.status, answer.body["reason"]) == (403, "Invalid")
    message = answer.body["message"]
    assert message.startswith("policy 'demo' with binding 'demo-b' denied request: ")
    assert words in message


@pytest.mark.parametrize(("expression", "words"), BROKEN)
async def test_what_fails_is_passed_over_if_wished(api: Api, expression: str, words: str) -> None:
    await enforce(api, policy(apply(expression), failurePolicy="Ignore"))
    assert (await made(api, config(x="1"))).body["data"] == {"x": "1"}


async def test_atomic_parts_are_not_replaced(api: Api) -> None:
    selector = "Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {'a': 'b'}}}}"
    await enforce(api, policy(apply(selector), resource="deployments"))
    answer = await made(api, deployment(), DEPLOYMENTS)
    assert answer.status == 403
    words = "may not mutate atomic arrays, maps or structs: .spec.selector"
    assert words in answer.body["message"]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ('[JSONPatch{op: "add", path: "/metadata/name", value: "other"}]', "name"),
        ('[JSONPatch{op: "add", path: "/metadata/namespace", value: "other"}]', "namespace"),
        ('[JSONPatch{op: "replace", path: "/kind", value: "Secret"}]', "kind"),
        ('[JSONPatch{op: "remove", path: "/metadata"}]', "metadata"),
        ('[JSONPatch{op: "add", path: "", value: "x"}]', "does not leave an object"),
    ],
)
async def test_who_an_object_is_stays(api: Api, expression: str, words: str) -> None:
    await put(api, MAPS, config(x="1"))
    await enforce(api, policy(patch(expression)))
    answer = await api.ask("PUT", f"{MAPS}/c", config(x="2"))
    assert answer.status in (400, 403, 422, 500), answer.body
    assert words in answer.body["message"]
    assert (await api.ask("GET", f"{MAPS}/c")).body["data"] == {"x": "1"}


async def test_an_object_does_not_grow_without_end(api: Api) -> None:
    grown = "cel.bind(a0, object.data.x, "
    for level in range(14):
        grown += f"cel.bind(a{level + 1}, a{level} + a{level}, "
    grown += "Object{data: Object.data{x: a14}}" + ")" * 15
    await enforce(api, policy(apply(grown)))
    answer = await made(api, config(x="x" * 1000))
    assert answer.status == 403
    known = ("too large", "cost limit", "budget")
    assert any(words in answer.body["message"] for words in known)


@pytest.mark.parametrize(
    ("mutation", "error"),
    [
        (apply("Object{"), "spec.mutations[0].applyConfiguration.expression"),
        (apply("1"), "must evaluate to Object but got int"),
        (patch("Object{}"), "must evaluate to list(JSONPatch) but got Object"),
        (patch("[JSONPatch{oops: 1}]"), "undefined field 'oops'"),
    ],
)
async def test_expressions_are_compiled_when_written(api: Api, mutation: Json, error: str) -> None:
    answer = await api.ask("POST", POLICIES, policy(mutation))
    assert answer.status == 422
    assert error in answer.body["message"]


async def test_a_long_evaluation_comes_to_the_same(api: Api) -> None:
    numbers = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"
    below = f"{numbers}.all(a, {numbers}.all(b, {numbers}.all(c, {numbers}.all(d, "
    long = f"{below}a + b + c + d < 100))))"
    label = f"Object{{metadata: Object.metadata{{labels: {{'long': string({long})}}}}}}"
    await enforce(api, policy(apply(label)))
    answer = await made(api, config(x="1"))
    assert answer.body["metadata"]["labels"] == {"long": "true"}
