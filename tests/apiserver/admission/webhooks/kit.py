"""A webhook that listens on a real port with a certificate, and configurations that name it."""

import base64
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlencode

from argosy.http.message import Request, Response
from argosy.http.server import serve
from argosy.http.tls import Certificates, ensure_certificates, server_context
from tests.apiserver.kit import Answer, Api

Json = dict[str, Any]
GROUP = "/apis/admissionregistration.k8s.io/v1"
MUTATING = f"{GROUP}/mutatingwebhookconfigurations"
VALIDATING = f"{GROUP}/validatingwebhookconfigurations"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
ANYTHING: Json = {
    "apiGroups": ["*"],
    "apiVersions": ["*"],
    "operations": ["*"],
    "resources": ["*/*"],
}
MAPS: Json = {
    "apiGroups": [""],
    "apiVersions": ["v1"],
    "operations": ["CREATE", "UPDATE", "DELETE"],
    "resources": ["configmaps"],
}


def review(request: Json, **response: Any) -> Json:
    """An answer to a request; a field that is None is left out."""
    facts = {"uid": request["uid"], "allowed": True, **response}
    said = {name: value for name, value in facts.items() if value is not None}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": said}


def patching(*operations: Any) -> Json:
    """The fields of an answer that changes the object."""
    packed = base64.b64encode(json.dumps(list(operations)).encode()).decode()
    return {"patch": packed, "patchType": "JSONPatch"}


def labelled(request: Json, **labels: str) -> Json:
    """The answer of one that puts labels on the object."""
    there = request["object"]["metadata"].get("labels") or {}
    operation = {"op": "add", "path": "/metadata/labels", "value": {**there, **labels}}
    return review(request, **patching(operation))


Says = Callable[[Json], Json | bytes | Response]


@dataclass
class Webhook:
    """What it was asked, and how it answers; `before` is waited for first."""

    port: int = 0
    ca: bytes = b""
    asked: list[Json] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    says: Says = review
    before: Callable[[], Awaitable[None]] | None = None

    async def handle(self, request: Request) -> Response:
        sent = json.loads(request.body)
        assert sent["apiVersion"] == "admission.k8s.io/v1"
        assert sent["kind"] == "AdmissionReview"
        self.asked.append(sent["request"])
        self.queries.append(request.query)
        if self.before is not None:
            await self.before()
        said = self.says(sent["request"])
        if isinstance(said, Response):
            return said
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        return Response(200, {"content-type": "application/json"}, body)

    @property
    def client(self) -> Json:
        bundle = base64.b64encode(self.ca).decode()
        return {"url": f"https://localhost:{self.port}/review", "caBundle": bundle}

    def one(self, name: str = "one.example.com", *rules: Json, **more: Any) -> Json:
        """An entry of a configuration."""
        return {
            "name": name,
            "clientConfig": self.client,
            "rules": list(rules) or [MAPS],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            **more,
        }


@cache
def certificates() -> Certificates:
    """Made once: that takes long."""
    return ensure_certificates(Path(mkdtemp()), ["localhost", "127.0.0.1"], datetime.now(UTC))


@asynccontextmanager
async def listening(says: Says = review) -> AsyncGenerator[Webhook, None]:
    """A webhook at work."""
    known = certificates()
    hook = Webhook(ca=known.ca_pem, says=says)
    context = server_context(known.cert_file, known.key_file)
    server = await serve(hook.handle, addresses=[("127.0.0.1", 0)], tls=context)
    hook.port = server.addresses[0][1]
    try:
        yield hook
    finally:
        await server.close()


async def configure(api: Api, where: str, *hooks: Json, name: str = "them") -> None:
    """A configuration that must come into being."""
    answer = await api.ask("POST", where, {"metadata": {"name": name}, "webhooks": list(hooks)})
    assert answer.status == 201, answer.body


def config_map(name: str = "it", **more: Any) -> Json:
    return {"metadata": {"name": name}, "data": {"color": "red"}, **more}


async def sent(api: Api, name: str = "it", **query: str) -> Answer:
    """A ConfigMap that comes, or not."""
    return await raw(api, "POST", CONFIG_MAPS, config_map(name), **query)


async def raw(api: Api, method: str, where: str, body: Any, **query: str) -> Answer:
    """As `ask`, for refusals that have no reason, as webhooks' may."""
    data = json.dumps(body).encode() if body is not None else b""
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    headers = {"authorization": f"Bearer {api.cluster.plane.token}", "content-type": kind}
    asked = Request(method, where, urlencode(query), headers, data)
    response = await api.cluster.plane.server.handle(asked)
    assert isinstance(response.body, bytes)
    return Answer(response.status, response.headers, json.loads(response.body))
