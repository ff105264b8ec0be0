"""What the scheduler writes: claims, bindings, conditions and events.

Claims are written by merge patches that name the version they were decided on, so of two writers
one fails. Conditions are applied: this manager owns its one condition and nothing else.
"""

import logging
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from argosy.api.core import Pod
from argosy.api.dra import Allocation, Consumer, ResourceClaim
from argosy.api.meta import Condition, Object, condition
from argosy.api.scheduling import CompositePodGroup, PodGroup
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.conditions import with_condition
from argosy.runtime.events import EventRecorder, Note
from argosy.scheduler.decide import GATED, Refusal
from argosy.scheduler.dra.ledger import with_consumers
from argosy.scheduler.placement import Placement
from argosy.scheduler.state import consumer

log = logging.getLogger(__name__)

POD_SCHEDULED = "PodScheduled"
GROUP_SCHEDULED = "InitiallyScheduled"
"""Behind the group's kind, the type of its condition."""


@dataclass(frozen=True, slots=True)
class ClaimWrite:
    """One claim with all that the unit's pods need of it."""

    claim: ResourceClaim
    allocation: Allocation | None
    node: str
    consumers: tuple[Consumer, ...]


def claim_writes(placements: Iterable[Placement]) -> list[ClaimWrite]:
    """The claims of the placements, each once, as they were before the unit was assumed."""
    found: dict[str, ClaimWrite] = {}
    for placement in placements:
        for grant in placement.grants:
            uid = grant.claim.metadata.uid
            known = found.get(uid) or ClaimWrite(grant.claim, grant.allocation, placement.node, ())
            consumers = with_consumers(known.consumers, (consumer(placement.pod),))
            found[uid] = replace(known, consumers=consumers)
    return list(found.values())


@dataclass(frozen=True)
class Writer:
    """Writes to one cluster; remembers what it told last, to tell it once."""

    client: Client
    clock: Clock
    events: EventRecorder
    _told: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    async def write_claim(self, write: ClaimWrite) -> ResourceClaim:
        """Allocate and reserve. Raises StatusError 409 where the claim has changed since."""
        claim = write.claim
        consumers = with_consumers(claim.status.reserved_for, write.consumers)
        status: dict[str, Any] = {"reservedFor": msgspec.to_builtins(consumers)}
        if write.allocation is not None:
            status["allocation"] = {
                **msgspec.to_builtins(write.allocation),
                "nodeSelector": _on_node(write.node),
            }
        return await self._patch_claim(claim, status)

    async def release_claim(self, claim: ResourceClaim) -> None:
        """Give back a claim's devices, unless it has changed since."""
        await self._patch_claim(claim, {"allocation": None, "reservedFor": None})

    async def restore_claim(self, written: ResourceClaim, write: ClaimWrite) -> None:
        """Undo `write_claim`, unless the claim has changed since."""
        if write.allocation is not None:
            await self.release_claim(written)
            return
        before = msgspec.to_builtins(write.claim.status.reserved_for)
        await self._patch_claim(written, {"reservedFor": before or None})

    async def tell_refusal(self, refusal: Refusal) -> None:
        """The pod's condition, nomination and event, if they are news."""
        pod = refusal.pod
        message = f"{refusal.message} {refusal.headline}".rstrip()
        told = (refusal.reason, message, refusal.node)
        known = self._known(pod)
        if known == told:
            return
        meta = pod.metadata
        new = Condition(type=POD_SCHEDULED, status="False", reason=refusal.reason, message=message)
        nominated = {"nominatedNodeName": refusal.node} if refusal.node else {}
        await self._apply_condition(pod, pod.status.conditions, new, **nominated)
        if pod.status.nominated_node_name and not refusal.node:
            await self.clear_nomination(pod)
        self._told[meta.uid] = told
        if refusal.reason != GATED and (known is None or known[:2] != told[:2]):
            note = Note("FailedScheduling", message, "Warning")
            await self.events.record(pod, note)

    async def clear_nomination(self, pod: Pod) -> None:
        """No room is kept for the pod any longer. Raises StatusError."""
        meta = pod.metadata
        self._told.pop(meta.uid, None)
        patch = {"metadata": {"uid": meta.uid}, "status": {"nominatedNodeName": None}}
        await self.client.merge(
            Pod.resource, meta.name, meta.namespace, patch, subresource="status"
        )

    async def tell_placement(self, placement: Placement) -> None:
        """The event of a bound pod."""
        meta = placement.pod.metadata
        self._told.pop(meta.uid, None)
        text = f"Successfully assigned {meta.namespace}/{meta.name} to {placement.node}"
        await self.events.record(placement.pod, Note("Scheduled", text))

    async def tell_group(
        self, group: PodGroup | CompositePodGroup, *, reason: str, message: str
    ) -> None:
        """The group's condition. Once True it stays: it is about the first time."""
        kind = group.resource.kind + GROUP_SCHEDULED
        known = condition(group.status.conditions, kind)
        placed = reason == "Scheduled"
        told = (reason, message, "")
        same = known is not None and (known.reason, known.message) == (reason, message)
        if known is not None and (known.status == "True" or same):
            return
        if self._told.get(group.metadata.uid) == told:
            return
        new = Condition(
            type=kind,
            status="True" if placed else "False",
            reason=reason,
            message=message,
            observed_generation=group.metadata.generation,
        )
        await self._apply_condition(group, group.status.conditions, new)
        self._told[group.metadata.uid] = told

    def forget(self, uid: str) -> None:
        """The object is gone."""
        self._told.pop(uid, None)

    def _known(self, pod: Pod) -> tuple[str, str, str] | None:
        told = self._told.get(pod.metadata.uid)
        if told is not None:
            return told
        known = condition(pod.status.conditions, POD_SCHEDULED)
        if known is None or known.status != "False":
            return None
        return (known.reason, known.message, pod.status.nominated_node_name)

    async def _apply_condition(
        self, obj: Object, known: Sequence[Condition], new: Condition, **beside: str
    ) -> None:
        meta = obj.metadata
        now = timestamp(self.clock.now())
        stamped = condition(with_condition(tuple(known), new, now), new.type)
        body = {
            "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid},
            "status": {"conditions": [msgspec.to_builtins(stamped)], **beside},
        }
        await self.client.apply(obj.resource, body, subresource="status")

    async def _patch_claim(self, claim: ResourceClaim, status: dict[str, Any]) -> ResourceClaim:
        meta = claim.metadata
        patch = {
            "metadata": {"resourceVersion": meta.resource_version, "uid": meta.uid},
            "status": status,
        }
        written = await self.client.merge(
            ResourceClaim.resource, meta.name, meta.namespace, patch, subresource="status"
        )
        return msgspec.json.decode(msgspec.json.encode(written), type=ResourceClaim)


async def attempt(write: Awaitable[object], what: str, **context: str) -> bool:
    """Do a write that nothing depends on: where it fails, the log says so. Whether it went well."""
    try:
        await write
    except (StatusError, ConnectionError) as error:
        log.info("write failed", extra={"what": what, "error": str(error), **context})
        return False
    return True


def _on_node(node: str) -> dict[str, Any]:
    """A node selector for one node by its name, as for any pool that belongs to a node."""
    field_term = {"key": "metadata.name", "operator": "In", "values": [node]}
    return {"nodeSelectorTerms": [{"matchFields": [field_term]}]}
