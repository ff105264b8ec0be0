"""The core group's smaller kinds."""

import base64
from typing import Any

import pytest

from argosy.api.validation.values import CONFIG_KEY_RULE
from tests.api.kit import GONE, errors, made, put

CONFIG = made("v1", "ConfigMap", data={"a": "b"})
SECRET = made("v1", "Secret", data={"a": base64.b64encode(b"x").decode()})
NODE = made("v1", "Node", spec={"podCIDRs": ["10.0.0.0/24"], "providerID": "p://1"})
SPACE = made("v1", "Namespace", "team")
SEALED = "field is immutable when `immutable` is set"


def encoded(text: bytes) -> str:
    return base64.b64encode(text).decode()


@pytest.mark.parametrize("obj", [CONFIG, SECRET, NODE, SPACE, made("v1", "ServiceAccount")])
def test_what_is_taken(obj: dict[str, Any]) -> None:
    assert errors(obj) == []
    assert errors(obj, obj) == []


@pytest.mark.parametrize(
    "key, faults",
    [
        ("a/b", [CONFIG_KEY_RULE]),
        ("", [CONFIG_KEY_RULE]),
        (".", ["must not be '.'"]),
        ("..a", ["must not start with '..'"]),
        ("a" * 254, ["must be no more than 253 characters"]),
    ],
)
@pytest.mark.parametrize("obj, part", [(CONFIG, "data"), (CONFIG, "binaryData"), (SECRET, "data")])
def test_keys(obj: dict[str, Any], part: str, key: str, faults: list[str]) -> None:
    assert errors(put(obj, part, {key: ""})) == [
        f'{part}[{key}]: Invalid value: "{key}": {fault}' for fault in faults
    ]


def test_a_key_is_text_or_bytes() -> None:
    assert errors(put(CONFIG, "binaryData", {"a": ""})) == [
        'data[a]: Invalid value: "a": duplicate of key present in binaryData'
    ]


def test_sizes() -> None:
    assert errors(put(CONFIG, "data.a", "x" * 2**20)) == []
    too_long = "Too long: may not be more than 1048576 bytes"
    assert errors(put(CONFIG, "data.a", "ä" * 2**19 + "x")) == [f": {too_long}"]
    assert errors(put(SECRET, "data.a", encoded(b"x" * 2**20))) == []
    assert errors(put(SECRET, "data.a", encoded(b"x" * (2**20 + 1)))) == [f"data: {too_long}"]


@pytest.mark.parametrize("obj", [CONFIG, SECRET])
def test_sealed_things_stay(obj: dict[str, Any]) -> None:
    old = put(obj, "immutable", True)
    assert errors(put(old, "metadata.labels", {"a": "b"}), old) == []
    assert errors(put(old, "data", {}), old) == [f"data: Forbidden: {SEALED}"]
    assert errors(put(old, "immutable", GONE), old) == [f"immutable: Forbidden: {SEALED}"]


@pytest.mark.parametrize(
    "kind, data, expected",
    [
        (
            "kubernetes.io/tls",
            {},
            ["data[tls.crt]: Required value", "data[tls.key]: Required value"],
        ),
        (
            "kubernetes.io/basic-auth",
            {},
            ["data[username]: Required value", "data[password]: Required value"],
        ),
        ("kubernetes.io/basic-auth", {"password": ""}, []),
        (
            "kubernetes.io/ssh-auth",
            {"ssh-privatekey": ""},
            ["data[ssh-privatekey]: Required value"],
        ),
        ("kubernetes.io/dockercfg", {}, ["data[.dockercfg]: Required value"]),
        ("kubernetes.io/dockerconfigjson", {".dockerconfigjson": encoded(b"{}")}, []),
        (
            "kubernetes.io/service-account-token",
            {},
            ["metadata.annotations[kubernetes.io/service-account.name]: Required value"],
        ),
        ("example.com/own", {}, []),
    ],
)
def test_types_of_secrets(kind: str, data: dict[str, str], expected: list[str]) -> None:
    assert errors(put(put(SECRET, "type", kind), "data", data)) == expected


