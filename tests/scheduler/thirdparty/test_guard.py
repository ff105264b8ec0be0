"""What a third party's plugin answers is looked at before it is believed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from argosy.scheduler.decide import Decider, Unit
from argosy.scheduler.faults import PluginError
from argosy.scheduler.framework import Lack, Plugin
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.shape import shape_of
from argosy.scheduler.state import State
from argosy.scheduler.thirdparty.guard import guarded
from argosy.scheduler.thirdparty.watch import Watch
from argosy.testing.clock import FakeClock
from tests.scheduler.builders import node, pod

NODES = 3


def state() -> State:
    made = State()
    for number in range(NODES):
        made.nodes.put_node(node(f"n{number}"))
    return made


def watched(**functions: Any) -> Plugin:
    return guarded(Plugin(name="X", **functions), Watch(FakeClock()))


def decided(plugin: Plugin, where: State | None = None) -> list[str]:
    """The nodes of two pods, decided one after the other."""
    decider = Decider(where or state(), (*PLUGINS, plugin))
    names = []
    for name in ("a", "b"):
        decision = decider.decide(Unit(pods=(pod(name, requests={"cpu": "1"}),)))
        names += [placement.node for placement in decision.placements]
    return names


def rows_of(nodes: Any, rows: Any) -> int:
    return len(nodes.live[rows])


def good_filter(nodes: Any, shape: Any, rows: Any) -> Any:
    return np.array([name != "n0" for name in nodes.names])[rows]


def good_score(nodes: Any, shape: Any, rows: Any) -> Any:
    return np.array([100 * (name == "n2") for name in nodes.names], dtype=np.int32)[rows]


def test_a_good_plugin_decides() -> None:
    assert decided(watched(filter=good_filter, score=good_score, weight=1000)) == ["n2", "n2"]


class Half:
    """A survey that keeps to the rules."""

    mask = np.array([False, True, False])

    def explain(self, rows: Any) -> Any:
        return {"no": np.int64(len(rows))}

    def score(self, feasible: Any) -> Any:
        return None


def test_a_good_survey_and_reserver_decide() -> None:
    class Here:
        nodes = frozenset(("n1",))
        kind = ("here",)

        def reserve(self, node: str) -> Any:
            return ()

        def elsewhere(self) -> str:
            return "elsewhere"

    assert decided(watched(survey=lambda state, pod: Half())) == ["n1", "n1"]
    assert decided(watched(reserver=lambda devices, pod: Here())) == ["n1", "n1"]
    assert decided(watched(survey=lambda state, pod: None, reserver=lambda devices, pod: None))


def whole(value: Any) -> Callable[..., Any]:
    """Answers the same for each row."""
    return lambda nodes, shape, rows: np.full(rows_of(nodes, rows), value)


NONSENSE: list[tuple[dict[str, Any], str]] = [
    ({"filter": lambda *_: None}, "filter: NoneType is no mask"),
    ({"filter": lambda *_: [True] * NODES}, "filter: list is no mask"),
    ({"filter": whole(1)}, "filter: an array of int64 is no mask"),
    ({"filter": lambda *_: np.ones(2, dtype=np.bool_)}, "filter: a mask of (2,) for 3 rows"),
    ({"filter": lambda *_: np.ones((3, 1), dtype=np.bool_)}, "filter: a mask of (3, 1) for 3 rows"),
    ({"score": whole(0.5)}, "score: an array of float64 are no whole numbers"),
    ({"score": lambda *_: 7}, "score: int are no whole numbers"),
    ({"score": whole(-1)}, "score: -1 is not from 0 to 100"),
    ({"score": whole(101)}, "score: 101 is not from 0 to 100"),
    ({"score": whole(2**60), "normalize": "up"}, f"score: {2**60} is not from 0 to {2**53}"),
    ({"score": lambda *_: np.ones(4, dtype=np.int64)}, "score: scores of (4,) for 3 rows"),
    ({"gate": lambda _: 1}, "gate: int is no text"),
    ({"refuse": lambda _: False}, "refuse: bool is no text"),
    (
        {"filter": whole(False), "explain": lambda *_: {"x": "many"}},
        "explain: dict is no count of reasons",
    ),
    (
        {"survey": lambda *_: type("S", (Half,), {"mask": np.ones(2, dtype=np.bool_)})()},
        "survey: a mask of (2,) for 3 rows",
    ),
    (
        {"survey": lambda *_: type("S", (Half,), {"score": lambda *_: np.full(3, 300)})()},
        "survey: 300 is not from 0 to 100",
    ),
    (
        {"reserver": lambda *_: type("R", (), {"nodes": frozenset(), "kind": []})()},
        "kind: list is not what it should be",
    ),
]


@pytest.mark.parametrize(("functions", "told"), NONSENSE)
def test_nonsense_is_named(functions: dict[str, Any], told: str) -> None:
    with pytest.raises(PluginError) as caught:
        decided(watched(**functions))
    assert str(caught.value) == f"plugin X answered nonsense: {told}"


FAILING: list[tuple[dict[str, Any], str]] = [
    ({"survey": lambda *_: object()}, "AttributeError: 'object' object has no attribute 'mask'"),
    ({"reserver": lambda *_: 3}, "AttributeError: 'int' object has no attribute 'kind'"),
    ({"applies": lambda _: 1 // 0, "filter": whole(True)}, "ZeroDivisionError: "),
    ({"score": lambda: 0}, "TypeError: "),
]


@pytest.mark.parametrize(("functions", "told"), FAILING)
def test_what_throws_is_named(functions: dict[str, Any], told: str) -> None:
    with pytest.raises(PluginError) as caught:
        decided(watched(**functions))
    assert str(caught.value).startswith(f"plugin X failed: {told}")


def test_what_a_fault_left_half_done_is_not_taken_for_whole() -> None:
    """A filter that throws once: the next decision knows all that changed in between."""
    where = state()
    broken = [False]

    def at_times(nodes: Any, shape: Any, rows: Any) -> Any:
        if broken[0]:
            raise ValueError
        return np.ones(rows_of(nodes, rows), dtype=np.bool_)

    decider = Decider(where, (watched(filter=at_times, usage=True), *PLUGINS))
    wanted = {"cpu": "3"}
    for number in range(NODES):
        broken[0] = True
        with pytest.raises(PluginError):
            decider.decide(Unit(pods=(pod("p", requests=wanted),)))
        broken[0] = False
        decision = decider.decide(Unit(pods=(pod(f"p{number}", requests=wanted),)))
        assert len(decision.placements) == 1
    assert not decider.decide(Unit(pods=(pod("last", requests=wanted),))).placements


def test_a_lack_is_let_through() -> None:
    class Nowhere:
        nodes = frozenset(("n1",))
        kind = 1

        def reserve(self, node: str) -> Any:
            return Lack("nothing left")

        def elsewhere(self) -> str:
            return "not here"

    plugin = watched(reserver=lambda devices, pod: Nowhere())
    decision = Decider(state(), (plugin,)).decide(Unit(pods=(pod("p"),)))
    assert "1 nothing left, 2 not here" in decision.refusals[0].message


def test_a_guarded_plugin_keeps_its_word_on_shapes() -> None:
    plugin = watched(applies=lambda shape: 0, filter=whole(False))
    assert plugin.applies is not None and plugin.applies(shape_of(pod("p"))) is False
    assert decided(plugin)


def test_what_is_asked_row_by_row_is_not_asked_past_the_guard() -> None:
    plugin = watched(
        filter=good_filter,
        score=good_score,
        filter_row=lambda nodes, shape, row: 1 / 0,
        score_row=lambda nodes, shape, row: 10**9,
    )
    assert (plugin.filter_row, plugin.score_row) == (None, None)


def test_a_survey_can_not_change_what_others_go_by() -> None:
    class Vandal(Half):
        def score(self, feasible: Any) -> Any:
            feasible[:] = False
            return np.zeros(NODES, dtype=np.int64)

    plugin = watched(survey=lambda state, pod: Vandal())
    assert plugin.survey is not None
    made = plugin.survey(state(), pod())
    feasible = np.ones(NODES, dtype=np.bool_)
    assert made is not None and made.score(feasible) is not None
    assert feasible.all()
