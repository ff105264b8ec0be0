"""What classes of storage, drivers, attachments and capacities may say."""

from typing import Any

import pytest

from tests.api.kit import errors, made, put

V1 = "storage.k8s.io/v1"
CLASS = made(V1, "StorageClass", provisioner="example.com/P", parameters={"type": "fast"})
DRIVER = made(V1, "CSIDriver", spec={"tokenRequests": [{"audience": "a"}]})
NODE = made(
    V1,
    "CSINode",
    spec={"drivers": [{"name": "a.b", "nodeID": "n", "topologyKeys": ["a.b/zone"]}]},
)
CAPACITY = made(V1, "CSIStorageCapacity", storageClassName="fast", capacity="1Gi")
ATTACHMENT = made(
    V1,
    "VolumeAttachment",
    spec={"attacher": "a.b", "nodeName": "n", "source": {"persistentVolumeName": "v"}},
)
ATTRIBUTES = made(V1, "VolumeAttributesClass", driverName="a.b", parameters={"iops": "1"})


@pytest.mark.parametrize("obj", [CLASS, DRIVER, NODE, CAPACITY, ATTACHMENT, ATTRIBUTES])
def test_what_is_taken(obj: dict[str, Any]) -> None:
    assert errors(obj) == []
    assert errors(obj, obj) == []


ZONE = {"key": "zone", "values": ["a"]}


@pytest.mark.parametrize(
    ("obj", "path", "value", "error"),
    [
        (CLASS, "provisioner", "", "provisioner: Required value"),
        (
            CLASS,
            "reclaimPolicy",
            "Recycle",
            'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
        ),
        (
            CLASS,
            "volumeBindingMode",
            "Late",
            'volumeBindingMode: Unsupported value: "Late": supported values: "Immediate", '
            '"WaitForFirstConsumer"',
        ),
        (CLASS, "parameters", {"": "a"}, 'parameters: Invalid value: "": field can not be empty.'),
        (
            CLASS,
            "parameters",
            {"a": "x" * 262_144},
            "parameters: Too long: may not be more than 262144 bytes",
        ),
        (
            CLASS,
            "allowedTopologies",
            [{"matchLabelExpressions": [ZONE]}, {"matchLabelExpressions": [ZONE]}],
            'allowedTopologies[1].matchLabelExpressions: Duplicate value: ""',
        ),
        (
            CLASS,
            "allowedTopologies",
            [{"matchLabelExpressions": [{"key": "zone", "values": []}]}],
            "allowedTopologies[0].matchLabelExpressions[0].values: Required value",
        ),
        (
            DRIVER,
            "spec.fsGroupPolicy",
            "Some",
            'spec.fsGroupPolicy: Unsupported value: "Some": supported values: "File", "None", '
            '"ReadWriteOnceWithFSType"',
        ),
        (
            DRIVER,
            "spec.volumeLifecycleModes",
            ["Brief"],
            'spec.volumeLifecycleModes: Unsupported value: "Brief": supported values: '
            '"Persistent", "Ephemeral"',
        ),
        (
            DRIVER,
            "spec.tokenRequests.0.expirationSeconds",
            60,
            "spec.tokenRequests[0].expirationSeconds: Invalid value: 60: "
            "may not specify a duration less than 10 minutes",
        ),
        (
            DRIVER,
            "spec.tokenRequests",
            [{"audience": "a"}, {"audience": "a"}],
            'spec.tokenRequests[1].audience: Duplicate value: "a"',
        ),
        (
            DRIVER,
            "spec.nodeAllocatableUpdatePeriodSeconds",
            9,
            "spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: "
            "must be greater than or equal to 10 seconds",
        ),
        (
            DRIVER,
            "spec",
            {"serviceAccountTokenInSecrets": True},
            "spec.serviceAccountTokenInSecrets: Invalid value: true: "
            "serviceAccountTokenInSecrets is set but no tokenRequests are specified",
        ),
        (NODE, "spec.drivers.0.nodeID", "", "spec.drivers[0].nodeID: Required value"),
        (
            NODE,
            "spec.drivers.1",
            {"name": "a.b", "nodeID": "m"},
            'spec.drivers[1].name: Duplicate value: "a.b"',
        ),
        (
            NODE,
            "spec.drivers.0.topologyKeys.1",
            "a.b/zone",
            'spec.drivers[0]: Duplicate value: "a.b/zone"',
        ),
        (
            NODE,
            "spec.drivers.0.allocatable",
            {"count": -1},
            "spec.drivers[0].allocatable.count: Invalid value: -1: "
            "must be greater than or equal to 0",
        ),
        (
            CAPACITY,
            "capacity",
            "-1",
            'capacity: Invalid value: "-1": must be greater than or equal to 0',
        ),
        (
            ATTACHMENT,
            "spec.source",
            {},
            "spec.source: Required value: "
            "must specify exactly one of inlineVolumeSpec and persistentVolumeName",
        ),
        (ATTACHMENT, "spec.attacher", "", "spec.attacher: Required value"),
        (
            ATTRIBUTES,
            "parameters",
            {},
            "parameters: Required value: must contain at least one key/value pair",
        ),
    ],
)
def test_what_is_refused(obj: dict[str, Any], path: str, value: Any, error: str) -> None:
    assert errors(put(obj, path, value)) == [error]


