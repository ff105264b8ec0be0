"""From bytes to objects: what each form of a field becomes, and what is refused."""

import struct
from typing import Any

import pytest

from argosy.api.protobuf.decoder import Decoders
from argosy.api.protobuf.table import load
from argosy.api.protobuf.wire import ProtobufError
from tests.api.protobuf.wiremade import chunk, number, varint

DECODERS = Decoders(load())


def decoded(message: str, raw: bytes, depth: int = 100) -> dict[str, Any]:
    out: dict[str, Any] = {}
    unknown: list[str] = []
    DECODERS[message](raw, out, depth, unknown)
    assert unknown == []
    return out


REQUESTS = chunk(2, chunk(1, "cpu") + chunk(2, chunk(1, "1")))
CASES: dict[str, tuple[str, bytes, dict[str, Any]]] = {
    "nothing": ("core.v1.Pod", b"", {}),
    "an empty message": ("core.v1.Pod", chunk(3, b""), {"status": {}}),
    "a long string": ("core.v1.HTTPGetAction", chunk(1, "x" * 400), {"path": "x" * 400}),
    "a tag of two bytes": ("core.v1.PodSpec", chunk(19, "mine"), {"schedulerName": "mine"}),
    "a number": ("core.v1.ContainerPort", number(3, 8080), {"containerPort": 8080}),
    "a negative number": ("core.v1.PodSpec", number(25, -5), {"priority": -5}),
    "a boolean": ("core.v1.PodSpec", number(11, 1), {"hostNetwork": True}),
    "a double": (
        "apiextensions.v1.JSONSchemaProps",
        b"\x49" + struct.pack("<d", 1.5),
        {"maximum": 1.5},
    ),
    "bytes": (
        "admissionregistration.v1.WebhookClientConfig",
        chunk(2, b"\0"),
        {"caBundle": "AA=="},
    ),
    "strings": ("core.v1.Container", chunk(4, "") + chunk(4, "b"), {"args": ["", "b"]}),
    "messages": (
        "core.v1.PodStatus",
        chunk(16, chunk(1, "::1")) + chunk(16, b""),
        {"hostIPs": [{"ip": "::1"}, {}]},
    ),
    "numbers one by one": (
        "core.v1.PodSecurityContext",
        number(4, 1) + number(4, -2),
        {"supplementalGroups": [1, -2]},
    ),
    "numbers in a pack": (
        "core.v1.PodSecurityContext",
        chunk(4, varint(1) + varint(-2) + varint(300)),
        {"supplementalGroups": [1, -2, 300]},
    ),
    "small numbers in packs": (
        "core.v1.PodSecurityContext",
        chunk(4, b"\1\2") + number(4, 3) + chunk(4, b"") + chunk(4, b"\4"),
        {"supplementalGroups": [1, 2, 3, 4]},
    ),
    "booleans in a pack": (
        "resource.v1.DeviceAttribute",
        chunk(7, b"\1\0"),
        {"bools": [True, False]},
    ),
    "an empty pack": ("core.v1.PodSecurityContext", chunk(4, b""), {}),
    "a map": (
        "meta.v1.LabelSelector",
        chunk(1, chunk(1, "a") + chunk(2, "b")) + chunk(1, chunk(2, "d") + chunk(1, "c")),
        {"matchLabels": {"a": "b", "c": "d"}},
    ),
    "a map's long entry": (
        "core.v1.ConfigMap",
        chunk(2, chunk(1, "k" * 130) + chunk(2, "v" * 130)),
        {"data": {"k" * 130: "v" * 130}},
    ),
    "a map's last entry of a key": (
        "core.v1.ConfigMap",
        chunk(2, chunk(1, "k") + chunk(2, "1")) + chunk(2, chunk(1, "k") + chunk(2, "2")),
        {"data": {"k": "2"}},
    ),
    "a map's entries in parts": (
        "core.v1.ConfigMap",
        chunk(2, b"")
        + chunk(2, chunk(1, "k"))
        + chunk(2, chunk(9, "?") + chunk(1, "l"))
        + chunk(2, chunk(1, "m") + chunk(3, "?")),
        {"data": {"": "", "k": "", "l": "", "m": ""}},
    ),
    "a map of bytes": (
        "core.v1.Secret",
        chunk(2, chunk(1, "k") + chunk(2, b"\xff")),
        {"data": {"k": "/w=="}},
    ),
    "a map of messages": ("core.v1.ResourceRequirements", REQUESTS, {"requests": {"cpu": "1"}}),
    "a map of empty messages": (
        "core.v1.ResourceRequirements",
        chunk(2, chunk(1, "cpu")),
        {"requests": {"cpu": "0"}},
    ),
    "an inline message": (
        "core.v1.Volume",
        chunk(1, "v") + chunk(2, chunk(2, b"")),
        {"name": "v", "emptyDir": {}},
    ),
    "inline messages within each other": (
        "admissionregistration.v1.NamedRuleWithOperations",
        chunk(2, chunk(1, "CREATE") + chunk(2, chunk(3, "pods"))),
        {"operations": ["CREATE"], "resources": ["pods"]},
    ),
    "a time": (
        "meta.v1.ObjectMeta",
        chunk(8, number(1, 1)),
        {"creationTimestamp": "1970-01-01T00:00:01Z"},
    ),
    "no time, where JSON leaves it out": ("meta.v1.ObjectMeta", chunk(8, b""), {}),
    "no time, where JSON has null": (
        "core.v1.PodCondition",
        chunk(3, b""),
        {"lastProbeTime": None},
    ),
    "a port": ("core.v1.HTTPGetAction", chunk(2, number(1, 1) + chunk(3, "web")), {"port": "web"}),
    "a named list": (
        "authorization.v1.SubjectAccessReviewSpec",
        chunk(5, chunk(1, "k") + chunk(2, chunk(1, "a") + chunk(1, "b"))),
        {"extra": {"k": ["a", "b"]}},
    ),
    "managed fields": (
        "meta.v1.ManagedFieldsEntry",
        chunk(7, chunk(1, b'{"f:spec":{}}')),
        {"fieldsV1": {"f:spec": {}}},
    ),
    "a schema or a boolean": (
        "apiextensions.v1.JSONSchemaProps",
        chunk(30, number(1, 0) + chunk(2, chunk(5, "string"))) + chunk(24, chunk(1, b"")),
        {"additionalProperties": {"type": "string"}, "items": {}},
    ),
    "a scalar twice": ("core.v1.Volume", chunk(1, "a") + chunk(1, "b"), {"name": "b"}),
    "a message twice": (
        "core.v1.Pod",
        chunk(2, chunk(3, "Never")) + chunk(2, chunk(10, "n")),
        {"spec": {"restartPolicy": "Never", "nodeName": "n"}},
    ),
    "zero values that JSON leaves out": (
        "core.v1.PodSpec",
        chunk(3, "") + number(11, 0) + chunk(10, ""),
        {},
    ),
    "a zero value after another": ("core.v1.PodSpec", chunk(10, "n") + chunk(10, ""), {}),
    "zero values that JSON has": (
        "core.v1.ContainerStatus",
        chunk(1, "") + number(4, 0) + number(5, 0),
        {"name": "", "ready": False, "restartCount": 0},
    ),
    "zero values of optional fields": (
        "core.v1.PodSpec",
        number(4, 0) + number(21, 0),
        {"terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False},
    ),
}


@pytest.mark.parametrize(("message", "raw", "expected"), CASES.values(), ids=CASES)
def test_fields(message: str, raw: bytes, expected: dict[str, Any]) -> None:
    assert decoded(message, raw) == expected


def test_unknown_fields_are_dropped_and_named_once() -> None:
    new = number(99, 1) + chunk(99, "x") + b"\x99\x06" + bytes(8) + b"\x9d\x06" + bytes(4)
    raw = chunk(2, new + chunk(10, "n")) + number(2000, 5) + number(2000, 6)
    unknown: list[str] = []
    out: dict[str, Any] = {}
    DECODERS["core.v1.Pod"](raw, out, 100, unknown)
    assert out == {"spec": {"nodeName": "n"}}
    assert unknown == ["core.v1.PodSpec.99", "core.v1.Pod.2000"]


def test_the_list_of_unknown_fields_is_bounded() -> None:
    unknown: list[str] = []
    raw = b"".join(number(field, 0) for field in range(1000, 3000))
    DECODERS["core.v1.Pod"](raw, {}, 100, unknown)
    assert len(unknown) == 16


BAD: dict[str, tuple[str, bytes, str]] = {
    "ends within a tag": ("core.v1.Pod", b"\x80", "ends within"),
    "ends behind a tag": ("core.v1.Pod", b"\x12", "ends within"),
    "ends within a size": ("core.v1.Pod", b"\x12\x80", "ends within"),
    "ends within a value": ("core.v1.Pod", b"\x12\x05abc", "ends within"),
    "ends a byte early": ("core.v1.Volume", chunk(1, "abc")[:-1], "ends within"),
    "ends within a field within": ("core.v1.Pod", chunk(2, b"\x52\x05abc"), "ends within"),
    "a huge size": ("core.v1.Pod", b"\x12" + varint(2**63), "ends within"),
    "an endless varint": ("core.v1.ContainerPort", b"\x18" + b"\xff" * 30, "longer than 64"),
    "a string for a number": (
        "core.v1.ContainerPort",
        chunk(3, "1"),
        "containerPort has the wrong",
    ),
    "a number for a string": ("core.v1.Volume", number(1, 1), "Volume.name has the wrong"),
    "a number for a message": ("core.v1.Pod", number(2, 1), "Pod.spec has the wrong"),
    "four bytes for a string": ("core.v1.Volume", b"\x0d" + bytes(4), "name has the wrong"),
    "eight bytes for a string": ("core.v1.Volume", b"\x09" + bytes(8), "name has the wrong"),
    "a number for a double": ("apiextensions.v1.JSONSchemaProps", number(9, 1), "maximum has the"),
    "a map's key is a number": ("core.v1.ConfigMap", chunk(2, number(1, 1)), "entry of a map"),
    "a map's value is a number": ("core.v1.ConfigMap", chunk(2, number(2, 1)), "entry of a map"),
    "a group": ("core.v1.Pod", b"\x13\x14", "wire type 3"),
    "the end of a group": ("core.v1.Pod", b"\x14", "wire type 4"),
    "an unknown group": ("core.v1.Pod", varint(99 * 8 + 3), "wire type 3"),
    "number zero": ("core.v1.Pod", b"\x02\x00", "no field number"),
    "an endless time": ("meta.v1.ObjectMeta", chunk(8, number(1, 2**62)), "years"),
    "no JSON": ("meta.v1.ManagedFieldsEntry", chunk(7, chunk(1, "{")), "JSON"),
}


@pytest.mark.parametrize(("message", "raw", "reason"), BAD.values(), ids=BAD)
def test_bad_bytes(message: str, raw: bytes, reason: str) -> None:
    with pytest.raises(ProtobufError, match=reason):
        decoded(message, raw)


def nested(levels: int) -> bytes:
    """A schema of an object in an object."""
    raw = b""
    for _ in range(levels):
        raw = chunk(29, chunk(1, "a") + chunk(2, raw))
    return raw


def test_nesting_is_bounded() -> None:
    schema = decoded("apiextensions.v1.JSONSchemaProps", nested(100))
    for _ in range(100):
        schema = schema["properties"]["a"]
    assert schema == {}
    for levels in (101, 5000):
        with pytest.raises(ProtobufError, match="nested too deeply"):
            decoded("apiextensions.v1.JSONSchemaProps", nested(levels))


def test_every_way_down_counts() -> None:
    for message, raw in [
        ("core.v1.Pod", chunk(2, b"")),
        ("core.v1.Volume", chunk(2, b"")),
        ("core.v1.PodStatus", chunk(16, b"")),
        ("apiextensions.v1.JSONSchemaProps", chunk(24, b"")),
    ]:
        decoded(message, raw, depth=1)
        with pytest.raises(ProtobufError, match="nested too deeply"):
            decoded(message, raw, depth=0)
    for message, raw in [
        ("core.v1.Pod", chunk(2, chunk(14, b""))),
        ("core.v1.Volume", chunk(2, chunk(2, b""))),
        ("core.v1.PodSpec", chunk(1, chunk(2, b""))),
    ]:
        decoded(message, raw, depth=2)
        with pytest.raises(ProtobufError, match="nested too deeply"):
            decoded(message, raw, depth=1)


def test_a_long_quantity_is_read_as_any_other() -> None:
    long = "1" * 200
    raw = chunk(2, chunk(1, "cpu") + chunk(2, chunk(1, long)))
    assert decoded("core.v1.ResourceRequirements", raw) == {"requests": {"cpu": long}}
