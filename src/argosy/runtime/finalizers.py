"""Finalizers: hold an object until its controller has cleaned up after it, then let it go.

Each is a merge patch with the uid and the revision that were seen: the list of finalizers is
replaced as a whole, and what others hold the object by meanwhile must not be lost. Who comes second
gets a conflict, looks again, and finds the list as it is.

What was written is at the revision that they return; a cache that has reached it won't make a
controller do the same again.
"""

from collections.abc import Sequence

from argosy.api.meta import Object
from argosy.api.resource import Resource
from argosy.base.errors import StatusError
from argosy.client.client import Client


async def hold(
    client: Client, obj: Object, finalizer: str, *, resource: Resource | None = None
) -> str:
    """Give `finalizer` to `obj`, unless it has it or is being deleted: the server refuses then."""
    meta = obj.metadata
    if finalizer in meta.finalizers or meta.deletion_timestamp is not None:
        return meta.resource_version
    return await _write(client, obj, (*meta.finalizers, finalizer), resource)


async def let_go(
    client: Client, obj: Object, finalizer: str, *, resource: Resource | None = None
) -> str:
    """Take `finalizer` off `obj`; one that is gone already is fine."""
    known = obj.metadata.finalizers
    if finalizer not in known:
        return obj.metadata.resource_version
    return await _write(client, obj, [name for name in known if name != finalizer], resource)


async def _write(
    client: Client, obj: Object, names: Sequence[str], resource: Resource | None
) -> str:
    meta = obj.metadata
    seen = {"uid": meta.uid, "resourceVersion": meta.resource_version}
    patch = {"metadata": {**seen, "finalizers": list(names) or None}}
    try:
        written = await client.merge(resource or obj.resource, meta.name, meta.namespace, patch)
    except StatusError as error:
        if error.code != 404:
            raise
        return meta.resource_version
    return str(written["metadata"]["resourceVersion"])
