"""Tests of ownership across versions that name the same field differently."""

from typing import Any

import pytest

from argosy.api.schema import Schema
from argosy.apiserver.fieldmanager.entries import Entry
from argosy.apiserver.fieldmanager.fieldset import FieldSet
from argosy.apiserver.fieldmanager.shape import Changes, compare
from argosy.apiserver.fieldmanager.versions import Compared, pruned_across
from argosy.base.errors import StatusError, internal_error

Json = dict[str, Any]
TEXT = Schema(type="string")
NAMES = {"v1": "old", "v2": "new"}


def schema(name: str) -> Schema:
    spec = Schema(type="object", properties={name: TEXT, "color": TEXT})
    return Schema(type="object", properties={"apiVersion": TEXT, "spec": spec})


class Renamed:
    """`old` of v1 is `new` of v2; `down`: nobody converts."""

    def __init__(self, *, down: bool = False) -> None:
        self.down = down
        self.asked = 0

    def shape(self, api_version: str) -> Schema | None:
        name = NAMES.get(api_version)
        return None if name is None else schema(name)

    def turned(self, obj: Json, api_version: str) -> Json:
        if self.down:
            raise internal_error("nobody is there")
        self.asked += 1
        names = {NAMES[obj["apiVersion"]]: NAMES[api_version]}
        spec = {names.get(name, name): item for name, item in obj.get("spec", {}).items()}
        return {"apiVersion": api_version, "spec": spec}


def one(**spec: str) -> Json:
    return {"apiVersion": "v1", "spec": spec}


def entry(version: str, *names: str, manager: str = "me") -> Entry:
    fields: FieldSet = {"f:spec": {f"f:{name}": {} for name in names}}
    return Entry(manager, "Apply", version, "", "", fields)


def compared(before: Json, after: Json, versions: Renamed, *, lenient: bool = False) -> Compared:
    here = compare(before, after, schema("old"))
    return Compared(here, before, after, "v1", versions, lenient=lenient)


def written(changes: Changes) -> Any:
    return changes.written


def test_changes_are_seen_in_the_version_of_an_entry() -> None:
    versions = Renamed()
    found = compared(one(old="a"), one(old="b"), versions)
    assert written(found.of(entry("v1"))) == {"f:spec": {"f:old": {}}}
    for _ in range(2):
        assert written(found.of(entry("v2"))) == {"f:spec": {"f:new": {}}}
    assert versions.asked == 2


@pytest.mark.parametrize(("after", "version"), [("a", "v2"), ("b", "v9")])
def test_nobody_is_asked_without_need(after: str, version: str) -> None:
    versions = Renamed(down=True)
    found = compared(one(old="a"), one(old=after), versions)
    assert found.of(entry(version)) == found.here


def test_what_cannot_be_found_out_is_a_fault_or_the_same_as_here() -> None:
    before, after = one(old="a"), one(old="b")
    with pytest.raises(StatusError):
        compared(before, after, Renamed(down=True)).of(entry("v2"))
    lenient = compared(before, after, Renamed(down=True), lenient=True)
    assert lenient.of(entry("v2")) == lenient.here


@pytest.mark.parametrize(
    ("last", "claims", "left"),
    [
        (entry("v1", "old"), [entry("v1", "color")], one(color="red")),
        (entry("v2", "new"), [entry("v1", "color")], one(color="red")),
        (entry("v2", "new"), [entry("v1", "old")], one(old="a", color="red")),
        (entry("v1", "old"), [entry("v2", "new")], one(old="a", color="red")),
        (entry("v1", "old", "color"), [entry("v2", "new")], one(old="a")),
        (entry("v9", "old"), [], one(old="a", color="red")),
    ],
)
def test_what_nobody_claims_any_more_goes(last: Entry, claims: list[Entry], left: Json) -> None:
    assert pruned_across(one(old="a", color="red"), last, claims, Renamed()) == left
