"""What claims, their templates, classes, taint rules and slices may say, and what is allocated."""

from typing import Any

import pytest

from tests.api.kit import GONE, errors, made, put

V1 = "resource.k8s.io/v1"
CLAIM = made(
    V1,
    "ResourceClaim",
    spec={
        "devices": {
            "requests": [
                {
                    "name": "gpu",
                    "exactly": {
                        "deviceClassName": "gpu",
                        "selectors": [{"cel": {"expression": "device.driver == 'a.b'"}}],
                        "tolerations": [{"key": "a.b/t", "operator": "Exists"}],
                    },
                },
                {"name": "all", "exactly": {"deviceClassName": "nic", "allocationMode": "All"}},
                {
                    "name": "some",
                    "firstAvailable": [
                        {"name": "big", "deviceClassName": "gpu", "count": 2},
                        {"name": "small", "deviceClassName": "gpu"},
                    ],
                },
            ],
            "constraints": [{"requests": ["gpu", "some/big"], "matchAttribute": "a.b/numa"}],
            "config": [{"requests": ["gpu"], "opaque": {"driver": "a.b", "parameters": {"x": 1}}}],
        }
    },
)
TEMPLATE = made(V1, "ResourceClaimTemplate", spec={"spec": CLAIM["spec"]})
CLASS = made(V1, "DeviceClass", spec={"extendedResourceName": "a.b/gpu"})
TAINT = {"key": "a.b/bad", "effect": "NoExecute"}
TAINTS = made(V1, "DeviceTaintRule", spec={"deviceSelector": {"driver": "a.b"}, "taint": TAINT})
DEVICE = {
    "name": "gpu-0",
    "attributes": {"a.b/numa": {"int": 0}, "model": {"string": "x"}, "fw": {"version": "1.2.3"}},
    "capacity": {"memory": {"value": "80Gi"}},
    "taints": [TAINT],
}
SLICE = made(
    V1,
    "ResourceSlice",
    spec={
        "driver": "a.b",
        "nodeName": "n",
        "pool": {"name": "n", "generation": 1, "resourceSliceCount": 1},
        "devices": [DEVICE],
    },
)
COUNTERS = put(
    put(SLICE, "spec.devices", GONE),
    "spec.sharedCounters",
    [{"name": "gpu-0", "counters": {"memory": {"value": "80Gi"}}}],
)
SHARED = put(
    put(SLICE, "spec.devices.0.allowMultipleAllocations", True),
    "spec.devices.0.capacity.memory.requestPolicy",
    {"default": "2Gi", "validRange": {"min": "1Gi", "step": "1Gi"}},
)


@pytest.mark.parametrize(
    "obj",
    [
        CLAIM,
        TEMPLATE,
        CLASS,
        TAINTS,
        SLICE,
        COUNTERS,
        SHARED,
        put(CLAIM, "spec", {}),
        put(
            SLICE,
            "spec.devices.0.consumesCounters",
            [{"counterSet": "gpu-0", "counters": {"memory": {"value": "10Gi"}}}],
        ),
    ],
)
def test_what_is_taken(obj: dict[str, Any]) -> None:
    assert errors(obj) == []
    assert errors(obj, obj) == []


def test_selectors_that_are_too_long_together() -> None:
    selectors = [{"cel": {"expression": "x" * 10_000}}] * 3
    words = "Forbidden: selectors may have at most 20000 characters together"
    claim = put(CLAIM, "spec.devices.requests.0.exactly.selectors", selectors)
    assert errors(claim) == [f"spec.devices: {words}"]
    assert errors(put(CLASS, "spec.selectors", selectors)) == [f"spec: {words}"]


