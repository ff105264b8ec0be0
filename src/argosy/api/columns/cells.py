"""One row of a table: a cell shows what stands at its column's path, or what `computed` makes."""

from datetime import datetime

from argosy.api.columns.computed import COMPUTED
from argosy.api.columns.text import NONE, Cell, Json, age, at
from argosy.api.resource import Column


def cells(columns: tuple[Column, ...], obj: Json, now: datetime) -> list[Cell]:
    """The object's cell for each column."""
    return [_cell(column, obj, now) for column in columns]


def _cell(column: Column, obj: Json, now: datetime) -> Cell:
    if column.show is not None:
        return column.show(obj, now)
    computed = COMPUTED.get(column.path)
    if computed is not None:
        return computed(obj, now)
    value = at(obj, column.path)
    if (value is None or value == "") and column.empty is not None:
        return column.empty
    if column.type == "date":
        return age(value, now)
    if value is None or value == "":
        return NONE if column.type == "string" else None
    return value if isinstance(value, int | str) else str(value)
