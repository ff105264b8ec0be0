"""How the command line talks."""

import pytest

from argosy.cli.terminal import fail, printable, say


def test_talk_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    say("hello")

    assert capsys.readouterr() == ("", "hello\n")


def test_an_error_ends_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        fail("no", "try again", code=3)

    assert caught.value.code == 3
    assert capsys.readouterr() == ("", "error: no\nhint: try again\n")


def test_what_a_terminal_would_obey_is_shown_instead() -> None:
    assert printable("plain ü 字") == "plain ü 字"
    assert printable("a\x1b]0;title\x07\nb\x9b") == "a\\x1b]0;title\\x07\\nb\\x9b"
