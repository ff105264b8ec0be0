"""What the node may know of a pod with one container, in the words of its plans and statuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

from argosy.node.plan import Situation
from argosy.node.state import Running, Seen, Terminated
from tests.node.builders import container, pod_view

T0 = datetime(2026, 1, 1, tzinfo=UTC)
DELETED = {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 7}


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def gone(code: int = 0, *, when: float = 0, reason: str = "", **seen: Any) -> Seen:
    state = Terminated(code=code, reason=reason, started=at(when - 1), finished=at(when))
    return Seen(name="main", state=state, **seen)


def up(**seen: Any) -> Seen:
    return Seen(name="main", state=Running(T0, "i"), **seen)


def situation(seen: Seen, now: float = 0, **given: Any) -> Situation:
    keys = ("hold", "shutdown", "verdict")
    own = {key: given.pop(key) for key in keys if key in given}
    pod = pod_view(container("true"), **given)
    return Situation(pod=pod, containers=(seen,), now=at(now), begun=T0, **own)


FRESH = Seen(name="main")
