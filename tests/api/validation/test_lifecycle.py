"""What requests to evict and evictions may say, and what of it may change."""

from typing import Any

import pytest

from tests.api.kit import GONE, errors, made, put

V1 = "lifecycle.k8s.io/v1alpha1"
UID = "01234567-89ab-cdef-0123-456789abcdef"
TARGET = {"pod": {"name": "p", "uid": UID}}
REQUEST = made(
    V1, "EvictionRequest", spec={"target": TARGET, "requester": "a.b/drain", "intent": "Eviction"}
)
RESPONDER = {"name": "a.b/mover", "priority": 10, "state": "Active"}
EVICTION = made(
    V1,
    "Eviction",
    spec={"target": TARGET},
    status={
        "observedGeneration": 2,
        "requesters": [{"name": "a.b/drain", "intent": "Eviction"}],
        "targetResponders": [RESPONDER],
        "responders": [{"name": "a.b/mover", "startTime": "2026-01-01T00:00:00Z"}],
    },
)


@pytest.mark.parametrize("obj", [REQUEST, EVICTION])
def test_what_is_taken(obj: dict[str, Any]) -> None:
    assert errors(obj) == []
    assert errors(obj, obj) == []


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("target", {}, 'target: Invalid value: "": must specify one of: `pod`'),
        (
            "target.pod.uid",
            "a",
            'target.pod.uid: Invalid value: "a": must be a lowercase UUID in 8-4-4-4-12 format',
        ),
        (
            "requester",
            "drain",
            'requester: Invalid value: "drain": '
            'must be a domain-prefixed key (such as "acme.io/foo")',
        ),
        (
            "intent",
            "Kill",
            'intent: Unsupported value: "Kill": supported values: "Eviction", "Withdrawn"',
        ),
    ],
)
def test_requests_that_are_refused(path: str, value: Any, error: str) -> None:
    assert errors(put(REQUEST, f"spec.{path}", value)) == [f"spec.{error}"]


def test_a_requester_may_change_its_mind_and_nothing_else() -> None:
    assert errors(put(REQUEST, "spec.intent", "Withdrawn"), REQUEST) == []
    for path, value in (("requester", "c.d/e"), ("target", {"pod": {"name": "q", "uid": UID}})):
        assert errors(put(REQUEST, f"spec.{path}", value), REQUEST) == [
            f"spec.{path}: Invalid value: null: field is immutable"
        ]


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("observedGeneration", 3, []),
        (
            "observedGeneration",
            1,
            ["observedGeneration: Invalid value: 1: may not be decreased from 2"],
        ),
        (
            "observedGeneration",
            GONE,
            ["observedGeneration: Invalid value: null: field cannot be cleared once set"],
        ),
        (
            "targetResponders.0.priority",
            11,
            [
                "targetResponders[0].priority: Invalid value: null: "
                "field cannot be modified once set"
            ],
        ),
        (
            "targetResponders.0.state",
            "Lost",
            [
                'targetResponders[0].state: Unsupported value: "Lost": supported values: '
                '"Active", "Canceled", "Completed", "Inactive", "Interrupted"'
            ],
        ),
        (
            "targetResponders.1",
            RESPONDER,
            [
                'targetResponders[1]: Duplicate value: {"name":"a.b/mover","priority":10,'
                '"state":"Active"}'
            ],
        ),
        ("responders.0.heartbeatTime", "2026-01-01T00:00:01Z", []),
        (
            "responders.0.startTime",
            GONE,
            ["responders[0].startTime: Invalid value: null: field cannot be cleared once set"],
        ),
        (
            "responders.0.message",
            "x" * 4001,
            ["responders[0].message: Too long: may not be more than 4000 characters"],
        ),
    ],
)
def test_how_an_eviction_goes_on(path: str, value: Any, found: list[str]) -> None:
    changed = put(EVICTION, f"status.{path}", value)
    assert errors(changed, EVICTION, subresource="status") == [f"status.{error}" for error in found]
