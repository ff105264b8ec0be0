"""The store as a client of one version of a custom kind sees it.

Versions differ in `apiVersion` alone, for the server; but each has a schema, and what was stored
under another, or under an older form of the same, is brought into the form of the one that is asked
for: defaults of the stored version, and only fields that the asked-for one knows. What was written
under the very same schema is passed on as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

import msgspec

from argosy.api.schema import Schema
from argosy.apiserver.conversion import Converted
from argosy.apiserver.objects import encoded
from argosy.store.interface import Mutation, Record

Json = dict[str, Any]
HEAD = b'{"apiVersion":"'


class Form(Protocol):
    """What a schema makes of an object."""

    @property
    def fill(self) -> Callable[[Any], None] | None:
        """Fills in defaults."""
        ...

    @property
    def shape(self) -> Schema:
        """What the field manager reads."""
        ...

    def pruned(self, obj: Json, unknown: list[str]) -> Json:
        """The object without what the schema doesn't know."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How objects get from the store to clients of a version.

    `same`: both versions have one schema. `plain`: all that is stored has the very form that is
    asked for. `since` is the revision up to which objects may have the form of older schemas.
    Where versions are converted by a webhook, see `hooked`.
    """

    same: bool
    plain: bool
    since: int
    stored: Form
    asked: Form


@dataclass(frozen=True, slots=True)
class View(Converted):
    """`store` for clients of one version."""

    plan: Plan

    def outwards(self, value: bytes, revision: int) -> bytes:
        """A stored object, as it is asked for."""
        plan = self.plan
        if plan.same and revision > plan.since:
            return Converted.outwards(self, value, revision)
        obj: Json = msgspec.json.decode(value)
        if plan.stored.fill is not None:
            plan.stored.fill(obj)
        obj = plan.asked.pruned(obj, [])
        return msgspec.json.encode({**obj, "apiVersion": self.version.api_version})

    def inwards(self, value: bytes) -> bytes:
        """A client's object, as it is stored."""
        if self.plan.same:
            return Converted.inwards(self, value)
        obj = self.plan.stored.pruned(msgspec.json.decode(value), [])
        return msgspec.json.encode({**obj, "apiVersion": self.stored.api_version})

    async def write(self, key: str, mutate: Mutation) -> Record | None:
        """A write. One that changes nothing still stores the object in today's version, if it was
        stored in another: so objects are migrated.
        """

        def fresh(record: Record | None, revision: int) -> bytes | object | None:
            outcome = mutate(record, revision)
            if outcome is not None or record is None or not self._is_old(key):
                return outcome
            return encoded(msgspec.json.decode(record.value), revision)

        return await Converted.write(self, key, fresh)

    def _is_old(self, key: str) -> bool:
        stored = self.store.get(key)
        return stored is not None and version_of(stored.value) != self.stored.api_version


def version_of(value: bytes) -> str:
    """The apiVersion of an object."""
    if value.startswith(HEAD):
        return value[len(HEAD) : value.index(b'"', len(HEAD))].decode()
    return str(cast(Json, msgspec.json.decode(value)).get("apiVersion"))
