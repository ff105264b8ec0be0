"""From objects to bytes, as Go writes them."""

import struct
from typing import Any

import pytest

from argosy.api.protobuf.encoder import Encoders
from argosy.api.protobuf.table import load
from argosy.api.protobuf.wire import ProtobufError
from tests.api.protobuf.wiremade import chunk, number

ENCODERS = Encoders(load())


def encoded(message: str, obj: Any, depth: int = 100) -> bytes:
    out = bytearray()
    ENCODERS[message](out, obj, depth)
    return bytes(out)


CASES: dict[str, tuple[str, dict[str, Any], bytes]] = {
    "nothing": ("core.v1.Pod", {}, b""),
    "null": ("core.v1.Pod", {"spec": None}, b""),
    "an empty message": ("core.v1.Pod", {"status": {}}, chunk(3, b"")),
    "a long message": (
        "core.v1.Pod",
        {"spec": {"nodeName": "n" * 200}},
        chunk(2, chunk(10, "n" * 200)),
    ),
    "unknown keys": ("core.v1.Pod", {"apiVersion": "v1", "kind": "Pod", "x": object()}, b""),
    "rising numbers": (
        "core.v1.PodSpec",
        {"schedulerName": "s", "nodeName": "n", "hostNetwork": False, "priority": -1},
        chunk(10, "n") + number(11, 0) + chunk(19, "s") + number(25, -1),
    ),
    "a double": (
        "apiextensions.v1.JSONSchemaProps",
        {"maximum": 2},
        b"\x49" + struct.pack("<d", 2.0),
    ),
    "lists": (
        "core.v1.Container",
        {"args": ["", "b"], "ports": [{"containerPort": 1}, {}]},
        chunk(4, "") + chunk(4, "b") + chunk(6, number(3, 1)) + chunk(6, b""),
    ),
    "numbers one by one": (
        "core.v1.PodSecurityContext",
        {"supplementalGroups": [1, -2]},
        number(4, 1) + number(4, -2),
    ),
    "nulls in lists": (
        "core.v1.Container",
        {"args": [None], "ports": [None]},
        chunk(4, "") + chunk(6, b""),
    ),
    "maps by sorted keys": (
        "core.v1.ConfigMap",
        {"data": {"b": "2", "a": "1"}},
        chunk(2, chunk(1, "a") + chunk(2, "1")) + chunk(2, chunk(1, "b") + chunk(2, "2")),
    ),
    "nulls in maps": (
        "core.v1.ResourceRequirements",
        {"requests": {"cpu": None}},
        chunk(2, chunk(1, "cpu") + chunk(2, b"")),
    ),
    "an inline message, first": (
        "core.v1.Probe",
        {"httpGet": {"port": 80}, "periodSeconds": 5},
        chunk(1, chunk(2, chunk(2, number(1, 0) + number(2, 80) + chunk(3, "")))) + number(4, 5),
    ),
    "an inline message, last": (
        "core.v1.Volume",
        {"name": "v", "emptyDir": {}},
        chunk(1, "v") + chunk(2, chunk(2, b"")),
    ),
    "quantities": (
        "core.v1.ResourceRequirements",
        {"limits": {"cpu": "1", "memory": 1}},
        chunk(1, chunk(1, "cpu") + chunk(2, chunk(1, "1")))
        + chunk(1, chunk(1, "memory") + chunk(2, chunk(1, "1"))),
    ),
    "times": (
        "core.v1.PodCondition",
        {"lastProbeTime": None, "lastTransitionTime": "1970-01-01T00:00:05Z"},
        chunk(4, number(1, 5) + number(2, 0)),
    ),
    "JSON": (
        "meta.v1.ManagedFieldsEntry",
        {"fieldsV1": {"f:a": {}}},
        chunk(7, chunk(1, b'{"f:a":{}}')),
    ),
    "a schema or a boolean": (
        "apiextensions.v1.JSONSchemaProps",
        {"additionalProperties": False},
        chunk(30, number(1, 0)),
    ),
}


@pytest.mark.parametrize(("message", "obj", "expected"), CASES.values(), ids=CASES)
def test_fields(message: str, obj: dict[str, Any], expected: bytes) -> None:
    assert encoded(message, obj) == expected


@pytest.mark.parametrize(
    ("message", "obj"),
    [
        ("core.v1.Pod", []),
        ("core.v1.Volume", "v"),
        ("core.v1.Pod", {"spec": []}),
        ("core.v1.Pod", {"spec": {"containers": {}}}),
        ("core.v1.Pod", {"spec": {"containers": ["c"]}}),
        ("core.v1.Pod", {"spec": {"nodeName": 5}}),
        ("core.v1.ConfigMap", {"data": ["a"]}),
        ("core.v1.ConfigMap", {"data": {"a": 1}}),
        ("core.v1.ConfigMap", {"data": {1: "a", 2: "b"}}),
        ("core.v1.ServicePort", {"targetPort": {}}),
        ("core.v1.ServicePort", {"targetPort": True}),
        ("core.v1.ServicePort", {"targetPort": 2**31}),
        ("meta.v1.ObjectMeta", {"creationTimestamp": "today"}),
        ("core.v1.ResourceRequirements", {"limits": {"cpu": True}}),
        ("authorization.v1.SubjectAccessReviewSpec", {"extra": {"a": "b"}}),
    ],
)
def test_objects_of_another_form_are_refused(message: str, obj: Any) -> None:
    with pytest.raises(ProtobufError):
        encoded(message, obj)


def test_a_boolean_is_not_taken_for_the_number_remembered() -> None:
    assert encoded("core.v1.ServicePort", {"targetPort": 1})
    with pytest.raises(ProtobufError):
        encoded("core.v1.ServicePort", {"targetPort": True})


def test_nesting_is_bounded() -> None:
    schema: dict[str, Any] = {}
    for _ in range(100):
        schema = {"properties": {"a": schema}}
    assert encoded("apiextensions.v1.JSONSchemaProps", schema)
    with pytest.raises(ProtobufError, match="nested too deeply"):
        encoded("apiextensions.v1.JSONSchemaProps", {"not": schema})
