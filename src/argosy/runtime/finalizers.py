"""Finalizers: hold an object until its controller has cleaned up after it, then let it go.

Each is a merge patch with the uid and the revision that were seen: the list of finalizers is
replaced as a whole, and what others hold the object by meanwhile must not be lost. Who comes second
gets a conflict, looks again, and finds the list as it is.
"""

from collections.abc import Sequence

from argosy.api.meta import Object
from argosy.api.resource import Resource
from argosy.base.errors import StatusError
from argosy.client.client import Client


async def hold(
    client: Client, obj: Object, finalizer: str, *, resource: Resource | None = None
) -> None:
    """Give `finalizer` to `obj`, unless it has it or is being deleted: the server refuses then."""
    known = obj.metadata.finalizers
    if finalizer not in known and obj.metadata.deletion_timestamp is None:
        await _write(client, obj, (*known, finalizer), resource)


async def let_go(
    client: Client, obj: Object, finalizer: str, *, resource: Resource | None = None
) -> None:
    """Take `finalizer` off `obj`; one that is gone already is fine."""
    known = obj.metadata.finalizers
    if finalizer in known:
        await _write(client, obj, [name for name in known if name != finalizer], resource)


async def _write(
    client: Client, obj: Object, names: Sequence[str], resource: Resource | None
) -> None:
    meta = obj.metadata
    seen = {"uid": meta.uid, "resourceVersion": meta.resource_version}
    patch = {"metadata": {**seen, "finalizers": list(names) or None}}
    try:
        await client.merge(resource or obj.resource, meta.name, meta.namespace, patch)
    except StatusError as error:
        if error.code != 404:
            raise
