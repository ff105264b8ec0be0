"""An index finds the objects of a cache by something other than their keys."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from argosy.api.meta import Key, Object

T = TypeVar("T", bound=Object)
Values = Callable[[T], Iterable[Hashable]]


class Index(Generic[T]):
    """Keys of objects by each of the values that `values` tells of them."""

    def __init__(self, values: Values[T]) -> None:
        self._values = values
        self._keys: defaultdict[Hashable, set[Key]] = defaultdict(set)

    def keys(self, value: Hashable) -> list[Key]:
        """The keys of the objects with this value, in order."""
        return sorted(self._keys.get(value, ()))

    def changed(self, key: Key, old: T | None, new: T | None) -> None:
        """The object of this key is `new` where it was `old`."""
        before = tuple(self._values(old)) if old is not None else ()
        after = tuple(self._values(new)) if new is not None else ()
        if before == after:
            return
        for value in set(before).difference(after):
            keys = self._keys[value]
            keys.discard(key)
            if not keys:
                del self._keys[value]
        for value in set(after).difference(before):
            self._keys[value].add(key)


def owner_uid(obj: Object) -> Iterable[str]:
    """Of the owner that manages the object, if it has one."""
    owner = obj.controller
    return () if owner is None else (owner.uid,)
