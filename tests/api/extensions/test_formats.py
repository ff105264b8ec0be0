"""Tests of formats and patterns."""

import pytest

from argosy.api.extensions.formats import FORMATS, format_test
from argosy.api.extensions.patterns import pattern


@pytest.mark.parametrize(
    "name, right, wrong",
    [
        ("date-time", "2026-01-01T00:00:00Z", "2026-01-01"),
        ("date", "2026-01-01", "20260101"),
        ("duration", "1h30m", "1x"),
        ("duration", "22 ns", "h"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "::1", "fe80::1%eth0"),
        ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("mac", "01:23:45:67:89:ab", "01:23:45:67:89"),
        ("uri", "https://example.com/a", "example.com a"),
        ("email", "a@example.com", "a.example.com"),
        ("hostname", "a.example.com", "-a"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
        ("uuid4", "123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
        ("byte", "aGk=", "a"),
        ("isbn", "978-0321751041", "978-0321751042"),
        ("isbn10", "0321751043", "0321751042"),
        ("creditcard", "4111-1111-1111-1111", "1234"),
        ("ssn", "111-22-3333", "1"),
        ("hexcolor", "#FFFFFF", "#FF"),
        ("rgbcolor", "rgb(255,255,255)", "rgb(1,2)"),
        ("bsonobjectid", "507f1f77bcf86cd799439011", "507"),
        ("k8s-short-name", "a-b", "a.b"),
        ("k8s-long-name", "a.b", "A.b"),
    ],
)
def test_a_format_tells_right_from_wrong(name: str, right: str, wrong: str) -> None:
    test = format_test(name)
    assert test is not None
    assert test(right) and not test(wrong)


def test_an_unknown_format_is_not_checked() -> None:
    assert format_test("semver") is None


@pytest.mark.parametrize("text", ["", "\ud800", "a" * 100_000, "\x00", "1" * 5000])
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_no_format_breaks_on_any_text(name: str, text: str) -> None:
    FORMATS[name](text)


@pytest.mark.parametrize("text", ["(", "(?=a)", "(a{100}){100}{100}", "\ud800", "a{1001}"])
def test_a_pattern_that_is_none_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="error parsing regexp"):
        pattern(text)


def test_half_a_character_matches_nothing() -> None:
    assert not pattern(".").found("\ud800")
    assert pattern("^[[:alpha:]]\\z").found("a")
    assert not pattern("^a$").found("a\n")
