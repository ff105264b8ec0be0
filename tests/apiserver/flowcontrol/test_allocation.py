"""How seats are divided."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.apiserver.flowcontrol.allocation import Claim, allocate


@st.composite
def claims(draw: st.DrawFn) -> list[Claim]:
    found = []
    for _ in range(draw(st.integers(1, 6))):
        low = draw(st.integers(0, 50))
        target = low + draw(st.integers(0, 50))
        found.append(Claim(low, target, low + draw(st.integers(0, 100))))
    return found


@settings(max_examples=200)
@given(claims(), st.integers(0, 300))
def test_all_is_given_within_the_bounds(those: list[Claim], total: int) -> None:
    given_, share = allocate(total, those)
    low, high = sum(one.low for one in those), sum(one.high for one in those)
    assert sum(given_) == pytest.approx(min(high, max(low, total)), abs=1e-3)
    for one, got in zip(those, given_, strict=True):
        assert one.low <= got <= max(one.low, one.high)
        if one.low < got < one.high:  # no bound holds it: it has the fair share
            assert got == pytest.approx(share * max(one.target, 0.001), abs=1e-6)


def test_by_target() -> None:
    given_, share = allocate(60, [Claim(0, 10, 100), Claim(0, 20, 100)])
    assert given_ == pytest.approx([20, 40])
    assert share == pytest.approx(2)
