"""Tolerations, affinity, spread, gates."""

from typing import Any

import pytest

from argosy.api.names import LABEL_VALUE_RULE, NAME_PART_RULE
from tests.api.kit import errors, made, put

POD = made("v1", "Pod", spec={"containers": [{"name": "main", "image": "python"}]})
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
TERM = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"a": "b"}}}
NODES = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
T, A, S = "spec.tolerations[0]", "spec.affinity", "spec.topologySpreadConstraints[0]"


@pytest.mark.parametrize(
    "field, value",
    [
        ("tolerations", [{"operator": "Exists"}, {"key": "a.b/c", "value": "v"}]),
        ("tolerations", [{"key": "a", "effect": "NoExecute", "tolerationSeconds": 5}]),
        ("affinity", {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [NODES]}}}),
        ("affinity", {"nodeAffinity": {PREFERRED: [{"weight": 1, "preference": NODES}]}}),
        ("affinity", {"podAntiAffinity": {REQUIRED: [{**TERM, "matchLabelKeys": ["x"]}]}}),
        ("topologySpreadConstraints", [{**SPREAD, "minDomains": 2}]),
        ("schedulingGates", [{"name": "example.com/wait"}]),
        ("nodeSelector", {"zone": ""}),
    ],
)
def test_what_is_taken(field: str, value: Any) -> None:
    assert errors(put(POD, f"spec.{field}", value)) == []


@pytest.mark.parametrize(
    "toleration, expected",
    [
        (
            {},
            f'{T}.operator: Invalid value: "": operator must be Exists when `key` is empty, which '
            'means "match all values and all keys"',
        ),
        (
            {"key": "a", "operator": "Exists", "value": "b"},
            f"{T}.operator: Invalid value: \"b\": value must be empty when `operator` is 'Exists'",
        ),
        (
            {"key": "a", "operator": "In"},
            f'{T}.operator: Unsupported value: "In": supported values: "Equal", "Exists"',
        ),
        (
            {"key": "a", "operator": "Gt", "value": "1"},
            f'{T}.operator: Unsupported value: "Gt": supported values: "Equal", "Exists", "Lt", '
            '"Gt"',
        ),
        (
            {"key": "a", "effect": "Never"},
            f'{T}.effect: Unsupported value: "Never": supported values: "NoSchedule", '
            '"PreferNoSchedule", "NoExecute"',
        ),
        (
            {"key": "a", "tolerationSeconds": 1},
            f"{T}.effect: Invalid value: \"\": effect must be 'NoExecute' when "
            "`tolerationSeconds` is set",
        ),
        ({"key": "-"}, f'{T}.key: Invalid value: "-": {NAME_PART_RULE}'),
        ({"key": "a", "value": "-"}, f'{T}.operator: Invalid value: "-": {LABEL_VALUE_RULE}'),
    ],
)
def test_tolerations(toleration: dict[str, Any], expected: str) -> None:
    assert errors(put(POD, "spec.tolerations", [toleration])) == [expected]


@pytest.mark.parametrize(
    "affinity, expected",
    [
        (
            {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": []}}},
            f"{A}.nodeAffinity.{REQUIRED}.nodeSelectorTerms: Required value: must have at least "
            "one node selector term",
        ),
        (
            {"nodeAffinity": {PREFERRED: [{"weight": 101, "preference": NODES}]}},
            f"{A}.nodeAffinity.{PREFERRED}[0].weight: Invalid value: 101: must be in the range "
            "1-100",
        ),
        (
            {
                "nodeAffinity": {
                    REQUIRED: {
                        "nodeSelectorTerms": [
                            {"matchExpressions": [{"key": "a", "operator": "Gt", "values": []}]}
                        ]
                    }
                }
            },
            f"{A}.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].values: "
            "Required value: must be specified single value when `operator` is 'Lt' or 'Gt'",
        ),
        (
            {
                "nodeAffinity": {
                    REQUIRED: {
                        "nodeSelectorTerms": [
                            {"matchFields": [{"key": "b", "operator": "In", "values": ["n"]}]}
                        ]
                    }
                }
            },
            f"{A}.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "
            '"b": not a valid field selector key',
        ),
        (
            {"podAffinity": {REQUIRED: [{**TERM, "namespaces": ["A.b"]}]}},
            None,
        ),
        (
            {"podAffinity": {REQUIRED: [{"topologyKey": "z", "matchLabelKeys": ["a"]}]}},
            f"{A}.podAffinity.{REQUIRED}[0].matchLabelKeys: Forbidden: must not be specified when "
            "labelSelector is not set",
        ),
        (
            {
                "podAffinity": {
                    REQUIRED: [{**TERM, "matchLabelKeys": ["x"], "mismatchLabelKeys": ["x"]}]
                }
            },
            f'{A}.podAffinity.{REQUIRED}[0].matchLabelKeys[0]: Invalid value: "x": exists in both '
            "matchLabelKeys and mismatchLabelKeys",
        ),
    ],
)
def test_affinity(affinity: dict[str, Any], expected: str | None) -> None:
    found = errors(put(POD, "spec.affinity", affinity))
    if expected is None:
        assert len(found) == 1 and found[0].startswith(f"{A}.podAffinity.{REQUIRED}[0].namespace:")
    else:
        assert found == [expected]


def test_terms_need_a_topology() -> None:
    term = {**TERM, "topologyKey": ""}
    found = errors(put(POD, "spec.affinity", {"podAffinity": {REQUIRED: [term]}}))
    path = f"{A}.podAffinity.{REQUIRED}[0].topologyKey"
    assert found[:2] == [
        f"{path}: Required value: can not be empty",
        f'{path}: Invalid value: "": name part must be non-empty',
    ]


@pytest.mark.parametrize(
    "constraints, expected",
    [
        (
            [{**SPREAD, "maxSkew": 0}],
            f"{S}.maxSkew: Invalid value: 0: must be greater than zero",
        ),
        (
            [{**SPREAD, "whenUnsatisfiable": "Cry"}],
            f'{S}.whenUnsatisfiable: Unsupported value: "Cry": supported values: "DoNotSchedule", '
            '"ScheduleAnyway"',
        ),
        (
            [SPREAD, SPREAD],
            f'{S}.{{topologyKey, whenUnsatisfiable}}: Duplicate value: "{{zone, DoNotSchedule}}"',
        ),
        (
            [{**SPREAD, "whenUnsatisfiable": "ScheduleAnyway", "minDomains": 1}],
            f"{S}.minDomains: Invalid value: 1: can only use minDomains if "
            "whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway",
        ),
        (
            [{**SPREAD, "nodeTaintsPolicy": "Obey"}],
            f'{S}.nodeTaintsPolicy: Unsupported value: "Obey": supported values: "Honor", "Ignore"',
        ),
        (
            [{**SPREAD, "labelSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}],
            f"{S}.labelSelector.matchExpressions[0].values: Required value: must be specified "
            "when `operator` is 'In' or 'NotIn'",
        ),
    ],
)
def test_spread(constraints: list[Any], expected: str) -> None:
    assert errors(put(POD, "spec.topologySpreadConstraints", constraints)) == [expected]


def test_gates_are_there_once() -> None:
    gates = [{"name": "a"}, {"name": "a"}]
    assert errors(put(POD, "spec.schedulingGates", gates)) == [
        'spec.schedulingGates[1]: Duplicate value: "a"'
    ]
