"""Large things rest in proportion to their size; small ones never."""

import pytest

from argosy.api.core import Service
from argosy.api.meta import ObjectMeta
from argosy.controllers.pacing import AT_ONCE, Pace
from argosy.testing.clock import FakeClock
from tests.controllers.test_podselection import Told

KEY = ("default", "s")


@pytest.mark.parametrize(("members", "rest"), [(0, 0.0), (AT_ONCE, 0.0), (100, 1.0), (1000, 10.0)])
async def test_rest(members: int, rest: float) -> None:
    clock = FakeClock()
    pace = Pace(clock, Told(Service), 0.01)
    pace.worked(KEY, members)
    assert pace.left(KEY) == pytest.approx(rest)
    await clock.advance(rest)
    assert pace.left(KEY) == 0.0


def test_what_is_gone_is_forgotten() -> None:
    services = Told(Service)
    pace = Pace(FakeClock(), services, 0.01)
    services.put(KEY, Service(metadata=ObjectMeta(name="s", namespace="default")))
    pace.worked(KEY, 1000)
    services.put(KEY, None)
    assert pace.left(KEY) == 0.0
