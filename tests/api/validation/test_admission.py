"""What admission webhooks, admission policies and their bindings may say."""

from typing import Any

import pytest

from tests.api.kit import GONE, errors, made, put

V1 = "admissionregistration.k8s.io/v1"
RULE = {
    "operations": ["CREATE"],
    "apiGroups": ["apps"],
    "apiVersions": ["v1"],
    "resources": ["deployments"],
}
HOOK = {
    "name": "a.example.com",
    "rules": [RULE],
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
    "clientConfig": {"service": {"name": "s", "namespace": "default", "path": "/a/b"}},
    "matchConditions": [{"name": "mine", "expression": "true"}],
}
VALIDATING = made(V1, "ValidatingWebhookConfiguration", webhooks=[HOOK])
MUTATING = made(V1, "MutatingWebhookConfiguration", webhooks=[HOOK])
POLICY = made(
    V1,
    "ValidatingAdmissionPolicy",
    spec={
        "paramKind": {"apiVersion": "a.b/v1", "kind": "Limit"},
        "matchConstraints": {"resourceRules": [RULE]},
        "variables": [{"name": "x", "expression": "1"}],
        "validations": [{"expression": "true", "message": "no"}],
        "auditAnnotations": [{"key": "k", "valueExpression": "'v'"}],
    },
)
CHANGING = made(
    V1,
    "MutatingAdmissionPolicy",
    spec={
        "matchConstraints": {"resourceRules": [RULE]},
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": "[]"}}],
        "reinvocationPolicy": "Never",
    },
)
BINDING = made(
    V1,
    "ValidatingAdmissionPolicyBinding",
    spec={
        "policyName": "p",
        "validationActions": ["Deny"],
        "paramRef": {"name": "n", "parameterNotFoundAction": "Deny"},
    },
)
CHANGING_BINDING = made(V1, "MutatingAdmissionPolicyBinding", spec={"policyName": "p"})


@pytest.mark.parametrize(
    "obj",
    [
        VALIDATING,
        MUTATING,
        POLICY,
        CHANGING,
        BINDING,
        CHANGING_BINDING,
        put(VALIDATING, "webhooks.0.clientConfig", {"url": "https://a.b/c"}),
        put(VALIDATING, "webhooks.0.rules.0.resources", ["pods", "pods/*"]),
    ],
)
def test_what_is_taken(obj: dict[str, Any]) -> None:
    assert errors(obj) == []
    assert errors(obj, obj) == []


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (
            "name",
            "a.b",
            'name: Invalid value: "a.b": '
            "should be a domain with at least three segments separated by dots",
        ),
        (
            "sideEffects",
            "Some",
            'sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
        ),
        (
            "timeoutSeconds",
            31,
            "timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds",
        ),
        (
            "failurePolicy",
            "Retry",
            'failurePolicy: Unsupported value: "Retry": supported values: "Fail", "Ignore"',
        ),
        (
            "matchPolicy",
            "Some",
            'matchPolicy: Unsupported value: "Some": supported values: "Equivalent", "Exact"',
        ),
        (
            "admissionReviewVersions",
            ["v2"],
            'admissionReviewVersions: Invalid value: ["v2"]: '
            "must include at least one of v1, v1beta1",
        ),
        (
            "admissionReviewVersions",
            ["v1", "v1"],
            'admissionReviewVersions[1]: Invalid value: "v1": duplicate version',
        ),
        (
            "clientConfig",
            {},
            "clientConfig: Required value: exactly one of url or service is required",
        ),
        (
            "clientConfig",
            {"url": "http://a.b"},
            "clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; "
            "desired format: https://host[/path]",
        ),
        (
            "clientConfig",
            {"url": "https://u@a.b"},
            'clientConfig.url: Invalid value: "u": user information is not permitted in the URL',
        ),
        (
            "clientConfig.service.path",
            "/a//b",
            'clientConfig.service.path: Invalid value: "/a//b": segment[1] may not be empty',
        ),
        (
            "clientConfig.service.port",
            0,
            "clientConfig.service.port: Invalid value: 0: "
            "port is not valid: must be between 1 and 65535, inclusive",
        ),
        ("rules.0.operations", [], "rules[0].operations: Required value"),
        (
            "rules.0.operations",
            ["READ"],
            'rules[0].operations[0]: Unsupported value: "READ": supported values: "*", "CONNECT", '
            '"CREATE", "DELETE", "UPDATE"',
        ),
        (
            "rules.0.apiGroups",
            ["*", "apps"],
            'rules[0].apiGroups: Invalid value: ["*","apps"]: '
            "if '*' is present, must not specify other API groups",
        ),
        (
            "rules.0.resources",
            ["pods/*", "pods/log"],
            'rules[0].resources[1]: Invalid value: "pods/log": '
            "if 'pods/*' is present, must not specify pods/log",
        ),
        (
            "rules.0.resources",
            ["*", "pods"],
            'rules[0].resources: Invalid value: ["*","pods"]: '
            "if '*' is present, must not specify other resources without subresources",
        ),
        (
            "rules.0.scope",
            "World",
            'rules[0].scope: Unsupported value: "World": supported values: "*", "Cluster", '
            '"Namespaced"',
        ),
        ("matchConditions.0.expression", " ", "matchConditions[0].expression: Required value"),
        (
            "matchConditions.1",
            {"name": "mine", "expression": "true"},
            'matchConditions[1].name: Duplicate value: "mine"',
        ),
    ],
)
def test_webhooks_that_are_refused(path: str, value: Any, error: str) -> None:
    for obj in (VALIDATING, MUTATING):
        assert errors(put(obj, f"webhooks.0.{path}", value)) == [f"webhooks[0].{error}"]


