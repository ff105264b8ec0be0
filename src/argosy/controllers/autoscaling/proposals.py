"""The number of replicas that each metric of an autoscaler proposes, or why it has none.

The words are upstream's horizontal controller's: each failure is told in an event and a condition,
and once more, wrapped, for the autoscaler as a whole.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from argosy.api.amounts import shown
from argosy.api.autoscaling import (
    MetricIdentifier,
    MetricSource,
    MetricSpec,
    Quantity,
    plain,
)
from argosy.api.core import Pod
from argosy.base import quantity
from argosy.base.clock import Clock
from argosy.controllers.autoscaling.metrics import Asking, Metrics
from argosy.controllers.autoscaling.podgroups import (
    Delays,
    Measured,
    RequestError,
    grouped,
    ready_pods,
    requests,
)
from argosy.controllers.autoscaling.replicas import (
    MOST_USAGE,
    MetricsError,
    Target,
    Tolerance,
    Wanted,
    countable,
    of_pods,
    of_share,
    of_value,
    total,
)
from argosy.controllers.disruptionbudgets import shown as selector_text

Json = dict[str, Any]
NO_PODS = "no pods returned by selector while calculating replica count"
NO_TARGET = "invalid {} metric source: neither a value target nor an average value target was set"
NO_RESOURCE_TARGET = (
    "invalid resource metric source: neither an average utilization target nor an average value "
    "(usage) target was set"
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A number of replicas, what proposes it, and what is shown of that in the status."""

    replicas: int
    name: str
    status: Json


class Failure(Exception):
    """No number: a reason, what is told of it, and the same for the autoscaler as a whole."""

    def __init__(self, reason: str, told: str, whole: str) -> None:
        super().__init__(whole)
        self.reason = reason
        self.told = told
        self.whole = whole


@dataclass(frozen=True, slots=True)
class Scene:
    """What the metrics are looked at for: the replicas that are asked for and that there are, the
    pods, and how far from a target is near enough.
    """

    asking: Asking
    wanted: int
    there: int
    pods: list[Pod]
    tolerance: Tolerance


@dataclass(frozen=True, slots=True)
class Proposals:
    """Asks for metrics, and calculates."""

    metrics: Metrics
    clock: Clock
    delays: Delays

    async def propose(self, spec: MetricSpec, scene: Scene) -> Proposal:
        """What one metric proposes. Raises Failure."""
        match spec:
            case MetricSpec(type="Resource", resource=MetricSource() as source):
                return await self._of_resource(source, scene, "Resource")
            case MetricSpec(type="ContainerResource", container_resource=MetricSource() as source):
                return await self._of_resource(source, scene, "ContainerResource")
            case MetricSpec(type="Pods", pods=MetricSource() as source):
                return await self._of_pods(source, scene)
            case MetricSpec(type="Object", object=MetricSource() as source):
                return await self._of_object(source, scene)
            case MetricSpec(type="External", external=MetricSource() as source):
                return await self._external(source, scene)
        text = f'unknown metric source type "{spec.type}"'
        raise Failure("InvalidMetricSourceType", text, text)

    async def _of_resource(self, source: MetricSource, scene: Scene, kind: str) -> Proposal:
        container = kind == "ContainerResource"
        try:
            wanted = await self._resource(source, scene)
        except (MetricsError, RequestError) as error:
            what = f"{source.container} container" if container else f"{source.name} resource"
            whole = f"failed to get {what} metric value: {error}"
            raise Failure(f"FailedGet{kind}Metric", str(error), whole) from None
        name = f"{source.name} resource"
        current: Json = {"averageValue": _amount(wanted.usage, source.name)}
        if wanted.share is not None:
            between = " container" * container
            name = f"{source.name}{between} resource utilization (percentage of request)"
            current["averageUtilization"] = wanted.share
        which = {"container": source.container} if container else {}
        return Proposal(
            wanted.replicas,
            name,
            _status(kind, {"name": source.name, **which, "current": current}),
        )

    async def _resource(self, source: MetricSource, scene: Scene) -> Wanted:
        target = source.target
        average, share = target.average_value, target.average_utilization
        if average is None and share is None:
            raise MetricsError(NO_RESOURCE_TARGET)
        called = f"{source.name} {'utilization' if average is None else 'usage'}"
        try:
            found = await self.metrics.of_resource(scene.asking, source.name, source.container)
        except MetricsError as error:
            text = f"unable to get metrics for resource {source.name}: {error}"
            raise MetricsError(f"failed to get {called}: {text}") from None
        try:
            return self._counted(scene, found, lambda: _goal(source, scene), source.name)
        except (MetricsError, RequestError) as error:
            raise MetricsError(f"failed to get {called}: {error}") from None

    def _counted(
        self,
        scene: Scene,
        found: Mapping[str, Measured],
        target: Callable[[], Target],
        resource: str,
    ) -> Wanted:
        if not scene.pods:
            raise MetricsError(NO_PODS)
        groups = grouped(scene.pods, found, resource, self.clock.now(), self.delays)
        usage = countable({name: one.value for name, one in found.items()}, groups)
        return of_pods(scene.wanted, usage, target(), groups, scene.tolerance)

    async def _of_pods(self, source: MetricSource, scene: Scene) -> Proposal:
        name = source.metric.name
        try:
            try:
                found = await self.metrics.of_pods(scene.asking, source.metric)
            except MetricsError as error:
                raise MetricsError(f"unable to get metric {name}: {error}") from None
            target = source.target.average_value or 0
            wanted = self._counted(scene, found, lambda: _positive(target), "")
        except MetricsError as error:
            whole = f"failed to get pods metric value: {error}"
            raise Failure("FailedGetPodsMetric", str(error), whole) from None
        current = {"averageValue": _amount(wanted.usage)}
        status = _status("Pods", {"metric": plain(source.metric), "current": current})
        return Proposal(wanted.replicas, f"pods metric {name}", status)

    async def _of_object(self, source: MetricSource, scene: Scene) -> Proposal:
        target, described, metric = source.target, source.described_object, source.metric
        average = target.type == "AverageValue" and target.average_value is not None
        try:
            if not average and (target.type != "Value" or target.value is None):
                raise MetricsError(NO_TARGET.format("object"))
            usage = await self._object(source, scene)
            wanted = _as_a_whole(usage, source, scene, average=average)
        except MetricsError as error:
            between = f"failed to get {metric.name} object metric: " if average else ""
            whole = f"failed to get object metric value: {between}{error}"
            raise Failure("FailedGetObjectMetric", str(error), whole) from None
        current = _current(wanted, average=average)
        parts = {"describedObject": plain(described), "metric": plain(metric), "current": current}
        name = _external_name(metric) if average else f"{described.kind} metric {metric.name}"
        return Proposal(wanted.replicas, name, _status("Object", parts))

    async def _object(self, source: MetricSource, scene: Scene) -> int:
        described, namespace = source.described_object, scene.asking.namespace
        try:
            return await self.metrics.of_object(namespace, described, source.metric)
        except MetricsError as error:
            where = f"{described.kind} {namespace}/{described.name}"
            text = f"unable to get metric {source.metric.name}: {error} on {where}"
            raise MetricsError(text) from None

    async def _external(self, source: MetricSource, scene: Scene) -> Proposal:
        target, metric = source.target, source.metric
        average = target.average_value is not None
        try:
            if not average and target.value is None:
                raise MetricsError(NO_TARGET.format("external"))
            usage = await self._series(metric, scene)
            wanted = _as_a_whole(usage, source, scene, average=average)
        except MetricsError as error:
            whole = _external_failure(source, str(error))
            raise Failure("FailedGetExternalMetric", str(error), whole) from None
        parts = {"metric": plain(metric), "current": _current(wanted, average=average)}
        return Proposal(wanted.replicas, _external_name(metric), _status("External", parts))

    async def _series(self, metric: MetricIdentifier, scene: Scene) -> int:
        try:
            return total(await self.metrics.external(scene.asking.namespace, metric))
        except MetricsError as error:
            where = f"{scene.asking.namespace}/{metric.name}/{_selector_text(metric)}"
            raise MetricsError(f"unable to get external metric {where}: {error}") from None


