"""Terms are found by the pods that they select, and none is missed."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.scheduler.seekers import Seekers
from argosy.scheduler.terms import REQUIRED, Term, rules_of

KEYS, VALUES, SPACES = ["a", "b"], ["1", "2"], ["one", "two"]
values = st.lists(st.sampled_from(VALUES), min_size=1, max_size=2, unique=True)
key = st.sampled_from(KEYS)
expressions = st.one_of(
    st.builds(
        lambda key, operator, values: {"key": key, "operator": operator, "values": values},
        *(key, st.sampled_from(["In", "NotIn"]), values),
    ),
    st.builds(
        lambda key, operator: {"key": key, "operator": operator},
        *(key, st.sampled_from(["Exists", "DoesNotExist"])),
    ),
)
labels = st.dictionaries(key, st.sampled_from(VALUES))
selectors = st.none() | st.fixed_dictionaries(
    {"matchLabels": labels, "matchExpressions": st.lists(expressions, max_size=2)}
)
chosen = st.fixed_dictionaries(
    {"labelSelector": selectors},
    optional={
        "namespaces": st.lists(st.sampled_from(SPACES), max_size=2, unique=True),
        "namespaceSelector": st.sampled_from([{}, {"matchLabels": {"x": "y"}}]),
    },
)


def term(said: dict[str, Any]) -> Term:
    affinity = {"podAffinity": {REQUIRED: [{"topologyKey": "zone", **said}]}}
    return rules_of("one", affinity).together[0]


@settings(max_examples=150, deadline=None)
@given(st.lists(chosen, max_size=6), labels, st.sampled_from(SPACES), st.data())
def test_all_that_select_a_pod_are_found_once(
    said: list[dict[str, Any]], pod: dict[str, str], space: str, data: st.DataObject
) -> None:
    seekers: Seekers[int, str] = Seekers()
    terms = {number: term(item) for number, item in enumerate(said)}
    for number, item in terms.items():
        seekers.put(item, number, f"value {number}")
    if terms:
        for number in data.draw(st.sets(st.sampled_from(sorted(terms)))):
            seekers.drop(terms.pop(number), number)
    found = [number for number, value in seekers.of(space, pod) if value == f"value {number}"]
    assert len(found) == len(set(found))
    select = {
        number
        for number, item in terms.items()
        if item.covers(space, {"x": "y"}) and item.pods.matches(pod)
    }
    assert select <= set(found) <= set(terms)
    for number, item in terms.items():
        seekers.drop(item, number)
    assert not list(seekers.of(space, pod))


def test_others_terms_are_not_looked_at() -> None:
    seekers: Seekers[str, None] = Seekers()
    for i in range(1000):
        seekers.put(term({"labelSelector": {"matchLabels": {"app": f"a{i}"}}}), f"a{i}", None)
    assert list(seekers.of("one", {"app": "a7", "x": "a8"})) == [("a7", None)]
    assert list(seekers.of("two", {"app": "a7"})) == []
