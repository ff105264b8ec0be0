"""What changes of volumes wake pods that wait, and who is told of a claim's."""

from typing import Any

import pytest

from argosy.api.meta import Key, Object
from argosy.scheduler.state import State
from argosy.scheduler.volumes.feeding import sources
from tests.scheduler.volumes.kit import capacity, claim, csi_node, driver, storage, volume


class Fed:
    """Stands for the manager and the binder; a kind's subscriber is told of changes."""

    def __init__(self) -> None:
        self.woken = 0
        self.claims: list[Key] = []
        stranger: Any = self
        found = sources(stranger, State().volumes, stranger, self._wake)
        self._subscribers: dict[Any, Any] = dict(found)

    def informer(self, kind: type[Object]) -> Any:
        return kind

    def told(self, key: Key) -> None:
        self.claims.append(key)

    def _wake(self) -> None:
        self.woken += 1

    def change(self, old: Any, new: Any) -> int:
        """How many times pods are woken by it."""
        before = self.woken
        self._subscribers[type(new if new is not None else old)](old, new)
        return self.woken - before


def room(size: str) -> Any:
    return capacity("r", "a", size)


@pytest.mark.parametrize(
    ("old", "new", "woken"),
    [
        (None, volume(), 1),
        (volume(phase="Bound"), volume(), 1),
        (volume(), volume(), 0),
        (volume(), None, 0),
        (None, storage(), 1),
        (storage(), storage(), 0),
        (driver(), driver(capacity=False), 1),
        (driver(capacity=False), driver(), 0),
        (csi_node("n", 1), csi_node("n", 2), 1),
        (csi_node("n", 2), csi_node("n", 1), 0),
        (room("1Gi"), room("2Gi"), 1),
        (room("2Gi"), room("1Gi"), 0),
        (None, claim(), 1),
        (claim(), claim(selected="n1"), 1),
        (claim(), claim(), 0),
    ],
)
def test_what_may_help_a_pod_wakes_those_that_wait(old: Any, new: Any, woken: int) -> None:
    fed = Fed()
    if old is not None:
        fed.change(None, old)
    assert fed.change(old, new) == woken


def test_who_waits_for_a_claim_is_told_of_it() -> None:
    fed = Fed()
    fed.change(None, claim("a"))
    fed.change(claim("a"), None)
    fed.change(None, volume())
    assert fed.claims == [("default", "a")] * 2
