"""The text of a configuration: what is taken, and what is refused in one sentence."""

from typing import Any

import pytest

from argosy.scheduler.config.document import MOST_BYTES, DocumentError, read

TAKEN: list[tuple[str, Any]] = [
    ("a: 1\nb: [x, null, 1.5]\n", {"a": 1, "b": ["x", None, 1.5]}),
    ('{"a": {"b": true}}', {"a": {"b": True}}),
    ("a: null\nb: {c: ~, d: 1}", {"b": {"d": 1}}),
    ("time: 1:30\non: no", {"time": "1:30", "true": False}),
    ("", None),
]


@pytest.mark.parametrize(("text", "value"), TAKEN)
def test_what_is_taken(text: str, value: Any) -> None:
    assert read(text.encode()) == value


REFUSED = [
    ("a: &x [1]\nb: *x", "yaml at line 2: anchors and aliases are not accepted"),
    ("a: 1\nb:\n  c: 1\n  c: 2", 'yaml at line 4: key "c" already set in map'),
    ("[" * 1000, "yaml at line 1: nested too deeply"),
    ("a: [1", "yaml at line 1: "),
    ("a: 1\n---\nb: 2", "yaml at line 2: but found another document"),
    ("a: !!python/object:os.system {}", "yaml at line 1: could not determine a constructor"),
    ("a: .nan", "not what JSON can say"),
    ("a: !!binary aGVsbG8=", "not what JSON can say"),
    ("? [1, 2]\n: x", "not what JSON can say"),
    ("\x00", "yaml: "),
    (" " * (MOST_BYTES + 1), "too long: may not be more than"),
]


@pytest.mark.parametrize(("text", "told"), REFUSED)
def test_what_is_refused(text: str, told: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read(text.encode())
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