def test_webhooks_are_told_apart_by_name() -> None:
    assert errors(put(MUTATING, "webhooks.1", HOOK)) == [
        'webhooks[1].name: Duplicate value: "a.example.com"'
    ]


@pytest.mark.parametrize(
    ("obj", "path", "value", "found"),
    [
        (
            POLICY,
            "matchConstraints",
            GONE,
            ["spec.matchConstraints: Required value"],
        ),
        (
            POLICY,
            "matchConstraints.resourceRules",
            [],
            ["spec.matchConstraints.resourceRules: Required value"],
        ),
        (
            POLICY,
            "paramKind.apiVersion",
            "a/b/c",
            [
                'spec.paramKind.apiVersion: Invalid value: "a/b/c": '
                "unexpected GroupVersion string: a/b/c"
            ],
        ),
        (
            POLICY,
            "variables.0.name",
            "for",
            ['spec.variables[0].name: Invalid value: "for": must be a valid CEL identifier'],
        ),
        (
            POLICY,
            "validations.0.expression",
            " ",
            ["spec.validations[0].expression: Required value: expression is not specified"],
        ),
        (
            POLICY,
            "validations.0.message",
            "a\nb",
            ['spec.validations[0].message: Invalid value: "a\\nb": must not contain line breaks'],
        ),
        (
            POLICY,
            "validations.0.reason",
            "Gone",
            [
                'spec.validations[0].reason: Unsupported value: "Gone": supported values: '
                '"Forbidden", "Invalid", "RequestEntityTooLarge"'
            ],
        ),
        (
            POLICY,
            "auditAnnotations.1",
            {"key": "k", "valueExpression": "'w'"},
            ['spec.auditAnnotations[1].key: Duplicate value: "k"'],
        ),
        (
            put(POLICY, "spec.auditAnnotations", []),
            "validations",
            [],
            [
                f"spec.{name}: Required value: "
                "validations or auditAnnotations must contain at least one item"
                for name in ("validations", "auditAnnotations")
            ],
        ),
        (
            CHANGING,
            "mutations",
            [],
            ["spec.mutations: Required value: mutations must contain at least one item"],
        ),
        (
            CHANGING,
            "mutations.0.patchType",
            "ApplyConfiguration",
            [
                "spec.mutations[0].applyConfiguration: Required value: "
                "must be specified when patchType is ApplyConfiguration",
                'spec.mutations[0].jsonPatch: Invalid value: "{jsonPatch}": '
                "must not be specified when patchType is ApplyConfiguration",
            ],
        ),
        (CHANGING, "reinvocationPolicy", GONE, ["spec.reinvocationPolicy: Required value"]),
        (
            CHANGING,
            "matchConstraints.resourceRules.0.operations",
            ["DELETE"],
            [
                "spec.matchConstraints.resourceRules.operations: Unsupported value: "
                '"DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"'
            ],
        ),
        (BINDING, "policyName", "", ["spec.policyName: Required value"]),
        (
            BINDING,
            "validationActions",
            [],
            ["spec.validationActions: Required value: at least one validation action is required"],
        ),
        (
            BINDING,
            "validationActions",
            ["Deny", "Warn"],
            [
                'spec.validationActions: Invalid value: ["Deny","Warn"]: must not contain both '
                "Deny and Warn (repeating the same validation failure information in the API "
                "response and headers serves no purpose)"
            ],
        ),
        (
            BINDING,
            "paramRef.selector",
            {},
            [
                "spec.paramRef.name: Forbidden: name and selector are mutually exclusive",
                "spec.paramRef.selector: Forbidden: name and selector are mutually exclusive",
            ],
        ),
        (
            BINDING,
            "paramRef.parameterNotFoundAction",
            GONE,
            ["spec.paramRef.parameterNotFoundAction: Required value"],
        ),
    ],
)
def test_policies_that_are_refused(
    obj: dict[str, Any], path: str, value: Any, found: list[str]
) -> None:
    assert errors(put(obj, f"spec.{path}", value)) == found
