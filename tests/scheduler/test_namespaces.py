"""Which namespaces a term is for, as they come and go."""

from typing import Any

from argosy.scheduler.namespaces import Namespaces
from argosy.scheduler.terms import REQUIRED, Term, rules_of
from tests.scheduler.plugins.places import namespace


def term(**chosen: Any) -> Term:
    said = {"topologyKey": "zone", "labelSelector": {}, **chosen}
    return rules_of("own", {"podAffinity": {REQUIRED: [said]}}).together[0]


def test_named_ones_need_not_be_known() -> None:
    spaces = Namespaces()
    assert spaces.matching(term()) == frozenset({"own"})
    assert spaces.matching(term(namespaces=["a"])) == frozenset({"a"})
    assert spaces.matching(term(namespaceSelector={})) is None
    assert spaces.labels("own") == {}


def test_selected_ones_follow_the_labels() -> None:
    spaces = Namespaces()
    blue = term(namespaceSelector={"matchLabels": {"team": "blue"}}, namespaces=["b"])
    assert spaces.matching(blue) == frozenset({"b"})
    one, changed = namespace("one", team="blue"), namespace("one", team="red")
    assert spaces.put(None, one)
    assert spaces.matching(blue) == frozenset({"b", "one"})
    assert not spaces.put(one, namespace("one", team="blue"))
    assert spaces.put(one, changed)
    assert spaces.matching(blue) == frozenset({"b"})
    assert spaces.labels("one") == {"team": "red"}
    assert spaces.put(changed, None)
    assert not spaces.put(changed, None)
    assert spaces.labels("one") == {}


def test_what_is_remembered_is_bounded() -> None:
    spaces = Namespaces()
    spaces.put(None, namespace("one", team="blue"))
    for i in range(3000):
        selector = {"matchLabels": {"team": "blue" if i % 2 else f"x{i}"}}
        expected = frozenset({"one", f"n{i}"} if i % 2 else {f"n{i}"})
        assert spaces.matching(term(namespaceSelector=selector, namespaces=[f"n{i}"])) == expected
