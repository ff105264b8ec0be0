"""What a token says of itself: read from any text, believed by nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.apiserver.authentication.tokens import TokenError
from argosy.apiserver.authentication.unverified import claimed_issuer, part
from tests.apiserver.authentication.oidckit import raw


@pytest.mark.parametrize(
    ("token", "issuer"),
    [
        (raw({}, {"iss": "a"}), "a"),
        (raw({}, {"iss": 7}), ""),
        (raw({}, {}), ""),
        ("..", ""),
        ("e30.e30", ""),
        ("e30.W10.", ""),
        ("e30.e30.e30.e30", ""),
    ],
)
def test_the_issuer(token: str, issuer: str) -> None:
    assert claimed_issuer(token) == issuer


@given(st.text(max_size=40), st.sampled_from([0, 1]))
def test_any_text_is_read_or_refused(text: str, at: int) -> None:
    assert isinstance(claimed_issuer(f"{text}.{text}.{text}"), str)
    try:
        assert isinstance(part(f"{text}.{text}", at), dict)
    except TokenError as error:
        assert str(error) == "oidc: malformed jwt"
