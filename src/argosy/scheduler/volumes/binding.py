"""Has claims bound as it was decided, before the pods that use them are.

What is written says whose a volume is, or for which node one is to be made; the cluster's volume
controller and the provisioners do the rest. All that is left is to wait until the claims have their
volumes: a while, in which other units have their turn. What was written stays where the pods come
to nothing, as with kube-scheduler: by then it may have been acted upon, and the next decision
starts from it. A provisioner that can't make a volume takes the node back from the claim; that ends
the waiting, and the pod is decided on anew.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from argosy.api.core import Pod
from argosy.api.meta import Key
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.api.volumebinding import (
    BOUND_BY_CONTROLLER,
    SELECTED_NODE,
    YES,
    fully_bound,
    meant_for,
    reference_of,
)
from argosy.base.clock import Clock, wait
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.informer import Informer
from argosy.scheduler.placement import Placement, VolumeGrant
from argosy.scheduler.state import State
from argosy.scheduler.volumes.reach import near, rules_for

T = TypeVar("T", PersistentVolume, PersistentVolumeClaim)
Json = dict[str, Any]

LOOK = 1.0
"""Seconds until the next look at what no claim tells: nodes, volumes and pods that are gone."""


class UnboundError(Exception):
    """Claims that won't be bound as decided; the text says why."""


@dataclass(frozen=True, slots=True)
class _Written:
    """What was granted for a node, and the revision that says so."""

    grant: VolumeGrant
    node: str
    revision: int