NO_REQUEST = (
    "must be the name of a request in the claim or the name of a request and a subrequest "
    "separated by '/'"
)


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (
            "requests.0.exactly.selectors.0.cel.expression",
            "1",
            'requests[0].exactly.selectors[0].cel.expression: Invalid value: "1": must evaluate to '
            "bool or the unknown type, not int",
        ),
        (
            "requests.0.exactly.selectors.0.cel.expression",
            "device.attributes.all(a, " * 4 + "a == ''" + ")" * 4,
            "requests[0].exactly.selectors[0].cel.expression: Forbidden: too complex, exceeds cost "
            "limit",
        ),
        (
            "requests.0",
            {"name": "gpu"},
            "requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required",
        ),
        (
            "requests.2.exactly",
            {"deviceClassName": "a"},
            "requests[2]: Invalid value: null: exactly one of `exactly` or `firstAvailable` is "
            "required, but multiple fields are set",
        ),
        (
            "requests.1.exactly.count",
            2,
            "requests[1].exactly.count: Invalid value: 2: "
            "must not be specified when allocationMode is 'All'",
        ),
        (
            "requests.0.exactly.count",
            -1,
            "requests[0].exactly.count: Invalid value: -1: must be greater than zero",
        ),
        (
            "requests.0.exactly.allocationMode",
            "Any",
            'requests[0].exactly.allocationMode: Unsupported value: "Any": supported values: '
            '"All", "ExactCount"',
        ),
        (
            "requests.0.exactly.deviceClassName",
            "",
            "requests[0].exactly.deviceClassName: Required value",
        ),
        ("requests.1.name", "gpu", 'requests[1]: Duplicate value: "gpu"'),
        (
            "requests.2.firstAvailable.1.name",
            "big",
            'requests[2].firstAvailable[1]: Duplicate value: "big"',
        ),
        (
            "requests.0.exactly.tolerations.0.value",
            "v",
            'requests[0].exactly.tolerations[0].value: Invalid value: "v": '
            "must be empty for operator `Exists`",
        ),
        (
            "requests.0.exactly.selectors.0",
            {},
            "requests[0].exactly.selectors[0].cel: Required value",
        ),
        (
            "constraints.0.requests.0",
            "tpu",
            f'constraints[0].requests[0]: Invalid value: "tpu": {NO_REQUEST}',
        ),
        (
            "constraints.0.matchAttribute",
            "numa",
            'constraints[0].matchAttribute: Invalid value: "numa": '
            "a fully qualified name must be a domain and a name separated by a slash",
        ),
        ("config.0.opaque", GONE, "config[0].opaque: Required value"),
        (
            "config.0.opaque.parameters.x",
            "x" * 10_240,
            "config[0].opaque.parameters: Too long: may not be more than 10240 bytes",
        ),
    ],
)
def test_claims_that_are_refused(path: str, value: Any, error: str) -> None:
    assert errors(put(CLAIM, f"spec.devices.{path}", value)) == [f"spec.devices.{error}"]
    inner = put(TEMPLATE, f"spec.spec.devices.{path}", value)
    assert errors(inner) == [f"spec.spec.devices.{error}"]


def test_a_claim_asks_the_same_for_good() -> None:
    for obj in (CLAIM, TEMPLATE):
        (error,) = errors(put(obj, "spec", {}), obj)
        assert error.startswith("spec: Invalid value: {")
        assert error.endswith("}: field is immutable")


RESULT = {"request": "gpu", "driver": "a.b", "pool": "n", "device": "gpu-0"}
ALLOCATED = put(CLAIM, "status", {"allocation": {"devices": {"results": [RESULT]}}})
USER = {"resource": "pods", "name": "p", "uid": "u"}


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (ALLOCATED, CLAIM),
        (put(ALLOCATED, "status.reservedFor", [USER]), ALLOCATED),
        (
            put(ALLOCATED, "status.devices", [{"driver": "a.b", "pool": "n", "device": "gpu-0"}]),
            ALLOCATED,
        ),
        (CLAIM, ALLOCATED),
    ],
)
def test_allocations_that_are_taken(new: dict[str, Any], old: dict[str, Any]) -> None:
    assert errors(new, old, subresource="status") == []


