"""Every scenario under a few seeds; `python -m tests.simulation --seeds 1000` plays more.

A run that fails is played again, with each of its commits told, by the command in its message.
"""

from collections.abc import Generator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from tests.simulation.engine import Outcome, run
from tests.simulation.scenarios.table import SCENARIOS

SEEDS = range(8)
RUNS = [(name, seed) for name in SCENARIOS for seed in SEEDS]
Played = dict[tuple[str, int], Future[Outcome]]


def play(name: str, seed: int) -> Outcome:
    return run(SCENARIOS[name], seed)


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest) -> Generator[Played, None, None]:
    """All runs that are asked for, in processes whose sets have one order for ever."""
    wanted = [_run_of(item) for item in request.session.items]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONHASHSEED", "0")
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            yield {key: pool.submit(play, *key) for key in wanted if key is not None}
            pool.shutdown(cancel_futures=True)


def _run_of(item: pytest.Item) -> tuple[str, int] | None:
    given: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    return (given["name"], given["seed"]) if given.keys() == {"name", "seed"} else None


@pytest.mark.parametrize(("name", "seed"), RUNS, ids=[f"{name}-seed={seed}" for name, seed in RUNS])
def test_it_comes_to_rest_as_it_must(played: Played, name: str, seed: int) -> None:
    outcome = played[name, seed].result()
    again = f"again: python -m tests.simulation --only {name} --seed {seed}"
    told = "\n".join((outcome.problem, *outcome.history, again))
    assert not outcome.problem, f"{name} seed={seed}: {told}"
