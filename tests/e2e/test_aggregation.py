"""A metrics server beside the cluster, used by a stock kubectl: an API that is not built in.

It learns whom to trust where all extension servers do, from the cluster's ConfigMap.
"""

import asyncio
import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from argosy.base.clock import SystemClock
from argosy.http.server import serve
from argosy.http.tls import Certificates, ensure_certificates, server_context
from tests.apiserver.aggregation.kit import (
    GROUP,
    HOST,
    SERVICE_NAME,
    VERSION,
    Extension,
    registration,
)
from tests.e2e.kit import Cluster, Json, Refused, until
from tests.e2e.kubectl import Kubectl

TRUST = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
NAME = f"{VERSION}.{GROUP}"
SERVICE: Json = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": SERVICE_NAME, "namespace": "kube-system"},
    "spec": {"type": "ExternalName", "externalName": "localhost"},
}


@dataclass
class Running:
    extension: Extension
    port: int
    certificates: Certificates


@contextmanager
def running(folder: Path, trusted: str) -> Iterator[Running]:
    """The extension server, in a thread of its own."""
    certificates = ensure_certificates(folder, [HOST], SystemClock().now())
    files = (certificates.cert_file, certificates.key_file)
    tls = server_context(*files, client_ca=trusted.encode())
    extension, loop = Extension(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    starting = serve(extension, addresses=[("127.0.0.1", 0)], tls=tls, clock=SystemClock())
    server = asyncio.run_coroutine_threadsafe(starting, loop).result(10)
    try:
        yield Running(extension, server.addresses[0][1], certificates)
    finally:
        asyncio.run_coroutine_threadsafe(server.close(0), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture
def metrics(cluster: Cluster, kubectl: Kubectl, tmp_path: Path) -> Iterator[Running]:
    """A metrics server that is registered and available."""
    trust = until(lambda: _published(cluster))
    with running(tmp_path / "metrics", trust["requestheader-client-ca-file"]) as found:
        bundle = base64.b64encode(found.certificates.ca_pem).decode()
        body = registration(GROUP, VERSION, found.port, caBundle=bundle)
        kubectl.ok("apply", "-n", "kube-system", "-f", "-", stdin=SERVICE)
        head = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService"}
        kubectl.ok("apply", "-f", "-", stdin={**head, **body})
        kubectl.ok("wait", "--for=condition=Available", f"apiservice/{NAME}", "--timeout=10s")
        yield found
        kubectl.ok("delete", "apiservice", NAME)
        kubectl.ok("delete", "service", SERVICE_NAME, "-n", "kube-system", "--ignore-not-found")


def _published(cluster: Cluster) -> Json | None:
    try:
        data: Json = cluster.call("GET", TRUST)["data"]
    except Refused:
        return None
    return data


def test_kubectl_uses_an_extension_server(metrics: Running, kubectl: Kubectl) -> None:
    top = kubectl.ok("top", "nodes")
    assert "250m" in top
    assert "1024Mi" in top
    assert "nodes.metrics.k8s.io" in kubectl.ok("api-resources", "--api-group", GROUP, "-o", "name")
    assert "localhost" in kubectl.ok("get", "nodes.metrics.k8s.io")
    raw = kubectl.ok("get", "--raw", f"/apis/{GROUP}/{VERSION}/nodes")
    assert '"NodeMetricsList"' in raw
    shown = kubectl.ok("get", "apiservices").splitlines()
    rows = {row.split()[0]: row.split()[1:3] for row in shown[1:]}
    assert rows[NAME] == [f"kube-system/{SERVICE_NAME}", "True"]
    assert rows["v1.apps"] == ["Local", "True"]
    asked = metrics.extension.seen(f"/apis/{GROUP}/{VERSION}/nodes")
    assert all("authorization" not in request.headers for request in asked)
    assert asked[-1].headers["x-remote-user"] == "kubernetes-admin"
    assert metrics.extension.strangers == 0


def test_kubectl_says_who_is_away(metrics: Running, kubectl: Kubectl) -> None:
    kubectl.ok("delete", "service", SERVICE_NAME, "-n", "kube-system")
    kubectl.ok("wait", "--for=condition=Available=False", f"apiservice/{NAME}", "--timeout=10s")
    assert "False (ServiceNotFound)" in kubectl.ok("get", "apiservice", NAME)
    refused = kubectl("get", "--raw", f"/apis/{GROUP}/{VERSION}/nodes")
    assert refused.code != 0
    assert "the server is currently unable to handle the request" in refused.err
    kubectl.ok("get", "pods", "-A")  # what is away keeps nobody from the rest
