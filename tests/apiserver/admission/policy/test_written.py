"""Policies as they are written: what is refused, and what their status says."""

import asyncio
import time
from typing import Any

import pytest

from tests.apiserver.admission.policy.kit import (
    BINDINGS,
    DEPLOYMENTS,
    POLICIES,
    binding,
    deployment,
    enforce,
    policy,
    put,
    rule,
)
from tests.apiserver.kit import MERGE, Api, Json

SYNTAX = (
    "compilation failed: ERROR: <input>:1:5: undeclared reference to 'nothing' "
    "(in container '')\n | 1 + nothing\n | ....^"
)


@pytest.mark.parametrize(
    ("spec", "field", "words"),
    [
        (
            {"validations": [{"expression": "1 + nothing"}]},
            "spec.validations[0].expression",
            f'Invalid value: "1 + nothing": {SYNTAX}',
        ),
        (
            {"validations": [{"expression": "1 + 1"}]},
            "spec.validations[0].expression",
            'Invalid value: "1 + 1": must evaluate to bool but got int',
        ),
        (
            {"validations": [{"expression": "object.spec"}]},
            "spec.validations[0].expression",
            'Invalid value: "object.spec": must evaluate to bool but got dyn',
        ),
        (
            {"validations": [{"expression": "true", "messageExpression": "1"}]},
            "spec.validations[0].messageExpression",
            'Invalid value: "1": must evaluate to string but got int',
        ),
        (
            {"auditAnnotations": [{"key": "a", "valueExpression": "[1]"}]},
            "spec.auditAnnotations[0].valueExpression",
            'Invalid value: "[1]": must evaluate to one of [string null_type] but got list(int)',
        ),
        (
            {"matchConditions": [{"name": "a", "expression": "'x'"}]},
            "spec.matchConditions[0].expression",
            "Invalid value: \"'x'\": must evaluate to bool but got string",
        ),
        (
            {"variables": [{"name": "a", "expression": "1 + 'x'"}]},
            "spec.variables[0].expression",
            "Invalid value: \"1 + 'x'\": compilation failed: ERROR: <input>:1:3: found no matching "
            "overload for '_+_' applied to '(int, string)'\n | 1 + 'x'\n | ..^",
        ),
    ],
)
async def test_expressions_must_compile(api: Api, spec: Json, field: str, words: str) -> None:
    made = policy("true")
    made["spec"] |= spec
    answer = await api.ask("POST", POLICIES, made)

    assert answer.status == 422
    assert answer.causes == {(field, words)}
    kind = "ValidatingAdmissionPolicy.admissionregistration.k8s.io"
    assert answer.message == f'{kind} "demo" is invalid: {field}: {words}'


@pytest.mark.parametrize(
    ("expression", "spec"),
    [
        ("params.data.x == 'y'", {}),
        ("variables.x", {}),
        ("variables.later", {"variables": [{"name": "now", "expression": "1"}]}),
        ("variables.text > 1", {"variables": [{"name": "text", "expression": "'a'"}]}),
        ("request.nothing == 'x'", {}),
        ("namespaceObject.metadata.managedFields.size() == 0", {}),
    ],
)
async def test_what_is_not_there_cannot_be_named(api: Api, expression: str, spec: Json) -> None:
    answer = await api.ask("POST", POLICIES, policy(expression, **spec))
    assert answer.status == 422
    ((field, words),) = answer.causes
    assert field == "spec.validations[0].expression"
    assert "compilation failed: ERROR: <input>:1:" in words


async def test_an_authorizer_is_not_for_messages(api: Api) -> None:
    text = "authorizer.path('/x').check('get').reason()"
    made = policy({"expression": "true", "messageExpression": text})
    assert (await api.ask("POST", POLICIES, made)).status == 422
    asks = "authorizer.requestResource.check('bind').allowed()"
    await put(api, POLICIES, policy(asks))


async def test_conditions_see_parameters_and_no_variables(api: Api) -> None:
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    reads = [{"name": "reads", "expression": "params == null"}]
    await put(api, POLICIES, policy("true", matchConditions=reads, paramKind=kind))
    variables = [{"name": "a", "expression": "true"}]
    reads = [{"name": "reads", "expression": "variables.a"}]
    made = policy("true", name="other", matchConditions=reads, variables=variables)
    assert (await api.ask("POST", POLICIES, made)).status == 422


