"""How the checks speak: upstream's turns of phrase."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from argosy.security.podsecurity.subject import Container, Subject

ESCAPES: Mapping[str, str] = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def plural(noun: str, count: int) -> str:
    """`noun` for so many things."""
    return noun if count == 1 else f"{noun}s"


def quoted(names: Iterable[str]) -> str:
    """`"a", "b"`: not escaped, as upstream."""
    return '"' + '", "'.join(names) + '"'


def named(noun: str, names: Collection[str]) -> str:
    """`containers "a", "b"`."""
    return f"{plural(noun, len(names))} {quoted(names)}"


def setters(pod: bool, containers: Collection[str]) -> str:
    """Who set something: the pod, some containers, or both."""
    told = ["pod"] if pod else []
    return " and ".join([*told, *([named("container", containers)] if containers else [])])


def setting(annotation: str, value: str) -> str:
    """An annotation with its value, quoted as Go's `%q` does."""
    return f'{annotation}="{"".join(map(_escaped, value))}"'


def _escaped(letter: str) -> str:
    code = ord(letter)
    if (short := ESCAPES.get(letter)) is not None:
        return short
    if letter.isprintable():
        return letter
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def with_field(subject: Subject, field: str) -> tuple[Any, list[tuple[Container, Any]]]:
    """A field of the pod's security context, and of its containers' as far as they set it."""
    if field not in subject.said:
        return None, []
    own = [
        (container, value)
        for container in subject.containers
        if (value := container.context.get(field)) is not None
    ]
    return subject.context.get(field), own
