"""View of a lease: who holds something, and since when nobody heard of them."""

from typing import ClassVar

from argosy.api.meta import Object, View
from argosy.api.resource import Resource
from argosy.api.resources.control import LEASE


class LeaseSpec(View, frozen=True, kw_only=True):
    """The times are RFC 3339 text with six decimals."""

    holder_identity: str = ""
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class Lease(Object, frozen=True, kw_only=True):
    """Something that one at a time holds, and has to renew; a node renews its own."""

    resource: ClassVar[Resource] = LEASE

    spec: LeaseSpec = LeaseSpec()
