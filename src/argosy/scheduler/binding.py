"""Carries a decision out: claims first, then the bindings, then what is to be told.

Claims can be given back, a binding can't. So all claims of the unit are written before its first
pod is bound, and where one fails all are restored (claims of devices, that is; what is written
about volumes stays, see `volumes.binding`). Where a binding fails, the server is asked
whether it came to be after all; what is bound stays, the rest of the gang is tried again.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from argosy.api.core import Pod
from argosy.api.dra import ResourceClaim
from argosy.api.scheduling import CompositePodGroup, PodGroup
from argosy.base.errors import StatusError
from argosy.runtime.informer import Informer
from argosy.scheduler.decide import UNSCHEDULABLE, Decision, Refusal
from argosy.scheduler.evicting import Evictor
from argosy.scheduler.faults import SCHEDULER_ERROR
from argosy.scheduler.placement import Placement
from argosy.scheduler.state import State
from argosy.scheduler.volumes.binding import UnboundError, VolumeBinder
from argosy.scheduler.writes import ClaimWrite, Writer, attempt, claim_writes

log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between two questions to a server that doesn't answer."""


@dataclass(frozen=True)
class Binder:
    """Writes decisions and keeps the state true to what came of them.

    `other` may bind a pod in the API server's place, and tells whether it did.
    """

    writer: Writer
    state: State
    pods: Informer[Pod]
    volumes: VolumeBinder
    other: Callable[[Placement], Awaitable[bool]] | None = None

    async def bind(self, placements: Sequence[Placement]) -> list[Placement]:
        """Bind the placements; those that came to be. The others are no longer assumed."""
        bound: list[Placement] = []
        writes = claim_writes(placements)
        try:
            written = await self._write_claims(writes)
            ready = len(written) == len(writes) and await self._bind_volumes(placements)
            if ready and self._still_wanted(placements):
                for placement in placements:
                    if await self._bind_one(placement):
                        bound.append(placement)
            if len(bound) < len(placements):
                await self._restore(writes, written, bound)
        finally:
            uids = {placement.pod.metadata.uid for placement in bound}
            failed = [item for item in placements if item.pod.metadata.uid not in uids]
            self.state.settle(placements, failed)
        return bound

    async def tell(
        self, decision: Decision, bound: Sequence[Placement], groups: Sequence[PodGroup]
    ) -> None:
        """Conditions and events. What can't be written is told the next time."""
        for placement in bound:
            pod = "/".join(placement.pod.key)
            await attempt(self.writer.tell_placement(placement), "event", pod=pod)
        for claim in decision.release:
            name = "/".join(claim.key)
            await attempt(self.writer.release_claim(claim), "release", claim=name)
        for refusal in decision.refusals:
            pod = "/".join(refusal.pod.key)
            await attempt(self.writer.tell_refusal(refusal), "condition", pod=pod)
        for group in groups:
            await self._tell_group(decision, bound, group)
        if len(bound) == len(decision.placements):
            for composite, text in decision.composites:
                await self._tell(composite, text)

    async def evict(self, decision: Decision) -> bool:
        """Make room for those who are nominated; whether everybody goes that should."""
        evictor = Evictor(self.writer, self.pods, self.state.evicting)
        gone = [await evictor.carry_out(preemption) for preemption in decision.preemptions]
        return all(gone)

    async def _tell_group(
        self, decision: Decision, bound: Sequence[Placement], group: PodGroup
    ) -> None:
        placements = [it for it in decision.placements if _belongs(it.pod, group)]
        refusals = [it for it in decision.refusals if _belongs(it.pod, group)]
        refused = next((it for it in refusals if it.reason == UNSCHEDULABLE), None)
        if placements and len(bound) == len(decision.placements):
            await self._tell(group, "")
        elif refused is not None and not placements:
            await self._tell(group, refused.message)

    async def _tell(self, group: PodGroup | CompositePodGroup, why: str) -> None:
        """Why the group isn't scheduled; empty where it is."""
        text = why or "the group's pods have been scheduled"
        reason = UNSCHEDULABLE if why else "Scheduled"
        write = self.writer.tell_group(group, reason=reason, message=text)
        await attempt(write, "group condition", group="/".join(group.key))

    async def _write_claims(self, writes: Sequence[ClaimWrite]) -> dict[str, ResourceClaim]:
        """Write the claims until one fails; what was written, by uid."""
        written: dict[str, ResourceClaim] = {}
        for write in writes:
            try:
                claim = await self.writer.write_claim(write)
            except (StatusError, ConnectionError) as error:
                context = {"claim": "/".join(write.claim.key), "error": str(error)}
                log.info("writing claim failed", extra=context)
                break
            self.state.devices.ledger.written(claim)
            written[claim.metadata.uid] = claim
        return written

    async def _bind_volumes(self, placements: Sequence[Placement]) -> bool:
        """Have the volume claims bound, which may take its time; whether they are."""
        try:
            await self.volumes.bind(placements)
        except UnboundError as error:
            text = f'running PreBind plugin "VolumeBinding": {error}'
            for placement in placements:
                pod = "/".join(placement.pod.key)
                refusal = Refusal(placement.pod, SCHEDULER_ERROR, text)
                await attempt(self.writer.tell_refusal(refusal), "condition", pod=pod)
            return False
        return True

    def _still_wanted(self, placements: Sequence[Placement]) -> bool:
        """Whether every pod is still there, so that no gang is bound in part for nothing."""
        for placement in placements:
            pod = self.pods.get(*placement.pod.key)
            if pod is None or pod.metadata.uid != placement.pod.metadata.uid:
                return False
            if pod.metadata.deletion_timestamp:
                return False
        return True

    async def _bind_one(self, placement: Placement) -> bool:
        meta = placement.pod.metadata
        try:
            if self.other is None or not await self.other(placement):
                await self.writer.client.bind(meta.name, meta.namespace, placement.node)
        except (StatusError, ConnectionError) as error:
            context = {"pod": "/".join(placement.pod.key), "error": str(error)}
            log.info("binding pod failed", extra=context)
            return await self._came_to_be(placement)
        return True

    async def _came_to_be(self, placement: Placement) -> bool:
        """Whether the pod is bound as decided. Asks until the server answers: as long as nobody
        knows, its room on the node must not be given away."""
        meta = placement.pod.metadata
        while True:
            try:
                pod = await self.writer.client.find(Pod, meta.name, meta.namespace)
            except (StatusError, ConnectionError):
                await self.writer.clock.sleep(PAUSE)
                continue
            same = pod is not None and pod.metadata.uid == meta.uid
            return same and pod is not None and pod.spec.node_name == placement.node

    async def _restore(
        self,
        writes: Sequence[ClaimWrite],
        written: Mapping[str, ResourceClaim],
        bound: Sequence[Placement],
    ) -> None:
        """Give back the claims that no bound pod uses. Where a claim's write was not answered,
        the informer will tell what became of it."""
        used = {placement.pod.metadata.uid for placement in bound}
        for write in writes:
            if any(item.uid in used for item in write.consumers):
                continue
            claim = written.get(write.claim.metadata.uid)
            if claim is not None:
                name = "/".join(claim.key)
                await attempt(self.writer.restore_claim(claim, write), "restore", claim=name)
            self.state.devices.ledger.forget(write.claim.metadata.uid)


def _belongs(pod: Pod, group: PodGroup) -> bool:
    """Whether a pod of the group's unit is the group's."""
    own = pod.spec.scheduling_group
    return own is not None and own.pod_group_name == group.metadata.name
