"""A command that starts without Typer's way of reading values.

Typer gives each value to pydantic, also those that nobody gave: a tenth of a second, and 12 MB that
a server keeps. A default needs no reading, and a plain text, number or path is read here; all else,
and whatever is wrong, is left to Typer and its words.
"""

from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup, TyperOption


class QuickOption(TyperOption):
    """An option whose plain values are read here."""

    def process_value(self, ctx: Any, value: Any) -> Any:
        """The value as the command gets it."""
        if self.required:
            return super().process_value(ctx, value)
        if value is None:
            found: Any = () if self.multiple else None
        elif value is self.default:
            found = value
        elif not isinstance(value, str) or (found := self._read(value)) is None:
            return super().process_value(ctx, value)
        return found if self.callback is None else self.callback(ctx, self, found)

    def _read(self, text: str) -> str | int | Path | None:
        """A text's value; None where it is not plain, or Typer is one that needs no help."""
        known: Any = getattr(self, "type_descriptor", None)
        if known is None or not text:
            return None
        kind, wanted = known.annotation, known.parameter_info
        if wanted.parser is not None or self.multiple:
            return None
        if kind is str:
            return text
        if kind is Path:
            return None if wanted.exists or wanted.resolve_path else Path(text)
        if kind is int and text.isascii() and text.isdigit() and len(text) < 10:
            number, least, most = int(text), wanted.min, wanted.max
            fits = (least is None or number >= least) and (most is None or number <= most)
            return number if fits else None
        return None


class QuickCommand(TyperCommand):
    """A command with such options."""

    def get_params(self, ctx: Any) -> list[Any]:
        """All that it takes."""
        return _quickened(super().get_params(ctx))


class QuickGroup(TyperGroup):
    """A group with such options."""

    def get_params(self, ctx: Any) -> list[Any]:
        """All that it takes."""
        return _quickened(super().get_params(ctx))


def _quickened(params: list[Any]) -> list[Any]:
    for param in params:
        if type(param) is TyperOption:
            object.__setattr__(param, "__class__", QuickOption)
    return params
