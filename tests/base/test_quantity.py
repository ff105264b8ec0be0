"""Quantities, exactly as Kubernetes reads them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.base import quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("1", "1"),
        ("+1", "1"),
        ("-1", "-1"),
        ("1.", "1"),
        (".5", "0.5"),
        ("1.5", "1.5"),
        ("007", "7"),
        ("500m", "0.5"),
        ("1u", "0.000001"),
        ("1n", "0.000000001"),
        ("1k", "1000"),
        ("2M", "2000000"),
        ("1G", "1000000000"),
        ("1T", "1000000000000"),
        ("1P", "1000000000000000"),
        ("1E", "1000000000000000000"),
        ("1Ki", "1024"),
        ("1.5Mi", "1572864"),
        ("2Gi", "2147483648"),
        ("1Ei", "1152921504606846976"),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("1e-3", "0.001"),
        ("12e+2", "1200"),
        (5, "5"),
        (0.25, "0.25"),
        (1e-7, "0.0000001"),
    ],
)
def test_quantities_that_are_read(text: str | int | float, value: str) -> None:
    assert quantity.parse(text) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1 ",
        " 1",
        "a",
        "1K",
        "1ki",
        "1mi",
        "1mm",
        "1e",
        "1e1.5",
        "--1",
        "1,5",
        "1Gib",
        ".",
        "+",
        "١",
        "0x10",
        "1e3k",
        "nan",
        "inf",
        "1\n",
        "1" * 65,
        True,
        None,
    ],
)
def test_quantities_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        quantity.parse(text)


@pytest.mark.parametrize(
    ("text", "whole", "milli"),
    [
        ("1", 1, 1000),
        ("500m", 1, 500),
        ("1.0001", 2, 1001),
        ("0", 0, 0),
        ("-500m", 0, -500),
        ("1u", 1, 1),
        ("1Ki", 1024, 1024000),
    ],
)
def test_parts_are_rounded_up(text: str, whole: int, milli: int) -> None:
    assert quantity.whole(text) == whole
    assert quantity.milli(text) == milli


@given(st.integers(0, 2**62))
def test_bytes_are_written_and_read(amount: int) -> None:
    assert quantity.parse(quantity.binary(amount)) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0"),
        (1, "1"),
        (1023, "1023"),
        (1024, "1Ki"),
        (1536, "1536"),
        (3 * 2**30, "3Gi"),
        (2**60, "1Ei"),
    ],
)
def test_bytes_are_short(amount: int, text: str) -> None:
    assert quantity.binary(amount) == text


@given(st.decimals(min_value=0, max_value=10**9, places=3, allow_nan=False))
def test_thousandths_are_written_and_read(value: Decimal) -> None:
    assert quantity.parse(quantity.decimal(value)) == value


@given(st.integers(-(10**12), 10**12), st.sampled_from(["", "m", "k", "Ki", "Mi", "Gi"]))
def test_order_is_that_of_numbers(number: int, suffix: str) -> None:
    assert quantity.parse(f"{number}{suffix}") < quantity.parse(f"{number + 1}{suffix}")
