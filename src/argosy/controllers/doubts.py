"""Writes that may have been done: the server broke off, or its answer got lost.

A cache that lags does not show them, and whoever decides by the cache alone does a thing twice. So
the object is asked for before the next decision, and the cache has it then.
"""

from typing import Generic, TypeVar

from argosy.api.meta import Object
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.podcontrol import lost
from argosy.runtime.informer import Informer

T = TypeVar("T", bound=Object)


class Doubts(Generic[T]):
    """By uids of owners: an object of kind `kind` that may have been made or changed for them."""

    def __init__(self, client: Client, kind: type[T], objects: Informer[T]) -> None:
        self._client = client
        self._kind = kind
        self._objects = objects
        self._names: dict[str, tuple[str, str]] = {}

    def note(
        self, owner: str, name: str, namespace: str, error: StatusError | ConnectionError
    ) -> None:
        """A write of the object failed so."""
        if lost(error):
            self._names[owner] = (name, namespace)

    async def settle(self, owner: str) -> None:
        """Have the object in the cache, if it is there. Raises what asking the server raises."""
        if (doubtful := self._names.get(owner)) is None:
            return
        found = await self._client.find(self._kind, *doubtful)
        if found is not None:
            await self._objects.reached(found.metadata.resource_version)
        self._names.pop(owner, None)

    def forget(self, old: Object | None, new: Object | None) -> None:
        """An owner that is gone has no doubts: for the owners' informer."""
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            self._names.pop(old.metadata.uid, None)

    def __len__(self) -> int:
        return len(self._names)
