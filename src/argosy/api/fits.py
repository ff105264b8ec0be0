"""The quick question before the thorough one: is there anything to complain of at all?

`structural` says what is wrong with a value, what it has too much and what it is without that; but
nearly every value that comes is right. `compiled` turns a schema into one function that only says
whether all three would find nothing, several times as fast. It may say no of a value that is right:
then the thorough functions decide.
"""

from collections.abc import Callable
from typing import Any

from argosy.api.schema import Schema
from argosy.api.structural import check, prune, unknown_fields
from argosy.base.memo import remembered

Fits = Callable[[Any], bool]

_INT32 = range(-(2**31), 2**31)
_INT64 = range(-(2**63), 2**63)
_ALIKE = {"spec", "fieldsV1"}
"""Fields that say the same in many objects: what was found of one is remembered."""


def compiled(schema: Schema) -> Fits:
    """A function that is true of values of which `structural` has nothing to say."""
    fits = _Compiler().node(schema)

    def bounded(value: Any) -> bool:
        try:
            return fits(value)
        except RecursionError:
            return False

    return bounded


class _Compiler:
    """One compilation: schemas that were met already, perhaps inside of themselves, are shared."""

    def __init__(self) -> None:
        self._known: dict[int, list[Fits]] = {}

    def node(self, schema: Schema) -> Fits:
        if schema.unknown or schema.type in ("any", "number", "int-or-string"):
            return _thorough(schema)
        if schema.type == "object":
            return self._shared(schema, self._map if schema.values is not None else self._object)
        if schema.type == "array":
            return self._shared(schema, self._array)
        return _leaf(schema)

    def _shared(self, schema: Schema, make: Callable[[Schema], Fits]) -> Fits:
        known = self._known.get(id(schema))
        if known is None:
            known = self._known[id(schema)] = []
            known.append(make(schema))
            return known[0]
        # Either made already, or in the making: then it is looked up when it is called.
        return known[0] if known else lambda value: known[0](value)

    def _object(self, schema: Schema) -> Fits:
        strings = frozenset(name for name, node in schema.properties.items() if _plain(node))
        nodes = {
            name: self.node(node) for name, node in schema.properties.items() if name not in strings
        }
        for name in _ALIKE & nodes.keys():
            nodes[name] = remembered(nodes[name])
        required = schema.required

        def fits(value: Any) -> bool:
            if type(value) is not dict:
                return False
            for name, item in value.items():
                if type(item) is str and name in strings:
                    continue
                node = nodes.get(name)
                if node is None or not node(item):
                    return False
            return required <= value.keys()

        return fits

    def _map(self, schema: Schema) -> Fits:
        assert schema.values is not None
        if _plain(schema.values):
            return lambda value: (
                type(value) is dict and all([type(item) is str for item in value.values()])
            )
        node = self.node(schema.values)
        return lambda value: type(value) is dict and all([node(item) for item in value.values()])

    def _array(self, schema: Schema) -> Fits:
        if schema.items is None:
            return _thorough(schema)
        if _plain(schema.items):
            return lambda value: type(value) is list and all([type(item) is str for item in value])
        node = self.node(schema.items)
        return lambda value: type(value) is list and all([node(item) for item in value])


def _plain(schema: Schema) -> bool:
    """Whether any string fits."""
    limits = (schema.format, schema.enum, schema.pattern, schema.min_length)
    return schema.type == "string" and not any(limits) and schema.max_length is None


def _leaf(schema: Schema) -> Fits:
    bounded = schema.minimum is not None or schema.maximum is not None
    if schema.type == "boolean":
        return lambda value: type(value) is bool
    if schema.type == "integer" and not bounded:
        bounds = _INT32 if schema.format == "int32" else _INT64
        return lambda value: type(value) is int and value in bounds
    if _plain(schema):
        return lambda value: type(value) is str
    return lambda value: value is not None and not check(schema, value)


def _thorough(schema: Schema) -> Fits:
    """For the rare nodes: ask all three."""

    def fits(value: Any) -> bool:
        if value is None or check(schema, value) or unknown_fields(schema, value):
            return False
        return prune(schema, value) is value

    return fits
