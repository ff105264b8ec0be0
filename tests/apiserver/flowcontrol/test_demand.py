"""What levels could have used."""

import pytest

from argosy.apiserver.flowcontrol.demand import SMOOTHING, Demand, Integrator


def test_average_deviation_and_most_of_a_period() -> None:
    integrator = Integrator(0.0)
    integrator.set(4, 0.0)
    integrator.set(0, 5.0)
    assert integrator.taken(10.0) == pytest.approx((10, 2, 2, 4))
    assert integrator.taken(20.0) == pytest.approx((10, 0, 0, 0))


def test_demand_rises_at_once_and_falls_slowly() -> None:
    integrator, demand = Integrator(0.0), Demand()
    integrator.set(10, 0.0)
    demand.update(integrator, 10.0)
    assert (demand.most, demand.average, demand.smoothed) == (10, 10, 10)
    integrator.set(0, 10.0)
    demand.update(integrator, 20.0)
    assert demand.smoothed == pytest.approx(10 * SMOOTHING)
    demand.update(integrator, 20.0)  # no time has passed
    assert demand.smoothed == pytest.approx(10 * SMOOTHING)
