"""Probes and hooks."""

from typing import Any

import pytest

from tests.api.kit import errors, made, put

C = "spec.containers[0]"
POD = made("v1", "Pod", spec={"containers": [{"name": "main", "image": "python"}]})
TCP = {"tcpSocket": {"port": 80}}


@pytest.mark.parametrize(
    "field, value",
    [
        ("livenessProbe", {"exec": {"command": ["true"]}}),
        ("readinessProbe", {**TCP, "successThreshold": 3}),
        ("startupProbe", {"httpGet": {"port": "http", "scheme": "HTTPS"}}),
        ("livenessProbe", {"grpc": {"port": 9000}}),
        ("lifecycle", {"preStop": {"sleep": {"seconds": 30}}}),
    ],
)
def test_what_is_taken(field: str, value: Any) -> None:
    assert errors(put(POD, f"spec.containers.0.{field}", value)) == []


@pytest.mark.parametrize(
    "field, value, expected",
    [
        ("livenessProbe", {}, "livenessProbe: Required value: must specify a handler type"),
        (
            "livenessProbe",
            {**TCP, "exec": {"command": ["true"]}},
            "livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
        ),
        (
            "livenessProbe",
            {**TCP, "successThreshold": 2},
            "livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ),
        (
            "readinessProbe",
            {**TCP, "terminationGracePeriodSeconds": 5},
            "readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for "
            "readinessProbes",
        ),
        (
            "startupProbe",
            {**TCP, "periodSeconds": -1},
            "startupProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            "livenessProbe",
            {**TCP, "terminationGracePeriodSeconds": 0},
            "livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0",
        ),
        ("livenessProbe", {"exec": {}}, "livenessProbe.exec.command: Required value"),
        (
            "livenessProbe",
            {"httpGet": {"port": 0}},
            "livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
        ),
        (
            "livenessProbe",
            {"httpGet": {"port": 1, "scheme": "FTP"}},
            'livenessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", '
            '"HTTPS"',
        ),
        (
            "livenessProbe",
            {"httpGet": {"port": 1, "httpHeaders": [{"name": "a b", "value": ""}]}},
            'livenessProbe.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must '
            "consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for "
            "validation is '[-A-Za-z0-9]+')",
        ),
        (
            "lifecycle",
            {"preStop": {"sleep": {"seconds": 31}}},
            "lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than "
            "terminationGracePeriodSeconds (30)",
        ),
        (
            "lifecycle",
            {"stopSignal": "SIGTERM"},
            "lifecycle.stopSignal: Forbidden: may not be set for containers with empty "
            "`spec.os.name`",
        ),
    ],
)
def test_what_is_refused(field: str, value: Any, expected: str) -> None:
    assert errors(put(POD, f"spec.containers.0.{field}", value)) == [f"{C}.{expected}"]


@pytest.mark.parametrize(
    "system, signal, sound",
    [
        ("linux", "SIGRTMIN+15", True),
        ("linux", "SIGRTMAX-14", True),
        ("linux", "SIGRTMIN+16", False),
        ("windows", "SIGTERM", True),
        ("windows", "SIGHUP", False),
    ],
)
def test_signals_are_those_of_the_system(system: str, signal: str, sound: bool) -> None:
    pod = put(POD, "spec.os", {"name": system})
    found = errors(put(pod, "spec.containers.0.lifecycle", {"stopSignal": signal}))
    assert (found == []) is sound
    assert all(text.startswith(f"{C}.lifecycle.stopSignal: Unsupported") for text in found)
