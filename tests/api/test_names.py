"""Which names, labels and annotations are good; the words for bad ones are Kubernetes'."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.api import names
from argosy.base.errors import FieldError

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def texts(errors: list[FieldError]) -> str:
    return "; ".join(error.text for error in errors)


@pytest.mark.parametrize("name", ["a", "0", "a-b", "a--b", "x" * 63, "1a"])
def test_labels_that_are_good(name: str) -> None:
    assert names.label(name, "f") == []
    assert names.subdomain(name, "f") == []


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("", "RFC 1123"),
        ("-a", "RFC 1123"),
        ("a-", "RFC 1123"),
        ("A", "RFC 1123"),
        ("a_b", "RFC 1123"),
        ("a b", "RFC 1123"),
        ("ä", "RFC 1123"),
        ("a\n", "RFC 1123"),
        ("٣", "RFC 1123"),
        ("x" * 64, "no more than 63"),
    ],
)
def test_labels_that_are_not(name: str, word: str) -> None:
    errors = names.label(name, "spec.name")

    assert word in texts(errors)
    assert {error.field for error in errors} == {"spec.name"}


def test_a_label_has_no_dots() -> None:
    assert names.label("a.b", "f")
    assert not names.subdomain("a.b", "f")


@pytest.mark.parametrize("name", ["a.b", "a-b.c-d.1", "x" * 253])
def test_subdomains_that_are_good(name: str) -> None:
    assert names.subdomain(name, "f") == []


@pytest.mark.parametrize("name", ["", ".", "a.", ".a", "a..b", "a.-b", "A.b", "a\n", "x" * 254])
def test_subdomains_that_are_not(name: str) -> None:
    assert names.subdomain(name, "f")


@pytest.mark.parametrize(
    "name", ["a", "A_b.c-D", "example.com/a", "a/B", "x" * 63, "a.b/" + "x" * 63, "0"]
)
def test_keys_that_are_good(name: str) -> None:
    assert names.qualified(name, "f") == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "/a",
        "a/",
        "a/b/c",
        "A.b/c",
        "-a",
        "a-",
        "a b",
        "a.b/",
        "x" * 64,
        "a\n",
        "ä",
        "a_b/c",
    ],
)
def test_keys_that_are_not(name: str) -> None:
    assert names.qualified(name, "f")


@given(st.text(alphabet=LETTERS + "-._/A", min_size=1, max_size=70))
def test_what_begins_and_ends_well_is_a_good_part(text: str) -> None:
    good = len(text) <= 63 and text[0] not in "-._" and text[-1] not in "-._" and "/" not in text

    if "/" not in text:
        assert (names.qualified(text, "f") == []) is good
    assert (names.labels({"a": text}, "f") == []) is good


@given(st.text(alphabet=LETTERS, min_size=1, max_size=20), st.integers(1, 12))
def test_good_parts_make_good_subdomains(part: str, count: int) -> None:
    assert names.subdomain(".".join([part] * count), "f") == []


def test_every_wrong_label_is_told() -> None:
    errors = names.labels({"a b": "c", "d": "e f", "g": "h", "i": ""}, "metadata.labels")

    assert '"a b"' in texts(errors)
    assert '"e f"' in texts(errors)
    assert '"h"' not in texts(errors)


def test_annotations_are_bounded_in_bytes() -> None:
    most = 256 * 1024

    assert names.annotations({"a": "x" * (most - 1)}) == []
    assert [error.reason for error in names.annotations({"a": "x" * most})] == ["FieldValueTooLong"]
    assert names.annotations({"a": "ä" * (most // 2)})


def test_keys_of_annotations_may_have_capitals() -> None:
    assert names.annotations({"Example.COM/Note": ""}) == []
    assert names.qualified("Example.COM/Note", "f")


OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "u"}


@pytest.mark.parametrize("missing", OWNER)
def test_an_owner_says_who_it_is(missing: str) -> None:
    (error,) = names.owners([OWNER, {**OWNER, missing: ""}])

    assert error.field == f"metadata.ownerReferences.{missing}"
    assert "must not be empty" in error.text


def test_one_controller_at_most() -> None:
    first, second = {**OWNER, "controller": True}, {**OWNER, "name": "b", "controller": True}

    assert names.owners([first, OWNER]) == []
    (error,) = names.owners([first, second])
    assert "Only one reference can have Controller set to true" in error.text
    assert "Pod/a and Pod/b" in error.text


@pytest.mark.parametrize(
    ("deleted", "before", "after", "refused"),
    [
        (False, [], ["a"], False),
        (True, ["a"], ["a"], False),
        (True, ["a"], [], False),
        (True, ["a"], ["a", "b"], True),
        (True, ["a"], ["b"], True),
    ],
)
def test_finalizers_of_what_is_going(
    deleted: bool, before: list[str], after: list[str], refused: bool
) -> None:
    old = {
        "finalizers": before,
        **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {}),
    }

    assert bool(names.no_new_finalizers({"finalizers": after}, old)) is refused


@pytest.mark.parametrize(
    ("owner", "field", "why"),
    [
        ({"apiVersion": "a/b/c"}, ".apiVersion", "version must not be empty"),
        ({"apiVersion": "a/"}, ".apiVersion", "version must not be empty"),
        ({"kind": "Event"}, "", "/v1, Kind=Event is disallowed from being an owner"),
    ],
)
def test_who_can_own_nothing(owner: dict[str, str], field: str, why: str) -> None:
    whole = {"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "1", **owner}
    (error,) = names.owners([whole])
    assert error.field == f"metadata.ownerReferences{field}"
    assert error.text.endswith(f": {why}")


def test_dependents_are_either_orphaned_or_waited_for() -> None:
    assert not names.finalizers(["orphan", "a.b/c"])
    (error,) = names.finalizers(["orphan", "foregroundDeletion"])
    assert error.text == (
        'Invalid value: ["orphan","foregroundDeletion"]: '
        "finalizer orphan and foregroundDeletion cannot be both set"
    )


def test_finalizers_without_a_domain_are_kubernetes_own() -> None:
    given = ["kubernetes", "orphan", "a/b", "mine"]
    (error,) = names.finalizers_of_somebody({"finalizers": given})
    assert error.field == "metadata.finalizers[3]"
    assert error.text == (
        'Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified'
    )


@pytest.mark.parametrize("name", ["example.com/a", "a" * 63, f"{'b' * 253}/{'a' * 63}"])
def test_what_is_qualified_is_so_each_time(name: str) -> None:
    for _ in range(2):
        assert names.is_qualified(name)
        assert not names.is_qualified(f"{name}/")
        assert not names.is_qualified(name + "a" * 400)