@pytest.mark.parametrize(
    ("new", "old", "error"),
    [
        (
            put(ALLOCATED, "status.allocation.devices.results.0.request", "tpu"),
            CLAIM,
            f'status.allocation.devices.results[0].request: Invalid value: "tpu": {NO_REQUEST}',
        ),
        (
            put(ALLOCATED, "status.allocation.devices.results.0.pool", ""),
            CLAIM,
            "status.allocation.devices.results[0].pool: Required value",
        ),
        (
            put(CLAIM, "status.reservedFor", [USER]),
            CLAIM,
            "status.reservedFor: Forbidden: may not be specified when `allocated` is not set",
        ),
        (
            put(ALLOCATED, "status.reservedFor", [USER, {**USER, "name": "q"}]),
            ALLOCATED,
            'status.reservedFor[1]: Duplicate value: "u"',
        ),
        (
            put(
                put(ALLOCATED, "status.reservedFor", [USER]),
                "metadata.deletionTimestamp",
                "2026-01-01T00:00:00Z",
            ),
            ALLOCATED,
            "status.reservedFor: Forbidden: new entries may not be added while "
            "`deallocationRequested` or `deletionTimestamp` are set",
        ),
        (
            put(ALLOCATED, "status.devices", [{"driver": "a.b", "pool": "n", "device": "other"}]),
            ALLOCATED,
            'status.devices[0]: Invalid value: "a.b/n/other": '
            "must be an allocated device in the claim",
        ),
        (
            put(
                ALLOCATED,
                "status.devices",
                [
                    {
                        "driver": "a.b",
                        "pool": "n",
                        "device": "gpu-0",
                        "networkData": {"ips": ["10.0.0.1"]},
                    }
                ],
            ),
            ALLOCATED,
            'status.devices[0].networkData.ips[0]: Invalid value: "10.0.0.1": '
            "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)",
        ),
    ],
)
def test_allocations_that_are_refused(new: dict[str, Any], old: dict[str, Any], error: str) -> None:
    assert errors(new, old, subresource="status") == [error]


def test_what_is_allocated_stays_until_it_is_given_back() -> None:
    moved = put(ALLOCATED, "status.allocation.devices.results.0.device", "gpu-1")
    (error,) = errors(moved, ALLOCATED, subresource="status")
    assert error.startswith("status.allocation: Invalid value: {")
    assert error.endswith("}: field is immutable")


@pytest.mark.parametrize(
    ("obj", "path", "value", "error"),
    [
        (
            CLASS,
            "spec.extendedResourceName",
            "gpu",
            'spec.extendedResourceName: Invalid value: "gpu": '
            "must be a valid extended resource name",
        ),
        (CLASS, "spec.selectors", [{}], "spec.selectors[0].cel: Required value"),
        (TAINTS, "spec.taint.effect", "", "spec.taint.effect: Required value"),
        (
            TAINTS,
            "spec.taint.effect",
            "Evict",
            'spec.taint.effect: Unsupported value: "Evict": supported values: "NoExecute", '
            '"NoSchedule", "None"',
        ),
        (TAINTS, "spec.deviceSelector.pool", "", "spec.deviceSelector.pool: Required value"),
        (
            SLICE,
            "spec.nodeName",
            GONE,
            "spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, "
            "`perDeviceNodeSelection` is required",
        ),
        (
            SLICE,
            "spec.allNodes",
            True,
            'spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, '
            "`nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields "
            "are set",
        ),
        (
            SLICE,
            "spec.allNodes",
            False,
            "spec.allNodes: Invalid value: false: must be either unset or set to true",
        ),
        (
            SLICE,
            "spec.pool.resourceSliceCount",
            0,
            "spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero",
        ),
        (
            SLICE,
            "spec.devices",
            [{"name": f"d{i}"} for i in range(129)],
            "spec.devices: Too many: 129: must have at most 128 items",
        ),
        (
            SLICE,
            "spec.devices",
            [{**DEVICE, "name": f"d{i}"} for i in range(65)],
            "spec.devices: Too many: 65: must have at most 64 items",
        ),
        (SLICE, "spec.devices.1", DEVICE, 'spec.devices[1]: Duplicate value: "gpu-0"'),
        (
            SLICE,
            "spec.devices.0.attributes.model",
            {},
            'spec.devices[0].attributes[model]: Invalid value: "": '
            "exactly one value must be specified",
        ),
        (
            SLICE,
            "spec.devices.0.attributes.fw.version",
            "1.2",
            'spec.devices[0].attributes[fw].version: Invalid value: "1.2": '
            "must be a string compatible with semver.org spec 2.0.0",
        ),
        (
            SLICE,
            "spec.devices.0.attributes",
            {f"a{i}": {"bool": True} for i in range(32)},
            "spec.devices[0]: Invalid value: 33: "
            "the total number of attributes and capacities must not exceed 32",
        ),
        (
            SLICE,
            "spec.devices.0.allNodes",
            True,
            "spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can "
            "only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec",
        ),
        (
            SLICE,
            "spec.devices.0.bindingConditions",
            ["ready"],
            "spec.devices[0].bindingFailureConditions: Invalid value: null: "
            "bindingFailureConditions are required to use bindingConditions",
        ),
        (
            SLICE,
            "spec.devices.0.capacity.memory.requestPolicy",
            {},
            "spec.devices[0].capacity[memory].requestPolicy: Forbidden: "
            "allowMultipleAllocations must be true",
        ),
        (
            SLICE,
            "spec.devices.0.taints.0.effect",
            "",
            "spec.devices[0].taints[0].effect: Required value",
        ),
        (
            COUNTERS,
            "spec.devices",
            [],
            'spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed',
        ),
        (
            COUNTERS,
            "spec.sharedCounters.0.counters",
            {},
            "spec.sharedCounters[0].counters: Required value",
        ),
    ],
)
def test_what_is_refused(obj: dict[str, Any], path: str, value: Any, error: str) -> None:
    assert errors(put(obj, path, value)) == [error]