@pytest.mark.parametrize(
    ("obj", "path", "value", "error"),
    [
        (CLASS, "provisioner", "c", 'provisioner: Invalid value: "c": field is immutable'),
        (CLASS, "parameters", {}, "parameters: Invalid value: {}: field is immutable"),
        (
            CLASS,
            "reclaimPolicy",
            "Retain",
            'reclaimPolicy: Invalid value: "Retain": field is immutable',
        ),
        (
            DRIVER,
            "spec.attachRequired",
            False,
            "spec.attachedRequired: Invalid value: false: field is immutable",
        ),
        (
            NODE,
            "spec.drivers.0.nodeID",
            "m",
            'spec.drivers: Invalid value: {"name":"a.b","nodeID":"m","topologyKeys":["a.b/zone"],'
            '"allocatable":null}: field is immutable',
        ),
        (
            CAPACITY,
            "storageClassName",
            "slow",
            'storageClassName: Invalid value: "slow": field is immutable',
        ),
        (
            ATTRIBUTES,
            "driverName",
            "c.d",
            "driverName: Forbidden: updates to driverName are forbidden.",
        ),
        (
            ATTRIBUTES,
            "parameters",
            {"iops": "2"},
            "parameters: Forbidden: updates to parameters are forbidden.",
        ),
    ],
)
def test_what_stays(obj: dict[str, Any], path: str, value: Any, error: str) -> None:
    assert errors(put(obj, path, value), obj) == [error]


def test_what_may_change() -> None:
    assert errors(put(CLASS, "allowVolumeExpansion", True), CLASS) == []
    assert errors(put(NODE, "spec.drivers.0.allocatable", {"count": 3}), NODE) == []
    assert errors(put(CAPACITY, "capacity", "2Gi"), CAPACITY) == []
    attached = put(ATTACHMENT, "status", {"attached": True})
    assert errors(attached, ATTACHMENT, subresource="status") == []


def test_an_attachment_is_of_one_volume_for_good() -> None:
    (error,) = errors(put(ATTACHMENT, "spec.nodeName", "m"), ATTACHMENT)
    assert error.startswith("spec: Invalid value: ")
    assert error.endswith(": field is immutable")


def test_a_failure_is_told_shortly() -> None:
    failed = put(ATTACHMENT, "status", {"attached": False, "attachError": {"message": "x" * 1025}})
    assert errors(failed, ATTACHMENT, subresource="status") == [
        "status.attachError.message: Too long: may not be more than 262144 bytes"
    ]
