"""Buckets of events: by whom, where, and about what."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.apiserver.admission.configuration import EventLimit
from argosy.apiserver.admission.event_rate_limit import EventRateLimit, Limiter, faults
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.answers import Answers
from argosy.apiserver.request import User
from argosy.base.errors import StatusError
from argosy.testing.clock import FakeClock
from tests.apiserver.admission.kit import asked
from tests.apiserver.kit import Api

Json = dict[str, Any]
EVENT: Json = {
    "metadata": {"name": "e"},
    "source": {"component": "kubelet", "host": "n1"},
    "involvedObject": {"kind": "Pod", "namespace": "default", "name": "web", "uid": "u-1"},
}


def event(api: Api, user: str = "me", **changed: Any) -> Attributes:
    return asked(api, "events", {**EVENT, **changed}, user=User(user))


def limited(clock: FakeClock, *limits: EventLimit) -> EventRateLimit:
    return EventRateLimit.of(limits, clock)


def taken(rule: EventRateLimit, attributes: Attributes) -> bool:
    attributes.answers = Answers()
    try:
        rule(attributes)
    except StatusError as error:
        assert error.code == 429
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "key", "others"),
    [
        ("Server", "", {}),
        ("Namespace", "default", {}),
        ("User", "me", {"user": "you"}),
        (
            "SourceAndObject",
            "kubeletn1Poddefaultwebu-1",
            {"involvedObject": {**EVENT["involvedObject"], "name": "other"}},
        ),
    ],
)
async def test_each_key_has_its_bucket(
    api: Api, kind: str, key: str, others: Mapping[str, Any]
) -> None:
    clock = FakeClock()
    rule = limited(clock, EventLimit(type=kind, qps=1, burst=2))
    assert [taken(rule, event(api)) for _ in range(3)] == [True, True, False]
    with pytest.raises(StatusError) as refused:
        rule(event(api))
    words = f"Too many requests: limit reached on type {kind} for key {key}"
    assert str(refused.value) == words
    if others:
        assert taken(rule, event(api, **others))
    await clock.advance(1)
    assert [taken(rule, event(api)) for _ in range(2)] == [True, False]


async def test_an_attempt_that_is_made_again_is_one_event(api: Api) -> None:
    rule = limited(FakeClock(), EventLimit(type="Server", qps=1, burst=1))
    attributes = event(api)
    rule(attributes)
    rule(attributes)
    assert not taken(rule, event(api))


async def test_both_groups_of_events_count(api: Api) -> None:
    rule = limited(FakeClock(), EventLimit(type="SourceAndObject", qps=1, burst=1))
    newer = {
        "metadata": {"name": "e"},
        "deprecatedSource": EVENT["source"],
        "regarding": EVENT["involvedObject"],
    }
    assert taken(rule, asked(api, "events", newer, group="events.k8s.io"))
    assert not taken(rule, event(api))


async def test_all_limits_are_told_of(api: Api) -> None:
    both = (EventLimit(type=kind, qps=1, burst=1) for kind in ("Server", "User"))
    rule = limited(FakeClock(), *both)
    assert taken(rule, event(api))
    with pytest.raises(StatusError) as refused:
        rule(event(api))
    assert str(refused.value) == (
        "Too many requests: [limit reached on type Server for key , "
        "limit reached on type User for key me]"
    )


async def test_buckets_are_bounded(api: Api) -> None:
    limit = EventLimit(type="User", qps=1, burst=1, cache_size=2)
    limiter = Limiter(limit, FakeClock())
    for user in ("a", "b", "c", "a"):
        assert limiter.takes(event(api, user)) == ""
    assert list(limiter.buckets) == ["c", "a"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(1, 3), st.integers(1, 5))
def test_never_more_than_was_allowed(pauses: list[int], qps: int, burst: int) -> None:
    """In any time, no more than the burst and what has come since."""
    clock = FakeClock()
    limiter = Limiter(EventLimit(type="Server", qps=qps, burst=burst), clock)
    passed = 0
    for pause in pauses:
        clock._elapsed += pause
        passed += not limiter.takes(cast(Attributes, None))
        assert passed <= burst + clock.monotonic() * qps


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"type": "Node", "qps": 1, "burst": 1}, 'limits[0].type: Unsupported value: "Node": '),
        ({"type": "User", "burst": 1}, "limits[0].qps: Invalid value: 0: must be positive"),
        ({"type": "User", "qps": 1}, "limits[0].burst: Invalid value: 0: must be positive"),
        (
            {"type": "User", "qps": 1, "burst": 1, "cache_size": -1},
            "limits[0].cacheSize: Invalid value: -1: must not be negative",
        ),
    ],
)
def test_limits_that_can_not_be(limit: Json, words: str) -> None:
    [error] = faults([EventLimit(**limit)])
    assert str(error).startswith(words)
    assert not list(faults([EventLimit(type="Server", qps=1, burst=1, cache_size=-1)]))
