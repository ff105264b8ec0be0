"""What was counted (`counts`), as metrics under controller-runtime's names, for whoever asks.

One `Metrics` may serve several managers of a process. Source of names: controller-runtime's
`internal/controller/metrics` and `internal/metrics`, and client-go's of its requests.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from argosy.base.exposition import Family, Histogram
from argosy.client.transport import Transport
from argosy.http.message import Request, Response
from argosy.runtime.counts import QUEUE_SECONDS, RECONCILE_SECONDS, Counts, Durations

Requests = dict[tuple[str, int, str], int]
"""How many by method, status (0: there was no answer) and host."""
Row = tuple[str, Literal["counter", "gauge"], str, Callable[[Counts], float]]

# fmt: off
RECONCILES: tuple[Row, ...] = (
    ("reconcile_errors_total", "counter", "Reconciles that failed.", lambda of: of.failed),
    ("terminal_reconcile_errors_total", "counter", "Final failures.", lambda of: of.terminal),
    ("reconcile_panics_total", "counter", "Failures by faults in the code.", lambda of: of.faults),
    ("reconcile_timeouts_total", "counter", "Reconciles cut off.", lambda of: of.timeouts),
    ("max_concurrent_reconciles", "gauge", "How many may run at once.", lambda of: of.workers),
    ("active_workers", "gauge", "How many are at work.", lambda of: of.active),
)
QUEUES: tuple[Row, ...] = (
    ("adds_total", "counter", "Keys that were added.", lambda of: of.queue.adds),
    ("retries_total", "counter", "Keys that are to come later.", lambda of: of.queue.retries),
    ("unfinished_work_seconds", "gauge", "Work that is not done yet.", lambda of: sum(_open(of))),
    ("longest_running_processor_seconds", "gauge", "The longest of it.", lambda of: max(_open(of))),
)
# fmt: on


class Metrics:
    """The counts of one process."""

    def __init__(self) -> None:
        self._controllers: list[Counts] = []
        self._requests: Requests = {}

    def controller(self, name: str, workers: int) -> Counts:
        """To be filled by the controller `name`."""
        counts = Counts(name, workers)
        self._controllers.append(counts)
        return counts

    def transport(self, inner: Transport, host: str) -> "Counting":
        """`inner`, with its answers counted as those of `host`."""
        return Counting(inner, host, self._requests)

    def families(self) -> Iterator[Family | Histogram]:
        """All that was counted."""
        known = self._controllers
        yield _results(known)
        text = "Seconds that reconciles took."
        name = "controller_runtime_reconcile_time_seconds"
        yield _durations(name, text, RECONCILE_SECONDS, ((of, of.took) for of in known))
        yield from _families("controller_runtime_", RECONCILES, known, ("controller",))
        yield from _families("workqueue_", QUEUES, known, ("name", "controller"))
        yield _depth(known)
        name, text = "workqueue_queue_duration_seconds", "Seconds that keys waited for a worker."
        yield _durations(name, text, QUEUE_SECONDS, ((of, of.queue.waited) for of in known))
        name, text = "workqueue_work_duration_seconds", "Seconds that keys were worked on."
        yield _durations(name, text, QUEUE_SECONDS, ((of, of.queue.worked) for of in known))
        yield self._answers()

    def _answers(self) -> Family:
        requests = Family(
            "rest_client_requests_total",
            "counter",
            "Requests to the API server.",
            ("code", "method", "host"),
        )
        for (method, code, host), count in self._requests.items():
            requests.add((str(code) if code else "<error>", method, host), count)
        return requests


class Counting:
    """A transport whose answers are counted."""

    __slots__ = ("inner", "_host", "_counts")

    def __init__(self, inner: Transport, host: str, counts: Requests) -> None:
        self.inner = inner
        self._host = host
        self._counts = counts

    async def send(self, request: Request) -> Response:
        """The server's answer. Raises ConnectionError."""
        code = 0
        try:
            response = await self.inner.send(request)
            code = response.status
            return response
        finally:
            key = (request.method, code, self._host)
            self._counts[key] = self._counts.get(key, 0) + 1

    async def close(self) -> None:
        """Let go of connections."""
        await self.inner.close()


def _results(controllers: Iterable[Counts]) -> Family:
    total = Family(
        "controller_runtime_reconcile_total",
        "counter",
        "Reconciles by what came out.",
        ("controller", "result"),
    )
    for of in controllers:
        # Nobody asks here to be called again without a time, which is "requeue".
        outcomes = {
            "error": of.failed,
            "requeue_after": of.later,
            "requeue": 0,
            "success": of.succeeded,
        }
        for result, count in outcomes.items():
            total.add((of.name, result), count)
    return total


def _families(
    lead: str, rows: Iterable[Row], controllers: Iterable[Counts], labels: tuple[str, ...]
) -> Iterator[Family]:
    """Each row as a family; all labels have the controller's name."""
    for name, kind, text, read in rows:
        family = Family(lead + name, kind, text, labels)
        for of in controllers:
            family.add((of.name,) * len(labels), read(of))
        yield family


def _depth(controllers: Iterable[Counts]) -> Family:
    labels = ("name", "controller", "priority")
    depth = Family("workqueue_depth", "gauge", "Keys that wait for a worker.", labels)
    for of in controllers:
        levels = of.waiting.depth() if of.waiting is not None else {}
        for priority, keys in {0: 0, **levels}.items():
            depth.add((of.name, of.name, str(priority)), keys)
    return depth


def _durations(
    name: str,
    text: str,
    bounds: tuple[float, ...],
    samples: Iterable[tuple[Counts, Durations]],
) -> Histogram:
    labels = ("name", "controller") if name.startswith("workqueue") else ("controller",)
    histogram = Histogram(name, text, bounds, labels)
    for of, taken in samples:
        if any(taken.counts):
            histogram.add((of.name,) * len(labels), taken.counts, taken.total)
    return histogram


def _open(of: Counts) -> list[float]:
    """Seconds of the work that goes on, and a zero."""
    return [0.0, *(of.waiting.unfinished() if of.waiting is not None else ())]
