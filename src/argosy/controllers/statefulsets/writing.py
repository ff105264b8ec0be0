"""Carries out what was planned for a StatefulSet: claims, then pods, each told by an event."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.core import Pod
from argosy.api.statefulsets import StatefulSet
from argosy.api.storage import PersistentVolumeClaim
from argosy.base.errors import StatusError
from argosy.controllers.podcontrol import PodControl, namespace_going
from argosy.controllers.statefulsets.plan import NewClaim, NewLabels, NewOwners, Plan, failed
from argosy.runtime.events import Note
from argosy.runtime.informer import Informer

Json = dict[str, Any]
FAILURES = (StatusError, ConnectionError)


@dataclass(frozen=True)
class Writer:
    """Writes pods and their claims for StatefulSets."""

    control: PodControl
    claims: Informer[PersistentVolumeClaim]

    async def carry_out(self, owner: StatefulSet, plan: Plan) -> None:
        """Do all of it but the status and the history. Raises StatusError, ConnectionError.

        Claims are as planned before any pod comes or goes: their owners decide what becomes of
        them. A refused pod ends its batch.
        """
        for note in plan.notes:
            await self.control.events.record(owner, note)
        for claim in plan.claims:
            await self._make_claim(owner, claim)
        for change in plan.owners:
            await self._set_owners(owner, change)
        for told in plan.labels:
            await self._set_labels(owner, told)
        for pod in plan.delete:
            await self._delete(owner, pod)
        await self._make(owner, plan.make)

    async def _make(self, owner: StatefulSet, bodies: Sequence[Json]) -> None:
        """In batches of 1, 2, 4 and so on: what the API refuses is refused few times."""
        start, size = 0, 1
        while start < len(bodies):
            batch = bodies[start : start + size]
            outcomes = await asyncio.gather(
                *(self._create(owner, body) for body in batch), return_exceptions=True
            )
            for outcome in outcomes:
                if outcome is not None:
                    raise outcome
            start, size = start + size, size * 2

    async def _create(self, owner: StatefulSet, body: Json) -> None:
        name = body["metadata"]["name"]
        try:
            written = await self.control.claims.client.create(Pod.resource, body)
        except FAILURES as error:
            if namespace_going(error):
                return
            self.control.doubt(owner, error)
            taken = isinstance(error, StatusError) and error.reason == "AlreadyExists"
            if not taken:  # somebody's pod of that name is no news
                await self._tell(owner, failed("Create", owner, name, str(error)))
            raise
        self.control.expectations.wrote(owner.metadata.uid, written)
        await self._tell(owner, _done("Create", owner, name))

    async def _delete(self, owner: StatefulSet, pod: Pod) -> None:
        meta = pod.metadata
        client = self.control.claims.client
        try:
            await client.delete(Pod.resource, meta.name, meta.namespace, uid=meta.uid)
        except FAILURES as error:
            self.control.doubt(owner, error)
            await self._tell(owner, failed("Delete", owner, meta.name, str(error)))
            raise
        self.control.expectations.deleted(owner.metadata.uid, pod)
        await self._tell(owner, _done("Delete", owner, meta.name))

    async def _make_claim(self, owner: StatefulSet, new: NewClaim) -> None:
        name = new.body["metadata"]["name"]
        about = f"Claim {name} Pod {new.pod} in StatefulSet {owner.metadata.name}"
        client = self.control.claims.client
        try:
            written = await client.create(PersistentVolumeClaim.resource, new.body)
        except FAILURES as error:
            if namespace_going(error):
                return
            if isinstance(error, StatusError) and error.reason == "AlreadyExists":
                raise  # the cache lags: it will have it at the next try
            text = f"Create {about} failed error: {error}"
            await self._tell(owner, Note("FailedCreate", text, "Warning"))
            problem = f"failed to create PVC {name}: {error}"
            await self._tell(owner, failed("Create", owner, new.pod, problem))
            raise
        await self._tell(owner, Note("SuccessfulCreate", f"Create {about} success"))
        await self.claims.reached(written["metadata"]["resourceVersion"])

    async def _set_owners(self, owner: StatefulSet, change: NewOwners) -> None:
        meta = change.claim.metadata
        patch = {
            "metadata": {
                "uid": meta.uid,
                "resourceVersion": meta.resource_version,  # the list is set as a whole
                "ownerReferences": msgspec.to_builtins(change.references),
            }
        }
        resource = PersistentVolumeClaim.resource
        client = self.control.claims.client
        written = await client.merge(resource, meta.name, meta.namespace, patch)
        await self.claims.reached(written["metadata"]["resourceVersion"])

    async def _set_labels(self, owner: StatefulSet, told: NewLabels) -> None:
        meta = told.pod.metadata
        patch = {"metadata": {"uid": meta.uid, "labels": dict(told.labels)}}
        client = self.control.claims.client
        try:
            written = await client.merge(Pod.resource, meta.name, meta.namespace, patch)
        except FAILURES as error:
            self.control.doubt(owner, error)
            await self._tell(owner, failed("Update", owner, meta.name, str(error)))
            raise
        self.control.expectations.wrote(owner.metadata.uid, written)
        await self._tell(owner, _done("Update", owner, meta.name))

    async def _tell(self, owner: StatefulSet, note: Note) -> None:
        await self.control.events.record(owner, note)


def _done(verb: str, owner: StatefulSet, pod: str) -> Note:
    message = f"{verb} Pod {pod} in StatefulSet {owner.metadata.name} successful"
    return Note(f"Successful{verb}", message)
