"""Views of the pod groups of others: scheduler-plugins' and Volcano's.

Their definitions are not ours and may be loose, so the spec stays plain; who reads it looks at what
it finds.
"""

from typing import Any, ClassVar

from argosy.api.meta import Object
from argosy.api.resource import Resource


class SchedulerPluginsPodGroup(Object, frozen=True, kw_only=True):
    """What scheduler-plugins' Coscheduling goes by: `spec.minMember` pods are placed at once."""

    resource: ClassVar[Resource] = Resource(
        group="scheduling.x-k8s.io", version="v1alpha1", kind="PodGroup", plural="podgroups"
    )

    spec: Any = None


class VolcanoPodGroup(Object, frozen=True, kw_only=True):
    """The same of Volcano's scheduler."""

    resource: ClassVar[Resource] = Resource(
        group="scheduling.volcano.sh", version="v1beta1", kind="PodGroup", plural="podgroups"
    )

    spec: Any = None
