"""Carries out what was decided of slices; the same for those of services and mirrored ones.

Each write is of the very slice that was looked at: one that somebody else has changed meanwhile is
refused, and all is decided anew. Afterwards the cache is awaited. Before an owner gets more slices
than at first, the server is asked for it: a slice of an owner that is gone is collected at once,
and as long as the cache has that owner still, one after the other would be made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from argosy.api.endpoints import EndpointSlice
from argosy.api.meta import Key, Object, PartialObject, owned
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.endpoints.packing import Draft, Packing
from argosy.runtime.informer import Informer

Json = dict[str, Any]
Annotate = Callable[[Mapping[str, str]], Mapping[str, str]]
LONGEST_NAME = 253


@dataclass(frozen=True)
class SliceWriter:
    """Writes slices of `owners`. `served` has the uids of those that were given any."""

    client: Client
    slices: Informer[EndpointSlice]
    owners: Informer[Any]
    served: dict[Key, str] = field(default_factory=dict)

    def watch(self) -> None:
        """Keep up with which owners go."""
        self.owners.subscribe(self._owner_changed)

    async def write(self, owner: Object, packing: Packing, annotate: Annotate) -> None:
        """Carry `packing` out for `owner`; `annotate` makes annotations of those there were.

        Raises StatusError. An owner that is going gets no new slices: they would only be collected.
        """
        newest = ""
        if packing.create and await self._is_there(owner):
            for draft in packing.create:
                newest = await self._create(owner, draft, annotate)
        for draft in packing.update:
            body = _body(owner, draft, annotate)
            newest = _revision(await self.client.update(EndpointSlice.resource, body))
        for piece in packing.delete:
            meta = piece.metadata
            await self.client.delete(piece.resource, meta.name, meta.namespace, uid=meta.uid)
        if newest:
            await self.slices.reached(newest)

    async def _is_there(self, owner: Object) -> bool:
        """Whether the owner is to get new slices."""
        meta, key = owner.metadata, owner.key
        if meta.deletion_timestamp is not None:
            return False
        if self.served.get(key) == meta.uid:
            resource = self.owners.resource
            found = await self.client.find(
                PartialObject, meta.name, meta.namespace, resource=resource
            )
            return found is not None and found.metadata.uid == meta.uid
        if self.owners.get(*key) is not None:
            self.served[key] = meta.uid
        return True

    def _owner_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None and old is not None:
            self.served.pop(old.key, None)

    async def _create(self, owner: Object, draft: Draft, annotate: Annotate) -> str:
        body = _body(owner, draft, annotate)
        return _revision(await self.client.create(EndpointSlice.resource, body))


def _revision(written: Json) -> str:
    return str(written["metadata"]["resourceVersion"])


def _body(owner: Object, draft: Draft, annotate: Annotate) -> Json:
    """The slice, whole."""
    before = draft.before
    meta: Json = {"namespace": owner.metadata.namespace, "labels": draft.labels}
    if before is None:
        prefix = f"{owner.metadata.name}-"
        meta["generateName"] = prefix if len(prefix) <= LONGEST_NAME else owner.metadata.name
    else:
        meta["name"], meta["uid"] = before.metadata.name, before.metadata.uid
        meta["resourceVersion"] = before.metadata.resource_version
        meta["generateName"] = before.metadata.generate_name
        meta["finalizers"] = before.metadata.finalizers
    meta["annotations"] = annotate(before.metadata.annotations if before is not None else {})
    meta["ownerReferences"] = _owners(owner, before)
    return {
        "metadata": {name: value for name, value in meta.items() if value},
        "addressType": draft.address_type,
        "endpoints": msgspec.to_builtins(draft.endpoints),
        "ports": msgspec.to_builtins(draft.ports),
    }


def _owners(owner: Object, before: EndpointSlice | None) -> list[Json]:
    """The owner, and other owners that somebody gave the slice, if it stays with its owner."""
    others = before.metadata.owner_references if before is not None else ()
    if any(one.uid == owner.metadata.uid for one in others):
        plain: list[Json] = msgspec.to_builtins(others)
        return plain
    return [owned(owner)]


def is_ending(error: StatusError) -> bool:
    """Whether nothing can be created because the namespace is going: then there is no hurry."""
    causes = error.details.get("causes") or ()
    return error.code == 403 and any(one.get("reason") == "NamespaceTerminating" for one in causes)
