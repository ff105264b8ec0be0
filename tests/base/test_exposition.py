"""Tests of metrics as text, read back by Prometheus' own parsers."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import parser
from prometheus_client.openmetrics import parser as open_parser

from argosy.base.exposition import Family, Histogram, render

COUNTER = Family("a_total", "counter", "Counts.", ("x", "y"), {("1", ""): 3, ("2", "z"): 0.5})
GAUGE = Family("b", "gauge", "Shows.", samples={(): 7})
BUCKETS = Histogram("c_seconds", "Takes.", (0.005, 1.0, 1e6), ("x",))
BUCKETS.add(("1",), [1, 2, 0, 4], 9.5)
BUCKETS.add(("1",), [1, 0, 0, 0], 0.25)
EMPTY = Family("d", "gauge", "Nothing.")


def read(body: bytes, *, open_metrics: bool) -> dict[str, Any]:
    text = body.decode()
    if open_metrics:
        families = open_parser.text_string_to_metric_families(text)
    else:
        families = parser.text_string_to_metric_families(text)
    return {family.name: family for family in families}


@pytest.mark.parametrize("open_metrics", [False, True])
def test_both_formats_are_read_back(open_metrics: bool) -> None:
    body = render([COUNTER, GAUGE, BUCKETS, EMPTY], open_metrics=open_metrics)
    found = read(body, open_metrics=open_metrics)
    assert {name: family.type for name, family in found.items()} == {
        "a": "counter",
        "b": "gauge",
        "c_seconds": "histogram",
    }
    assert {tuple(s.labels.values()): s.value for s in found["a"].samples} == COUNTER.samples
    assert found["b"].samples[0].value == 7
    assert found["a"].documentation == "Counts."
    buckets = [s.value for s in found["c_seconds"].samples if s.name == "c_seconds_bucket"]
    assert buckets == [2, 4, 4, 8]
    rest = {s.name: s.value for s in found["c_seconds"].samples if "bucket" not in s.name}
    assert rest == {"c_seconds_sum": 9.75, "c_seconds_count": 8}


def test_bounds_are_written_as_upstream_writes_them() -> None:
    text = render([BUCKETS], open_metrics=False).decode()
    for bound in ("0.005", "1", "1e+06", "+Inf"):
        assert f'c_seconds_bucket{{x="1",le="{bound}"}}' in text
    assert 'le="1.0"' in render([BUCKETS], open_metrics=True).decode()


@settings(max_examples=50)
@given(st.text(max_size=20))
def test_labels_hold_any_text(value: str) -> None:
    clean = value.encode("utf-8", "replace").decode()
    family = Family("a", "gauge", "Shows.", ("x",), {(clean,): 1})
    found = read(render([family], open_metrics=True), open_metrics=True)
    assert found["a"].samples[0].labels == {"x": clean}