POLICY = "spec.devices[0].capacity[memory].requestPolicy"


@pytest.mark.parametrize(
    ("policy", "error"),
    [
        (
            {"validRange": {"min": "1Gi"}},
            f"{POLICY}.default: Required value: required when validRange is defined",
        ),
        (
            {"default": "1Gi", "validValues": ["1Gi"], "validRange": {"min": "1Gi"}},
            f"{POLICY}: Forbidden: exactly one policy can be specified, cannot specify "
            '"validValues" and "validRange" at the same time',
        ),
        (
            {"default": "3Gi", "validValues": ["1Gi", "2Gi"]},
            f'{POLICY}.validValues: Invalid value: "3Gi": '
            "default value is not valid according to the requestPolicy",
        ),
        (
            {"default": "1Gi", "validValues": ["1Gi", "81Gi"]},
            f'{POLICY}.validValues[1]: Invalid value: "81Gi": '
            "option is larger than capacity value: 80Gi",
        ),
        (
            {"default": "1Gi", "validValues": ["2Gi", "1Gi"]},
            f'{POLICY}.validValues[1]: Invalid value: "1Gi": '
            "values must be sorted in ascending order",
        ),
        (
            {"default": "1Gi", "validRange": {"min": "2Gi"}},
            f'{POLICY}.validRange.min: Invalid value: "1Gi": default is less than min: 2Gi',
        ),
        (
            {"default": "3Gi", "validRange": {"min": "1Gi", "max": "2Gi"}},
            f'{POLICY}.validRange.max: Invalid value: "3Gi": default is more than max: 2Gi',
        ),
        (
            {"default": "2Gi", "validRange": {"min": "1Gi", "step": "3Gi"}},
            f'{POLICY}.validRange.step: Invalid value: "2Gi": '
            "value is not a multiple of a given step (3Gi) from (1Gi)",
        ),
    ],
)
def test_policies_of_shared_devices(policy: dict[str, Any], error: str) -> None:
    path = "spec.devices.0.capacity.memory.requestPolicy"
    assert errors(put(SHARED, path, policy)) == [error]


def test_a_slice_stays_where_it_is() -> None:
    for path, value in (("driver", "c.d"), ("nodeName", "m"), ("pool.name", "p")):
        assert errors(put(SLICE, f"spec.{path}", value), SLICE) == [
            f'spec.{path}: Invalid value: "{value}": field is immutable'
        ]
    assert errors(put(SLICE, "spec.devices", []), SLICE) == []


def test_taints_that_were_there_stay() -> None:
    old = put(SLICE, "spec.devices.0.taints.0.effect", "Odd")
    assert errors(put(old, "spec.pool.generation", 2), old) == []
