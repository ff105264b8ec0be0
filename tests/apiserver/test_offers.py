"""Tests of the choice among a few media types."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.apiserver.offers import preferred

TEXT, OPEN = "text/plain", "application/openmetrics-text"


@pytest.mark.parametrize(
    "accept, expected",
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/*", TEXT),
        ("application/*", OPEN),
        (OPEN, OPEN),
        (f"{OPEN};version=1.0.0,{OPEN};version=0.0.1;q=0.75,text/plain;q=0.5,*/*;q=0.1", OPEN),
        (f"{OPEN};q=0.2, text/plain;q=0.3", TEXT),
        ("TEXT/PLAIN", TEXT),
        (f"{OPEN};q=0,text/plain;q=0", None),
        (f"{OPEN};q=much", None),
        ("image/png", None),
        ("openmetrics-text", None),
    ],
)
def test_what_is_liked_best_is_chosen(accept: str, expected: str | None) -> None:
    assert preferred(accept, (TEXT, OPEN)) == expected


@settings(max_examples=50)
@given(st.text(alphabet="a/*;,=q0.1 ", max_size=40))
def test_any_header_is_read(accept: str) -> None:
    assert preferred(accept, (TEXT, OPEN)) in (TEXT, OPEN, None)
