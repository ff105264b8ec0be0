"""Conditions as `meta/v1` has them: what a kind's state is in one respect."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from argosy.api import names
from argosy.api.validation.fields import (
    NEEDED,
    at_least,
    bytes_at_most,
    each,
    fields,
    one_of,
    together,
    unique_by,
)
from argosy.base.errors import FieldError, invalid_value

Json = Mapping[str, Any]

STATUSES = ("False", "True", "Unknown")
REASON = re.compile(r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?")
REASON_RULE = (
    "a condition reason must start with alphabetic character, optionally followed by a string of "
    "alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. "
    "'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex "
    f"used for validation is '{REASON.pattern}')"
)


def _reason(text: str, path: str) -> Iterator[FieldError]:
    if not REASON.fullmatch(text):
        yield invalid_value(path, text, REASON_RULE)


conditions = together(
    each(
        fields(
            {
                "type": names.qualified,
                "status": one_of(*STATUSES),
                "observedGeneration": at_least(0, "must be greater than or equal to zero"),
                "reason": (NEEDED, together(_reason, bytes_at_most(1024))),
                "message": bytes_at_most(32 * 1024),
            }
        )
    ),
    unique_by("type", at="type"),
)
"""A check of a list of conditions."""


def is_true(found: Sequence[Json], kind: str) -> bool:
    """Whether a condition of that kind holds."""
    return any(one.get("type") == kind and one.get("status") == "True" for one in found)
