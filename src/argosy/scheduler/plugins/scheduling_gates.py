"""SchedulingGates: a pod with gates isn't queued until all of them are removed."""

from argosy.api.core import Pod
from argosy.scheduler.framework import Plugin


def gated(pod: Pod) -> str | None:
    """Why the pod stays out of the queue."""
    if pod.spec.scheduling_gates:
        return "Scheduling is blocked due to non-empty scheduling gates"
    return None


PLUGIN = Plugin(name="SchedulingGates", gate=gated)
