"""Affinity as JSON becomes terms; whatever is no affinity ends in a ValueError."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.scheduler.terms import NO_RULES, PREFERRED, REQUIRED, joined, rules_of, selected

TERM = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "a"}}}


def required(*terms: Any, way: str = "podAffinity") -> dict[str, Any]:
    return {way: {REQUIRED: list(terms)}}


@pytest.mark.parametrize(
    "nothing",
    [None, {}, {"nodeAffinity": {"x": 1}}, {"podAffinity": None}, {"podAntiAffinity": {}}],
)
def test_nothing_said(nothing: Any) -> None:
    assert rules_of("default", nothing) == NO_RULES


def test_all_that_may_be_said() -> None:
    wish = {"weight": 3, "podAffinityTerm": TERM}
    rules = rules_of(
        "default",
        {
            "podAffinity": {REQUIRED: [TERM], PREFERRED: [wish]},
            "podAntiAffinity": {
                REQUIRED: [{**TERM, "namespaces": ["b", "a"]}],
                PREFERRED: [{**wish, "weight": 9}],
            },
        },
    )
    assert [item.weight for item in rules.preferred] == [3, -9]
    assert rules.together[0].namespaces == {"default"}
    assert rules.apart[0].namespaces == {"a", "b"}
    assert rules.together[0].pods.matches({"app": "a"})
    assert not rules.together[0].pods.matches({})


def test_nulls_say_nothing() -> None:
    term = {**TERM, "namespaces": None, "namespaceSelector": None}
    selector = {"matchLabels": {"app": "a"}, "matchExpressions": None}
    rules = rules_of("default", required({**term, "labelSelector": selector}))
    assert rules == rules_of("default", required(TERM))
    assert rules_of("default", {"podAffinity": {REQUIRED: None, PREFERRED: None}}) == NO_RULES


BROKEN: list[Any] = [
    {"podAffinity": []},
    {"podAffinity": "x"},
    {"podAntiAffinity": {REQUIRED: {}}},
    {"podAntiAffinity": {REQUIRED: [None]}},
    {"podAffinity": {PREFERRED: [{"weight": 1}]}},
    {"podAffinity": {PREFERRED: [{"podAffinityTerm": TERM}]}},
    {"podAffinity": {PREFERRED: [{"weight": 0, "podAffinityTerm": TERM}]}},
    {"podAffinity": {PREFERRED: [{"weight": 101, "podAffinityTerm": TERM}]}},
    {"podAffinity": {PREFERRED: [{"weight": 2**80, "podAffinityTerm": TERM}]}},
    {"podAffinity": {PREFERRED: [{"weight": "1", "podAffinityTerm": TERM}]}},
    required({**TERM, "topologyKey": 5}),
    required({**TERM, "namespaces": "default"}),
    required({**TERM, "namespaces": [1]}),
    required({**TERM, "labelSelector": []}),
    required({**TERM, "labelSelector": {"matchLabels": {"a": 1}}}),
    required({**TERM, "labelSelector": {"matchExpressions": [{"key": "a"}]}}),
    required({**TERM, "labelSelector": {"matchExpressions": [{"key": "a", "operator": "Gt"}]}}),
    required({**TERM, "labelSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}),
    required(
        {
            **TERM,
            "labelSelector": {
                "matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]
            },
        }
    ),
    required({**TERM, "namespaceSelector": {"matchExpressions": 7}}),
]


@pytest.mark.parametrize("broken", BROKEN)
def test_broken_rules_are_refused(broken: Any) -> None:
    with pytest.raises(ValueError, match="affinity|selector|operators|values set"):
        rules_of("default", broken)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        REQUIRED,
                        PREFERRED,
                        "weight",
                        "podAffinityTerm",
                        "topologyKey",
                        "namespaces",
                    ),
                    *("labelSelector", "namespaceSelector", "matchLabels", "matchExpressions"),
                    *("key", "operator", "values", "x"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["podAffinity", "podAntiAffinity"]), json, min_size=1))
def test_any_json_gives_rules_or_a_value_error(affinity: dict[str, Any]) -> None:
    try:
        rules = rules_of("default", affinity)
    except ValueError:
        return
    assert rules == rules_of("default", dict(affinity))


def test_what_several_selectors_select() -> None:
    one, two = ({"matchLabels": {"app": "a"}}, {"matchLabels": {"tier": "b"}})
    both = joined([selected(one), selected(two)])
    assert both.matches({"app": "a", "tier": "b"})
    assert not both.matches({"app": "a"})
    assert both == joined([selected(one), selected(two)]) != selected(one)
    assert not joined([selected(one), selected(None)]).matches({"app": "a"})
