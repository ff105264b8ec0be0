"""Tests of rules through the API: judged with their definition, run with every write."""

import asyncio
from collections.abc import Callable
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


async def test_rules_are_not_asked_of_an_object_without_a_name(api: Api) -> None:
    await define(api, {"rule": "self.size < 3", "message": "too large"})
    refused = await api.ask("POST", WIDGETS, {"spec": {"size": 3}})
    causes = [cause["message"] for cause in refused.body["details"]["causes"]]
    assert causes == [
        "Required value: name or generateName is required",
        "Invalid value: null: some validation rules were not checked because the object was "
        "invalid; correct the existing errors to complete validation",
    ]


LONG = "self.size < 3" + " && self.size < 3" * 140
DEARER = "self.names.all(a, self.names.exists(b, a == b))"


async def test_what_takes_long_is_done_beside_the_loop(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, to_thread = list[str](), asyncio.to_thread

    async def counted(function: Callable[..., Any], *args: Any) -> Any:
        threads.append(function.__qualname__.partition(".")[0])
        return await to_thread(function, *args)

    monkeypatch.setattr(asyncio, "to_thread", counted)
    names = {**TEXTS, "maxItems": 300, "items": {**TEXT, "maxLength": 5}}
    short = await define(api, {"rule": "self.size < 3"}, names=names)
    assert (short.status, threads) == (201, [])
    assert (await create(api)).status == 201
    assert threads == []

    wrong = await redefine(api, {"rule": LONG + " && nothing"})
    assert wrong.status == 422 and "undeclared reference to 'nothing'" in wrong.message
    assert threads == ["definition_faults"]
    both = ({"rule": LONG}, {"rule": DEARER}, {"rule": "size(self.names) < 250"})
    assert (await redefine(api, *both)).status == 200
    assert threads == ["definition_faults"] * 2

    refused = await api.ask("POST", WIDGETS, widget("b", size=3))
    assert refused.status == 422 and refused.message.count("failed rule") == 1
    assert threads[2:] == ["compiled"]
    many = [str(number) for number in range(250)]
    refused = await api.ask("POST", WIDGETS, widget("b", names=many))
    assert refused.status == 422 and "failed rule: size(self.names) < 250" in refused.message
    assert (await api.ask("POST", WIDGETS, widget("b", names=many[1:]))).status == 201
    assert threads[3:] == ["object_faults"] * 2


async def test_warnings_of_what_takes_long_come_once(api: Api) -> None:
    names = {**TEXTS, "maxItems": 300, "items": {**TEXT, "maxLength": 5}}
    many = [str(number) for number in range(250)]
    assert (await define(api, {"rule": "true"}, names=names)).status == 201
    assert (await api.ask("POST", WIDGETS, widget(names=many))).status == 201
    rules = ({"rule": "size(self.names) < 9"}, {"rule": DEARER})
    assert (await redefine(api, *rules)).status == 200

    labels: Json = {"metadata": {"labels": {"a": "b"}}}
    changed = await api.ask("PATCH", f"{WIDGETS}/a", labels, kind=MERGE)
    assert changed.status == 200
    assert changed.headers["warning"].count("failed rule") == 1
