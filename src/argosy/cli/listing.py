"""A cluster's objects for commands that look at all of it; kinds that are not served are absent."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argosy.api.meta import Object
    from argosy.client.client import Client
    from argosy.scheduler.explain.snapshot import Snapshot


async def listed(client: "Client", kinds: "Iterable[type[Object]]") -> "Snapshot":
    """All objects of `kinds`. Raises StatusError, ConnectionError."""
    from argosy.scheduler.explain.snapshot import snapshot_of

    found: list[Object] = []
    for kind in kinds:
        found += await every(client, kind)
    return snapshot_of(found)


async def every(client: "Client", kind: "type[Object]", namespace: str = "") -> "list[Object]":
    """The objects of one kind, of one namespace or of all."""
    from argosy.base.errors import StatusError

    try:
        return list((await client.list(kind, namespace)).items)
    except StatusError as error:
        if error.code != 404:
            raise
        return []
