"""Of victims of equal priority those go first whose work is saved: least is lost with them."""

import pytest

from argosy.api.core import Pod
from argosy.scheduler.occupants import occupant_of
from tests.scheduler.preemption.kit import World, budget, ranked


def saved(
    name: str, second: int | None, *, priority: int = 1, started: int | None = 0, minute: int = 1
) -> Pod:
    """A pod that wrote a checkpoint in that second, if it did."""
    time = f"2026-01-01T00:{minute:02}:{second or 0:02}Z"
    told = {} if second is None else {"argosy.dev/checkpoint": time}
    return ranked(name, priority, 2, started=started, metadata={"annotations": told})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (saved("one", 5), saved("other", None, started=59)),
        (saved("one", 5, minute=0), saved("other", None, started=59)),
        (saved("one", 5, started=None), saved("other", 9)),  # which has not even started
        (saved("one", 9, started=1), saved("other", 5, started=30)),
        (saved("one", None, started=9), saved("other", None, started=1)),
        (saved("one", None, priority=0), saved("other", 9, priority=1)),
        (ranked("one", 1, 2), saved("other", 9)),
    ],
)
@pytest.mark.parametrize("nodes", [1, 2])
@pytest.mark.parametrize("careful", [False, True])
def test_who_goes(one: Pod, other: Pod, nodes: int, careful: bool) -> None:
    """On one node, or of two; by the sketch, and by the dry run on the columns."""
    anti = {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "none", "labelSelector": {"matchLabels": {"app": "none"}}}
            ]
        }
    }
    spec = {"affinity": anti} if careful else {}
    for pods in ([one, other], [other, one]):
        there = {"n1": pods} if nodes == 1 else {"n1": pods[:1], "n2": pods[1:]}
        if nodes == 2:
            blocks = {name: [ranked(f"block-{name}", 100, 2)] for name in there}
            there = {name: [*items, *blocks[name]] for name, items in there.items()}
        assert World(there).victims(ranked("p", 9, 2, spec=spec))[1] == ["one"]


def test_a_budget_comes_before() -> None:
    kept = ranked(
        "kept",
        1,
        2,
        labels={"app": "a"},
        started=1,
        metadata={"annotations": {"argosy.dev/checkpoint": "2026-01-01T00:01:00Z"}},
    )
    world = World({"n1": [kept, saved("other", None)]}).budgets(budget("b", {"app": "a"}, 0))
    assert world.victims(ranked("p", 9, 2))[1] == ["other"]


def test_a_checkpoint_that_is_written_later_counts() -> None:
    world = World({"n1": [saved("a", 1), saved("b", 2)]})
    assert world.victims(ranked("p", 9, 2)) == ("n1", ["b"])
    world.state.nodes.nominated.drop("uid-p")
    world.state.evicting.clear()
    world.state.nodes.put_pod("n1", occupant_of(saved("a", 3)))
    assert world.victims(ranked("q", 9, 2)) == ("n1", ["a"])