@dataclass(frozen=True)
class VolumeBinder:
    """Writes what claims are granted, and waits for them. Units that wait give up their slot."""

    client: Client
    clock: Clock
    state: State
    pods: Informer[Pod]
    slots: asyncio.Semaphore
    _waiting: defaultdict[Key, set[asyncio.Event]] = field(default_factory=lambda: defaultdict(set))

    def told(self, claim: Key) -> None:
        """The claim has changed: who waits for it looks again."""
        for event in self._waiting.get(claim, ()):
            event.set()

    async def bind(self, placements: Sequence[Placement]) -> None:
        """Have all claims of a unit bound. Raises UnboundError."""
        granted: dict[str, tuple[VolumeGrant, str]] = {}
        for placement in placements:
            for grant in placement.volumes:
                granted[grant.claim.metadata.uid] = (grant, placement.node)
        if not granted:
            return
        written = [await self._write(grant, node) for grant, node in granted.values()]
        async with self._resting(), self._listening(written) as changed:
            await self._bound(written, placements, changed)

    async def _write(self, grant: VolumeGrant, node: str) -> _Written:
        try:
            if grant.volume is not None:
                return _Written(grant, node, await self._own(grant.claim, grant.volume))
            return _Written(grant, node, await self._select(grant.claim, node))
        except (StatusError, ConnectionError) as error:
            name = "/".join(grant.claim.key)
            raise UnboundError(f'binding claim "{name}": {error}') from error

    async def _own(self, claim: PersistentVolumeClaim, volume: PersistentVolume) -> int:
        """Say in the volume whose it is; the revision that does."""
        known = self.state.volumes.volume(volume.metadata.name) or volume
        if _is_of(known, claim):
            return int(known.metadata.resource_version)
        patch: Json = {"spec": {"claimRef": reference_of(claim)}}
        if not meant_for(volume, claim):
            patch["metadata"] = {"annotations": {BOUND_BY_CONTROLLER: YES}}
        return await self._patch(volume, patch, lambda fresh: _is_of(fresh, claim))

    async def _select(self, claim: PersistentVolumeClaim, node: str) -> int:
        """Say in the claim for which node its volume is to be made; the revision that does."""
        known = self.state.volumes.claim(*claim.key) or claim
        if _node_of(known) == node:
            return int(known.metadata.resource_version)
        patch: Json = {"metadata": {"annotations": {SELECTED_NODE: node}}}
        return await self._patch(claim, patch, lambda fresh: _node_of(fresh) == node)

    async def _patch(self, obj: T, patch: Json, done: Callable[[T], bool]) -> int:
        """Write to an object as it was decided on, unless another unit has `done` the same.

        Raises StatusError 409 where it was changed otherwise.
        """
        meta = obj.metadata
        known = {"resourceVersion": meta.resource_version, "uid": meta.uid}
        body = {**patch, "metadata": {**patch.get("metadata", {}), **known}}
        try:
            written = await self.client.merge(obj.resource, meta.name, meta.namespace, body)
        except StatusError as error:
            fresh = None
            if error.reason == "Conflict":
                fresh = await self.client.find(type(obj), meta.name, meta.namespace)
            if fresh is None or not done(fresh):
                raise
            return int(fresh.metadata.resource_version)
        return int(written["metadata"]["resourceVersion"])

    async def _bound(
        self, written: Sequence[_Written], placements: Sequence[Placement], changed: asyncio.Event
    ) -> None:
        """Wait until all claims are bound."""
        start = self.clock.monotonic()
        left = list(written)
        while True:
            changed.clear()
            self._check_pods(placements)
            left = [item for item in left if not self._is_bound(item)]
            if not left:
                return
            passed = self.clock.monotonic() - start
            patience = min(item.grant.patience for item in left) - passed
            if patience <= 0:
                raise UnboundError("binding volumes: context deadline exceeded")
            await wait(changed, self.clock, min(LOOK, patience))

    def _check_pods(self, placements: Sequence[Placement]) -> None:
        for placement in placements:
            pod = self.pods.get(*placement.pod.key)
            if pod is None or pod.metadata.uid != placement.pod.metadata.uid:
                raise UnboundError("binding volumes: pod does not exist any more")
            if placement.node not in self.state.nodes.row_of:
                raise UnboundError(f'binding volumes: node "{placement.node}" not found')

    def _is_bound(self, item: _Written) -> bool:
        """Whether the claim has its volume. Raises UnboundError where it won't have it."""
        granted = item.grant.claim
        claim = self.state.volumes.claim(*granted.key)
        if claim is None or claim.metadata.uid != granted.metadata.uid:
            name = granted.metadata.name
            raise UnboundError(f'binding volumes: persistentvolumeclaim "{name}" not found')
        if item.grant.volume is not None:
            return self._has_own(item, claim, item.grant.volume.metadata.name)
        return self._has_made(item, claim)

    def _has_own(self, item: _Written, claim: PersistentVolumeClaim, name: str) -> bool:
        volume = self.state.volumes.volume(name)
        if volume is None:
            raise UnboundError(f'binding volumes: persistentvolume "{name}" not found')
        if int(volume.metadata.resource_version) < item.revision:
            return False
        self._check_near(volume, item.node)
        if not _is_of(volume, claim):
            raise UnboundError(f'binding volumes: ClaimRef got reset for pv "{name}"')
        return fully_bound(claim)

    def _has_made(self, item: _Written, claim: PersistentVolumeClaim) -> bool:
        if int(claim.metadata.resource_version) < item.revision:
            return False
        if _node_of(claim) != item.node:
            name = claim.metadata.name
            raise UnboundError(f'binding volumes: provisioning failed for PVC "{name}"')
        if claim.spec.volume_name:
            volume = self.state.volumes.volume(claim.spec.volume_name)
            if volume is None:
                return False  # told later, or gone: then the claim will say so
            self._check_near(volume, item.node)
        return fully_bound(claim)

    def _check_near(self, volume: PersistentVolume, node: str) -> None:
        nodes = self.state.nodes
        if not near(nodes, rules_for(volume), nodes.row_of[node]):
            names = f'pv "{volume.metadata.name}" node affinity doesn\'t match node "{node}"'
            raise UnboundError(f"binding volumes: {names}")

    @asynccontextmanager
    async def _resting(self) -> AsyncGenerator[None, None]:
        """Leave the slot to others as long as there is nothing to write."""
        self.slots.release()
        try:
            yield
        finally:
            await self.slots.acquire()

    @asynccontextmanager
    async def _listening(self, written: Sequence[_Written]) -> AsyncGenerator[asyncio.Event, None]:
        changed = asyncio.Event()
        keys = [item.grant.claim.key for item in written]
        for key in keys:
            self._waiting[key].add(changed)
        try:
            yield changed
        finally:
            for key in keys:
                self._waiting[key].discard(changed)
                if not self._waiting[key]:
                    del self._waiting[key]


def _node_of(claim: PersistentVolumeClaim) -> str:
    return claim.metadata.annotations.get(SELECTED_NODE, "")


def _is_of(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """Whether the volume says that it is this very claim's."""
    reference = volume.spec.claim_ref
    return reference is not None and reference.uid == claim.metadata.uid
