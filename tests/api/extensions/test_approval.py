"""Tests of what definitions in Kubernetes' own groups say of their approval."""

import pytest

from argosy.api.extensions.approval import CONFORMS, approval, protected
from argosy.api.extensions.naming import settled
from tests.api.extensions.kit import Json, kind

NOW = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("group", "is_"),
    [
        ("k8s.io", True),
        ("sigs.k8s.io", True),
        ("gateway.networking.k8s.io", True),
        ("kubernetes.io", True),
        ("apps.kubernetes.io", True),
        ("notk8s.io", False),
        ("example.com", False),
        ("k8s.io.example.com", False),
    ],
)
def test_which_groups_are_protected(group: str, is_: bool) -> None:
    assert protected(group) is is_


@pytest.mark.parametrize(
    ("text", "reason", "status", "message"),
    [
        ("", "MissingAnnotation", "False", "protected groups must have approval annotation"),
        ("unapproved, a test", "UnapprovedAnnotation", "False", 'not approved: "unapproved, a'),
        ("https://github.com/a/1", "ApprovedAnnotation", "True", "approved in https://github"),
        ("because", "InvalidAnnotation", "False", "with either a URL or a reason starting with"),
        ("https://", "InvalidAnnotation", "False", "with either a URL"),
        ("http://[", "InvalidAnnotation", "False", "with either a URL"),
    ],
)
def test_the_condition_says_what_the_annotation_means(
    text: str, reason: str, status: str, message: str
) -> None:
    definition: Json = kind(group="things.k8s.io")
    definition["metadata"]["annotations"] = {"api-approved.kubernetes.io": text}
    conditions = {item["type"]: item for item in settled(definition, (), NOW)["conditions"]}
    told = conditions[CONFORMS]
    assert (told["status"], told["reason"], told["lastTransitionTime"]) == (status, reason, NOW)
    assert message in told["message"]
    assert approval(text).conforms is (status == "True")


def test_other_groups_have_no_such_condition() -> None:
    conditions = settled(kind(), (), NOW)["conditions"]
    assert {item["type"] for item in conditions} == {"NamesAccepted", "Established"}
