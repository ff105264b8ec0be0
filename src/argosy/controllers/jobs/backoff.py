"""How long a job waits before it replaces what failed: ever longer, until something succeeds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from argosy.api.core import Pod
from argosy.controllers.jobs.pods import all_index_failures, finished_at

FIRST = 10.0
LONGEST = 600.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """The failures since the last success, and when the last of them was."""

    failures: int = 0
    last: datetime | None = None

    def after(self, succeeded: Iterable[Pod], failed: Iterable[Pod]) -> "Backoff":
        """With pods that have ended since."""
        good = max(map(finished_at, succeeded), default=None)
        bad = sorted(map(finished_at, failed))
        if good is None:
            return Backoff(self.failures + len(bad), bad[-1]) if bad else self
        since = [moment for moment in bad if moment > good]
        return Backoff(len(since), since[-1] if since else None)

    def remaining(self, now: datetime) -> float:
        """Seconds until the next pod may be made."""
        if self.failures == 0 or self.last is None:
            return 0.0
        pause = min(FIRST * 2.0 ** min(self.failures - 1, 10), LONGEST)
        return max(0.0, pause - (now - self.last).total_seconds())


def remaining_of_index(last: Pod | None, now: datetime) -> float:
    """Seconds until the index whose pod `last` failed may have another; none failed: at once."""
    if last is None:
        return 0.0
    return Backoff(all_index_failures(last) + 1, finished_at(last)).remaining(now)
