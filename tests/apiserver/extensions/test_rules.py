"""Tests of rules through the API: judged with their definition, run with every write."""

from typing import Any

import pytest

from tests.api.extensions.kit import NUMBER, TEXT, Json, fields, kind, version
from tests.apiserver.kit import APPLY, MERGE, Answer, Api

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"
TEXTS: Json = {"type": "array", "items": TEXT}
DEAR = "self.names.all(a, self.names.exists_one(b, a == b))"
WHERE = "spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0]"


def ruled(*rules: Json, **more: Json) -> Json:
    properties = {"size": {**NUMBER, "default": 1}, "color": TEXT, "names": TEXTS, **more}
    return {**fields(**properties), "x-kubernetes-validations": list(rules)}


async def define(api: Api, *rules: Json, **more: Json) -> Answer:
    one = version(spec=ruled(*rules, **more), subresources={"status": {}})
    one["schema"]["openAPIV3Schema"]["properties"]["status"] = {
        **fields(size=NUMBER),
        "x-kubernetes-validations": [{"rule": "self.size >= 0", "message": "below zero"}],
    }
    return await api.ask("POST", DEFINITIONS, kind(one))


async def redefine(api: Api, *rules: Json, **facts: Any) -> Answer:
    current = (await api.get(f"{DEFINITIONS}/widgets.example.com")).body
    spec = current["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["x-kubernetes-validations"] = list(rules)
    current["metadata"].update(facts)
    return await api.ask("PUT", f"{DEFINITIONS}/widgets.example.com", current)


def widget(name: str = "a", **spec: Any) -> Json:
    return {"metadata": {"name": name}, "spec": spec}


async def create(api: Api, **spec: Any) -> Answer:
    return await api.ask("POST", WIDGETS, widget(**spec))


async def test_rules_accept_and_refuse_every_kind_of_write(api: Api) -> None:
    defined = await define(api, {"rule": "self.size < 3", "message": "too large"})
    assert defined.status == 201 and "warning" not in defined.headers
    refused = await create(api, size=3)
    assert refused.status == 422
    assert refused.message == 'Widget.example.com "a" is invalid: spec: Invalid value: too large'
    made = await create(api)  # what rules see has its defaults
    assert made.status == 201
    large: Json = {"spec": {"size": 9}}
    merged = await api.ask("PATCH", f"{WIDGETS}/a", large, kind=MERGE)
    head = {"apiVersion": "example.com/v1", "kind": "Widget", **widget(size=9)}
    applied = await api.ask("PATCH", f"{WIDGETS}/a", head, kind=APPLY, fieldManager="m", force="1")
    put = await api.ask("PUT", f"{WIDGETS}/a", {**made.body, **large})
    assert [merged.status, applied.status, put.status] == [422, 422, 422]
    status = {"status": {"size": -1}}
    told = await api.ask("PATCH", f"{WIDGETS}/a/status", status, kind=MERGE)
    assert told.causes == {("status", "Invalid value: below zero")}


async def test_transition_rules_see_the_old_object(api: Api) -> None:
    await define(api, {"rule": "self.size >= oldSelf.size", "message": "only up"})
    assert (await create(api, size=2)).status == 201
    up = await api.ask("PATCH", f"{WIDGETS}/a", {"spec": {"size": 3}}, kind=MERGE)
    down = await api.ask("PATCH", f"{WIDGETS}/a", {"spec": {"size": 2}}, kind=MERGE)
    assert (up.status, down.causes) == (200, {("spec", "Invalid value: only up")})


@pytest.mark.parametrize(
    ("rule", "cause"),
    [
        ({}, ("spec", "Invalid value: failed rule: self.size < 3")),
        (
            {"messageExpression": "'%d is too many'.format([self.size])"},
            ("spec", "Invalid value: 5 is too many"),
        ),
        (
            {"reason": "FieldValueForbidden", "fieldPath": ".size", "message": "no"},
            ("spec.size", "Forbidden: no"),
        ),
    ],
)
async def test_a_rule_says_what_is_wrong_and_where(
    api: Api, rule: Json, cause: tuple[str, str]
) -> None:
    await define(api, {"rule": "self.size < 3", **rule})
    assert (await create(api, size=5)).causes == {cause}


async def test_what_was_wrong_before_only_warns(api: Api) -> None:
    await define(api, {"rule": "true"})
    assert (await create(api, size=5)).status == 201
    assert (await redefine(api, {"rule": "self.size < 3", "message": "too large"})).status == 200
    labels = {"metadata": {"labels": {"a": "b"}}}
    ratcheted = await api.ask("PATCH", f"{WIDGETS}/a", labels, kind=MERGE)
    assert ratcheted.status == 200
    assert "spec: Invalid value: too large" in ratcheted.headers["warning"]
    changed = await api.ask("PATCH", f"{WIDGETS}/a", {"spec": {"color": "x"}}, kind=MERGE)
    assert changed.causes == {("spec", "Invalid value: too large")}


async def test_rules_are_not_asked_of_what_breaks_the_schema(api: Api) -> None:
    await define(api, {"rule": "self.size < 3"})
    fields_ = {field for field, _ in (await create(api, size="x")).causes}
    assert fields_ == {"spec.size", "<nil>"}


@pytest.mark.parametrize(
    ("rule", "field", "part"),
    [
        ("self.size <", "rule", "compilation failed: ERROR: <input>:1:12: Syntax error"),
        ("self.nothing", "rule", "undefined field 'nothing'"),
        (DEAR, "rule", "estimated rule cost exceeds budget by factor of more than 100x"),
    ],
)
async def test_wrong_and_dear_rules_are_refused(api: Api, rule: str, field: str, part: str) -> None:
    refused = await define(api, {"rule": rule})
    assert refused.status == 422
    assert any(at == f"{WHERE}.{field}" and part in words for at, words in refused.causes)
    assert (await api.get(f"{DEFINITIONS}/widgets.example.com")).status == 404


async def test_versions_that_differ_are_named_and_unchanged_ones_not_judged(api: Api) -> None:
    good = version("v1", spec=ruled({"rule": "true"}))
    bad = version("v2", spec=ruled({"rule": "1"}), storage=False)
    refused = await api.ask("POST", DEFINITIONS, kind(good, bad))
    where = "spec.versions[1].schema.openAPIV3Schema.properties[spec].x-kubernetes-validations[0]"
    assert {at for at, _ in refused.causes} == {f"{where}.rule"}
    assert (await define(api, {"rule": "true"})).status == 201
    assert (await redefine(api, {"rule": "1"})).status == 422
    assert (await redefine(api, {"rule": "true"}, labels={"a": "b"})).status == 200


async def test_rules_of_all_versions_have_a_length_together(api: Api) -> None:
    long = [
        version(name, spec=ruled({"rule": f"'{name * 30_000}' != ''"}), storage=name == "v1")
        for name in ("v1", "v2")
    ]
    refused = await api.ask("POST", DEFINITIONS, kind(*long))
    assert refused.status == 422 and "more than 100000 characters" in refused.message


async def test_dear_objects_are_refused_before_they_take_long(api: Api) -> None:
    names = {**TEXTS, "maxItems": 80, "items": {**TEXT, "maxLength": 1}}
    bomb = "self.names.all(a, self.names.all(b, self.names.all(c, a + b + c != '')))"
    defined = await define(api, {"rule": bomb}, {"rule": "false"}, names=names)
    assert defined.status == 201, defined.message
    ((field, words),) = (await create(api, names=["x"] * 80)).causes
    assert field == "spec" and "actual cost limit exceeded" in words
