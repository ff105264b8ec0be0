"""Tests of what a request says."""

import pytest

from argosy.http.message import Request


@pytest.mark.parametrize("filler", ["", "&c=" + "x" * 1000])
def test_parameters_are_the_callers_own(filler: str) -> None:
    """Also those of a query that is remembered: it is read once and given to many."""
    for _ in range(2):
        found = Request("GET", "/", f"a=1&a=2&b=%20&empty={filler}").parameters()
        assert (found["a"], found["b"], found["empty"]) == ("1", " ", "")
        found.clear()
    assert Request("GET", "/").parameters() == {}
