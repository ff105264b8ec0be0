"""Label and field selectors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.base.selectors import EVERYTHING, parse_fields, parse_labels

RED = {"color": "red", "size": "big", "example.com/tier": "a"}
words = st.text(alphabet="abcXYZ019", min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        (" ", True),
        ("color=red", True),
        ("color==red", True),
        ("color = red", True),
        ("color=blue", False),
        ("color!=blue", True),
        ("color!=red", False),
        ("other!=red", True),
        ("color", True),
        ("other", False),
        ("!other", True),
        ("! other", True),
        ("!color", False),
        ("color in (red)", True),
        ("color in (blue,red)", True),
        ("color in ( blue , red )", True),
        ("color  in  (blue)", False),
        ("color in(red)", True),
        ("other in (red)", False),
        ("color notin (red)", False),
        ("color notin (blue)", True),
        ("other notin (red)", True),
        ("color=red,size=big", True),
        ("color=red, size=big", True),
        ("color=red,size=small", False),
        ("color in (red),size notin (small),!other,example.com/tier", True),
        ("example.com/tier=a", True),
        ("other=", False),
        ("in in (red)", False),
        ("color in (red),in", False),
    ],
)
def test_labels(text: str, matches: bool) -> None:
    assert parse_labels(text).matches(RED) is matches


def test_empty_values_are_values() -> None:
    assert parse_labels("a=").matches({"a": ""})
    assert not parse_labels("a=").matches({"a": "b"})
    assert parse_labels("a in (,b)").matches({"a": ""})


@pytest.mark.parametrize(
    "text",
    [
        "=",
        "a=b=c",
        ",",
        "a,",
        ",a",
        "a,,b",
        "!",
        "!!a",
        "a b",
        "a in",
        "a in b",
        "a in (b",
        "a in b)",
        "a in ()",
        "a notin ( )",
        "a in (b c)",
        "a in (ä)",
        "a in ((b))",
        "a>1",
        "a=b c",
        "-a",
        "a/",
        "ä",
        "a=-b",
        "a;b",
        "(a)",
        "a" * 70_000,
    ],
)
def test_what_is_no_selector(text: str) -> None:
    with pytest.raises(ValueError):
        parse_labels(text)


def test_nothing_selects_everything() -> None:
    assert parse_labels("") == EVERYTHING
    assert EVERYTHING.matches({})


@given(st.dictionaries(words, words, max_size=4), words, st.lists(words, min_size=1, max_size=3))
def test_not_is_the_other_half(labels: dict[str, str], key: str, values: list[str]) -> None:
    chosen = f"({','.join(values)})"
    pairs = [
        (f"{key}", f"!{key}"),
        (f"{key}={values[0]}", f"{key}!={values[0]}"),
        (f"{key} in {chosen}", f"{key} notin {chosen}"),
    ]
    for one, other in pairs:
        assert parse_labels(one).matches(labels) is not parse_labels(other).matches(labels)


@given(st.dictionaries(words, words, min_size=1, max_size=4))
def test_all_labels_select_their_bearer(labels: dict[str, str]) -> None:
    text = ",".join(f"{key}={value}" for key, value in labels.items())

    assert parse_labels(text).matches({**labels, "more": "x"})
    key = sorted(labels)[0]
    assert not parse_labels(text).matches({**labels, key: "other-than-any"})


@given(st.text(alphabet="ab1=!,()<> \t\n.-_/[]iınotä٣\0", max_size=30))
def test_any_text_is_a_selector_or_an_error(text: str) -> None:
    for parse in (parse_labels, parse_fields):
        try:
            parse(text)
        except ValueError as error:
            assert str(error)


POD = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"nodeName": "here", "hostNetwork": True, "replicas": 3},
    "status": {"phase": "Running"},
}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("metadata.name=web", True),
        ("metadata.name==web", True),
        ("metadata.name!=web", False),
        ("metadata.name=web,status.phase=Running", True),
        ("metadata.name=web,status.phase!=Running", False),
        (" metadata.name=web , status.phase=Running ", True),
        ("spec.nodeName=", False),
        ("spec.nodeName!=", True),
        ("spec.absent=", True),
        ("spec.absent.deeper=", True),
        ("status.phase.deeper=", True),
        ("spec.hostNetwork=true", True),
        ("spec.replicas=3", True),
        ("metadata.name=a=b", False),
    ],
)
def test_fields(text: str, matches: bool) -> None:
    assert parse_fields(text).matches(POD) is matches


@pytest.mark.parametrize("text", ["a", "=", "=a", "a>b", "a b=c", "spec[0]=a"])
def test_what_is_no_field_selector(text: str) -> None:
    with pytest.raises(ValueError, match="invalid field selector"):
        parse_fields(text)
