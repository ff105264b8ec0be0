"""Tests of table cells in general, of events, and of spans of time."""

from typing import Any

import pytest

from argosy.api.columns.cells import cells
from argosy.api.columns.text import age, duration
from argosy.api.kinds import RESOURCES
from argosy.api.resource import AGE, Column
from tests.api.columns.kit import HOUR_AGO, NOW, row

Json = dict[str, Any]
EVENT: Json = {
    "type": "Warning",
    "reason": "Failed",
    "message": " it broke\n",
    "involvedObject": {"kind": "Pod", "name": "web", "fieldPath": "spec.x"},
    "source": {"component": "node", "host": "here"},
    "firstTimestamp": "2026-11-21T10:00:00Z",
    "lastTimestamp": HOUR_AGO,
    "count": 3,
}
NEW_EVENT: Json = {
    "type": "Warning",
    "reason": "Failed",
    "note": "it broke",
    "regarding": EVENT["involvedObject"],
    "deprecatedSource": EVENT["source"],
    "deprecatedFirstTimestamp": EVENT["firstTimestamp"],
    "deprecatedLastTimestamp": EVENT["lastTimestamp"],
    "deprecatedCount": 3,
}


@pytest.mark.parametrize("event", [EVENT, NEW_EVENT], ids=["core", "events.k8s.io"])
def test_events_look_alike_in_both_groups(event: Json) -> None:
    assert row("Event", event) == {
        "Last Seen": "60m",
        "Type": "Warning",
        "Reason": "Failed",
        "Object": "pod/web",
        "Subobject": "spec.x",
        "Source": "node, here",
        "Message": "it broke",
        "First Seen": "120m",
        "Count": "3",
        "Name": "it",
    }


def test_an_event_series_counts_more_than_the_first_event() -> None:
    series = {"count": 9, "lastObservedTime": "2026-11-21T11:59:00.000000Z"}
    shown = row("Event", {"series": series, "eventTime": HOUR_AGO, "reportingComponent": "node"})
    assert (shown["Last Seen"], shown["Count"], shown["First Seen"]) == ("60s", "9", "60m")
    assert (shown["Source"], shown["Object"]) == ("node", "")


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.api_version)
def test_an_object_that_says_nothing_has_a_row(resource: Any) -> None:
    shown = cells(resource.columns, {"metadata": {"name": "it"}}, NOW)
    assert all(isinstance(cell, str | int) for cell in shown), shown
    assert shown[[column.name for column in resource.columns].index("Name")] == "it"


def test_a_column_without_words_for_nothing() -> None:
    columns = (Column("A", "spec.a"), Column("B", "spec.b", "integer"), AGE)
    assert cells(columns, {"metadata": {}, "spec": {"a": ""}}, NOW) == ["<none>", None, "<unknown>"]
    assert cells(columns, {"metadata": {}, "spec": {"a": 0.5}}, NOW)[0] == "0.5"


@pytest.mark.parametrize(
    "seconds, shown",
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (121, "2m1s"),
        (600, "10m"),
        (3 * 3600 - 1, "179m"),
        (3 * 3600 + 60, "3h1m"),
        (8 * 3600, "8h"),
        (48 * 3600, "2d"),
        (49 * 3600, "2d1h"),
        (8 * 86400, "8d"),
        (730 * 86400, "2y"),
        (731 * 86400, "2y1d"),
        (8 * 365 * 86400 + 86400, "8y"),
    ],
)
def test_spans_of_time_are_short(seconds: int, shown: str) -> None:
    assert duration(seconds) == shown


def test_ages_are_never_negative_and_never_fail() -> None:
    assert age("2026-11-21T12:00:09Z", NOW) == "0s"
    assert age("yesterday", NOW) == "<unknown>"
