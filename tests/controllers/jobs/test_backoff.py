"""Pauses after failures."""

from datetime import timedelta

import pytest

from argosy.api.core import (
    ContainerState,
    ContainerStateTerminated,
    ContainerStatus,
    Pod,
    PodStatus,
)
from argosy.api.meta import Condition, ObjectMeta
from argosy.base.clock import timestamp
from argosy.controllers.jobs.backoff import Backoff, remaining_of_index
from argosy.controllers.jobs.pods import FAILURES, IGNORED_FAILURES, finished_at
from argosy.testing.clock import EPOCH


def at(seconds: float) -> str:
    return timestamp(EPOCH + timedelta(seconds=seconds))


def ended(*seconds: float, **annotations: str) -> Pod:
    states = [
        ContainerState(terminated=ContainerStateTerminated(finished_at=at(item)))
        for item in seconds
    ]
    statuses = tuple(ContainerStatus(name=f"c{i}", state=state) for i, state in enumerate(states))
    meta = ObjectMeta(name="p", creation_timestamp=at(0), annotations=annotations)
    return Pod(metadata=meta, status=PodStatus(phase="Failed", container_statuses=statuses))


@pytest.mark.parametrize(
    ("failures", "pause"), [(0, 0), (1, 10), (2, 20), (3, 40), (6, 320), (7, 600), (900, 600)]
)
def test_pauses(failures: int, pause: float) -> None:
    backoff = Backoff(failures, EPOCH)
    assert backoff.remaining(EPOCH) == pause
    assert backoff.remaining(EPOCH + timedelta(seconds=4)) == max(0, pause - 4)
    assert backoff.remaining(EPOCH + timedelta(seconds=601)) == 0


def test_failures_add_up_until_a_success() -> None:
    first = Backoff().after((), (ended(5), ended(3)))
    assert first == Backoff(2, EPOCH + timedelta(seconds=5))
    assert first.after((), ()) == first
    assert first.after((), (ended(9),)) == Backoff(3, EPOCH + timedelta(seconds=9))
    assert first.after((ended(8),), (ended(7), ended(8))) == Backoff()
    assert first.after((ended(8),), (ended(7), ended(9))) == Backoff(
        1, EPOCH + timedelta(seconds=9)
    )


def test_when_a_pod_ended() -> None:
    assert finished_at(ended(3, 9, 5)) == EPOCH + timedelta(seconds=9)
    ready = Condition(type="Ready", status="False", last_transition_time=at(7))
    lost = PodStatus(phase="Failed", conditions=(ready,))
    meta = ObjectMeta(creation_timestamp=at(1))
    assert finished_at(Pod(metadata=meta, status=lost)) == EPOCH + timedelta(seconds=7)
    meta = ObjectMeta(
        creation_timestamp=at(1), deletion_timestamp=at(40), deletion_grace_period_seconds=30
    )
    assert finished_at(Pod(metadata=meta)) == EPOCH + timedelta(seconds=10)
    assert finished_at(Pod(metadata=ObjectMeta(creation_timestamp=at(1)))) == (
        EPOCH + timedelta(seconds=1)
    )


def test_by_index() -> None:
    assert remaining_of_index(None, EPOCH) == 0
    assert remaining_of_index(ended(0), EPOCH) == 10
    noted = ended(0, **{FAILURES: "1", IGNORED_FAILURES: "1"})
    assert remaining_of_index(noted, EPOCH) == 40
    assert remaining_of_index(ended(0, **{FAILURES: "-1"}), EPOCH) == 10
    assert remaining_of_index(ended(0, **{FAILURES: "9" * 30}), EPOCH) == 10
