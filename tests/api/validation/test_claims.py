"""Claims of storage."""

from typing import Any

import pytest

from argosy.api.validation.claims import FIXED
from tests.api.kit import GONE, errors, made, put

CLAIM = made(
    "v1",
    "PersistentVolumeClaim",
    spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}},
)
BOUND = put(put(CLAIM, "spec.volumeName", "v"), "status", {"phase": "Bound"})


@pytest.mark.parametrize(
    "path, value, expected",
    [
        ("dataSource", {"kind": "PersistentVolumeClaim", "name": "a"}, []),
        ("storageClassName", "", []),
        (
            "accessModes",
            [],
            ["spec.accessModes: Required value: at least 1 access mode is required"],
        ),
        (
            "accessModes",
            ["WriteOnly"],
            [
                'spec.accessModes: Unsupported value: "WriteOnly": supported values: '
                '"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"'
            ],
        ),
        (
            "accessModes",
            ["ReadWriteOncePod", "ReadWriteOnce"],
            ["spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"],
        ),
        ("resources", GONE, ["spec.resources[storage]: Required value"]),
        (
            "resources.requests.storage",
            "0",
            ['spec.resources[storage]: Invalid value: "0": must be greater than zero'],
        ),
        (
            "volumeMode",
            "Tape",
            ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"'],
        ),
        (
            "dataSource",
            {"kind": "Secret", "name": "a"},
            [
                "spec.dataSource: Invalid value: \"Secret\": must be 'PersistentVolumeClaim' when "
                "referencing the default apiGroup",
                "spec.dataSourceRef: Invalid value: \"Secret\": must be 'PersistentVolumeClaim' "
                "when referencing the default apiGroup",
            ],
        ),
        (
            "selector",
            {"matchExpressions": [{"key": "a", "operator": "Is"}]},
            [
                'spec.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid '
                "selector operator"
            ],
        ),
    ],
)
def test_new_claims(path: str, value: Any, expected: list[str]) -> None:
    assert errors(put(CLAIM, f"spec.{path}", value)) == expected


@pytest.mark.parametrize(
    "old, path, value, expected",
    [
        (CLAIM, "spec.volumeName", "v", []),
        (BOUND, "spec.resources.requests.storage", "3Gi", []),
        (CLAIM, "spec.resources.requests.storage", "3Gi", [f"spec: Forbidden: {FIXED}"]),
        (BOUND, "spec.accessModes", ["ReadOnlyMany"], [f"spec: Forbidden: {FIXED}"]),
        (
            put(BOUND, "status.capacity", {"storage": "2Gi"}),
            "spec.resources.requests.storage",
            "1Gi",
            [
                "spec.resources.requests.storage: Forbidden: field can not be less than "
                "status.capacity"
            ],
        ),
        (
            BOUND,
            "spec.volumeMode",
            "Block",
            [
                f"spec: Forbidden: {FIXED}",
                'volumeMode: Invalid value: "Block": field is immutable',
            ],
        ),
        (
            BOUND,
            "status.allocatedResourceStatuses",
            {"storage": "Soon"},
            [
                'status.allocatedResourceStatuses: Unsupported value: "storage": supported '
                'values: "ControllerResizeInProgress", "ControllerResizeInfeasible", '
                '"NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"'
            ],
        ),
    ],
)
def test_changes(old: dict[str, Any], path: str, value: Any, expected: list[str]) -> None:
    assert errors(put(old, path, value), old) == expected