def test_docker_configurations_are_json() -> None:
    secret = put(SECRET, "type", "kubernetes.io/dockercfg")
    found = errors(put(secret, "data", {".dockercfg": encoded(b"[")}))
    assert len(found) == 1
    assert found[0].startswith('data[.dockercfg]: Invalid value: "<secret contents redacted>": ')


def test_the_type_of_a_secret_stays() -> None:
    assert errors(put(SECRET, "type", "x"), SECRET) == [
        'type: Invalid value: "x": field is immutable'
    ]


@pytest.mark.parametrize(
    "path, value, expected",
    [
        ("spec.unschedulable", True, []),
        (
            "spec.podCIDRs",
            ["10.0.1.0/24"],
            [
                "spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "
                '"" to valid'
            ],
        ),
        (
            "spec.providerID",
            "p://2",
            [
                "spec.providerID: Forbidden: node updates may not change providerID except from "
                '"" to valid'
            ],
        ),
        (
            "spec.taints",
            [{"key": "a", "effect": "NoSchedule"}] * 2,
            [
                'metadata.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}: taints '
                "must be unique by key and effect pair"
            ],
        ),
        (
            "spec.taints",
            [{"key": "a", "effect": ""}],
            ["metadata.taints[0].effect: Required value"],
        ),
        (
            "status",
            {"capacity": {"pods": "1500m"}, "allocatable": {}},
            ['status.capacity.pods: Invalid value: "1500m": must be an integer'],
        ),
        (
            "status",
            {"addresses": [{"type": "Hostname", "address": "a"}] * 2},
            ['status.addresses[1]: Duplicate value: {"type":"Hostname","address":"a"}'],
        ),
        (
            "status",
            {"declaredFeatures": ["B", "A"]},
            ['status.declaredFeatures[1]: Invalid value: "A": list must be sorted alphabetically'],
        ),
    ],
)
def test_nodes(path: str, value: Any, expected: list[str]) -> None:
    assert errors(put(NODE, path, value), NODE) == expected


def test_namespaces() -> None:
    assert errors(put(SPACE, "spec", {"finalizers": ["mine"]})) == [
        'spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is '
        "it fully qualified"
    ]
    assert errors(put(SPACE, "status", {"phase": "Terminating"}), SPACE) == [
        "status.Phase: Invalid value: \"Terminating\": may only be 'Active' if "
        "`deletionTimestamp` is empty"
    ]
    going = put(SPACE, "metadata.deletionTimestamp", "2026-01-01T00:00:00Z")
    assert errors(put(going, "status", {"phase": "Terminating"}), going) == []


EVENT = made("v1", "Event", involvedObject={"namespace": "default"})
NEW_EVENT = made(
    "events.k8s.io/v1",
    "Event",
    eventTime="2026-01-01T00:00:00.000000Z",
    regarding={"namespace": "default"},
    reportingController="a.b/c",
    reportingInstance="i",
    action="Act",
    reason="Because",
    type="Normal",
)


@pytest.mark.parametrize(
    "obj, path, value, expected",
    [
        (EVENT, "reason", "x", []),
        (NEW_EVENT, "note", "x", []),
        (
            EVENT,
            "involvedObject.namespace",
            "other",
            ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
        ),
        (NEW_EVENT, "eventTime", None, None),
        (NEW_EVENT, "action", GONE, ["action: Required value"]),
        (
            NEW_EVENT,
            "note",
            "x" * 1025,
            ['message: Invalid value: "": can have at most 1024 characters'],
        ),
        (NEW_EVENT, "type", "Odd", ['type: Invalid value: "": has invalid value: Odd']),
        (NEW_EVENT, "deprecatedCount", 1, ['count: Invalid value: "": needs to be unset']),
        (
            NEW_EVENT,
            "series",
            {"count": 1, "lastObservedTime": "2026-01-01T00:00:00.000000Z"},
            ['series.count: Invalid value: "": should be at least 2'],
        ),
    ],
)
def test_events(obj: dict[str, Any], path: str, value: Any, expected: list[str] | None) -> None:
    if expected is None:
        assert errors(put(obj, path, GONE)) == ["eventTime: Required value"]
    else:
        assert errors(put(obj, path, value)) == expected


def test_a_new_event_stays() -> None:
    assert errors(put(NEW_EVENT, "note", "x"), NEW_EVENT) == [
        'message: Invalid value: "x": field is immutable'
    ]
