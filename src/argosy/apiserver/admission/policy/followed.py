"""Configuration of admission, read from the store's own history.

Whoever is asked about a request is found by asking: what was written since the last time is read
then, so that a policy counts from the answer to its creation on. Nothing runs in between, and where
there is no configuration a request costs one comparison. All kinds of the group are read together,
by one `Registry`; `Configurations` are those of one kind. What is made of an object is made when it
is first asked for, and kept while its uid and generation stay; where that is much, as after a
start, it is done in a thread, while the request waits as it would for another server.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec

from argosy.api.resource import Resource
from argosy.apiserver.answers import Answers, Ask
from argosy.apiserver.authorization.followed import Followed
from argosy.store.interface import Store

Json = dict[str, Any]
T = TypeVar("T")
Facts = tuple[str, int]

PREFIX: Final = "/admissionregistration.k8s.io/"
QUICK: Final = 4000
"""Bytes of objects that are made something of in about 20 ms, if they are all expressions."""


class _Part(Protocol):
    def clear(self) -> None: ...

    def put(self, key: str, value: bytes) -> None: ...

    def drop(self, key: str) -> None: ...


class Registry:
    """All configuration of admission that a store has."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parts: dict[str, _Part] = {}
        self._seen = -1
        self._followed = Followed(store, PREFIX, self)

    def of(self, resource: Resource, make: Callable[[Json], T]) -> "Configurations[T]":
        """What `make` makes of the objects of one kind. To be said before anything is read."""
        made = Configurations(self.catch_up, make)
        self._parts[resource.plural] = made
        return made

    def catch_up(self) -> None:
        """Read what is new."""
        revision = self._store.revision
        if revision != self._seen:
            self._followed.catch_up()
            self._seen = revision

    def clear(self) -> None:
        """All is read anew."""
        for part in self._parts.values():
            part.clear()

    def put(self, key: str, value: bytes) -> None:
        """An object as it is now."""
        if (part := self._part(key)) is not None:
            part.put(key, value)

    def drop(self, key: str) -> None:
        """An object is gone."""
        if (part := self._part(key)) is not None:
            part.drop(key)

    def _part(self, key: str) -> _Part | None:
        return self._parts.get(key[len(PREFIX) :].partition("/")[0])


class Configurations(Generic[T]):
    """What is made of the objects of one kind. `edition` changes whenever they do."""

    def __init__(self, catch_up: Callable[[], None], make: Callable[[Json], T]) -> None:
        self._catch_up = catch_up
        self._make = make
        self._objects: dict[str, tuple[Facts, Json]] = {}
        self._made: dict[str, tuple[Facts, T]] = {}
        self._all: Sequence[T] | None = ()
        self.edition = 0

    def all(self, answers: Answers) -> Sequence[T]:
        """Those that there are now, in the order of their names.

        Raises Unanswered where there is much to be made.
        """
        self._catch_up()
        if self._all is None:
            self._all = self._read(answers)
        return self._all

    def _read(self, answers: Answers) -> Sequence[T]:
        made = self._made
        new = {
            key: (facts, obj)
            for key, (facts, obj) in self._objects.items()
            if key not in made or made[key][0] != facts
        }
        made.update(self._long(new, answers) if _size(new) > QUICK else self._new(new))
        for key in made.keys() - self._objects.keys():
            del made[key]
        return tuple(made[key][1] for key in sorted(self._objects))

    def _new(self, objects: Mapping[str, tuple[Facts, Json]]) -> dict[str, tuple[Facts, T]]:
        return {key: (facts, self._make(obj)) for key, (facts, obj) in objects.items()}

    def _long(
        self, objects: Mapping[str, tuple[Facts, Json]], answers: Answers
    ) -> dict[str, tuple[Facts, T]]:
        async def made() -> dict[str, tuple[Facts, T]]:
            return await asyncio.to_thread(self._new, objects)

        about = tuple((key, facts) for key, (facts, _) in objects.items())
        found: dict[str, tuple[Facts, T]] = answers.need(Ask("configuration", about, made))[0]
        return found

    def clear(self) -> None:
        """All is read anew."""
        self._objects.clear()
        self._changed()

    def put(self, key: str, value: bytes) -> None:
        """An object as it is now."""
        obj = msgspec.json.decode(value)
        meta = obj["metadata"]
        facts = (str(meta.get("uid") or ""), int(meta.get("generation") or 0))
        known = self._objects.get(key)
        self._objects[key] = (facts, obj)
        if known is None or known[0] != facts:
            self._changed()

    def drop(self, key: str) -> None:
        """An object is gone."""
        if self._objects.pop(key, None) is not None:
            self._changed()

    def _changed(self) -> None:
        self._all = None
        self.edition += 1


def _size(objects: Mapping[str, tuple[Facts, Json]]) -> int:
    """Bytes of what they say."""
    return sum(
        len(msgspec.json.encode({**obj, "metadata": None, "status": None}))
        for _, obj in objects.values()
    )
