"""Errors as they go over the wire, and back."""

import pytest

from argosy.base import errors
from argosy.base.errors import FieldError, StatusError


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (errors.bad_request("no"), 400, "BadRequest"),
        (errors.unauthorized(), 401, "Unauthorized"),
        (errors.forbidden("no"), 403, "Forbidden"),
        (errors.not_found("pods", "a"), 404, "NotFound"),
        (errors.unknown_path(), 404, "NotFound"),
        (errors.method_not_allowed(), 405, "MethodNotAllowed"),
        (errors.not_acceptable(["application/json"]), 406, "NotAcceptable"),
        (errors.already_exists("pods", "a"), 409, "AlreadyExists"),
        (errors.conflict("pods", "a", "no"), 409, "Conflict"),
        (errors.expired("old"), 410, "Expired"),
        (errors.unsupported_media_type(["application/json"]), 415, "UnsupportedMediaType"),
        (errors.invalid("Pod", "", "a", [errors.required("spec")]), 422, "Invalid"),
        (errors.internal_error("oh"), 500, "InternalError"),
        (errors.service_unavailable("later"), 503, "ServiceUnavailable"),
    ],
)
def test_every_error_is_a_status_and_back(error: StatusError, code: int, reason: str) -> None:
    status = error.status()
    back = StatusError.from_status(status, 500)

    assert (status["kind"], status["apiVersion"], status["status"]) == ("Status", "v1", "Failure")
    assert (status["code"], status["reason"]) == (code, reason)
    assert status["message"] == str(error) != ""
    assert back.status() == status


def test_objects_are_named_with_their_group() -> None:
    plain = errors.not_found("pods", "a").status()
    grouped = errors.already_exists("trainjobs.trainer.kubeflow.org", 'b"c').status()

    assert plain["message"] == 'pods "a" not found'
    assert plain["details"] == {"name": "a", "kind": "pods"}
    assert grouped["message"] == 'trainjobs.trainer.kubeflow.org "b\\"c" already exists'
    assert grouped["details"]["group"] == "trainer.kubeflow.org"


def test_a_status_tells_nothing_empty() -> None:
    fault = errors.required("spec.user")
    review = errors.invalid("SubjectAccessReview", "authorization.k8s.io", "", [fault]).status()
    assert "name" not in review["details"]
    assert "reason" not in StatusError(403, "", "no").status()


def test_a_fault_of_the_server_is_its_cause() -> None:
    status = errors.internal_error("no disk").status()
    assert status["message"] == "Internal error occurred: no disk"
    assert status["details"] == {"causes": [{"message": "no disk"}]}


def test_a_conflict_says_on_what_and_why() -> None:
    error = errors.conflict("pods", "a", "it changed")

    assert str(error) == 'Operation cannot be fulfilled on pods "a": it changed'
    assert error.status()["message"] == str(error)


@pytest.mark.parametrize(
    ("error", "reason", "text"),
    [
        (errors.required("f"), "FieldValueRequired", "Required value"),
        (errors.required("f", "now"), "FieldValueRequired", "Required value: now"),
        (errors.invalid_value("f", "a", "no"), "FieldValueInvalid", 'Invalid value: "a": no'),
        (errors.invalid_value("f", 5, "no"), "FieldValueInvalid", "Invalid value: 5: no"),
        (errors.invalid_value("f", None, "no"), "FieldValueInvalid", "Invalid value: null: no"),
        (errors.invalid_value("f", "ä", "no"), "FieldValueInvalid", 'Invalid value: "ä": no'),
        (
            errors.type_invalid("f", "a", "no"),
            "FieldValueTypeInvalid",
            'Invalid value: "a": no',
        ),
        (
            errors.not_supported("f", "x", ["a", "b"]),
            "FieldValueNotSupported",
            'Unsupported value: "x": supported values: "a", "b"',
        ),
        (errors.duplicate("f", "a"), "FieldValueDuplicate", 'Duplicate value: "a"'),
        (errors.missing_reference("f", "a"), "FieldValueNotFound", 'Not found: "a"'),
        (errors.forbidden_field("f", "no"), "FieldValueForbidden", "Forbidden: no"),
        (
            errors.too_long("f", 8),
            "FieldValueTooLong",
            "Too long: may not be more than 8 bytes",
        ),
    ],
)
def test_fields_are_wrong_in_kubernetes_words(error: FieldError, reason: str, text: str) -> None:
    assert error.cause() == {"reason": reason, "message": text, "field": "f"}
    assert str(error) == f"f: {text}"


def test_one_wrong_field() -> None:
    error = errors.invalid("Pod", "", "a", [errors.required("spec")])

    assert str(error) == 'Pod "a" is invalid: spec: Required value'
    assert error.details["causes"] == [errors.required("spec").cause()]


def test_many_wrong_fields() -> None:
    wrong = [errors.required("a"), errors.required("b"), errors.required("a")]
    error = errors.invalid("TrainJob", "trainer.kubeflow.org", "j", wrong)

    assert str(error) == (
        'TrainJob.trainer.kubeflow.org "j" is invalid: [a: Required value, b: Required value]'
    )
    assert len(error.details["causes"]) == 3


def test_not_all_of_far_too_many_wrong_fields_are_named() -> None:
    wrong = [errors.required(f"a{index}") for index in range(errors.MOST_FIELDS + 7)]
    error = errors.invalid("ConfigMap", "", "m", wrong)

    assert str(error).endswith(", and more errors]")
    assert len(error.details["causes"]) == errors.MOST_FIELDS


@pytest.mark.parametrize(
    ("body", "code", "reason", "message"),
    [
        ({}, 502, "Unknown", "the server answered 502"),
        ({"message": "no"}, 500, "Unknown", "no"),
        ({"code": 404, "reason": "NotFound", "message": "no"}, 404, "NotFound", "no"),
        ({"code": None, "details": None}, 500, "Unknown", "the server answered 500"),
    ],
)
def test_bodies_of_strangers_become_errors(
    body: dict[str, object], code: int, reason: str, message: str
) -> None:
    error = StatusError.from_status(body, 502 if not body else 500)

    assert (error.code, error.reason, error.message) == (code, reason, message)


def test_trying_again_is_for_later() -> None:
    assert errors.service_unavailable("x", retry_after=9).details == {"retryAfterSeconds": 9}
