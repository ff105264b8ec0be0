"""Metrics of flow control, under kube-apiserver's names. Source: its `util/flowcontrol/metrics`."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from argosy.apiserver.flowcontrol.counting import LENGTHS, WAITS, WIDTHS, Buckets, Counted
from argosy.apiserver.flowcontrol.levels import Level, Levels
from argosy.base.exposition import Family, Histogram

PREFIX = "apiserver_flowcontrol_"
Place = tuple[str, str]
_PLACE = ("priority_level", "flow_schema")
_OF_FLOWS: tuple[tuple[str, str, Callable[[Counted], int]], ...] = (
    ("current_inqueue_requests", "Requests that wait.", lambda one: one.waiting),
    ("current_inqueue_seats", "Seats that are waited for.", lambda one: one.waiting_seats),
    ("current_executing_requests", "Requests in progress.", lambda one: one.executing),
    ("current_executing_seats", "Seats that are taken.", lambda one: one.seats),
)
_OF_LEVELS: tuple[tuple[str, str, Callable[[Level], float]], ...] = (
    ("nominal_limit_seats", "Seats by configuration.", lambda one: one.nominal),
    ("lower_limit_seats", "Seats that are not lent.", lambda one: one.least),
    ("upper_limit_seats", "Seats with all that may be borrowed.", lambda one: one.most),
    ("current_limit_seats", "Seats for now.", lambda one: one.queues.limit),
    (
        "demand_seats_high_watermark",
        "The most seats that could have been used in the last period.",
        lambda one: one.demand.most,
    ),
    ("demand_seats_average", "As above, on average.", lambda one: one.demand.average),
    ("demand_seats_stdev", "As above, standard deviation.", lambda one: one.demand.deviation),
    ("demand_seats_smoothed", "As above, over many periods.", lambda one: one.demand.smoothed),
    ("target_seats", "Seats that are aimed at.", lambda one: one.target),
)


def families(counted: Mapping[Place, Counted], levels: Levels) -> Iterator[Family | Histogram]:
    """All that was counted."""
    dispatched = Family(
        f"{PREFIX}dispatched_requests_total", "counter", "Requests that ran.", _PLACE
    )
    rejected = Family(
        f"{PREFIX}rejected_requests_total",
        "counter",
        "Requests that were turned away.",
        (*_PLACE, "reason"),
    )
    for place, one in counted.items():
        dispatched.add(place, one.dispatched)
        for reason, count in one.rejected.items():
            rejected.add((*place, reason), count)
    yield from (dispatched, rejected)
    for name, text, of_flow in _OF_FLOWS:
        family = Family(PREFIX + name, "gauge", text, _PLACE)
        for place, one in counted.items():
            family.add(place, of_flow(one))
        yield family
    yield from _distributions(counted)
    yield from _levels(levels)


def _levels(levels: Levels) -> Iterator[Family]:
    for name, text, of_level in _OF_LEVELS:
        family = Family(PREFIX + name, "gauge", text, ("priority_level",))
        for one in levels.by_name.values():
            family.add((one.name,), of_level(one))
        yield family
    text = "The part of its target that each level gets."
    yield Family(f"{PREFIX}seat_fair_frac", "gauge", text, (), {(): levels.fair_share})


def _distributions(counted: Mapping[Place, Counted]) -> Iterator[Histogram]:
    waits: list[tuple[tuple[str, ...], Buckets]] = []
    runs: list[tuple[tuple[str, ...], Buckets]] = []
    lengths: list[tuple[tuple[str, ...], Buckets]] = []
    widths: list[tuple[tuple[str, ...], Buckets]] = []
    for place, one in counted.items():
        waits += [((*place, "true"), one.waited), ((*place, "false"), one.waited_in_vain)]
        runs += [((*place, kind), buckets) for kind, buckets in one.ran.items()]
        lengths.append((place, one.lengths))
        widths.append((place, one.widths))
    text = "Seconds in a queue."
    yield _histogram("request_wait_duration_seconds", text, WAITS, "execute", waits)
    text = "Seconds from a request's turn to its answer, or to a watch's beginning."
    yield _histogram("request_execution_seconds", text, WAITS, "type", runs)
    text = "How long a queue was with the request that came."
    yield _histogram("request_queue_length_after_enqueue", text, LENGTHS, "", lengths)
    yield _histogram("work_estimated_seats", "Seats of a request.", WIDTHS, "", widths)


def _histogram(
    name: str,
    text: str,
    bounds: tuple[float, ...],
    label: str,
    samples: Iterable[tuple[tuple[str, ...], Buckets]],
) -> Histogram:
    labels = (*_PLACE, label) if label else _PLACE
    histogram = Histogram(PREFIX + name, text, bounds, labels)
    for values, buckets in samples:
        if any(buckets.counts):
            histogram.add(values, buckets.counts, buckets.total)
    return histogram
