"""A conversion webhook that listens on a real port, and a kind whose versions it converts.

`hostPort: "a:1"` of v1 is `host: a, port: "1"` of v2, as in Kubernetes' own tests.
"""

import base64
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from argosy.http.message import Request, Response
from argosy.http.server import serve
from argosy.http.tls import ensure_certificates, server_context
from tests.api.extensions.kit import TEXT, Json, fields, kind, version
from tests.apiserver.kit import Answer, Api, serving

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAME = "widgets.example.com"
ITEMS = "/apis/example.com/{}/namespaces/default/widgets"
V1, V2 = ITEMS.format("v1"), ITEMS.format("v2")


def turned(obj: Json, wanted: str) -> Json:
    """What an honest webhook makes of an object."""
    new: Json = {**json.loads(json.dumps(obj)), "apiVersion": wanted}
    spec = dict(new.get("spec") or {})
    if wanted.endswith("v2") and "hostPort" in spec:
        spec["host"], _, spec["port"] = spec.pop("hostPort").partition(":")
    elif wanted.endswith("v1") and "host" in spec:
        spec["hostPort"] = f"{spec.pop('host')}:{spec.pop('port', '')}"
    return {**new, "spec": spec}


def review(request: Json, objects: list[Any], **response: Any) -> Json:
    """An answer."""
    result = {"status": "Success"}
    facts = {"uid": request["uid"], "convertedObjects": objects, "result": result, **response}
    head = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview"}
    return {**head, "response": facts}


def honest(request: Json) -> Json:
    """The answer of one that does what it shall."""
    objects = [turned(obj, request["desiredAPIVersion"]) for obj in request["objects"]]
    return review(request, objects)


@dataclass
class Webhook:
    """What it was asked, and how it answers; `port` is where it listens, `ca` who vouches."""

    port: int = 0
    ca: bytes = b""
    asked: list[Json] = field(default_factory=list)
    answer: Callable[[Json], Json] = honest
    before: Callable[[], Awaitable[None]] | None = None
    code: int = 200

    async def handle(self, request: Request) -> Response:
        sent = json.loads(request.body)
        self.asked.append(sent)
        if self.before is not None:
            await self.before()
        body = json.dumps({**self.answer(sent["request"]), "apiVersion": sent["apiVersion"]})
        return Response(self.code, {"content-type": "application/json"}, body.encode())

    @property
    def config(self) -> Json:
        bundle = base64.b64encode(self.ca).decode()
        return {"url": f"https://localhost:{self.port}/convert", "caBundle": bundle}

    def asked_of(self) -> list[int]:
        """How many objects each question was about."""
        return [len(one["request"]["objects"]) for one in self.asked]


def definition(hook: Webhook, *, storage: str = "v1", **webhook: Any) -> Json:
    """The kind; `storage` is the version in which it is stored."""
    spec = {"strategy": "Webhook", "webhook": {**served_by(hook), **webhook}}
    one = version("v1", fields(hostPort=TEXT, color=TEXT), storage=storage == "v1")
    two = version("v2", fields(host=TEXT, port=TEXT, color=TEXT), storage=storage == "v2")
    return kind(one, two, conversion=spec)


def served_by(hook: Webhook) -> Json:
    return {"clientConfig": hook.config, "conversionReviewVersions": ["v1", "v1beta1"]}


@asynccontextmanager
async def listening(folder: Path) -> AsyncGenerator[Webhook, None]:
    """A webhook at work."""
    certificates = ensure_certificates(folder, ["localhost"], datetime.now(UTC))
    hook = Webhook(ca=certificates.ca_pem)
    context = server_context(certificates.cert_file, certificates.key_file)
    server = await serve(hook.handle, addresses=[("127.0.0.1", 0)], tls=context)
    hook.port = server.addresses[0][1]
    try:
        yield hook
    finally:
        await server.close()


@asynccontextmanager
async def converting(
    folder: Path, *, seconds: float = 30.0, **facts: Any
) -> AsyncGenerator[tuple[Api, Webhook], None]:
    """A server that has the kind, and its webhook, which may take `seconds`."""
    async with listening(folder) as hook, serving() as api:
        made = await api.ask("POST", DEFINITIONS, definition(hook, **facts))
        assert made.status == 201, made.body
        api.cluster.plane.server.converting().seconds = seconds
        yield api, hook


async def create(api: Api, name: str = "a", where: str = V1, **spec: Any) -> Answer:
    body = {"metadata": {"name": name}, "spec": spec or {"hostPort": "a:1"}}
    answer = await api.ask("POST", where, body)
    assert answer.status == 201, answer.body
    return answer


async def restored(api: Api, version: str) -> Answer:
    """Store the kind in another version from now on."""
    found = (await api.get(f"{DEFINITIONS}/{NAME}")).body
    for one in found["spec"]["versions"]:
        one["storage"] = one["name"] == version
    answer = await api.ask("PUT", f"{DEFINITIONS}/{NAME}", found)
    assert answer.status == 200, answer.body
    return answer
