"""What is remembered of autoscalers between two looks: when the next one is, and what was done.

It is lost with the process, as upstream: the next one begins with the replicas that it finds.
"""

from argosy.api.autoscaling import HorizontalPodAutoscaler
from argosy.api.meta import Key
from argosy.base.clock import Clock
from argosy.controllers.autoscaling.behaviour import History
from argosy.runtime.informer import Informer

NOTHING = History()


class Memory:
    """Forgets autoscalers that are gone, or are others by now."""

    def __init__(
        self, clock: Clock, scalers: Informer[HorizontalPodAutoscaler], period: float
    ) -> None:
        self._clock = clock
        self._period = period
        self._next: dict[Key, float] = {}
        self._histories: dict[Key, History] = {}
        scalers.subscribe(self._changed)

    def left(self, key: Key) -> float:
        """Seconds until the next look; with none, this is it, and the next one a period later.

        Whatever changes, nobody looks sooner: metrics take that long to tell of the last move.
        """
        now = self._clock.monotonic()
        left = self._next.get(key, now) - now
        if left <= 0:
            self._next[key] = now + self._period
        return max(left, 0.0)

    def history(self, key: Key) -> History:
        """What was done."""
        return self._histories.get(key, NOTHING)

    def keep(self, key: Key, history: History) -> None:
        """Remember that."""
        if key in self._next:  # it is not gone
            self._histories[key] = history

    def _changed(
        self, old: HorizontalPodAutoscaler | None, new: HorizontalPodAutoscaler | None
    ) -> None:
        if old is None or (new is not None and new.metadata.uid == old.metadata.uid):
            return
        self._next.pop(old.key, None)
        self._histories.pop(old.key, None)
