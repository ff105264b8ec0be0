"""Limits and quotas."""

from typing import Any

import pytest

from tests.api.kit import errors, made, put

QUOTA = made("v1", "ResourceQuota", spec={"hard": {"pods": "10", "requests.cpu": "4"}})
L = "spec.limits[0]"


def limits(**limit: Any) -> list[str]:
    return errors(made("v1", "LimitRange", spec={"limits": [limit]}))


@pytest.mark.parametrize(
    "limit, expected",
    [
        ({"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "1"}}, []),
        ({"type": "Pod", "maxLimitRequestRatio": {"cpu": "2"}}, []),
        ({"type": "example.com/x", "max": {"example.com/gpu": "1"}}, []),
        (
            {"type": "Room"},
            [f'{L}.type: Invalid value: "Room": must be a standard limit type or fully qualified'],
        ),
        (
            {"type": "Pod", "default": {"cpu": "1"}},
            [f"{L}.default: Forbidden: may not be specified when `type` is 'Pod'"],
        ),
        (
            {"type": "PersistentVolumeClaim"},
            [
                f"{L}.limits: Required value: either minimum or maximum storage value is "
                "required, but neither was provided"
            ],
        ),
        (
            {"type": "Pod", "max": {"cpu": "1"}, "min": {"cpu": "2"}},
            [f'{L}.min[cpu]: Invalid value: "2": min value 2 is greater than max value 1'],
        ),
        (
            {"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "2"}},
            [
                f'{L}.defaultRequest[cpu]: Invalid value: "2": default request value 2 is '
                "greater than default limit value 1"
            ],
        ),
        (
            {"type": "Pod", "maxLimitRequestRatio": {"cpu": "500m"}},
            [f'{L}.maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1'],
        ),
        (
            {"type": "Container", "max": {"pods": "1"}},
            [
                f'{L}.{part}[pods]: Invalid value: "pods": must be a standard resource for '
                "containers"
                for part in ("max", "default", "defaultRequest")
            ],
        ),
    ],
)
def test_limits(limit: dict[str, Any], expected: list[str]) -> None:
    assert limits(**limit) == expected


def test_each_type_is_limited_once() -> None:
    twice = made("v1", "LimitRange", spec={"limits": [{"type": "Pod"}, {"type": "Pod"}]})
    assert errors(twice) == ['spec.limits[1].type: Duplicate value: "Pod"']


@pytest.mark.parametrize(
    "path, value, expected",
    [
        ("scopes", ["NotTerminating"], []),
        ("hard", {"count/jobs.batch": "5", "requests.example.com/gpu": "1"}, []),
        (
            "hard",
            {"rooms": "1"},
            [
                'spec.hard[rooms]: Invalid value: "rooms": must be a standard resource type or '
                "fully qualified",
                'spec.hard[rooms]: Invalid value: "rooms": must be a standard resource for quota',
            ],
        ),
        (
            "hard",
            {"pods": "1500m"},
            ['spec.hard[pods]: Invalid value: "1500m": must be an integer'],
        ),
        ("scopes", ["Odd"], ['spec.scopes: Invalid value: ["Odd"]: unsupported scope']),
        (
            "scopes",
            ["BestEffort"],
            ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
        ),
        (
            "scopes",
            ["Terminating", "NotTerminating"],
            ['spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes'],
        ),
        (
            "scopeSelector",
            {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In"}]},
            [
                "spec.scopeSelector.matchExpressions.values: Required value: must be at least one "
                "value when `operator` is 'In' or 'NotIn' for scope selector"
            ],
        ),
    ],
)
def test_quotas(path: str, value: Any, expected: list[str]) -> None:
    assert errors(put(QUOTA, f"spec.{path}", value)) == expected


def test_scopes_stay() -> None:
    assert errors(put(QUOTA, "spec.scopes", ["NotTerminating"]), QUOTA) == [
        'spec.scopes: Invalid value: ["NotTerminating"]: field is immutable'
    ]


def test_what_is_used_is_counted() -> None:
    assert errors(put(QUOTA, "status", {"used": {"pods": "-1"}}), QUOTA) == [
        'status.used[pods]: Invalid value: "-1": must be greater than or equal to 0'
    ]
