"""The columns in which a kind's objects are shown, as its definition asks for them."""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from argosy.api.columns.text import Cell, age
from argosy.api.extensions.definition import PrinterColumn
from argosy.api.extensions.jsonpath import Path, parse
from argosy.api.resource import AGE, NAME, Column, Show
from argosy.base.clock import parse_timestamp

INVALID = "<invalid>"


def columns_of(wanted: Iterable[PrinterColumn]) -> tuple[Column, ...]:
    """The name, and what is asked for; where that is nothing, the age."""
    own = tuple(_column(one) for one in wanted)
    return (NAME, *(own or (AGE,)))


def _column(one: PrinterColumn) -> Column:
    show = shown(one.type, parse(one.json_path))
    return Column(one.name, one.json_path, one.type, one.priority, show=show)


def shown(kind: str, path: Path) -> Show:
    """Makes the cell of a column."""

    def show(obj: Mapping[str, Any], now: datetime) -> Cell:
        found = path.find(obj)
        return _cell(kind, found[0], now) if found else None

    return show


def _cell(kind: str, value: Any, now: datetime) -> Cell:
    if value is None:
        return None
    if kind == "string":
        return _printed(value)
    if kind == "date":
        return _age(value, now)
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if kind == "integer":
        return int(value) if math.isfinite(value) else None
    return int(value) if float(value).is_integer() else str(value)


def _printed(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _age(value: Any, now: datetime) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        parse_timestamp(value)
    except ValueError:
        return INVALID
    return age(value, now)
