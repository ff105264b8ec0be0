"""How soon and how small kinds are: 300 definitions created one after another, and one used.

    python -m bench.crds

Each definition has a schema of some twenty kilobytes: the size of a small operator's. The server
is in this process, over a store in memory, so that what is measured is the work on definitions.
"""

import asyncio
import gc
import json
import time
from pathlib import Path
from typing import Any

from argosy.api.extensions.definition import CustomResourceDefinition
from argosy.base.clock import SystemClock
from argosy.cluster.bootstrap import bootstrap
from argosy.cluster.server import control_plane, memory_store
from argosy.http.message import Request

KINDS = 300
OBJECTS = 2_000
Json = dict[str, Any]


def schema() -> Json:
    """The schema of a spec with about 120 fields, lists, maps and patterns among them."""
    told = "What this field means, in a sentence of a usual length for such a description."
    name = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63}
    condition = {
        "type": "object",
        "required": ["type", "status"],
        "properties": {
            key: {"type": "string", "description": told}
            for key in ("type", "status", "reason", "message")
        },
    }
    part = {
        "type": "object",
        "description": told,
        "properties": {
            "name": {**name, "description": told},
            "size": {"type": "integer", "format": "int32", "minimum": 0, "default": 1},
            "mode": {"type": "string", "enum": ["On", "Off"], "default": "On"},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "conditions": {
                "type": "array",
                "items": condition,
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
            },
        },
    }
    spec = {"type": "object", "properties": {f"part{at}": part for at in range(12)}}
    return {"type": "object", "properties": {"spec": spec, "status": condition}}


def definition(at: int) -> Json:
    """One of the definitions."""
    plural = f"widgets{at}"
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema()},
    }
    return {
        "metadata": {"name": f"{plural}.group{at % 20}.example.com"},
        "spec": {
            "group": f"group{at % 20}.example.com",
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": f"Widget{at}"},
            "versions": [version],
        },
    }


def resident() -> float:
    """The process's memory in megabytes."""
    status = Path("/proc/self/status").read_text()
    line = next(text for text in status.splitlines() if text.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def main() -> None:
    """Print the table."""
    plane = control_plane(memory_store(), SystemClock())
    await bootstrap(plane.client("bench"))
    known = {"authorization": f"Bearer {plane.token}", "content-type": "application/json"}

    async def post(path: str, body: bytes) -> None:
        answer = await plane.server.handle(Request("POST", path, "", known, body))
        assert answer.status == 201, answer.body

    path = CustomResourceDefinition.resource.path()
    await post(path, json.dumps(definition(KINDS)).encode())  # what is loaded once
    bodies = [json.dumps(definition(at)).encode() for at in range(KINDS)]
    gc.collect()
    before, began = resident(), time.perf_counter()
    for body in bodies:
        await post(path, body)
    taken = time.perf_counter() - began
    gc.collect()
    size = len(bodies[0]) / 1024
    print(f"{KINDS} definitions of {size:.0f} KiB: {taken:.2f} s, {resident() - before:.0f} MB")
    where = "/apis/group0.example.com/v1/namespaces/default/widgets0"
    part = {"name": "a", "size": 3, "labels": {"a": "b"}}
    spec = {f"part{at}": part for at in range(12)}
    await post(where, json.dumps({"metadata": {"name": "first"}, "spec": spec}).encode())
    objects = [
        json.dumps({"metadata": {"name": f"a{at}"}, "spec": spec}).encode() for at in range(OBJECTS)
    ]
    began = time.perf_counter()
    for body in objects:
        await post(where, body)
    each = (time.perf_counter() - began) / OBJECTS * 1e6
    print(f"{OBJECTS} objects of {len(objects[0])} bytes: {each:.0f} µs each")


if __name__ == "__main__":
    asyncio.run(main())
