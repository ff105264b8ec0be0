"""What may be said of the state of a pod."""

from typing import Any

import pytest

from argosy.api.validation.podstatus import restarts
from tests.api.kit import errors, made, put

POD = made(
    "v1",
    "Pod",
    spec={
        "containers": [{"name": "main", "image": "a"}],
        "resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "t"}],
        "restartPolicy": "Never",
        "nodeName": "n",
    },
    status={"qosClass": "BestEffort", "phase": "Running"},
)
ENDED = {"name": "main", "state": {"terminated": {"exitCode": 1}}}


@pytest.mark.parametrize(
    "path, value, expected",
    [
        ("phase", "Succeeded", []),
        ("podIPs", [{"ip": "10.0.0.1"}, {"ip": "2001:db8::1"}], []),
        ("resourceClaimStatuses", [{"name": "gpu", "resourceClaimName": "c"}], []),
        (
            "qosClass",
            "Guaranteed",
            ['status.qosClass: Invalid value: "Guaranteed": field is immutable'],
        ),
        (
            "podIPs",
            [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}],
            [
                'status.podIPs: Invalid value: [{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]: may specify '
                "no more than one IP for each IP family"
            ],
        ),
        (
            "hostIPs",
            [{"ip": "10.0.0.1"}],
            ['status.hostIPs[0].ip: Invalid value: "10.0.0.1": must be equal to `hostIP`'],
        ),
        (
            "nominatedNodeName",
            "m",
            [
                "status.nominatedNodeName: Forbidden: may not be set on pods that are already "
                "bound to a node"
            ],
        ),
        (
            "resourceClaimStatuses",
            [{"name": "x"}],
            [
                'status.resourceClaimStatuses[0].name: Invalid value: "x": must match the name of '
                "an entry in `spec.resourceClaims`"
            ],
        ),
        (
            "observedGeneration",
            -1,
            [
                "status.observedGeneration: Invalid value: -1: must be a non-negative integer",
            ],
        ),
        (
            "containerStatuses",
            [{"name": "main", "user": {"linux": {"uid": -1, "gid": 0}}}],
            [
                "status.containerStatuses[0].user.linux.uid: Invalid value: -1: must be between "
                "0 and 2147483647, inclusive"
            ],
        ),
        (
            "containerStatuses",
            [{"name": "main", "allocatedResourcesStatus": [{"name": "claim:a"}]}],
            [
                "status.containerStatuses[0].allocatedResourcesStatus[0].name: Invalid value: "
                '"claim:a": must match one of the container\'s resource claims in a format '
                "'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
            ],
        ),
    ],
)
def test_a_new_status(path: str, value: Any, expected: list[str]) -> None:
    assert errors(put(POD, f"status.{path}", value), POD) == expected


def test_what_has_ended_stays_ended() -> None:
    old = put(POD, "status.containerStatuses", [ENDED])
    running = [{"name": "main", "state": {"running": {}}}]
    assert errors(put(old, "status.containerStatuses", running), old) == [
        "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated "
        "state"
    ]
    again = put(old, "spec.restartPolicy", "OnFailure")
    assert errors(put(again, "status.containerStatuses", running), again) == []


RULE = {"action": "Restart", "exitCodes": {"operator": "In", "values": [3]}}
ALL = {"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [3]}}


@pytest.mark.parametrize(
    "container, policy, code, expected",
    [
        ({}, "Always", 0, True),
        ({}, "OnFailure", 0, False),
        ({}, "OnFailure", 1, True),
        ({}, "Never", 1, False),
        ({"restartPolicy": "Always"}, "Never", 0, True),
        ({"restartPolicy": "Never", "restartPolicyRules": [RULE]}, "Always", 3, True),
        ({"restartPolicy": "Never", "restartPolicyRules": [RULE]}, "Always", 4, False),
        ({"restartPolicy": "Never", "restartPolicyRules": [ALL]}, "Never", 4, True),
    ],
)
def test_restarts(container: dict[str, Any], policy: str, code: int, expected: bool) -> None:
    main = {"name": "main", **container}
    spec = {"restartPolicy": policy, "containers": [main]}
    assert restarts(main, spec, "containers", code) is expected
    assert restarts(main, spec, "ephemeralContainers", code) is False