async def test_only_changes_are_compiled_and_counted(api: Api) -> None:
    await put(api, POLICIES, policy("object.spec.replicas > 1"))
    where = f"{POLICIES}/demo"
    answer = await api.ask("PATCH", where, {"metadata": {"labels": {"a": "b"}}}, kind=MERGE)
    assert answer.body["status"]["observedGeneration"] == 1
    change: dict[str, Any] = {"spec": {"validations": [{"expression": "object.metadat.x == 1"}]}}
    answer = await api.ask("PATCH", where, change, kind=MERGE)
    assert (answer.status, answer.meta["generation"]) == (200, 2)
    assert answer.body["status"]["observedGeneration"] == 2
    (warning,) = answer.body["status"]["typeChecking"]["expressionWarnings"]
    assert "undefined field 'metadat'" in warning["warning"]
    change["spec"]["validations"][0]["expression"] = "object.metadata.name == "
    answer = await api.ask("PATCH", where, change, kind=MERGE)
    assert answer.status == 422


async def test_types_of_variables_parameters_and_messages_are_checked(api: Api) -> None:
    made = policy(
        {
            "expression": "variables.spec.replica > 1",
            "messageExpression": "string(object.metadata.nam)",
        },
        {"expression": "params.dat.x == 'y' || object.metadata.labels.x == 'y'"},
        {"expression": "object.spec.template.spec.containers.all(c, c.resources.limits.cpu == 1)"},
        variables=[{"name": "spec", "expression": "object.spec"}],
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
    )
    answer = await put(api, POLICIES, made)
    warnings = answer.body["status"]["typeChecking"]["expressionWarnings"]

    told = {one["fieldRef"]: one["warning"].splitlines()[0] for one in warnings}
    kind, at = "apps/v1, Kind=Deployment", "ERROR: <input>:1"
    assert told == {
        "spec.validations[0].messageExpression": f"{kind}: {at}:23: undefined field 'nam'",
        "spec.validations[1].expression": f"{kind}: {at}:7: undefined field 'dat'",
    }


@pytest.mark.parametrize(
    "rules",
    [
        [rule("deployments", group="*")],
        [rule("*")],
        [rule("deployments/scale")],
        [rule("unknowns", group="nobody.dev")],
    ],
)
async def test_kinds_that_are_not_named_are_not_checked(api: Api, rules: list[Json]) -> None:
    made = policy("object.nothing == 1", matchConstraints={"resourceRules": rules})
    answer = await put(api, POLICIES, made)
    assert answer.body["status"]["typeChecking"] == {}


async def test_long_policies_are_compiled_beside_the_loop(api: Api) -> None:
    long = " || ".join(["object.spec.replicas > 1"] * 80)
    waits: list[float] = []

    async def beat() -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0)
            waits.append(time.monotonic() - before)

    beating = asyncio.create_task(beat())
    await enforce(api, policy(*[long] * 3))
    beating.cancel()
    assert len(waits) > 50  # others ran while it was compiled
    assert (await api.ask("POST", DEPLOYMENTS, deployment(replicas=1))).status == 422


async def test_too_much_is_refused_before_it_is_read(api: Api) -> None:
    answer = await api.ask("POST", POLICIES, policy(" || ".join(["true"] * 13_000)))
    assert answer.causes == {
        ("spec", "Forbidden: expressions have more than 100000 characters altogether")
    }
    variables = [{"name": f"v{i}", "expression": "1"} for i in range(250)]
    answer = await api.ask("POST", POLICIES, policy("true", variables=variables))
    assert answer.status == 422


@pytest.mark.parametrize("name", ["ü", "__", "a__dot__b", "x" * 300, "has"])
async def test_strange_names_of_variables(api: Api, name: str) -> None:
    variables = [{"name": name, "expression": "1"}]
    made = policy(f"variables.{name} == 1", variables=variables)
    answer = await api.ask("POST", POLICIES, made)
    assert answer.status in (201, 422)
    if answer.status == 201:
        await put(api, BINDINGS, binding())
        await put(api, DEPLOYMENTS, deployment())
