"""What an admission rule is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from argosy.apiserver.request import Target, User
from argosy.store.interface import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What a rule sees. It may change `new` in place; `look` reads other objects by key.

    What a rule holds while the write is on its way it lets go of in a function of `afterwards`.
    """

    operation: Literal["CREATE", "UPDATE"]
    target: Target
    user: User
    new: dict[str, Any]
    old: dict[str, Any] | None
    look: Callable[[str], Record | None]
    afterwards: list[Callable[[], None]]


Rule = Callable[[Attributes], None]
"""Admits by returning. Raises StatusError to refuse."""
