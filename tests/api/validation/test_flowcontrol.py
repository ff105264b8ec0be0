"""What flow schemas and priority levels may say."""

from typing import Any

import pytest

from argosy.api.validation.mandatory import FLOW_SCHEMAS, PRIORITY_LEVELS
from tests.api.kit import GONE, errors, made, put

V1 = "flowcontrol.apiserver.k8s.io/v1"
RULE = {
    "subjects": [{"kind": "User", "user": {"name": "jane"}}],
    "resourceRules": [
        {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "namespaces": ["default"]}
    ],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["/healthz", "/logs/*"]}],
}
SCHEMA = made(V1, "FlowSchema", spec={"priorityLevelConfiguration": {"name": "a"}, "rules": [RULE]})
LEVEL = made(
    V1,
    "PriorityLevelConfiguration",
    spec={"type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": {}}}},
)


@pytest.mark.parametrize(
    "obj",
    [
        SCHEMA,
        LEVEL,
        *(made(V1, "FlowSchema", name, spec=spec) for name, spec in FLOW_SCHEMAS.items()),
        *(
            made(V1, "PriorityLevelConfiguration", name, spec=spec)
            for name, spec in PRIORITY_LEVELS.items()
        ),
    ],
)
def test_what_is_taken(obj: dict[str, Any]) -> None:
    assert errors(obj) == []
    assert errors(obj, obj) == []


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (
            "matchingPrecedence",
            -1,
            "matchingPrecedence: Invalid value: -1: must be a positive value",
        ),
        (
            "matchingPrecedence",
            10_001,
            "matchingPrecedence: Invalid value: 10001: must not be greater than 10000",
        ),
        (
            "matchingPrecedence",
            1,
            "matchingPrecedence: Invalid value: 1: "
            "only the schema named 'exempt' may have matchingPrecedence 1",
        ),
        (
            "distinguisherMethod",
            {"type": "ByIP"},
            'distinguisherMethod.type: Unsupported value: "ByIP": supported values: '
            '"ByNamespace", "ByUser"',
        ),
        (
            "priorityLevelConfiguration.name",
            "",
            "priorityLevelConfiguration.name: Required value: must reference a priority level",
        ),
        (
            "rules.0.subjects",
            [],
            "rules[0].subjects: Required value: subjects must contain at least one value",
        ),
        (
            "rules.0.subjects.0",
            {"kind": "User"},
            "rules[0].subjects[0].user: Required value: "
            "user is required when subject kind is 'User'",
        ),
        (
            "rules.0.subjects.0.group",
            {"name": "g"},
            "rules[0].subjects[0].group: Forbidden: "
            "group is forbidden when subject kind is not 'Group'",
        ),
        (
            "rules.0.subjects.0.kind",
            "Robot",
            'rules[0].subjects[0].kind: Unsupported value: "Robot": supported values: "Group", '
            '"ServiceAccount", "User"',
        ),
        (
            "rules.0.resourceRules.0.verbs",
            ["*", "get"],
            'rules[0].resourceRules[0].verbs: Invalid value: ["*","get"]: '
            "if '*' is present, must not specify other verbs",
        ),
        (
            "rules.0.resourceRules.0.namespaces",
            GONE,
            "rules[0].resourceRules[0].namespaces: Required value: resource rules that are not "
            "cluster scoped must supply at least one namespace",
        ),
        (
            "rules.0.nonResourceRules.0.nonResourceURLs",
            ["/a/*/b"],
            'rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "/a/*/b": '
            "wildcard can only do suffix matching",
        ),
        (
            "rules.0",
            {"subjects": RULE["subjects"]},
            "rules[0]: Required value: "
            "at least one of resourceRules and nonResourceRules has to be non-empty",
        ),
    ],
)
def test_schemas_that_are_refused(path: str, value: Any, error: str) -> None:
    assert errors(put(SCHEMA, f"spec.{path}", value)) == [f"spec.{error}"]


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (
            "type",
            "Exempt",
            "type: Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'",
        ),
        ("limited", GONE, "limited: Required value: must not be empty when type is Limited"),
        ("exempt", {}, "exempt: Forbidden: must be nil if the type is Limited"),
        (
            "limited.nominalConcurrencyShares",
            -1,
            "limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer",
        ),
        (
            "limited.lendablePercent",
            101,
            "limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive",
        ),
        (
            "limited.limitResponse.type",
            "Reject",
            "limited.limitResponse.queuing: Forbidden: "
            "must be nil if limited.limitResponse.type is not Limited",
        ),
        (
            "limited.limitResponse.queuing.handSize",
            65,
            "limited.limitResponse.queuing.handSize: Invalid value: 65: "
            "should not be greater than queues (64)",
        ),
        (
            "limited.limitResponse.queuing.handSize",
            11,
            "limited.limitResponse.queuing.handSize: Invalid value: 11: required entropy bits of "
            "deckSize 64 and handSize 11 should not be greater than 60",
        ),
    ],
)
def test_levels_that_are_refused(path: str, value: Any, error: str) -> None:
    found = errors(put(LEVEL, f"spec.{path}", value))
    assert f"spec.{error}" in found


def test_mandatory_ones_are_what_they_are() -> None:
    schema = put(SCHEMA, "metadata.name", "catch-all")
    (error,) = errors(schema)
    assert error.endswith("spec of 'catch-all' must equal the fixed value")
    level = put(LEVEL, "metadata.name", "catch-all")
    (error,) = errors(level)
    assert error.endswith("spec of 'catch-all' must equal the fixed value")
    exempt = made(V1, "PriorityLevelConfiguration", "exempt", spec={"type": "Exempt"})
    assert errors(put(exempt, "spec.exempt", {"lendablePercent": 50})) == []
