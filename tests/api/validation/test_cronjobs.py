"""Cron jobs."""

from typing import Any

import pytest

from tests.api.kit import GONE, errors, made, put

TEMPLATE = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "python"}]}}
CRON = made(
    "batch/v1",
    "CronJob",
    spec={"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": TEMPLATE}}},
)


@pytest.mark.parametrize(
    "path, value, expected",
    [
        ("schedule", "@daily", []),
        ("timeZone", "Etc/UTC", []),
        ("schedule", "", ["spec.schedule: Required value"]),
        (
            "schedule",
            "* * *",
            ['spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]'],
        ),
        (
            "schedule",
            "TZ=UTC * * * * *",
            [
                'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in '
                "schedule, use timeZone field instead"
            ],
        ),
        (
            "timeZone",
            "",
            ['spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string'],
        ),
        (
            "timeZone",
            "Mars/Base",
            ['spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base'],
        ),
        (
            "concurrencyPolicy",
            "Maybe",
            [
                'spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", '
                '"Forbid", "Replace"'
            ],
        ),
        (
            "startingDeadlineSeconds",
            -1,
            ["spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0"],
        ),
        (
            "jobTemplate.spec.manualSelector",
            True,
            [
                "spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "
                '"nil", "false"'
            ],
        ),
        (
            "jobTemplate.spec.template.spec.restartPolicy",
            GONE,
            [
                "spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "
                '"OnFailure", "Never"'
            ],
        ),
    ],
)
def test_cron_jobs(path: str, value: Any, expected: list[str]) -> None:
    assert errors(put(CRON, f"spec.{path}", value)) == expected


def test_the_name_of_a_cron_job_leaves_room_for_those_of_its_jobs() -> None:
    assert errors(put(CRON, "metadata.name", "a" * 52)) == []
    assert errors(put(CRON, "metadata.name", "a" * 53)) == [
        f'metadata.name: Invalid value: "{"a" * 53}": must be no more than 52 characters'
    ]
