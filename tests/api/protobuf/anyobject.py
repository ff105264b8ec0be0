"""Hypothesis strategies for objects of any kind, drawn from the table of fields.

Objects come in the form that decoding gives: without zero values that JSON leaves out, without
empty lists and maps, with times and quantities as they are printed.
"""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from argosy.api.protobuf.table import Field, Table

NAMES = st.text(max_size=12)
JSON = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
SECONDS = st.integers(-62135596799, 253402300799)


def moment(seconds: int, micros: int = 0) -> datetime:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return (epoch + timedelta(seconds=seconds, microseconds=micros)).replace(tzinfo=None)


SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "string": NAMES,
    "bool": st.booleans(),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    # Zero is added because -0.0 comes back without its sign.
    "double": st.floats(allow_nan=False, allow_infinity=False).map(lambda value: value + 0.0),
    "bytes": st.binary(max_size=12).map(lambda raw: base64.b64encode(raw).decode()),
    "quantity.Quantity": st.tuples(st.integers(1, 10**60), st.sampled_from(("m", "Ki", ""))).map(
        lambda parts: f"{parts[0]}{parts[1]}"
    ),
    "intstr.IntOrString": st.integers(-(2**31), 2**31 - 1) | NAMES,
    "meta.v1.Time": SECONDS.map(lambda at: moment(at).isoformat(timespec="seconds") + "Z"),
    "meta.v1.MicroTime": st.tuples(SECONDS, st.integers(0, 999_999)).map(
        lambda at: moment(*at).isoformat(timespec="microseconds") + "Z"
    ),
    "meta.v1.FieldsV1": JSON,
    "runtime.RawExtension": JSON,
    "apiextensions.v1.JSON": JSON,
    "meta.v1.Verbs": st.lists(NAMES, max_size=3),
    "authorization.v1.ExtraValue": st.lists(NAMES, max_size=3),
}


class Objects:
    """Makes messages of a few fields each, down to a few levels."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @st.composite
    @staticmethod
    def kind(draw: st.DrawFn, objects: "Objects", api_version: str, kind: str) -> dict[str, Any]:
        """A whole object."""
        message = objects._table.message_of(api_version, kind)
        fields = objects.message(draw, message, 4)
        return {"apiVersion": api_version, "kind": kind, **fields}

    def message(self, draw: st.DrawFn, message: str, depth: int) -> dict[str, Any]:
        fields = self._table.fields(message)
        if not depth or not fields:
            return {}
        chosen = draw(st.lists(st.sampled_from(fields), max_size=4, unique_by=lambda f: f.name))
        made: dict[str, Any] = {}
        for field in chosen:
            made.update(self._field(draw, field, depth - 1))
        return made

    def _field(self, draw: st.DrawFn, field: Field, depth: int) -> dict[str, Any]:
        if field.shape == "inline":
            return self.message(draw, field.type, depth)
        if field.shape == "one":
            value = self._value(draw, field.type, depth)
            return {} if field.drop_zero and not value else {field.name: value}
        count = draw(st.integers(1, 3))
        values = [self._value(draw, field.type, depth) for _ in range(count)]
        if field.shape == "list":
            return {field.name: values}
        keys = draw(st.lists(NAMES, min_size=count, max_size=count, unique=True))
        return {field.name: dict(zip(keys, values, strict=True))}

    def _value(self, draw: st.DrawFn, kind: str, depth: int) -> Any:
        if kind in SIMPLE:
            return draw(SIMPLE[kind])
        package, _, choice = kind.partition(".JSONSchemaPropsOr")
        if not choice:
            return self.message(draw, kind, depth)
        schema = self.message(draw, f"{package}.JSONSchemaProps", depth)
        others = {"Array": [schema], "Bool": draw(st.booleans()), "StringArray": ["a"]}
        return draw(st.sampled_from([schema, others[choice]]))
