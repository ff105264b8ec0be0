"""Carries a preemption out: the victims are told and deleted, others lose their nomination.

Nobody goes for a preemptor that is no longer there, and nobody who is on the way out already is
told again. Each pod is evicted by its uid, so another one of its name is safe.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from argosy.api.core import Pod
from argosy.base.clock import timestamp
from argosy.base.errors import StatusError
from argosy.runtime.events import Note
from argosy.runtime.informer import Informer
from argosy.scheduler.preemption.record import BY_SCHEDULER, TARGET, Preemption, Victim
from argosy.scheduler.writes import Writer, attempt

MANAGER = "kube-scheduler-preemption"
"""Whose field a victim's condition is: the scheduler's own name may have the pod's other one."""

AT_ONCE = 16
"""So many victims are written at the same time."""


@dataclass(frozen=True)
class Evictor:
    """Writes what preemptions come to."""

    writer: Writer
    pods: Informer[Pod]
    evicting: set[str]

    async def carry_out(self, preemption: Preemption) -> bool:
        """Whether all victims go; those that do not will be looked at anew."""
        going: set[str] = set()
        try:
            return await self._all(preemption, going)
        finally:
            named = {victim.pod.metadata.uid for victim in preemption.victims}
            gone = {it.pod.metadata.uid for it in preemption.victims if self._same(it.pod) is None}
            self.evicting.difference_update((named - going) | gone)

    async def _all(self, preemption: Preemption, going: set[str]) -> bool:
        if not all(self._waits(pod) for pod in preemption.preemptors):
            return False
        for pod in preemption.displaced:
            write = self.writer.clear_nomination(pod)
            await attempt(write, "nomination", pod="/".join(pod.key))
        slots = asyncio.Semaphore(AT_ONCE)
        evictions = [self._evict(preemption, victim, going, slots) for victim in preemption.victims]
        await asyncio.gather(*evictions)
        # Where nobody has to go after all, the pods have their turn again.
        return 0 < len(going) == len(preemption.victims)

    def _waits(self, pod: Pod) -> bool:
        """Whether a preemptor is still there and still needs room."""
        found = self._same(pod)
        return found is not None and not found.spec.node_name and not _going(found)

    async def _evict(
        self, preemption: Preemption, victim: Victim, going: set[str], slots: asyncio.Semaphore
    ) -> None:
        async with slots:
            pod = self._same(victim.pod)
            gone = pod is None or _going(pod)
            if pod is not None and not gone:
                write = self._delete(preemption, pod, victim.node)
                gone = await attempt(write, "eviction", pod="/".join(pod.key))
        if gone:
            going.add(victim.pod.metadata.uid)

    async def _delete(self, preemption: Preemption, pod: Pod, node: str) -> None:
        meta = pod.metadata
        try:
            await self._tell(preemption, pod)
            await self.writer.client.delete(Pod.resource, meta.name, meta.namespace, uid=meta.uid)
        except StatusError as error:
            if error.code != 404:
                raise
            return
        text = f"Preempted by {preemption.kind} {preemption.uid} on node {node}"
        await self.writer.events.record(pod, Note("Preempted", text))

    async def _tell(self, preemption: Preemption, pod: Pod) -> None:
        meta = pod.metadata
        target: dict[str, Any] = {
            "type": TARGET,
            "status": "True",
            "reason": BY_SCHEDULER,
            "message": (
                f"{preemption.scheduler}: preempting to accommodate a higher priority "
                f"{preemption.kind}"
            ),
            "lastTransitionTime": timestamp(self.writer.clock.now()),
        }
        body = {
            "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid},
            "status": {"conditions": [target]},
        }
        client = replace(self.writer.client, manager=MANAGER)
        await client.apply(Pod.resource, body, subresource="status")

    def _same(self, pod: Pod) -> Pod | None:
        """The pod as the cache has it; None where it is gone, or another one has its name."""
        found = self.pods.get(*pod.key)
        same = found is not None and found.metadata.uid == pod.metadata.uid
        return found if same else None


def _going(pod: Pod) -> bool:
    return pod.metadata.deletion_timestamp is not None or pod.finished
