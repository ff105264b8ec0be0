"""Messages that JSON writes as something else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.api.protobuf.special import SPECIAL
from argosy.api.protobuf.wire import ProtobufError

TIME, MICRO, DURATION = SPECIAL["meta.v1.Time"], SPECIAL["meta.v1.MicroTime"], "meta.v1.Duration"
PORT = SPECIAL["intstr.IntOrString"]
SCHEMAS = "apiextensions.v1.JSONSchemaPropsOr"
NEW_YEAR = 1_767_225_600  # 2026


BOTH_WAYS: list[tuple[str, dict[str, Any], Any]] = [
    ("meta.v1.Time", {"seconds": NEW_YEAR, "nanos": 0}, "2026-01-01T00:00:00Z"),
    ("meta.v1.Time", {"seconds": 0, "nanos": 0}, "1970-01-01T00:00:00Z"),
    ("meta.v1.Time", {"seconds": -1, "nanos": 0}, "1969-12-31T23:59:59Z"),
    ("meta.v1.Time", {"seconds": -62135596799, "nanos": 0}, "0001-01-01T00:00:01Z"),
    ("meta.v1.Time", {"seconds": 253402300799, "nanos": 0}, "9999-12-31T23:59:59Z"),
    ("meta.v1.MicroTime", {"seconds": NEW_YEAR, "nanos": 0}, "2026-01-01T00:00:00.000000Z"),
    ("meta.v1.MicroTime", {"seconds": -1, "nanos": 999_999_000}, "1969-12-31T23:59:59.999999Z"),
    (DURATION, {"duration": 0}, "0s"),
    (DURATION, {"duration": 1}, "1ns"),
    (DURATION, {"duration": 1_500}, "1.5µs"),
    (DURATION, {"duration": 250_000_000}, "250ms"),
    (DURATION, {"duration": 30_000_000_000}, "30s"),
    (DURATION, {"duration": 61_020_000_000}, "1m1.02s"),
    (DURATION, {"duration": 3_600_000_000_000}, "1h0m0s"),
    (DURATION, {"duration": -90_000_000_000}, "-1m30s"),
    (DURATION, {"duration": -(2**63)}, "-2562047h47m16.854775808s"),
    ("quantity.Quantity", {"string": "100m"}, "100m"),
    ("intstr.IntOrString", {"type": 0, "intVal": 80, "strVal": ""}, 80),
    ("intstr.IntOrString", {"type": 1, "intVal": 0, "strVal": "http"}, "http"),
    ("meta.v1.Verbs", {"items": ["get", "list"]}, ["get", "list"]),
    ("authorization.v1.ExtraValue", {"items": ["a"]}, ["a"]),
    ("meta.v1.FieldsV1", {"raw": {"f:a": {}}}, {"f:a": {}}),
    ("runtime.RawExtension", {"raw": [1]}, [1]),
    (f"{SCHEMAS}Array", {"schema": {"type": "string"}}, {"type": "string"}),
    (f"{SCHEMAS}Array", {"jSONSchemas": [{"type": "string"}]}, [{"type": "string"}]),
    (f"{SCHEMAS}Bool", {"allows": True}, True),
    (f"{SCHEMAS}Bool", {"allows": False}, False),
    (f"{SCHEMAS}Bool", {"allows": True, "schema": {}}, {}),
    (f"{SCHEMAS}StringArray", {"property": ["a"]}, ["a"]),
    (f"{SCHEMAS}StringArray", {"schema": {"type": "object"}}, {"type": "object"}),
]


@pytest.mark.parametrize(("message", "fields", "value"), BOTH_WAYS)
def test_both_ways(message: str, fields: dict[str, Any], value: Any) -> None:
    assert SPECIAL[message].to_json(fields) == value
    assert SPECIAL[message].from_json(value) == fields


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ("meta.v1.Time", None),
        ("meta.v1.MicroTime", None),
        ("runtime.RawExtension", None),
        ("quantity.Quantity", "0"),
        ("intstr.IntOrString", 0),
        (DURATION, "0s"),
        ("meta.v1.Verbs", []),
        (f"{SCHEMAS}Bool", False),
        (f"{SCHEMAS}Array", None),
    ],
)
def test_a_message_without_fields(message: str, value: Any) -> None:
    assert SPECIAL[message].to_json({}) == value


def test_gos_zero_time_is_none() -> None:
    assert TIME.to_json({"seconds": -62135596800, "nanos": 0}) is None
    assert MICRO.to_json({"seconds": -62135596800, "nanos": 0}) is None
    assert TIME.from_json("0001-01-01T00:00:00Z") == {}
    assert MICRO.from_json("0001-01-01T00:00:00.000000Z") == {}


def test_fractions_and_zones() -> None:
    assert TIME.to_json({"seconds": NEW_YEAR, "nanos": 999_999_999}) == "2026-01-01T00:00:00Z"
    assert MICRO.to_json({"seconds": 0, "nanos": 1_999}) == "1970-01-01T00:00:00.000001Z"
    assert TIME.from_json("2026-01-01T02:00:00.9+02:00") == {"seconds": NEW_YEAR, "nanos": 0}
    assert MICRO.from_json("2026-01-01T00:00:00.5Z") == {"seconds": NEW_YEAR, "nanos": 500_000_000}


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("1.5h", 5_400_000_000_000),
        ("2h30m", 9_000_000_000_000),
        ("1us", 1_000),
        ("+5s", 5_000_000_000),
        ("1.s", 1_000_000_000),
        ("0.0000000001s", 0),
    ],
)
def test_durations_as_people_write_them(text: str, nanoseconds: int) -> None:
    assert SPECIAL[DURATION].from_json(text) == {"duration": nanoseconds}


@pytest.mark.parametrize(("value", "text"), [(1, "1"), (0.5, "0.5"), ("1Gi", "1Gi")])
def test_quantities_may_be_numbers(value: Any, text: str) -> None:
    assert SPECIAL["quantity.Quantity"].from_json(value) == {"string": text}


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ("meta.v1.Time", {"seconds": -62135596801}),
        ("meta.v1.Time", {"seconds": 253402300800}),
        ("meta.v1.Time", {"seconds": 2**63 - 1}),
        ("meta.v1.MicroTime", {"seconds": 0, "nanos": -1}),
        ("meta.v1.MicroTime", {"seconds": 0, "nanos": 10**9}),
        ("meta.v1.MicroTime", {"seconds": -(2**63), "nanos": 0}),
        ("intstr.IntOrString", {"type": 2}),
    ],
)
def test_fields_that_json_has_no_word_for(message: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ProtobufError):
        SPECIAL[message].to_json(fields)


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ("meta.v1.Time", 1),
        ("meta.v1.Time", "yesterday"),
        ("meta.v1.Time", "2026-01-01T00:00:00"),
        ("meta.v1.Time", "0001-01-01T00:00:00+23:00"),
        ("meta.v1.MicroTime", {}),
        ("meta.v1.MicroTime", "2026-13-01T00:00:00Z"),
        (DURATION, 5),
        (DURATION, ""),
        (DURATION, "5"),
        (DURATION, "5 s"),
        (DURATION, "1" * 1000 + "s"),
        ("quantity.Quantity", True),
        ("quantity.Quantity", ["1"]),
    ],
)
def test_values_that_have_no_message(message: str, value: Any) -> None:
    with pytest.raises(ProtobufError):
        SPECIAL[message].from_json(value)


@given(st.integers(-(2**63), 2**63 - 1))
def test_durations_come_back(nanoseconds: int) -> None:
    special = SPECIAL[DURATION]
    fields = {"duration": nanoseconds}
    assert special.from_json(special.to_json(fields)) == fields


@given(st.integers(-62135596799, 253402300799), st.integers(0, 999_999))
def test_times_come_back(seconds: int, micros: int) -> None:
    fields = {"seconds": seconds, "nanos": micros * 1000}
    assert MICRO.from_json(MICRO.to_json(fields)) == fields
    assert TIME.from_json(TIME.to_json(fields)) == {"seconds": seconds, "nanos": 0}
