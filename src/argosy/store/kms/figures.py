"""What is counted of a plugin, for whoever shows it (`cluster/keys.py`)."""

from bisect import bisect_left
from dataclasses import dataclass, field
from threading import Lock

BOUNDS = tuple(0.0001 * 2**power for power in range(20))
"""Upper bounds of the buckets of seconds, as upstream has them."""
MOST_KEYS = 100


@dataclass(slots=True)
class Figures:
    """Counts since the start. Threads add to them; a reader takes copies.

    `calls` are by method and gRPC's code: buckets, and seconds together. `uses` are by what was
    done (from_storage, to_storage) and by hash of the key, of the keys that came last. `wrong` are
    ids of keys that can't be any, by what is wrong. `seeds` are known now.
    """

    calls: dict[tuple[str, str], tuple[list[int], float]] = field(default_factory=dict)
    uses: dict[tuple[str, str], int] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)
    seeds: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def called(self, method: str, code: str, seconds: float) -> None:
        """The plugin was asked."""
        buckets, total = self.calls.get((method, code)) or ([0] * (len(BOUNDS) + 1), 0.0)
        buckets[bisect_left(BOUNDS, seconds)] += 1
        self.calls[method, code] = buckets, total + seconds

    def used(self, what: str, key: str) -> None:
        """A value was sealed or opened."""
        with self._lock:
            count = self.uses.pop((what, key), 0)
            if len(self.uses) >= MOST_KEYS:
                del self.uses[next(iter(self.uses))]
            self.uses[what, key] = count + 1
