"""What is used of one quota: by the objects that are stored, and by those on their way.

A ledger is filled from the store once and then follows the store's changes. What a write would use
is reserved from the moment it is admitted until its call is over, so that two writes never share
what is left. Of an object that is stored and reserved the larger of both counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from argosy.api.amounts import Amounts
from argosy.api.quotas import counted, covers, usage

Json = Mapping[str, Any]
NOTHING: Amounts = {}
ZERO = Decimal(0)


@dataclass(slots=True)
class _Reservation:
    resource: str
    obj: Json
    taken: Amounts


class Ledger:
    """The books of a quota with that `spec`."""

    def __init__(self, spec: Json) -> None:
        self._stored: dict[str, Amounts] = {}
        self._reserved: dict[str, dict[object, _Reservation]] = {}
        self.begin(spec)

    def begin(self, spec: Json) -> None:
        """Begin anew, perhaps with another `spec`. What is reserved stays so."""
        self.spec = spec
        self.names = tuple(spec.get("hard") or ())
        self._stored.clear()
        self._total = dict.fromkeys(self.names, ZERO)
        for tickets in self._reserved.values():
            for kept in tickets.values():
                kept.taken = self.takes(kept.resource, kept.obj)

    def takes(self, resource: str, obj: Json) -> Amounts:
        """What the object takes of the quota: nothing where it is not about it."""
        names = counted(resource, self.names)
        if not names or not covers(self.spec, resource, obj):
            return NOTHING
        taken = usage(resource, obj)
        return {name: taken[name] for name in names if name in taken}

    def write(self, resource: str, value: bytes) -> None:
        """Note an object as it is stored now."""
        obj = msgspec.json.decode(value)
        uid = obj["metadata"]["uid"]
        self._drop(uid)
        taken = self._stored[uid] = self.takes(resource, obj)
        for name, amount in taken.items():
            self._total[name] += amount

    def delete(self, value: bytes) -> None:
        """Note that an object is gone, and with it what a call that was cut off has reserved."""
        uid = msgspec.json.decode(value)["metadata"]["uid"]
        self._drop(uid)
        self._reserved.pop(uid, None)

    def _drop(self, uid: str) -> None:
        for name, amount in self._stored.pop(uid, NOTHING).items():
            self._total[name] -= amount

    def reserve(self, uid: str, ticket: object, resource: str, obj: Json) -> None:
        """Keep what a write on its way would take."""
        kept = _Reservation(resource, obj, self.takes(resource, obj))
        self._reserved.setdefault(uid, {})[ticket] = kept

    def release(self, uid: str, ticket: object) -> None:
        """The write is over: it is stored, or never will be."""
        tickets = self._reserved.get(uid, {})
        tickets.pop(ticket, None)
        if not tickets:
            self._reserved.pop(uid, None)

    def used(self) -> dict[str, Decimal]:
        """What is taken of each resource, with what is on its way."""
        total = dict(self._total)
        for uid, tickets in self._reserved.items():
            stored = self._stored.get(uid, NOTHING)
            for name in self.names:
                most = max(kept.taken.get(name, ZERO) for kept in tickets.values())
                total[name] += max(ZERO, most - stored.get(name, ZERO))
        return total
