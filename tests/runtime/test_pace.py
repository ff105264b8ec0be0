"""How often one key is looked at."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from argosy.runtime.pace import MOST, WINDOW_SECONDS, Pace
from argosy.testing.clock import FakeClock


def test_a_key_that_comes_all_the_time_waits_for_the_next_window() -> None:
    clock = FakeClock()
    pace: Pace[str] = Pace(clock.monotonic)
    assert [pace.wait("hot") for _ in range(MOST)] == [0.0] * MOST
    assert pace.wait("hot") == WINDOW_SECONDS
    assert pace.wait("other") == 0.0


async def test_after_the_wait_it_goes_on() -> None:
    clock = FakeClock()
    pace: Pace[str] = Pace(clock.monotonic)
    for _ in range(MOST):
        pace.wait("hot")
    await clock.advance(WINDOW_SECONDS / 4)
    wait = pace.wait("hot")
    assert wait == WINDOW_SECONDS * 3 / 4
    await clock.advance(wait)
    assert pace.wait("hot") == 0.0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 0.3)), max_size=400))
def test_no_key_is_looked_at_more_often(steps: list[tuple[str, float]]) -> None:
    now = 0.0
    pace: Pace[str] = Pace(lambda: now)
    looks: Counter[tuple[str, int]] = Counter()
    for key, passed in steps:
        now += passed / 50
        if pace.wait(key) == 0:
            looks[key, int(now)] += 1
    # A window may begin at any moment: in one second there are at most two.
    assert all(count <= 2 * MOST for count in looks.values())
