"""What a request's options say."""

from typing import Any, cast

import pytest

from argosy.apiserver.request import Call, Target, User
from argosy.base.errors import StatusError
from argosy.http.message import Request

NOWHERE = cast(Target, None)  # options don't ask for it


def call(agent: str = "", **query: str) -> Call:
    headers = {"user-agent": agent} if agent else {}
    return Call(Request("GET", "/", headers=headers), User("alice"), NOWHERE, query)


def refusal(option: str, **query: str) -> StatusError:
    with pytest.raises(StatusError) as caught:
        getattr(call(**query), option)
    return caught.value


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, False),
        ("", True),
        ("1", True),
        ("true", True),
        ("TRUE", True),
        ("yes", True),
        ("0", False),
        ("false", False),
        ("False", False),
    ],
)
def test_flags_are_read_as_kubernetes_reads_them(given: str | None, found: bool) -> None:
    query = {} if given is None else {"watch": given}

    assert call(**query).flag("watch") is found


@pytest.mark.parametrize(
    ("given", "found"), [("", None), ("0", 0), ("7", 7), ("007", 7), ("9" * 18, 10**18 - 1)]
)
def test_numbers(given: str, found: int | None) -> None:
    assert call(limit=given).number("limit") == found
    assert call().number("limit") is None


@pytest.mark.parametrize(
    "given", ["a", "-1", "+1", "1.0", " 1", "1e3", "٣", "²", "9" * 19, "9" * 9000]
)
def test_what_is_no_number(given: str) -> None:
    with pytest.raises(StatusError) as caught:
        call(limit=given).number("limit")

    assert caught.value.code == 400
    assert "limit" in caught.value.message
    assert len(caught.value.message) < 200


def test_dry_run_is_all_or_nothing() -> None:
    assert call(dryRun="All").dry_run
    assert not call(dryRun="").dry_run
    assert not call().dry_run
    assert refusal("dry_run", dryRun="all").code == 422


def test_unknown_fields_are_warned_of_unless_said_otherwise() -> None:
    assert call().field_validation == call(fieldValidation="").field_validation == "Warn"
    assert call(fieldValidation="Strict").field_validation == "Strict"
    assert call(fieldValidation="Ignore").field_validation == "Ignore"
    assert refusal("field_validation", fieldValidation="strict").code == 422


@pytest.mark.parametrize(
    ("agent", "query", "manager"),
    [
        ("", {}, "unknown"),
        ("kubectl/v1.37 (linux)", {}, "kubectl"),
        ("curl", {}, "curl"),
        ("x" * 200, {}, "x" * 128),
        ("kubectl/v1", {"fieldManager": "me"}, "me"),
        ("kubectl/v1", {"fieldManager": ""}, "kubectl"),
        ("", {"fieldManager": "ä" * 64}, "ä" * 64),
    ],
)
def test_a_manager_is_given_or_the_agent(agent: str, query: dict[str, Any], manager: str) -> None:
    assert call(agent, **query).manager == manager


@pytest.mark.parametrize("manager", ["x" * 129, "ä" * 65, "a\x07", "a\tb"])
def test_managers_that_cannot_be_shown(manager: str) -> None:
    error = refusal("manager", fieldManager=manager)

    assert error.code == 422
    assert error.details["causes"][0]["field"] == "fieldManager"
