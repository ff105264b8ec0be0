"""Tests of names: who has one keeps it."""

from argosy.api.extensions.definition import Names
from argosy.api.extensions.naming import ending, settled
from tests.api.extensions.kit import Json, kind

NOW = "2026-01-01T00:00:00Z"
LATER = "2026-01-02T00:00:00Z"


def conditions(status: Json) -> dict[str, tuple[str, str]]:
    return {item["type"]: (item["status"], item["reason"]) for item in status["conditions"]}


def test_free_names_are_accepted_and_the_kind_is_served() -> None:
    status = settled(kind(), [], NOW)
    assert conditions(status) == {
        "NamesAccepted": ("True", "NoConflicts"),
        "Established": ("True", "InitialNamesAccepted"),
    }
    assert status["acceptedNames"] == {"plural": "widgets", "kind": "Widget"}
    assert status["storedVersions"] == ["v1"]


def test_a_taken_name_keeps_a_kind_from_being_served_until_it_is_free() -> None:
    definition = kind()
    other = Names(plural="others", kind="Widget", short_names=("wd",))
    refused = settled(definition, [other], NOW)
    assert conditions(refused) == {
        "NamesAccepted": ("False", "KindConflict"),
        "Established": ("False", "NotAccepted"),
    }
    assert refused["conditions"][0]["message"] == '"Widget" is already in use'
    definition["status"] = refused
    status = settled(definition, [], LATER)
    assert conditions(status)["Established"] == ("True", "InitialNamesAccepted")
    assert {item["lastTransitionTime"] for item in status["conditions"]} == {LATER}


def test_a_served_kind_stays_so_when_it_asks_for_another_short_name_in_vain() -> None:
    definition = kind()
    definition["status"] = settled(definition, [], NOW)
    definition["spec"]["names"]["shortNames"] = ["wd"]
    status = settled(definition, [Names(plural="others", short_names=("wd",))], LATER)
    assert conditions(status) == {
        "NamesAccepted": ("False", "ShortNamesConflict"),
        "Established": ("True", "InitialNamesAccepted"),
    }
    assert "shortNames" not in status["acceptedNames"]


def test_versions_that_were_stored_are_remembered() -> None:
    definition = kind()
    definition["status"] = {"storedVersions": ["v1alpha1"]}
    assert settled(definition, [], NOW)["storedVersions"] == ["v1alpha1", "v1"]


def test_a_definition_that_goes_says_so() -> None:
    gone = ending(kind(), NOW)
    assert conditions(gone["status"]) == {"Terminating": ("True", "InstanceDeletionPending")}
