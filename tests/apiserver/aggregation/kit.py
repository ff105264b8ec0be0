"""A real extension server over TLS, and a cluster that has it registered.

It believes only who shows the cluster's front-proxy certificate, and notes what it was asked.
"""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from argosy.api.core import Namespace
from argosy.api.registration import APIService
from argosy.api.resources.core import SERVICE
from argosy.api.resources.extensions import API_SERVICE
from argosy.apiserver.aggregation.identity import NAME, ProxyCertificate
from argosy.base.clock import SystemClock
from argosy.cluster.operators import add_aggregation
from argosy.http.message import Request, Response
from argosy.http.server import serve
from argosy.http.tls import Certificates, ensure_certificates, server_context
from argosy.testing.cluster import Cluster, cluster
from tests.apiserver.kit import Api

Json = dict[str, Any]

GROUP, VERSION = "metrics.k8s.io", "v1beta1"
PLACE = f"{GROUP}/{VERSION}"
ROOT = f"/apis/{PLACE}"
NODES = f"{ROOT}/nodes"
SERVICE_NAME = "metrics-server"
HOST = f"{SERVICE_NAME}.kube-system.svc"
USAGE = {"cpu": "250m", "memory": "1Gi"}
RESOURCES: list[Json] = [
    {
        "name": "nodes",
        "singularName": "node",
        "namespaced": False,
        "kind": "NodeMetrics",
        "verbs": ["get", "list"],
    },
    {
        "name": "pods",
        "singularName": "",
        "namespaced": True,
        "kind": "PodMetrics",
        "verbs": ["get", "list"],
    },
]
LIST: Json = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": PLACE,
    "resources": RESOURCES,
}


def metrics(kind: str, *names: str) -> Json:
    items = [
        {
            "metadata": {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z"},
            "timestamp": "2026-01-01T00:00:00Z",
            "window": "10s",
            "usage": USAGE,
        }
        for name in names
    ]
    return {"kind": f"{kind}List", "apiVersion": PLACE, "metadata": {}, "items": items}


def told(body: Any, status: int = 200, kind: str = "application/json") -> Response:
    return Response(status, {"content-type": kind}, json.dumps(body).encode())


@dataclass
class Extension:
    """The server. `instead` answers in its place, where it is set; `asked` is what came."""

    asked: list[Request] = field(default_factory=list)
    instead: Callable[[Request], Response | None] | None = None
    silent: bool = False
    strangers: int = 0

    async def __call__(self, request: Request) -> Response:
        if not _known(request):
            self.strangers += 1
            return Response(401)
        self.asked.append(request)
        if self.silent:
            await asyncio.Event().wait()
        if self.instead is not None and (answer := self.instead(request)) is not None:
            return answer
        return self._answer(request)

    def _answer(self, request: Request) -> Response:
        if request.path.count("/") == 3:
            return told({**LIST, "groupVersion": request.path.removeprefix("/apis/")})
        if request.path == NODES and request.parameters().get("watch"):
            return Response(200, {"content-type": "application/json"}, _events())
        if request.path == NODES:
            return told(metrics("NodeMetrics", "localhost"))
        if request.path == "/openapi/v3":
            named = f"apis/{PLACE}"
            return told({"paths": {named: {"serverRelativeURL": f"/openapi/v3/{named}?hash=AB12"}}})
        if request.path == f"/openapi/v3/apis/{PLACE}":
            return told({"openapi": "3.0.0", "paths": {}})
        return told({"kind": "Status", "status": "Failure", "code": 404}, 404)

    def seen(self, path: str) -> list[Request]:
        return [request for request in self.asked if request.path == path]


def _known(request: Request) -> bool:
    shown = request.peer.certificate if request.peer is not None else None
    if shown is None:
        return False
    subject = x509.load_der_x509_certificate(shown).subject
    return [item.value for item in subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [NAME]


async def _events() -> AsyncGenerator[bytes, None]:
    for name in ("a", "b"):
        item = metrics("NodeMetrics", name)["items"][0]
        event = {"type": "ADDED", "object": {"kind": "NodeMetrics", "apiVersion": PLACE, **item}}
        yield json.dumps(event).encode() + b"\n"


@dataclass
class Extended:
    """A cluster with an extension server; `register` tells the cluster of it."""

    cluster: Cluster
    extension: Extension
    api: Api
    port: int
    certificates: Certificates

    @property
    def bundle(self) -> str:
        return base64.b64encode(self.certificates.ca_pem).decode()

    async def register(self, place: str = PLACE, *, wait: bool = True, **spec: Any) -> None:
        group, version = place.split("/")
        body = registration(group, version, self.port, **{"caBundle": self.bundle, **spec})
        await self.cluster.client.create(API_SERVICE, body)
        if wait:
            await self.until(lambda api: api.available, f"{version}.{group}")

    async def send(
        self, method: str, where: str, *, token: str = "", **headers: str
    ) -> tuple[int, str]:
        """Status and text of an answer, whichever way its body comes."""
        known = {"authorization": f"Bearer {token or self.cluster.plane.token}", **headers}
        path, _, query = where.partition("?")
        request = Request(method, path, query, known)
        answer = await self.cluster.plane.server.handle(request)
        if isinstance(answer.body, bytes):
            return answer.status, answer.body.decode()
        return answer.status, b"".join([piece async for piece in answer.body]).decode()

    async def get(self, where: str, **headers: str) -> tuple[int, Any]:
        """Status and object."""
        status, text = await self.send("GET", where, **headers)
        return status, json.loads(text)

    async def until(
        self, check: Callable[[APIService], bool], name: str = f"{VERSION}.{GROUP}"
    ) -> APIService:
        return await self.cluster.until(APIService, name, "", check)


def registration(group: str, version: str, port: int, **spec: Any) -> Json:
    """An APIService."""
    return {
        "metadata": {"name": f"{version}.{group}"},
        "spec": {
            "group": group,
            "version": version,
            "service": {"namespace": "kube-system", "name": SERVICE_NAME, "port": port},
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            **spec,
        },
    }


@asynccontextmanager
async def extended(
    folder: Path,
    *,
    registered: bool = True,
    hosts: tuple[str, ...] = (HOST,),
    more: tuple[Callable[[Cluster], None], ...] = (),
) -> AsyncGenerator[Extended]:
    """A cluster with controllers (`more` adds others), and an extension server behind a service."""
    clock = SystemClock()
    front = ProxyCertificate(folder / "pki", clock)
    certificates = ensure_certificates(folder / "extension", list(hosts), clock.now())
    (folder / "pki" / "ca.crt").parent.mkdir(exist_ok=True)
    (folder / "pki" / "ca.crt").write_bytes(certificates.ca_pem)
    tls = server_context(
        certificates.cert_file, certificates.key_file, client_ca=front.certificates().ca_pem
    )
    extension = Extension()
    server = await serve(extension, addresses=[("127.0.0.1", 0)], tls=tls, clock=clock)
    try:
        async with cluster() as made:
            made.plane.server.aggregation.front = front
            add_aggregation(made.manager, made.plane.server.aggregation, folder / "pki")
            for add in more:
                add(made)
            port = server.addresses[0][1]
            await _service(made)
            made.start()
            found = Extended(made, extension, Api(made), port, certificates)
            if registered:
                await found.register()
            yield found
    finally:
        await server.close(0)


async def _service(made: Cluster) -> None:
    await made.client.apply(Namespace.resource, {"metadata": {"name": "kube-system"}})
    body = {
        "metadata": {"name": SERVICE_NAME, "namespace": "kube-system"},
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }
    await made.client.create(SERVICE, body)
