"""A webhook of the command line on a local TLS port, and the kubeconfig that names it."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from argosy.http.message import Request, Response
from argosy.http.server import serve
from argosy.http.tls import ensure_certificates, server_context

Json = dict[str, Any]
Saying = Callable[[Json], Json | Response]
"""What is said to a review: its status, or something else."""


@dataclass
class Hook:
    """Answers reviews; `asked` are those that came."""

    file: Path
    says: Saying
    asked: list[Json] = field(default_factory=list)
    silent: bool = False
    headers: list[str] = field(default_factory=list)

    async def __call__(self, request: Request) -> Response:
        review = json.loads(request.body)
        self.asked.append(review)
        self.headers.append(request.headers.get("authorization", ""))
        if self.silent:
            await asyncio.Event().wait()
        said = self.says(review["spec"])
        if isinstance(said, Response):
            return said
        answer = {"apiVersion": review["apiVersion"], "kind": review["kind"], "status": said}
        return Response(200, {"content-type": "application/json"}, json.dumps(answer).encode())


def kubeconfig(server: str, authority: bytes, **user: str) -> Json:
    trusted = base64.b64encode(authority).decode()
    cluster = {"server": server, "certificate-authority-data": trusted}
    return {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": cluster}],
        "users": [{"name": "it", "user": user}],
    }


@asynccontextmanager
async def hooking(folder: Path, says: Saying) -> AsyncGenerator[Hook, None]:
    certificates = ensure_certificates(folder / "hook", ["127.0.0.1"], datetime.now(UTC))
    tls = server_context(certificates.cert_file, certificates.key_file)
    hook = Hook(folder / "hook.yaml", says)
    server = await serve(hook, addresses=[("127.0.0.1", 0)], tls=tls)
    url = f"https://127.0.0.1:{server.addresses[0][1]}/review"
    told = kubeconfig(url, certificates.ca_pem, token="let-me-ask")
    hook.file.write_text(yaml.safe_dump(told))
    try:
        yield hook
    finally:
        await server.close()


def rules(file: Path, **more: Any) -> Json:
    """A webhook of an AuthorizationConfiguration, as its file has it."""
    return {
        "authorizedTTL": "5m",
        "unauthorizedTTL": "30s",
        "timeout": "10s",
        "subjectAccessReviewVersion": "v1",
        "failurePolicy": "NoOpinion",
        "connectionInfo": {"type": "KubeConfigFile", "kubeConfigFile": str(file)},
        **more,
    }


def authorizers(*webhooks: tuple[str, Json]) -> Json:
    """An AuthorizationConfiguration: these webhooks, then the usual ones."""
    asked = [{"type": "Webhook", "name": name, "webhook": told} for name, told in webhooks]
    own = [{"type": "Node", "name": "node"}, {"type": "RBAC", "name": "rbac"}]
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthorizationConfiguration",
        "authorizers": [*asked, *own],
    }
