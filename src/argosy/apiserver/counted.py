"""What `metrics` counted, as families under kube-apiserver's names and labels.

Source: apiserver's `endpoints/metrics`, Kubernetes 1.36. A request that deletes a collection is a
DELETE here as there, told from others by its scope.
"""

from collections.abc import Iterable, Iterator

from argosy.apiserver.metrics import ABORTED, EVENT_SIZES, SECONDS, SIZES, Kind, Metrics, Series
from argosy.base.exposition import Family, Histogram, Values

CONNECTED = frozenset({"attach", "exec", "log", "portforward", "proxy"})
METHODS = frozenset({"DELETE", "PATCH", "POST", "PUT"})
SLI = SECONDS.index(0.05)
"""The buckets of the SLI begin here; it is taken of the same counts."""

_RESOURCE = ("group", "version", "resource")
_PLACE = ("verb", *_RESOURCE, "subresource", "scope", "component")
_REQUEST = ("verb", "dry_run", *_PLACE[1:])


def families(metrics: Metrics) -> Iterator[Family | Histogram]:
    """All that was counted."""
    yield from _Requests().filled(metrics.series.values())
    yield _in_flight(metrics)
    yield _running(metrics)
    yield from _watches(metrics)
    for counter in metrics.counters:
        yield Family(counter.name, "counter", counter.help, samples={(): counter.read()})
    for others in metrics.others:
        yield from others()


class _Requests:
    """The families of requests that came to their end."""

    def __init__(self) -> None:
        self.total = Family(
            "apiserver_request_total",
            "counter",
            "Requests that were answered.",
            (*_REQUEST, "code"),
        )
        self.aborts = Family(
            "apiserver_request_aborts_total",
            "counter",
            "Requests that were given up before their answer.",
            _PLACE[:-1],
        )
        self.duration = Histogram(
            "apiserver_request_duration_seconds", "Seconds to the answer.", SECONDS, _REQUEST
        )
        self.sli = Histogram(
            "apiserver_request_sli_duration_seconds",
            "Seconds to the answer, but of dry runs.",
            SECONDS[SLI:],
            _PLACE,
        )
        self.validation = Histogram(
            "field_validation_request_duration_seconds",
            "Seconds to the answer, by what becomes of unknown fields.",
            SECONDS[SLI:],
            ("field_validation",),
        )
        self.sizes = Histogram("apiserver_response_sizes", "Bytes of answers.", SIZES, _PLACE)

    def filled(self, counted: Iterable[Series]) -> Iterator[Family | Histogram]:
        """The families with all that is counted."""
        for series in counted:
            place = _place(series.kind)
            if series.code == ABORTED:
                self.aborts.add(place[:-1], sum(series.durations))
            else:
                self._add(series, place)
        yield from (self.total, self.duration, self.sli, self.validation, self.sizes, self.aborts)

    def _add(self, series: Series, place: Values) -> None:
        kind, counts = series.kind, series.durations
        request = (place[0], kind.dry_run, *place[1:])
        fewer = [sum(counts[: SLI + 1]), *counts[SLI + 1 :]]
        self.total.add((*request, str(series.code)), sum(counts))
        self.duration.add(request, counts, series.seconds)
        self.validation.add((kind.field_validation,), fewer, series.seconds)
        if not kind.dry_run:
            self.sli.add(place, fewer, series.seconds)
        if kind.method == "GET":
            self.sizes.add(place, series.sizes, series.bytes)


def _in_flight(metrics: Metrics) -> Family:
    now = metrics.monotonic()
    return Family(
        "apiserver_current_inflight_requests",
        "gauge",
        "The most requests at once within the last second.",
        ("request_kind",),
        {
            ("mutating",): metrics.changing.most(now),
            ("readOnly",): metrics.reading.most(now),
        },
    )


def _running(metrics: Metrics) -> Family:
    running = Family(
        "apiserver_longrunning_requests", "gauge", "Watches and logs that are open.", _PLACE
    )
    for kind, count in metrics.open.items():
        running.add(_place(kind), count)
    return running


def _watches(metrics: Metrics) -> Iterator[Family | Histogram]:
    total = Family(
        "apiserver_watch_events_total", "counter", "Events that were sent to watches.", _RESOURCE
    )
    sizes = Histogram("apiserver_watch_events_sizes", "Bytes of events.", EVENT_SIZES, _RESOURCE)
    initial = Family(
        "apiserver_init_events_total",
        "counter",
        "Events that watches began with.",
        ("group", "resource"),
    )
    for events in metrics.events.values():
        resource = events.served.resource
        values = (resource.group, resource.version, resource.plural)
        total.add(values, sum(events.sizes))
        sizes.add(values, events.sizes, events.bytes)
        initial.add((resource.group, resource.plural), events.initial)
    yield from (total, sizes, initial)


def _place(kind: Kind) -> Values:
    """A request's labels from its verb to its component."""
    if kind.served is None:
        return (_verb(kind, ""), "", "", "", kind.subresource, "", "")
    resource = kind.served.resource
    scope = "namespace" if kind.namespaced else "cluster"
    if kind.named or kind.method == "POST":
        scope = "resource"
    where = (resource.group, resource.version, resource.plural, kind.subresource)
    return (_verb(kind, scope), *where, scope, "apiserver")


def _verb(kind: Kind, scope: str) -> str:
    if kind.served is not None and kind.subresource in CONNECTED:
        return "CONNECT"
    if kind.special:
        return kind.special
    if kind.method in ("GET", "HEAD"):
        return "GET" if scope in ("", "resource") else "LIST"
    return kind.method if kind.method in METHODS else "other"
