"""Rules of CRDs: what they refuse, in whose words, against which old value, at what price."""

from typing import Any

import pytest

from argosy.api.cel.rules import Rules
from argosy.api.cel.rulescompile import compile_rules
from argosy.api.extensions.rules import has_rules


def schema(*rules: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A kind whose spec has these rules."""
    properties = {
        "replicas": {"type": "integer"},
        "most": {"type": "integer"},
        "name": {"type": "string", "maxLength": 20},
        **spec,
    }
    made: dict[str, Any] = {"type": "object", "properties": properties}
    if rules:
        made["x-kubernetes-validations"] = list(rules)
    return {"type": "object", "properties": {"spec": made}}


def compiled(found: dict[str, Any]) -> Rules:
    rules = compile_rules(found)
    assert isinstance(rules, Rules), [str(error) for error in rules]
    return rules


def faults(rules: Rules, new: Any, old: Any = None) -> list[str]:
    before = None if old is None else {"spec": old}
    return [str(error) for error in rules.validate({"spec": new}, before)]


LIMIT = "self.replicas <= self.most"


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"rule": LIMIT}, f"spec: Invalid value: failed rule: {LIMIT}"),
        ({"rule": LIMIT, "message": "too many"}, "spec: Invalid value: too many"),
        (
            {"rule": LIMIT, "messageExpression": "'at most %d'.format([self.most])"},
            "spec: Invalid value: at most 2",
        ),
        (
            {"rule": LIMIT, "message": "plain", "messageExpression": "string(1 / (2 - self.most))"},
            "spec: Invalid value: plain",
        ),
        (
            {"rule": LIMIT, "reason": "FieldValueForbidden", "message": "no"},
            "spec: Forbidden: no",
        ),
        (
            {
                "rule": LIMIT,
                "fieldPath": ".replicas",
                "reason": "FieldValueRequired",
                "message": "m",
            },
            "spec.replicas: Required value: m",
        ),
        (
            {"rule": "self.name == 'x'"},
            "spec: Invalid value: \"object\": no such key: name evaluating rule: self.name == 'x'",
        ),
    ],
)
def test_refusal(rule: dict[str, Any], fault: str) -> None:
    assert faults(compiled(schema(rule)), {"replicas": 3, "most": 2}) == [fault]


def test_good_object_passes() -> None:
    rules = compiled(schema({"rule": LIMIT}, {"rule": "!has(self.name) || self.name != ''"}))
    assert rules
    assert faults(rules, {"replicas": 1, "most": 2}) == []


def test_schema_without_rules_has_none() -> None:
    assert not compiled(schema())
    assert not has_rules(schema())
    assert has_rules(schema({"rule": "true"}))


def test_transition_rule_waits_for_an_old_value() -> None:
    rules = compiled(schema({"rule": "self.most == oldSelf.most", "message": "immutable"}))
    assert faults(rules, {"most": 1}) == []
    assert faults(rules, {"most": 1}, {"most": 1}) == []
    assert faults(rules, {"most": 1}, {"most": 2}) == ["spec: Invalid value: immutable"]


def test_optional_old_self_is_there_on_create() -> None:
    rule = {"rule": "oldSelf.hasValue() || self.most == 0", "optionalOldSelf": True}
    rules = compiled(schema(rule))
    assert faults(rules, {"most": 0}) == []
    assert len(faults(rules, {"most": 1})) == 1
    assert faults(rules, {"most": 1}, {"most": 0}) == []


def items(rule: str, **more: Any) -> dict[str, Any]:
    item = {
        "type": "object",
        "properties": {"key": {"type": "string"}, "n": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": rule, "message": "bad item"}],
    }
    return {"type": "array", "maxItems": 10, "items": item, **more}


MAP_LIST = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["key"]}


def test_items_of_a_map_list_keep_their_old_selves() -> None:
    rules = compiled(schema(list=items("self.n >= oldSelf.n", **MAP_LIST)))
    old = {"list": [{"key": "a", "n": 5}, {"key": "b", "n": 1}]}
    new = {"list": [{"key": "b", "n": 2}, {"key": "c", "n": 0}, {"key": "a", "n": 4}]}
    assert faults(rules, new, old) == ["spec.list[2]: Invalid value: bad item"]


def test_values_of_a_map_are_named_by_key() -> None:
    values = {
        "type": "string",
        "x-kubernetes-validations": [{"rule": "self != 'x'", "message": "m"}],
    }
    rules = compiled(schema(tags={"type": "object", "additionalProperties": values}))
    assert faults(rules, {"tags": {"a": "y", "b": "x"}}) == ['spec.tags[b]: Invalid value: "x": m']


def test_null_is_not_validated() -> None:
    name = {
        "type": "string",
        "nullable": True,
        "x-kubernetes-validations": [{"rule": "self == 'a'"}],
    }
    assert faults(compiled(schema(other=name)), {"other": None}) == []


def test_ratcheting_warns_of_what_was_wrong_before() -> None:
    rules = compiled(schema(list=items("self.n > 0", **MAP_LIST)))
    old = {"spec": {"list": [{"key": "a", "n": 0}], "most": 1}}
    new = {"spec": {"list": [{"key": "a", "n": 0}, {"key": "b", "n": -1}], "most": 2}}
    warnings: list[str] = []
    errors = rules.validate(new, old, warn=warnings.append)
    assert [error.field for error in errors] == ["spec.list[1]"]
    assert warnings == ["spec.list[0]: Invalid value: bad item"]


def test_all_of_sees_the_type_it_is_part_of() -> None:
    found = schema()
    found["properties"]["spec"]["allOf"] = [
        {
            "properties": {
                "most": {"x-kubernetes-validations": [{"rule": "self > 0", "message": "m"}]}
            }
        }
    ]
    assert faults(compiled(found), {"most": 0}) == ["spec.most: Invalid value: 0: m"]


BASE = "spec.validation.openAPIV3Schema.properties[spec]"
RULE = f"{BASE}.x-kubernetes-validations[0]"


@pytest.mark.parametrize(
    ("rule", "field", "part"),
    [
        ({"rule": " "}, "rule", "Required value: rule is not specified"),
        ({"rule": "self.x"}, "rule", "compilation failed: ERROR: <input>:1:5: undefined field 'x'"),
        ({"rule": "self.most"}, "rule", "cel expression must evaluate to a bool"),
        ({"rule": "true\n"}, "", ""),
        ({"rule": "true ||\nfalse"}, "message", "message must be specified if rule contains line"),
        ({"rule": "true", "message": " "}, "message", "must be non-empty if specified"),
        ({"rule": "true", "message": "a\nb"}, "message", "must not contain line breaks"),
        (
            {"rule": "true", "messageExpression": "1"},
            "messageExpression",
            "messageExpression must evaluate to a string",
        ),
        (
            {"rule": "true", "messageExpression": "'a' +"},
            "messageExpression",
            "messageExpression compilation failed: ERROR: <input>:1:6: Syntax error",
        ),
        ({"rule": "true", "reason": "Odd"}, "reason", "Unsupported value"),
        ({"rule": "true", "fieldPath": ".no"}, "fieldPath", "must be a valid path"),
        (
            {"rule": "true", "optionalOldSelf": True},
            "optionalOldSelf",
            "may not be set if oldSelf is not used in rule",
        ),
    ],
)
def test_wrong_rule(rule: dict[str, Any], field: str, part: str) -> None:
    found = compile_rules(schema(rule))
    if not field:
        assert isinstance(found, Rules)
        return
    assert isinstance(found, list)
    assert [error.field for error in found] == [f"{RULE}.{field}"]
    assert part in found[0].text


def test_old_self_needs_what_can_be_correlated() -> None:
    found = compile_rules(schema(list=items("self == oldSelf")))
    assert isinstance(found, list)
    assert "oldSelf cannot be used on the uncorrelatable portion" in found[0].text


HINT = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, "
    "maps, and strings are declared)"
)


def test_dear_rule_is_refused() -> None:
    names = {"type": "array", "items": {"type": "string"}}
    found = compile_rules(
        schema({"rule": "self.names.all(a, self.names.exists_one(b, a == b))"}, names=names)
    )
    assert isinstance(found, list)
    assert [str(error) for error in found] == [
        f"{RULE}.rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x "
        f"{HINT}",
        f"{RULE}.rule: Forbidden: contributed to estimated rule cost total exceeding cost limit "
        "for entire OpenAPIv3 schema",
        "spec.validation.openAPIV3Schema: Forbidden: x-kubernetes-validations estimated rule cost "
        f"total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x {HINT}",
    ]


def test_bounds_make_it_cheap_and_stored_rules_stay() -> None:
    rule = {"rule": "self.names.all(a, self.names.exists_one(b, a == b))"}
    open_names = {"type": "array", "items": {"type": "string"}}
    names = {"type": "array", "maxItems": 32, "items": {"type": "string", "maxLength": 63}}
    assert isinstance(compile_rules(schema(rule, names=names)), Rules)
    assert isinstance(compile_rules(schema(rule, names=open_names), check_cost=False), Rules)


def test_object_over_budget_runs_no_further_rule() -> None:
    rule = {"rule": "self.names.all(a, self.names.all(b, self.names.all(c, a + b + c != '')))"}
    names = {"type": "array", "items": {"type": "string"}}
    rules = compile_rules(schema(rule, {"rule": "false"}, names=names), check_cost=False)
    assert isinstance(rules, Rules)
    found = faults(rules, {"names": ["x"] * 200})
    assert len(found) == 1
    assert "call cost exceeds limit for rule" in found[0]


def test_rules_of_a_schema_have_a_length() -> None:
    found = compile_rules(schema(*[{"rule": f"'{'a' * 45_000}' == ''"}] * 3))
    assert isinstance(found, list)
    assert [error.text for error in found] == [
        "Forbidden: x-kubernetes-validations have more than 100000 characters altogether"
    ]


def test_depth_is_refused() -> None:
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(3000):
        deep = {"type": "object", "properties": {"a": deep}}
    found = compile_rules(deep)
    assert isinstance(found, list)
    assert found[0].text == "Forbidden: is nested too deeply"


def test_many_small_evaluations_come_to_an_end() -> None:
    number = {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= 0"}]}
    rules = compiled(schema(list={"type": "array", "items": number}))
    found = rules.validate({"spec": {"list": [1] * 1000}}, budget=10_000)
    assert len(found) == 1
    assert "running out of cost budget, no further validation rules will be run" in found[0].text


def test_message_that_is_too_dear_does_not_lose_the_refusal() -> None:
    names = {"type": "array", "items": {"type": "string"}}
    dear = "string(self.names.all(a, self.names.all(b, self.names.all(c, a + b + c != ''))))"
    said = {"rule": "false", "message": "plain", "messageExpression": dear}
    unsaid = {"rule": "1 == 2", "messageExpression": dear}
    rules = compile_rules(schema(said, unsaid, names=names), check_cost=False)
    assert isinstance(rules, Rules)
    assert faults(rules, {"names": ["x"] * 200}) == [
        "spec: Invalid value: plain",
        "spec: Invalid value: failed rule: 1 == 2",
    ]


def test_many_faults_are_told_of_up_to_a_number() -> None:
    number = {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 0"}]}
    rules = compiled(schema(list={"type": "array", "items": number}))
    wrong = {"spec": {"list": [0] * 20_000}}
    assert len(rules.validate(wrong)) == 1000
    warnings: list[str] = []
    assert rules.validate(wrong, {"spec": {"list": [0] * 20_000}}, warn=warnings.append) == []
    assert len(warnings) == 1000
