"""Whose an object is: owners adopt orphans that they select, and release what they do not.

The rules are those of Kubernetes' controllers (controller_ref_manager): nobody takes what another
controller has, an owner that is going adopts and releases nothing, and before an adoption the
server itself is asked whether the owner is still there. What is already so is no change, so that a
cache that lags does no harm.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from argosy.api.meta import Key, Object, PartialObject, owned
from argosy.base.errors import StatusError
from argosy.base.selectors import Selector
from argosy.client.client import Client
from argosy.runtime.informer import Informer

T = TypeVar("T", bound=Object)
STRATEGIC = "application/strategic-merge-patch+json"
REMOVED_FINALIZERS = "$deleteFromPrimitiveList/finalizers"


class ByNamespace(Generic[T]):
    """Those objects of an informer that are `wanted`, by namespace."""

    def __init__(self, informer: Informer[T], wanted: Callable[[T], bool]) -> None:
        def namespace(obj: T) -> Iterable[str]:
            return (obj.metadata.namespace,) if wanted(obj) else ()

        self._informer = informer
        self._index = (ByNamespace, wanted)
        informer.add_index(self._index, namespace)

    def within(self, namespace: str) -> list[T]:
        """The objects of one namespace, in key order."""
        return self._informer.by_index(self._index, namespace)


def _free(obj: Object) -> bool:
    return obj.controller is None


def orphans(informer: Informer[T]) -> ByNamespace[T]:
    """The objects that no controller has."""
    return ByNamespace(informer, _free)


def adopters(
    owners: Informer[T], selector: Callable[[T], Selector]
) -> Callable[[Object], Iterable[Key]]:
    """For a `Watch`: the owners that an object without a controller may get."""
    known = ByNamespace(owners, lambda owner: True)

    def keys(obj: Object) -> Iterable[Key]:
        if obj.controller is not None:
            return
        for owner in known.within(obj.metadata.namespace):
            if selector(owner).matches(obj.metadata.labels):
                yield owner.key

    return keys


@dataclass(frozen=True, slots=True)
class Claims:
    """Adopts and releases as the client's field manager.

    `wrote` is told of the owner's uid, and of each object as the server has it then.
    """

    client: Client
    wrote: Callable[[str, Mapping[str, Any]], None] = lambda uid, written: None

    async def claim(
        self,
        owner: Object,
        selector: Selector,
        objects: Iterable[T],
        *,
        finalizers: Sequence[str] = (),
    ) -> list[T]:
        """Those of `objects` that are the owner's then. Raises the first failure, after all.

        Adopted ones get `finalizers`, released ones lose them.
        """
        kept, failures, may = [], [], None
        for obj in objects:
            try:
                if obj.controller is None and _adoptable(owner, selector, obj):
                    may = may if may is not None else await self._there(owner)
                    mine = may and await self._adopt(owner, obj, finalizers)
                else:
                    mine = await self._kept(owner, selector, obj, finalizers)
            except (StatusError, ConnectionError) as error:
                failures.append(error)
                continue
            if mine:
                kept.append(obj)
        if failures:
            raise failures[0]
        return kept

    async def _kept(
        self, owner: Object, selector: Selector, obj: Object, finalizers: Sequence[str]
    ) -> bool:
        """Whether the owner has and keeps it; what it should not have, it releases."""
        if obj.controller is None or obj.controller.uid != owner.metadata.uid:
            return False
        if selector.matches(obj.metadata.labels):
            return True
        if owner.metadata.deletion_timestamp is None:
            await self._release(owner, obj, finalizers)
        return False

    async def _there(self, owner: Object) -> bool:
        """Whether the owner is there still and stays, as the server knows it."""
        meta, resource = owner.metadata, owner.resource
        fresh = await self.client.find(PartialObject, meta.name, meta.namespace, resource=resource)
        return (
            fresh is not None
            and fresh.metadata.uid == meta.uid
            and fresh.metadata.deletion_timestamp is None
        )

    async def _adopt(self, owner: Object, obj: Object, finalizers: Sequence[str]) -> bool:
        meta: dict[str, Any] = {"ownerReferences": [owned(owner)]}
        if finalizers:
            meta["finalizers"] = list(finalizers)
        return await self._patch(owner, obj, meta)

    async def _release(self, owner: Object, obj: Object, finalizers: Sequence[str]) -> None:
        mine = {"$patch": "delete", "uid": owner.metadata.uid}
        meta: dict[str, Any] = {"ownerReferences": [mine]}
        if finalizers:
            meta[REMOVED_FINALIZERS] = list(finalizers)
        try:
            await self._patch(owner, obj, meta)
        except StatusError as error:
            if error.code != 422:  # it is another object of that name by now
                raise

    async def _patch(self, owner: Object, obj: Object, change: Mapping[str, Any]) -> bool:
        """Whether the object was there."""
        meta = obj.metadata
        path = obj.resource.path(meta.name, meta.namespace)
        body = {"metadata": {"uid": meta.uid, **change}}
        query = {"fieldManager": self.client.manager}
        try:
            answer = await self.client.call("PATCH", path, query, body, content_type=STRATEGIC)
        except StatusError as error:
            if error.code == 404:
                return False
            raise
        self.wrote(owner.metadata.uid, msgspec.json.decode(answer))
        return True


def _adoptable(owner: Object, selector: Selector, obj: Object) -> bool:
    return (
        owner.metadata.deletion_timestamp is None
        and obj.metadata.deletion_timestamp is None
        and owner.metadata.namespace == obj.metadata.namespace
        and selector.matches(obj.metadata.labels)
    )
