"""Where variables come from."""

from typing import Any

import pytest

from argosy.api.validation.values import CONFIG_KEY_RULE, ENV_NAME_RULE
from tests.api.kit import errors, made, put

E = "spec.containers[0].env[0]"
POD = made("v1", "Pod", spec={"containers": [{"name": "main", "image": "python"}]})


@pytest.mark.parametrize(
    "source",
    [
        {"fieldRef": {"fieldPath": "status.podIPs"}},
        {"fieldRef": {"fieldPath": "metadata.labels['a.b/c']"}},
        {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}},
        {"resourceFieldRef": {"resource": "requests.hugepages-2Mi"}},
        {"configMapKeyRef": {"name": "c", "key": "k"}},
        {"secretKeyRef": {"name": "c", "key": "k", "optional": True}},
    ],
)
def test_what_is_taken(source: dict[str, Any]) -> None:
    assert errors(put(POD, "spec.containers.0.env", [{"name": "A", "valueFrom": source}])) == []


@pytest.mark.parametrize(
    "variable, expected",
    [
        ({"name": ""}, f"{E}.name: Required value"),
        ({"name": "a=b"}, f'{E}.name: Invalid value: "a=b": {ENV_NAME_RULE}'),
        (
            {"name": "A", "valueFrom": {}},
            f'{E}.valueFrom: Invalid value: "": must specify one of: `fieldRef`, '
            "`resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        ),
        (
            {"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
            f'{E}.valueFrom: Invalid value: "": may not be specified when `value` is not empty',
        ),
        (
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels"}}},
            f'{E}.valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported '
            'values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", '
            '"spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", '
            '"status.podIPs"',
        ),
        (
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.color"}}},
            f'{E}.valueFrom.fieldRef.fieldPath: Invalid value: "spec.color": error converting '
            "fieldPath: field label not supported: spec.color",
        ),
        (
            {"name": "A", "valueFrom": {"fieldRef": {"apiVersion": "v2", "fieldPath": "x"}}},
            f'{E}.valueFrom.fieldRef.fieldPath: Invalid value: "x": error converting fieldPath: '
            "unsupported pod version: v2",
        ),
        (
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name['a']"}}},
            f"{E}.valueFrom.fieldRef.fieldPath: Invalid value: \"metadata.name['a']\": error "
            "converting fieldPath: field label does not support subscript: metadata.name['a']",
        ),
        (
            {"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.gpu"}}},
            f'{E}.valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported '
            'values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", '
            '"requests.ephemeral-storage", "requests.memory"',
        ),
        (
            {
                "name": "A",
                "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1Mi"}},
            },
            f'{E}.valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only '
            "divisor's values 1m and 1 are supported with the cpu resource",
        ),
        (
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "a/b"}}},
            f'{E}.valueFrom.secretKeyRef.key: Invalid value: "a/b": {CONFIG_KEY_RULE}',
        ),
        (
            {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": ""}}},
            f"{E}.valueFrom.configMapKeyRef.key: Required value",
        ),
    ],
)
def test_what_a_variable_may_not_say(variable: dict[str, Any], expected: str) -> None:
    assert errors(put(POD, "spec.containers.0.env", [variable])) == [expected]


@pytest.mark.parametrize(
    "source, expected",
    [
        ({"configMapRef": {"name": "c"}, "prefix": "A_"}, []),
        (
            {},
            [
                'spec.containers[0].envFrom: Invalid value: "": must specify one of: '
                "`configMapRef` or `secretRef`"
            ],
        ),
        (
            {"secretRef": {"name": ""}},
            ["spec.containers[0].envFrom[0].secretRef.name: Required value"],
        ),
        (
            {"secretRef": {"name": "s"}, "configMapRef": {"name": "c"}},
            [
                'spec.containers[0].envFrom: Invalid value: "": may not have more than one field '
                "specified at a time"
            ],
        ),
        (
            {"secretRef": {"name": "s"}, "prefix": "ä"},
            [f'spec.containers[0].envFrom[0].prefix: Invalid value: "ä": {ENV_NAME_RULE}'],
        ),
    ],
)
def test_sources_of_many_variables(source: dict[str, Any], expected: list[str]) -> None:
    assert errors(put(POD, "spec.containers.0.envFrom", [source])) == expected
