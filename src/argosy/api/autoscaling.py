"""Views of HorizontalPodAutoscalers, and of the scales that they change.

What is only shown again in the status (selectors of metrics, references) stays plain; quantities
stay as they were written.
"""

from typing import Any, ClassVar

import msgspec

from argosy.api.meta import Condition, Object, ObjectMeta, View
from argosy.api.resource import Resource
from argosy.api.resources.workloads import HORIZONTAL_POD_AUTOSCALER

Json = dict[str, Any]
Quantity = str | int | float


class ObjectReference(View, frozen=True, kw_only=True):
    """An object of the same namespace."""

    kind: str = ""
    name: str = ""
    api_version: str = ""

    @property
    def group(self) -> str:
        """The group of its kind. What has more than one slash names no version: all of it."""
        group, slash, _ = self.api_version.partition("/")
        return group if slash else ""


class MetricIdentifier(View, frozen=True, kw_only=True):
    """A metric by its name, and a selector of its series as it was written."""

    name: str = ""
    selector: Json | None = None


class MetricTarget(View, frozen=True, kw_only=True):
    """What a metric shall be."""

    type: str = ""
    value: Quantity | None = None
    average_value: Quantity | None = None
    average_utilization: int | None = None


class MetricSource(View, frozen=True, kw_only=True):
    """Where a metric comes from: the fields of all five forms, of which each has some."""

    target: MetricTarget = MetricTarget()
    metric: MetricIdentifier = MetricIdentifier()
    described_object: ObjectReference = ObjectReference()
    name: str = ""
    container: str = ""


class MetricSpec(View, frozen=True, kw_only=True):
    """One metric; what its type names is there, too."""

    type: str = ""
    object: MetricSource | None = None
    pods: MetricSource | None = None
    resource: MetricSource | None = None
    container_resource: MetricSource | None = None
    external: MetricSource | None = None


class ScalingPolicy(View, frozen=True, kw_only=True):
    """How far may be scaled in a period: so many pods, or per cent of them."""

    type: str = ""
    value: int = 0
    period_seconds: int = 0


class ScalingRules(View, frozen=True, kw_only=True):
    """How may be scaled in one direction."""

    stabilization_window_seconds: int | None = None
    select_policy: str = "Max"
    policies: tuple[ScalingPolicy, ...] = ()
    tolerance: Quantity | None = None


class ScalingBehavior(View, frozen=True, kw_only=True):
    """How may be scaled."""

    scale_up: ScalingRules = ScalingRules()
    scale_down: ScalingRules = ScalingRules()


class AutoscalerSpec(View, frozen=True, kw_only=True):
    """What is scaled, by what, and how far."""

    scale_target_ref: ObjectReference = ObjectReference()
    min_replicas: int = 1
    max_replicas: int = 0
    metrics: tuple[MetricSpec, ...] = ()
    behavior: ScalingBehavior | None = None


class AutoscalerStatus(View, frozen=True, kw_only=True):
    """What was seen and done last."""

    observed_generation: int | None = None
    last_scale_time: str | None = None
    current_replicas: int = 0
    desired_replicas: int = 0
    current_metrics: tuple[Json, ...] = ()
    conditions: tuple[Condition, ...] = ()


class HorizontalPodAutoscaler(Object, frozen=True, kw_only=True):
    """Says how many pods something shall have, by what is measured of them."""

    resource: ClassVar[Resource] = HORIZONTAL_POD_AUTOSCALER

    spec: AutoscalerSpec = AutoscalerSpec()
    status: AutoscalerStatus = AutoscalerStatus()


class ScaleSpec(View, frozen=True, kw_only=True):
    """The number that is wanted; zero is left out."""

    replicas: int = 0


class ScaleStatus(View, frozen=True, kw_only=True):
    """The number that there is, and which pods are counted."""

    replicas: int = 0
    selector: str = ""


class Scale(View, frozen=True, kw_only=True):
    """What all kinds that have replicas show of them."""

    metadata: ObjectMeta = ObjectMeta()
    spec: ScaleSpec = ScaleSpec()
    status: ScaleStatus = ScaleStatus()


def plain(view: View) -> Json:
    """The view as JSON."""
    found: Json = msgspec.to_builtins(view)
    return found
