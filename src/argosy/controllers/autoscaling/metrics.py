"""What is measured: the three metrics APIs, which other servers answer behind the API server.

`metrics.k8s.io` tells what pods use, `custom.metrics.k8s.io` anything else of pods and other
objects, `external.metrics.k8s.io` what belongs to no object. Where a namespace has many
autoscalers, the use of all its pods is asked for at once, not of each selector's.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from argosy.api.autoscaling import MetricIdentifier, ObjectReference, Quantity
from argosy.api.cel.values import CelError, parse_duration
from argosy.api.columns.text import label_selector
from argosy.api.meta import ObjectMeta, View
from argosy.base import quantity
from argosy.base.clock import parse_timestamp
from argosy.controllers.autoscaling.answers import AnswerError, Answers
from argosy.controllers.autoscaling.discovery import Discovery
from argosy.controllers.autoscaling.podgroups import Measured
from argosy.controllers.autoscaling.replicas import MOST_USAGE, MetricsError

RESOURCE, CUSTOM, EXTERNAL = (
    "metrics.k8s.io",
    "custom.metrics.k8s.io",
    "external.metrics.k8s.io",
)
MANY = 4
"""Autoscalers of a namespace from which on the use of all its pods is asked for at once."""
WINDOW = 60
"""Seconds over which a metric is measured that does not say it."""
VERSIONS = ("v1beta2", "v1beta1")
"""Versions of custom metrics that are understood; the first is asked for where none is served."""


class ContainerUse(View, frozen=True, kw_only=True):
    """What one container uses."""

    name: str = ""
    usage: dict[str, Quantity] = {}


class PodUse(View, frozen=True, kw_only=True):
    """What a pod uses, by container."""

    metadata: ObjectMeta = ObjectMeta()
    timestamp: str = ""
    window: str = ""
    containers: tuple[ContainerUse, ...] = ()


class PodUses(View, frozen=True, kw_only=True):
    """What pods use."""

    items: tuple[PodUse, ...] = ()


class MetricValue(View, frozen=True, kw_only=True):
    """One value: of an object, or of one series; `window` is what v1beta1 calls the seconds."""

    described_object: ObjectReference = ObjectReference()
    timestamp: str = ""
    window_seconds: int | None = None
    window: int | None = None
    value: Quantity = 0


class MetricValues(View, frozen=True, kw_only=True):
    """Values of one metric."""

    items: tuple[MetricValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Asking:
    """For whom is asked: the selector of its pods, their names, and how many others ask there."""

    namespace: str
    selector: str
    names: Collection[str]
    siblings: int = 1


@dataclass(frozen=True, slots=True)
class Metrics:
    """Reads metrics. All methods raise MetricsError."""

    answers: Answers
    discovery: Discovery

    async def of_resource(
        self, asking: Asking, resource: str, container: str = ""
    ) -> dict[str, Measured]:
        """What the pods use of a resource, or one container of each."""
        uses = await self._uses(asking)
        if not uses:
            raise MetricsError("no metrics returned from resource metrics API")
        found = {}
        for name, use in uses.items():
            amounts = _amounts(use, resource, container)
            if amounts:
                found[name] = _measured(sum(amounts), use.timestamp, _window(use.window))
        return found

    async def _uses(self, asking: Asking) -> Mapping[str, PodUse]:
        shared = asking.siblings >= MANY
        query = {} if shared else {"labelSelector": asking.selector}
        path = f"/apis/{RESOURCE}/v1beta1/namespaces/{asking.namespace}/pods"
        try:
            uses = await self.answers.get(path, _by_name, query, called=f"pods.{RESOURCE}")
        except AnswerError as error:
            text = f"unable to fetch metrics from resource metrics API: {error}"
            raise MetricsError(text) from None
        return {name: uses[name] for name in asking.names if name in uses} if shared else uses

    async def of_pods(self, asking: Asking, metric: MetricIdentifier) -> dict[str, Measured]:
        """A metric of each pod."""
        query = {"labelSelector": asking.selector}
        values = await self._custom(f"namespaces/{asking.namespace}/pods/*", metric, query)
        if not values:
            raise MetricsError("no metrics returned from custom metrics API")
        return {
            value.described_object.name: _measured(
                _milli(value.value), value.timestamp, _seconds(value)
            )
            for value in values
        }

    async def of_object(
        self, namespace: str, reference: ObjectReference, metric: MetricIdentifier
    ) -> int:
        """A metric of one object. A namespace's is its own, whatever name is given."""
        if reference.kind == "Namespace" and not reference.group:
            where = f"namespaces/{namespace}/metrics"
        else:
            kind = await self._resource(reference)
            where = f"namespaces/{namespace}/{kind}/{reference.name}"
        values = await self._custom(where, metric, {})
        if len(values) != 1:
            raise MetricsError(
                "unable to fetch metrics from custom metrics API: the custom metrics API server "
                f"returned {len(values)} results when we asked for exactly one"
            )
        return _milli(values[0].value)

    async def _resource(self, reference: ObjectReference) -> str:
        """What the object's kind is called in paths of custom metrics."""
        try:
            served = await self.discovery.served(reference.group, reference.kind)
        except AnswerError as error:
            kind = f"{reference.kind}.{reference.group}" if reference.group else reference.kind
            text = f"unable to map kind {kind} to resource: {error}"
            raise MetricsError(f"unable to fetch metrics from custom metrics API: {text}") from None
        plural = served[0].plural
        return f"{plural}.{reference.group}" if reference.group else plural

    async def _custom(
        self, where: str, metric: MetricIdentifier, query: Mapping[str, str]
    ) -> tuple[MetricValue, ...]:
        known = await self.discovery.versions(CUSTOM)
        version = next((one for one in known if one in VERSIONS), VERSIONS[0])
        path = f"/apis/{CUSTOM}/{version}/{where}/{metric.name}"
        asked = {**query, "metricLabelSelector": label_selector(metric.selector, empty="")}
        plural = where.split("/")[2]
        try:
            return await self.answers.get(path, _values, asked, called=f"{plural}.{CUSTOM}")
        except AnswerError as error:
            text = f"unable to fetch metrics from custom metrics API: {error}"
            raise MetricsError(text) from None

    async def external(self, namespace: str, metric: MetricIdentifier) -> list[int]:
        """All series of a metric that belongs to no object."""
        path = f"/apis/{EXTERNAL}/v1beta1/namespaces/{namespace}/{metric.name}"
        query = {"labelSelector": label_selector(metric.selector, empty="")}
        called = f"{metric.name}.{EXTERNAL}"
        try:
            values = await self.answers.get(path, _values, query, called=called)
        except AnswerError as error:
            text = f"unable to fetch metrics from external metrics API: {error}"
            raise MetricsError(text) from None
        if not values:
            raise MetricsError("no metrics returned from external metrics API")
        return [_milli(value.value) for value in values]


