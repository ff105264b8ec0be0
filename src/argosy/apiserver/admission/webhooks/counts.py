"""What is counted of webhooks, under kube-apiserver's names.

Source: apiserver's `admission/metrics`, Kubernetes 1.36.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from argosy.base.exposition import Family, Histogram

SECONDS: Final = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 10.0, 25.0)
PREFIX: Final = "apiserver_admission_webhook"
Called = tuple[str, str, str]
"""A webhook's name, its type, the operation."""
_CALLED: Final = ("name", "type", "operation")


@dataclass(slots=True, eq=False)
class Counts:
    """The calls of one server."""

    _durations: dict[tuple[Called, bool], tuple[list[int], float]] = field(default_factory=dict)
    _requests: Counter[tuple[Called, int, bool]] = field(default_factory=Counter)
    _rejections: Counter[tuple[Called, str, int]] = field(default_factory=Counter)
    _open: Counter[tuple[str, str]] = field(default_factory=Counter)

    def called(self, what: Called, seconds: float, code: int, kind: str, *, rejected: bool) -> None:
        """One call, and what came of it; `kind` is of the error, if it was one."""
        counts, total = self._durations.get((what, rejected), ([0] * (len(SECONDS) + 1), 0.0))
        counts[bisect_left(SECONDS, seconds)] += 1
        self._durations[what, rejected] = counts, total + seconds
        self._requests[what, min(code, 600), rejected] += 1
        if rejected:
            self._rejections[what, kind, min(code, 600)] += 1

    def failed_open(self, what: tuple[str, str]) -> None:
        """One that could not be asked, and was passed over."""
        self._open[what] += 1

    def families(self) -> Iterator[Family | Histogram]:
        """All of it."""
        taken = Histogram(
            f"{PREFIX}_admission_duration_seconds",
            "Seconds that webhooks took.",
            SECONDS,
            (*_CALLED, "rejected"),
        )
        for (what, rejected), (counts, total) in self._durations.items():
            taken.add((*what, _flag(rejected)), counts, total)
        yield taken
        yield self._rejected()
        failed = Family(
            f"{PREFIX}_fail_open_count", "counter", "Webhooks passed over.", ("name", "type")
        )
        for pair, count in self._open.items():
            failed.add(pair, count)
        yield failed
        yield self._total()

    def _rejected(self) -> Family:
        labels = (*_CALLED, "error_type", "rejection_code")
        family = Family(
            f"{PREFIX}_rejection_count", "counter", "Requests that webhooks ended.", labels
        )
        for (what, kind, code), count in self._rejections.items():
            family.add((*what, kind, str(code)), count)
        return family

    def _total(self) -> Family:
        labels = (*_CALLED, "code", "rejected")
        family = Family(f"{PREFIX}_request_total", "counter", "Calls of webhooks.", labels)
        for (what, code, rejected), count in self._requests.items():
            family.add((*what, str(code), _flag(rejected)), count)
        return family


def _flag(value: bool) -> str:
    return "true" if value else "false"