def _goal(source: MetricSource, scene: Scene) -> Target:
    """What a pod may use of a resource. Raises RequestError."""
    target = source.target
    if target.average_value is not None:
        return _positive(target.average_value)
    asked = requests(scene.pods, source.name, source.container)
    return Target(max(target.average_utilization or 0, 1), asked)


def _as_a_whole(usage: int, source: MetricSource, scene: Scene, *, average: bool) -> Wanted:
    """What a metric proposes that is not measured by pod."""
    target = source.target
    if average:
        goal = _positive(target.average_value or 0).amount
        return of_share(scene.there, usage, goal, scene.tolerance)
    goal = _positive(target.value or 0).amount
    near = scene.wanted == 0 or scene.tolerance.holds(usage / goal)
    if not near and not scene.pods:
        raise MetricsError(f"unable to calculate ready pods: {NO_PODS}")
    return of_value(scene.wanted, usage, goal, ready_pods(scene.pods), scene.tolerance)


def _positive(amount: Quantity) -> Target:
    """A target that can be calculated with, whatever somebody wrote."""
    return Target(min(max(quantity.milli(amount), 1), MOST_USAGE))


def _status(kind: str, parts: Json) -> Json:
    return {"type": kind, kind[0].lower() + kind[1:]: parts}


def _current(wanted: Wanted, *, average: bool) -> Json:
    return {"averageValue" if average else "value": _amount(wanted.usage)}


def _amount(thousandths: int, resource: str = "") -> str:
    """As metrics servers write it: memory by powers of 1024."""
    return shown("memory" if resource == "memory" else "", Decimal(thousandths) / 1000)


def _selector_text(metric: MetricIdentifier) -> str:
    return "nil" if metric.selector is None else selector_text(metric.selector)


def _external_name(metric: MetricIdentifier) -> str:
    return f"external metric {metric.name}({_selector_text(metric)})"


def _external_failure(source: MetricSource, told: str) -> str:
    name = source.metric.name
    if source.target.average_value is not None:
        told = f"failed to get {name} external metric: {told}"
    elif source.target.value is not None:
        told = f"failed to get external metric {name}: {told}"
    return f"failed to get {name} external metric value: {told}"
