"""What a question about access, or for a token, must look like."""

from typing import Any

import pytest

from argosy.api.validation import reviews

Json = dict[str, Any]
PODS: Json = {"verb": "list", "resource": "pods", "namespace": "here"}
PATH: Json = {"verb": "get", "path": "/api"}
LABELS = "spec.resourceAttributes.labelSelector"
FIELDS = "spec.resourceAttributes.fieldSelector"


def review(spec: Json, **meta: Any) -> Json:
    return {"metadata": meta, "spec": spec}


def texts(check: Any, obj: Json) -> list[str]:
    return [str(error) for error in check(obj)]


@pytest.mark.parametrize("spec", [{"resourceAttributes": PODS}, {"nonResourceAttributes": PATH}])
def test_one_kind_of_question_is_asked(spec: Json) -> None:
    assert texts(reviews.self_subject_access_review, review(spec)) == []
    for who in ({"user": "a"}, {"groups": ["a"]}):
        assert texts(reviews.subject_access_review, review({**spec, **who})) == []
    assert texts(reviews.subject_access_review, review(spec)) == [
        'spec.user: Invalid value: "": at least one of user or group must be specified'
    ]


def test_two_kinds_of_questions_are_too_many() -> None:
    both = review({"resourceAttributes": PODS, "nonResourceAttributes": PATH})
    assert texts(reviews.self_subject_access_review, both) == [
        'spec.nonResourceAttributes: Invalid value: {"verb":"get","path":"/api"}: '
        "cannot be specified in combination with resourceAttributes"
    ]


def test_metadata_is_empty() -> None:
    spec = {"user": "a", "resourceAttributes": PODS}
    kept: Json = {"creationTimestamp": None, "uid": "u", "managedFields": [{}], "labels": {}}
    assert texts(reviews.subject_access_review, review(spec, **kept)) == []
    for check, detail, allowed in (
        (reviews.subject_access_review, "must be empty", {}),
        (reviews.self_subject_access_review, "must be empty", {}),
        (
            reviews.local_subject_access_review,
            "must be empty except for namespace",
            {"namespace": "here"},
        ),
    ):
        found = texts(check, review(spec, generateName="x", **allowed))
        assert len(found) == 1
        assert found[0].startswith("metadata: Invalid value: {")
        assert found[0].endswith(f": {detail}")


def test_local_questions_are_about_their_namespace() -> None:
    spec = {"user": "a", "resourceAttributes": PODS}
    check = reviews.local_subject_access_review
    assert texts(check, review(spec, namespace="here")) == []
    assert texts(check, review(spec, namespace="there")) == [
        'spec.resourceAttributes.namespace: Invalid value: "here": must match metadata.namespace'
    ]
    path = {"user": "a", "nonResourceAttributes": PATH}
    assert texts(check, review(path, namespace="here")) == [
        'spec.nonResourceAttributes: Invalid value: {"verb":"get","path":"/api"}: '
        "disallowed on this kind of request"
    ]


@pytest.mark.parametrize(
    ("name", "selector", "errors"),
    [
        ("labelSelector", {"rawSelector": "a=b"}, []),
        (
            "labelSelector",
            {},
            [
                f"{LABELS}.requirements: Required value: when {LABELS} is specified, "
                "requirements or rawSelector is required"
            ],
        ),
        (
            "fieldSelector",
            {"rawSelector": "a=b", "requirements": [{"key": "a", "operator": "Near"}]},
            [
                f'{FIELDS}.rawSelector: Invalid value: "a=b": may not specified at the same time '
                "as requirements"
            ],
        ),
        (
            "fieldSelector",
            {"requirements": [{"key": "", "operator": "In"}, {"key": "a", "operator": "In"}]},
            [
                f"{FIELDS}.requirements[0].key: Required value: must be specified",
                f"{FIELDS}.requirements[0].values: Required value: must be specified when "
                "`operator` is 'In' or 'NotIn'",
                f"{FIELDS}.requirements[1].values: Required value: must be specified when "
                "`operator` is 'In' or 'NotIn'",
            ],
        ),
        (
            "labelSelector",
            {"requirements": [{"key": "a", "operator": "Exists", "values": ["b"]}]},
            [
                f"{LABELS}.requirements[0].values: Forbidden: may not be specified when "
                "`operator` is 'Exists' or 'DoesNotExist'"
            ],
        ),
    ],
)
def test_selectors_have_terms(name: str, selector: Json, errors: list[str]) -> None:
    spec = {"resourceAttributes": {**PODS, name: selector}}
    assert texts(reviews.self_subject_access_review, review(spec)) == errors


def test_labels_are_labels() -> None:
    terms = [{"key": "a b", "operator": "In", "values": ["good", "not good"]}]
    spec = {"resourceAttributes": {**PODS, "labelSelector": {"requirements": terms}}}
    found = texts(reviews.self_subject_access_review, review(spec))
    assert [text.partition(": ")[0] for text in found] == [
        f"{LABELS}.requirements[0].key",
        f"{LABELS}.requirements[0].values[1]",
    ]


@pytest.mark.parametrize(
    ("seconds", "fault"),
    [
        (599, "may not specify a duration less than 10 minutes"),
        (600, ""),
        (2**32, ""),
        (2**32 + 1, "may not specify a duration larger than 2^32 seconds"),
    ],
)
def test_tokens_last_neither_too_short_nor_too_long(seconds: int, fault: str) -> None:
    found = texts(reviews.token_request, {"spec": {"expirationSeconds": seconds}})
    wanted = f"spec.expirationSeconds: Invalid value: {seconds}: {fault}"
    assert found == ([wanted] if fault else [])
