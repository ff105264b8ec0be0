"""Tests of definitions: what is wrong with them, by path and in upstream's words."""

import copy
from typing import Any

import pytest

from argosy.api.extensions.validation import defaults, faults
from tests.api.extensions.kit import TEXT, Json, fields, kind, version

COLUMN: Json = {"name": "A", "type": "string", "jsonPath": ".spec.a"}


def found(definition: Json, old: Json | None = None) -> list[str]:
    defaults(definition)
    versions = definition["spec"].get("versions") or []
    stored = [item["name"] for item in versions if item.get("storage")]
    definition.setdefault("status", {"storedVersions": stored[:1]})
    return [str(error) for error in faults(definition, old)]


def test_a_good_definition_gets_its_defaults() -> None:
    definition = kind()
    assert not found(definition)
    assert definition["spec"]["names"] == {
        "plural": "widgets",
        "kind": "Widget",
        "singular": "widget",
        "listKind": "WidgetList",
    }
    assert definition["spec"]["conversion"] == {"strategy": "None"}


@pytest.mark.parametrize(
    "definition, text",
    [
        (
            {**kind(), "metadata": {"name": "other.example.com"}},
            'metadata.name: Invalid value: "other.example.com": '
            'must be spec.names.plural+"."+spec.group',
        ),
        (
            kind(group="com"),
            'spec.group: Invalid value: "com": should be a domain with at least one dot',
        ),
        (
            kind(scope="World"),
            'spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"',
        ),
        (
            kind(preserveUnknownFields=True),
            "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set "
            "x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
        ),
        (
            kind(version(), version("v2", TEXT)),
            "spec.versions: Invalid value: must have exactly one version marked as storage version",
        ),
        (
            kind(version(), version(storage=False)),
            "spec.versions: Invalid value: must contain unique version names",
        ),
        (
            kind(version(schema=None)),
            "spec.versions[0].schema.openAPIV3Schema: Required value",
        ),
        (
            kind(version(spec={"type": "text"})),
            "spec.validation.openAPIV3Schema.properties[spec].type: Unsupported value",
        ),
        (
            kind(version("v1", TEXT), version("v2", {"type": "text"}, storage=False)),
            "spec.versions[1].schema.openAPIV3Schema.properties[spec].type: Unsupported value",
        ),
        (
            kind(version(additionalPrinterColumns=[{**COLUMN, "type": "text"}])),
            'spec.additionalPrinterColumns[0].type: Invalid value: "text": '
            "must be one of boolean,date,integer,number,string",
        ),
        (
            kind(version(additionalPrinterColumns=[{**COLUMN, "jsonPath": "spec"}])),
            'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "spec": '
            "must be a simple json path starting with .",
        ),
        (
            kind(version(subresources={"scale": {"specReplicasPath": ".status.n"}})),
            'spec.subresources.scale.specReplicasPath: Invalid value: ".status.n": '
            "should be a json path under .spec",
        ),
        (
            kind(version(selectableFields=[{"jsonPath": ".spec.b"}])),
            'spec.selectableFields[0].jsonPath: Invalid value: ".spec.b": is an invalid path',
        ),
        (
            kind(version(selectableFields=[{"jsonPath": ".spec"}])),
            'spec.selectableFields[0].jsonPath: Invalid value: ".spec": '
            "must point to a field of type string, boolean or integer.",
        ),
        (
            kind(version(deprecationWarning="old")),
            'spec.versions[0].deprecationWarning: Invalid value: "old": '
            "can only be set for deprecated versions",
        ),
        (
            kind(conversion={"strategy": "Webhook"}),
            "spec.conversion.webhookClientConfig: Required value: "
            "required when strategy is set to Webhook",
        ),
        (
            kind(conversion={"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"]}}),
            "spec.conversion.conversionReviewVersions: Forbidden: "
            "should not be set when strategy is not set to Webhook",
        ),
        (
            kind(group="x.k8s.io"),
            "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups "
            'must have approval annotation "api-approved.kubernetes.io", see https://github.com',
        ),
        (
            kind(names={"plural": "widgets", "kind": "W_dget", "listKind": "W_dget"}),
            'spec.names.listKind: Invalid value: "W_dget": kind and listKind may not be the same',
        ),
        (
            {**kind(), "status": {"storedVersions": ["v0", "v1"]}},
            'status.storedVersions[0]: Invalid value: "v0": missing from spec.versions; v0 was',
        ),
        (kind(names={}), "spec.names.plural: Required value"),
    ],
)
def test_a_wrong_definition_is_refused(definition: Json, text: str) -> None:
    errors = found(definition)
    assert any(error.startswith(text) for error in errors), errors


@pytest.mark.parametrize(
    "change, text",
    [
        ({"group": "other.com"}, "spec.group"),
        ({"scope": "Cluster"}, "spec.scope"),
        ({"names": {"plural": "widgets", "kind": "Gadget"}}, "spec.names.kind"),
    ],
)
def test_what_a_kind_is_never_changes(change: dict[str, Any], text: str) -> None:
    old = kind()
    assert not found(old)
    old["status"]["conditions"] = [{"type": "Established", "status": "True"}]
    new = copy.deepcopy(old)
    new["spec"] |= change
    assert any(
        error.startswith(f"{text}: Invalid value") and error.endswith("field is immutable")
        for error in found(new, old)
    )


def test_a_write_of_the_status_does_not_look_at_the_schemas_again() -> None:
    old = kind(version(spec=fields(a={"type": "text"})))
    assert found(old)
    assert not found(copy.deepcopy(old), old)
