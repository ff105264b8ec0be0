"""What leases, candidates, stored versions and migrations may say."""

from typing import Any

import pytest

from tests.api.kit import GONE, errors, made, put

LEASE = made("coordination.k8s.io/v1", "Lease", spec={"leaseDurationSeconds": 15})
CANDIDATE = made(
    "coordination.k8s.io/v1beta1",
    "LeaseCandidate",
    "Some_candidate",
    spec={
        "leaseName": "scheduler",
        "binaryVersion": "1.37.0",
        "emulationVersion": "1.36.0",
        "strategy": "OldestEmulationVersion",
    },
)
SERVER = {"apiServerID": "a", "encodingVersion": "apps/v1", "decodableVersions": ["apps/v1"]}
STORED = made(
    "internal.apiserver.k8s.io/v1alpha1", "StorageVersion", "apps.deployments", spec={}, status={}
)
MIGRATION = made(
    "storagemigration.k8s.io/v1beta1",
    "StorageVersionMigration",
    spec={"resource": {"group": "apps", "resource": "deployments"}},
)


@pytest.mark.parametrize(
    "obj",
    [
        LEASE,
        CANDIDATE,
        STORED,
        MIGRATION,
        put(LEASE, "spec", {"strategy": "a.b/mine", "preferredHolder": "x"}),
        put(CANDIDATE, "spec.emulationVersion", "1.37.0-rc.1"),
    ],
)
def test_what_is_taken(obj: dict[str, Any]) -> None:
    assert errors(obj) == []
    assert errors(obj, obj) == []


@pytest.mark.parametrize(
    ("obj", "path", "value", "error"),
    [
        (
            LEASE,
            "spec.leaseDurationSeconds",
            0,
            "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
        ),
        (
            LEASE,
            "spec.leaseTransitions",
            -1,
            "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            LEASE,
            "spec.preferredHolder",
            "a",
            "spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined",
        ),
        (
            LEASE,
            "spec.strategy",
            "Newest",
            'spec.strategy.strategy: Unsupported value: "Newest": supported values: '
            '"OldestEmulationVersion"',
        ),
        (CANDIDATE, "spec.leaseName", "", "spec.leaseName: Required value"),
        (
            CANDIDATE,
            "spec.binaryVersion",
            "1.37",
            'spec.binaryVersion: Invalid value: "1.37": must be a valid semantic version',
        ),
        (
            CANDIDATE,
            "spec.emulationVersion",
            "1.38.0",
            'spec.binaryVersion: Invalid value: "1.37.0": '
            "must be greater than or equal to `emulationVersion`",
        ),
        (
            CANDIDATE,
            "spec.emulationVersion",
            GONE,
            "spec.emulationVersion: Required value: "
            "must be specified when `strategy` is 'OldestEmulationVersion'",
        ),
        (
            STORED,
            "metadata.name",
            "deployments",
            'metadata.name: Invalid value: "deployments": '
            "name must be in the form of <group>.<resource>",
        ),
        (
            MIGRATION,
            "spec.resource.resource",
            "",
            "spec.resource.resource: Required value: resource is required to be set",
        ),
    ],
)
def test_what_is_refused(obj: dict[str, Any], path: str, value: Any, error: str) -> None:
    assert errors(put(obj, path, value)) == [error]


def test_a_candidate_is_for_one_lease() -> None:
    assert errors(put(CANDIDATE, "spec.leaseName", "b"), CANDIDATE) == [
        'spec.leaseName: Invalid value: "b": field is immutable'
    ]


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ({"storageVersions": [SERVER], "commonEncodingVersion": "apps/v1"}, []),
        (
            {"storageVersions": [SERVER]},
            [
                "status.commonEncodingVersion: Invalid value: null: "
                "the common encoding version is apps/v1"
            ],
        ),
        (
            {"storageVersions": [SERVER, {**SERVER, "apiServerID": "b", "encodingVersion": "v1"}]},
            [
                'status.storageVersions[1].decodableVersions: Invalid value: ["apps/v1"]: '
                "decodableVersions must include encodingVersion v1"
            ],
        ),
        (
            {"storageVersions": [SERVER, SERVER], "commonEncodingVersion": "apps/v1"},
            ['status.storageVersions[1].apiServerID: Duplicate value: "a"'],
        ),
        (
            {"commonEncodingVersion": "v1"},
            [
                'status.commonEncodingVersion: Invalid value: "v1": should be nil if servers do '
                "not agree on the same encoding version, or if there is no server reporting the "
                "supported versions yet"
            ],
        ),
        (
            {
                "storageVersions": [{**SERVER, "servedVersions": ["apps/v2"]}],
                "commonEncodingVersion": "apps/v1",
            },
            [
                'status.storageVersions[0].servedVersions[0]: Invalid value: "apps/v2": individual '
                "served version : apps/v2 must be included in decodableVersions : [apps/v1]"
            ],
        ),
    ],
)
def test_servers_agree_on_a_version(status: dict[str, Any], found: list[str]) -> None:
    assert errors(put(STORED, "status", status), STORED, subresource="status") == found


def outcome(kind: str, status: str = "True") -> dict[str, Any]:
    return {
        "conditions": [
            {
                "type": kind,
                "status": status,
                "reason": "Done",
                "message": "",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ]
    }


def test_a_migration_ends_once() -> None:
    done = put(MIGRATION, "status", outcome("Succeeded"))
    assert errors(done, MIGRATION, subresource="status") == []
    undone = put(MIGRATION, "status", outcome("Succeeded", "False"))
    (error,) = errors(undone, done, subresource="status")
    assert error.endswith(": Success condition cannot be set to false once it is true")
    both = [*outcome("Succeeded")["conditions"], *outcome("Failed")["conditions"]]
    (error,) = errors(put(MIGRATION, "status.conditions", both), MIGRATION, subresource="status")
    assert error.endswith(": Both success and failed conditions cannot be true at the same time")


def test_a_migration_starts_from_one_version() -> None:
    begun = put(MIGRATION, "status.resourceVersion", "7")
    assert errors(put(begun, "status.resourceVersion", "8"), begun, subresource="status") == [
        'status.resourceVersion: Invalid value: "8": field is immutable'
    ]
    wrong = put(MIGRATION, "status.resourceVersion", "07")
    assert errors(wrong, MIGRATION, subresource="status") == [
        'status.resourceVersion: Invalid value: "07": resource version is not well formed: 07'
    ]
