"""Persistent volumes."""

from typing import Any

import pytest

from tests.api.kit import GONE, errors, made, put

VOLUME = made(
    "v1",
    "PersistentVolume",
    spec={
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
        "hostPath": {"path": "/data"},
    },
)
CSI = put(put(VOLUME, "spec.hostPath", GONE), "spec.csi", {"driver": "a.b", "volumeHandle": "h"})
AFFINITY: dict[str, Any] = {"required": {"nodeSelectorTerms": [{}]}}


@pytest.mark.parametrize(
    "obj, path, value, expected",
    [
        (VOLUME, "nodeAffinity", AFFINITY, []),
        (CSI, "volumeAttributesClassName", "fast", []),
        (VOLUME, "accessModes", [], ["spec.accessModes: Required value"]),
        (
            VOLUME,
            "capacity",
            {"cpu": "1"},
            [
                'spec.capacity: Unsupported value: {"cpu":"1"}: supported values: "storage"',
            ],
        ),
        (
            VOLUME,
            "capacity.storage",
            "0",
            ['spec.capacity[storage]: Invalid value: "0": must be greater than zero'],
        ),
        (VOLUME, "hostPath", GONE, ["spec: Required value: must specify a volume type"]),
        (
            VOLUME,
            "nfs",
            {"server": "s", "path": "/"},
            ["spec.nfs: Forbidden: may not specify more than 1 volume type"],
        ),
        (
            VOLUME,
            "persistentVolumeReclaimPolicy",
            "Keep",
            [
                'spec.persistentVolumeReclaimPolicy: Unsupported value: "Keep": supported values: '
                '"Delete", "Recycle", "Retain"'
            ],
        ),
        (
            VOLUME,
            "nodeAffinity",
            {},
            ["spec.nodeAffinity.required: Required value: must specify required node constraints"],
        ),
        (
            put(VOLUME, "spec.hostPath", GONE),
            "local",
            {"path": "/x"},
            ["spec.nodeAffinity: Required value: Local volume requires node affinity"],
        ),
        (
            VOLUME,
            "volumeAttributesClassName",
            "fast",
            ["spec.csi: Required value: has to be specified when using volumeAttributesClassName"],
        ),
        (
            CSI,
            "csi.nodePublishSecretRef",
            {"name": "s"},
            ["spec.csi.nodePublishSecretRef.namespace: Required value"],
        ),
    ],
)
def test_new_volumes(obj: dict[str, Any], path: str, value: Any, expected: list[str]) -> None:
    assert errors(put(obj, f"spec.{path}", value)) == expected


@pytest.mark.parametrize(
    "old, path, value, expected",
    [
        (VOLUME, "claimRef", {"name": "c", "namespace": "default"}, []),
        (VOLUME, "persistentVolumeReclaimPolicy", "Delete", []),
        (CSI, "csi.controllerExpandSecretRef", {"name": "s", "namespace": "n"}, []),
        (
            VOLUME,
            "hostPath.path",
            "/other",
            [
                "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable "
                "after creation"
            ],
        ),
        (VOLUME, "volumeMode", "Block", ['volumeMode: Invalid value: "Block": field is immutable']),
        (
            put(CSI, "spec.volumeAttributesClassName", "fast"),
            "volumeAttributesClassName",
            GONE,
            [
                "spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is "
                "forbidden"
            ],
        ),
    ],
)
def test_changes(old: dict[str, Any], path: str, value: Any, expected: list[str]) -> None:
    assert errors(put(old, f"spec.{path}", value), old) == expected
