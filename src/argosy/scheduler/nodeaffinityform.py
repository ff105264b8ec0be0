"""The form that node affinity must have to be read at all.

The API refuses another; a pod that has it nevertheless is refused here, before anybody reads it.
"""

from typing import Annotated, Any

import msgspec

from argosy.api.meta import View
from argosy.api.nodeaffinity import REQUIRED

PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


class _Line(View, frozen=True, kw_only=True):
    key: str
    operator: str
    values: tuple[str, ...] | None = None


class _Term(View, frozen=True, kw_only=True):
    match_expressions: tuple[_Line, ...] | None = None
    match_fields: tuple[_Line, ...] | None = None


class _Selector(View, frozen=True, kw_only=True):
    node_selector_terms: tuple[_Term, ...] | None = None


class _Wish(View, frozen=True, kw_only=True):
    weight: Annotated[int, msgspec.Meta(ge=1, le=100)]
    preference: _Term


class _NodeAffinity(View, frozen=True, kw_only=True):
    required: _Selector | None = msgspec.field(name=REQUIRED, default=None)
    preferred: tuple[_Wish, ...] | None = msgspec.field(name=PREFERRED, default=None)


def check(rules: Any) -> None:
    """Raises ValueError for what is no node affinity."""
    try:
        msgspec.convert(rules, _NodeAffinity)
    except msgspec.ValidationError as error:
        raise ValueError(f"spec.affinity.nodeAffinity: {error}") from error
