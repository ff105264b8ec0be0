"""A stock kubectl and admission webhooks: one beside the cluster, one in it, behind a Service."""

import asyncio
import base64
import json
from datetime import UTC, datetime
from pathlib import Path

from argosy.http.tls import ensure_certificates
from tests.apiserver.admission.webhooks.kit import Json, listening, patching, review
from tests.e2e.kubectl import Done, Kubectl

SERVER = """\
import base64, json, ssl
from http.server import BaseHTTPRequestHandler, HTTPServer

class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
        allowed = sent["request"]["object"]["data"].get("color") != "blue"
        said = {"uid": sent["request"]["uid"], "allowed": allowed, "status": {"message": "no blue"}}
        body = json.dumps({**sent, "request": None, "response": said}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.send_response(200)
        self.end_headers()

server = HTTPServer(("0.0.0.0", 28443), Hook)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/etc/hook/tls.crt", "/etc/hook/tls.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


async def asked(kubectl: Kubectl, *arguments: str, stdin: Json | None = None) -> Done:
    return await asyncio.to_thread(lambda: kubectl(*arguments, stdin=stdin))


def configuration(kind: str, kubectl: Kubectl, client: Json, **more: object) -> Json:
    """A webhook for the ConfigMaps of the test's namespace."""
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["configmaps"],
    }
    here = {"matchLabels": {"kubernetes.io/metadata.name": kubectl.namespace}}
    hook = {
        "name": "colors.example.com",
        "clientConfig": client,
        "rules": [rule],
        "namespaceSelector": here,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        **more,
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": f"colors-{kubectl.namespace}"},
        "webhooks": [hook],
    }


def says(request: Json) -> Json:
    if request["object"]["data"].get("color") == "blue":
        refused = {"message": "no blue", "code": 403, "reason": "Forbidden"}
        return review(request, allowed=False, status=refused)
    add = {"op": "add", "path": "/data/seen", "value": "yes"}
    return review(request, warnings=["it was changed"], **patching(add))


async def test_kubectl_is_told_what_a_webhook_says(kubectl: Kubectl) -> None:
    async with listening(says) as hook:
        made = configuration("MutatingWebhookConfiguration", kubectl, hook.client)
        name = f"mutatingwebhookconfiguration/{made['metadata']['name']}"
        assert (await asked(kubectl, "apply", "-f", "-", stdin=made)).code == 0
        try:
            red = await asked(kubectl, "create", "cm", "a", "--from-literal=color=red")
            assert red.code == 0, red.err
            assert red.err.strip() == "Warning: it was changed"
            seen = await asked(kubectl, "get", "cm", "a", "-o", "jsonpath={.data}")
            assert json.loads(seen.out) == {"color": "red", "seen": "yes"}
            blue = await asked(kubectl, "create", "cm", "b", "--from-literal=color=blue")
            assert blue.err.strip() == (
                'error: failed to create configmap: admission webhook "colors.example.com" denied '
                "the request: no blue"
            )
            dry = ("create", "cm", "c", "--from-literal=color=red", "--dry-run=server")
            assert (await asked(kubectl, *dry)).code == 0
        finally:
            assert (await asked(kubectl, "delete", name)).code == 0
        assert [one["operation"] for one in hook.asked] == ["CREATE"] * 3
        assert hook.asked[0]["options"]["fieldManager"] == "kubectl-create"
        assert hook.asked[2]["dryRun"] is True


async def test_a_webhook_behind_a_service(kubectl: Kubectl, tmp_path: Path) -> None:
    host = f"colors.{kubectl.namespace}.svc"
    files = ensure_certificates(tmp_path, [host], datetime.now(UTC))
    for one in manifests(files.cert_file.read_text(), files.key_file.read_text()):
        done = await asked(kubectl, "apply", "-f", "-", stdin=one)
        assert done.code == 0, done.err
    ready = await asked(kubectl, "wait", "--for=condition=Ready", "pod/colors", "--timeout=20s")
    assert ready.code == 0, ready.err
    service = {"name": "colors", "namespace": kubectl.namespace, "path": "/review"}
    client = {"service": service, "caBundle": base64.b64encode(files.ca_pem).decode()}
    made = configuration("ValidatingWebhookConfiguration", kubectl, client)
    name = f"validatingwebhookconfiguration/{made['metadata']['name']}"
    assert (await asked(kubectl, "apply", "-f", "-", stdin=made)).code == 0
    try:
        red = await asked(kubectl, "create", "cm", "a", "--from-literal=color=red")
        assert red.code == 0, red.err
        blue = await asked(kubectl, "create", "cm", "b", "--from-literal=color=blue")
        assert 'webhook "colors.example.com" denied the request: no blue' in blue.err
    finally:
        assert (await asked(kubectl, "delete", name)).code == 0


def manifests(certificate: str, key: str) -> list[Json]:
    """The server's files, its pod and its Service."""
    container = {
        "name": "hook",
        "image": "host",
        "command": ["python3", "/etc/hook/server.py"],
        "ports": [{"name": "https", "containerPort": 28443}],
        "readinessProbe": {
            "httpGet": {"port": 28443, "scheme": "HTTPS", "path": "/"},
            "periodSeconds": 1,
        },
        "volumeMounts": [{"name": "files", "mountPath": "/etc/hook"}],
    }
    data = {"server.py": SERVER, "tls.crt": certificate, "tls.key": key}
    files = {"name": "files", "configMap": {"name": "files"}}
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "files"},
            "data": data,
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "colors", "labels": {"app": "colors"}},
            "spec": {
                "runtimeClassName": "host",
                "containers": [container],
                "volumes": [files],
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "colors"},
            "spec": {
                "selector": {"app": "colors"},
                "ports": [{"port": 443, "targetPort": "https"}],
            },
        },
    ]
