"""When that happened to which a change of endpoints answers: what they are annotated with.

It is the earliest of the changes since the last look: of pods that became ready or stopped being
so. The first look at a service answers to its creation. Source: KEP-1020's trigger time tracker.
"""

from collections.abc import Iterable

from argosy.api.core import Pod, Service
from argosy.api.meta import Key, Object, condition
from argosy.runtime.informer import Informer

ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time"
Times = dict[str, str]


class Triggers:
    """Remembers the times that were seen, by service."""

    def __init__(self, services: Informer[Service]) -> None:
        self._seen: dict[Key, tuple[str, Times]] = {}
        services.subscribe(self._changed)

    def time(self, service: Service, pods: Iterable[Pod]) -> str:
        """The time that a change made now answers to; empty where there is none."""
        created = service.metadata.creation_timestamp or ""
        times = {pod.metadata.name: since for pod in pods if (since := _since(pod))}
        known = self._seen.get(service.key)
        self._seen[service.key] = (created, times)
        if known is None:
            return created
        before, old = known
        changed = [since for name, since in times.items() if since > old.get(name, "")]
        return min([*changed, *([created] if created > before else [])], default="")

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is None:
            self._seen.pop(old.key, None)


def _since(pod: Pod) -> str:
    ready = condition(pod.status.conditions, "Ready")
    return (ready.last_transition_time or "") if ready is not None else ""


def annotated(annotations: dict[str, str], time: str) -> dict[str, str]:
    """`annotations`, with the time, or without any."""
    others = {name: value for name, value in annotations.items() if name != ANNOTATION}
    return {**others, ANNOTATION: time} if time else others
