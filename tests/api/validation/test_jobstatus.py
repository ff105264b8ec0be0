"""The status of jobs."""

from typing import Any

import pytest

from tests.api.kit import Json, errors, put
from tests.api.validation.test_jobs import job

JOB = job(completionMode="Indexed", completions=5, parallelism=2)
STARTED = put(JOB, "status", {"startTime": "2026-01-01T00:00:00Z", "active": 1})
DONE: Json = {
    "startTime": "2026-01-01T00:00:00Z",
    "completionTime": "2026-01-01T00:01:00Z",
    "succeeded": 5,
    "conditions": [
        {"type": "SuccessCriteriaMet", "status": "True"},
        {"type": "Complete", "status": "True"},
    ],
}
FINISHED = put(JOB, "status", DONE)


def test_a_job_runs_and_ends() -> None:
    assert errors(STARTED, JOB) == []
    assert errors(FINISHED, STARTED) == []


@pytest.mark.parametrize(
    "path, value, expected",
    [
        ("ready", 2, ["status.ready: Invalid value: 2: cannot set more ready pods than active"]),
        ("completedIndexes", "0,2-3", []),
        (
            "completedIndexes",
            "3,1",
            [
                'status.completedIndexes: Invalid value: "3,1": error parsing completedIndexes: '
                "non-increasing order, previous: 3, current: 1"
            ],
        ),
        (
            "failedIndexes",
            "1",
            [
                'status.failedIndexes: Invalid value: "1": cannot set non-null failedIndexes when '
                "backoffLimitPerIndex is null"
            ],
        ),
        (
            "conditions",
            [{"type": "Failed", "status": "True"}],
            [
                "status.conditions: Invalid value: cannot set Failed=True condition without the "
                "FailureTarget=true condition",
                "status.active: Invalid value: 1: active>0 is invalid for finished job",
            ],
        ),
        (
            "completionTime",
            "2026-01-01T00:01:00Z",
            [
                'status.completionTime: Invalid value: "2026-01-01T00:01:00Z": cannot set '
                "completionTime when there is no Complete=True condition"
            ],
        ),
        (
            "startTime",
            "2026-01-02T00:00:00Z",
            [
                'status.startTime: Invalid value: "2026-01-02T00:00:00Z": field is immutable for '
                "unsuspended job once set"
            ],
        ),
        (
            "uncountedTerminatedPods",
            {"succeeded": ["a"], "failed": ["a"]},
            ['status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"'],
        ),
    ],
)
def test_while_it_runs(path: str, value: Any, expected: list[str]) -> None:
    assert errors(put(STARTED, f"status.{path}", value), STARTED) == expected


@pytest.mark.parametrize(
    "path, value, expected",
    [
        (
            "succeeded",
            4,
            "status.succeeded: Invalid value: 4: cannot decrease the succeeded counter",
        ),
        ("conditions", [], "cannot disable the terminal Complete=True condition"),
        ("completionTime", "2026-01-01T00:02:00Z", "field is immutable"),
        ("terminating", 1, "terminating>0 is invalid for finished job"),
    ],
)
def test_when_it_has_ended(path: str, value: Any, expected: str) -> None:
    found = errors(put(FINISHED, f"status.{path}", value), FINISHED)
    assert any(expected in text for text in found)


def test_lists_of_indexes_do_not_overlap() -> None:
    old = job(completionMode="Indexed", completions=9, parallelism=2, backoffLimitPerIndex=1)
    new = put(old, "status", {"completedIndexes": "0-3,5", "failedIndexes": "3-4"})
    assert errors(new, old) == [
        'status.failedIndexes: Invalid value: "3-4": failedIndexes and completedIndexes overlap '
        "at index: 3"
    ]
