"""What the scheduler reads stands in one list: caches and explanations keep to it."""

from typing import Any

from argosy.api.disruption import PodDisruptionBudget
from argosy.api.meta import Object
from argosy.client.client import Client
from argosy.client.https import transport
from argosy.client.kubeconfig import Access
from argosy.runtime.manager import Manager
from argosy.scheduler.explain.snapshot import KINDS
from argosy.scheduler.kinds import OPTIONAL, READ
from argosy.scheduler.loop import Scheduler
from argosy.testing.clock import FakeClock


class Told(Manager):
    """Notes of which kinds caches are asked for."""

    def __init__(self) -> None:
        super().__init__(Client(transport(Access("http://localhost"))), FakeClock())
        self.asked: set[type[Object]] = set()

    def informer(self, kind: type[Any], *args: Any, **more: Any) -> Any:
        self.asked.add(kind)
        return super().informer(kind, *args, **more)


def test_the_scheduler_asks_for_what_is_listed() -> None:
    everything, some = Told(), Told()
    Scheduler(everything)
    assert everything.asked == set(READ)
    Scheduler(some, absent={kind.resource for kind in OPTIONAL})
    assert some.asked == set(READ) - set(OPTIONAL)


def test_explanations_are_made_of_the_same_but_for_who_may_be_evicted() -> None:
    assert set(KINDS) == set(READ) - {PodDisruptionBudget}
    assert len(KINDS) == len(set(KINDS))
