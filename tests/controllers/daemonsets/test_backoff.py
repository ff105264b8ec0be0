"""How long failed pods are left alone."""

from argosy.controllers.daemonsets.backoff import FORGOTTEN, LONGEST, Backoff
from argosy.testing.clock import FakeClock

PLACE, OTHER = ("set", 1, "a"), ("set", 1, "b")


async def test_it_doubles_up_to_a_quarter_of_an_hour_and_is_forgotten() -> None:
    clock = FakeClock()
    backoff = Backoff(clock)
    assert backoff.left(PLACE) == 0
    delays = []
    for _ in range(12):
        backoff.taken(PLACE)
        delays.append(backoff.left(PLACE))
        await clock.advance(delays[-1])
        assert backoff.left(PLACE) == 0
    assert delays[:4] == [1, 2, 4, 8] and delays[-1] == LONGEST
    assert backoff.left(OTHER) == 0
    await clock.advance(FORGOTTEN + 1)
    backoff.taken(OTHER)
    backoff.taken(PLACE)
    assert backoff.left(PLACE) == 1
