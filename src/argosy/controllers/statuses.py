"""Writes a status as a whole: what the view leaves out is taken out of the object too."""

from collections.abc import Mapping
from typing import Any

import msgspec

from argosy.api.meta import Object, View
from argosy.client.client import Client


def status_body(status: View) -> dict[str, Any]:
    """All fields of the status, as a merge patch sets them; those without a value are null."""
    given = msgspec.to_builtins(status)
    return {name: given.get(name) for name in status.__struct_encode_fields__}


async def write_status(
    client: Client,
    obj: Object,
    status: Mapping[str, Any],
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Write the status of that very object, and `annotations` with it."""
    meta = obj.metadata
    body: dict[str, Any] = {"metadata": {"uid": meta.uid}, "status": status}
    if annotations:
        body["metadata"]["annotations"] = annotations
    return await client.merge(obj.resource, meta.name, meta.namespace, body, subresource="status")
