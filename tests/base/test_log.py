"""One line for each record: a constant message, and keys."""

import logging
import sys
from collections.abc import Generator

import pytest

from argosy.base.log import KeyValueFormatter, configure


def line(message: str, **keys: object) -> str:
    record = logging.LogRecord("argosy.x", logging.INFO, "f", 1, message, (), None)
    vars(record).update(keys)
    return KeyValueFormatter("%(levelname)s %(name)s: %(message)s").format(record)


@pytest.mark.parametrize(
    ("keys", "end"),
    [
        ({}, ""),
        ({"pod": "default/web"}, " pod=default/web"),
        ({"a": 1, "b": None}, " a=1 b=None"),
        ({"text": "two words"}, " text='two words'"),
        ({"text": ""}, " text=''"),
        ({"text": "a\nb"}, r" text='a\nb'"),
        ({"text": 'say "a"'}, " text='say \"a\"'"),
    ],
)
def test_keys_follow_the_message(keys: dict[str, object], end: str) -> None:
    assert line("pod bound", **keys) == f"INFO argosy.x: pod bound{end}"


def test_keys_stand_before_a_traceback() -> None:
    try:
        raise ValueError("no")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed", (), sys.exc_info())
    record.pod = "a"
    text = KeyValueFormatter("%(message)s").format(record)

    assert text.startswith("failed pod=a\n")
    assert text.endswith("ValueError: no")


@pytest.fixture
def untouched() -> Generator[None, None, None]:
    """Leaves logging as it was."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    for handler in handlers:
        root.removeHandler(handler)
    yield
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)


@pytest.mark.usefixtures("untouched")
def test_logs_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info")
    logging.getLogger("argosy.x").info("started", extra={"port": 1})
    logging.getLogger("argosy.x").debug("unseen")
    out, err = capsys.readouterr()

    assert out == ""
    assert err.endswith("INFO argosy.x: started port=1\n")
    assert "unseen" not in err