_uses_of: msgspec.json.Decoder[PodUses] = msgspec.json.Decoder(PodUses)
_values_of: msgspec.json.Decoder[MetricValues] = msgspec.json.Decoder(MetricValues)


def _by_name(answer: bytes) -> Mapping[str, PodUse]:
    return {use.metadata.name: use for use in _uses_of.decode(answer).items}


def _values(answer: bytes) -> tuple[MetricValue, ...]:
    return _values_of.decode(answer).items


def _amounts(use: PodUse, resource: str, container: str) -> list[int]:
    """What the containers use; none where it is not known of all of them."""
    asked = [one for one in use.containers if not container or one.name == container]
    if any(resource not in one.usage for one in asked):
        return []
    return [_milli(one.usage[resource]) for one in asked]


def _milli(amount: Any) -> int:
    try:
        return max(min(quantity.milli(amount), MOST_USAGE), -MOST_USAGE)
    except ValueError as error:
        raise MetricsError(f"unable to read a metric: {error}") from None


def _measured(value: int, at: str, window: timedelta) -> Measured:
    return Measured(value, _moment(at), window)


def _moment(at: str) -> datetime:
    """When it was measured; long ago where that isn't said."""
    try:
        return parse_timestamp(at) if at else datetime.min.replace(tzinfo=UTC)
    except ValueError as error:
        raise MetricsError(f"unable to read the time of a metric: {error}") from None


@lru_cache(maxsize=64)
def _window(text: str) -> timedelta:
    try:
        return timedelta(microseconds=parse_duration(text).ns // 1000) if text else timedelta(0)
    except CelError as error:
        raise MetricsError(f"unable to read the window of a metric: {error}") from None


def _seconds(value: MetricValue) -> timedelta:
    given = value.window if value.window_seconds is None else value.window_seconds
    # No metric is measured over more than a year: what says so must not stop the calendar.
    return timedelta(seconds=WINDOW if given is None else min(max(given, 0), 366 * 86400))
