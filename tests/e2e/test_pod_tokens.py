"""A pod that speaks for its account: with its own token, from within, to a real `argosy up`."""

import json
import ssl
import urllib.error
import urllib.request
from typing import Any

from argosy.client import kubeconfig
from tests.e2e.kit import Cluster, Json, host_pod, phase, until

ASK = """
import json, os, ssl, urllib.error, urllib.request
FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount/"
token, namespace = (open(FOLDER + name).read() for name in ("token", "namespace"))
host, port = (os.environ["KUBERNETES_SERVICE_" + name] for name in ("HOST", "PORT"))
trust = ssl.create_default_context(cafile=FOLDER + "ca.crt")

def ask(what, bearer=token):
    url = f"https://{host}:{port}/api/v1/namespaces/{namespace}/{what}"
    headers = {"authorization": "Bearer " + bearer}
    try:
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, context=trust) as got:
            return [item["metadata"]["name"] for item in json.load(got)["items"]]
    except urllib.error.HTTPError as error:
        return [error.code, json.load(error)["message"]]

def official():
    from kubernetes import client, config
    config.load_incluster_config()
    return [pod.metadata.name for pod in client.CoreV1Api().list_namespaced_pod(namespace).items]

vault = open("/vault/token").read()
print(json.dumps({
    "pods": ask("pods"),
    "official": official(),
    "secrets": ask("secrets"),
    "elsewhere": ask("pods", vault)[0],
    "token": token,
    "vault": vault,
    "labels": open("/vault/labels").read(),
    "key": os.environ["KEY"],
}), flush=True)
import signal
signal.signal(signal.SIGTERM, lambda *_: exit(0))
signal.pause()
"""


def speaker() -> Json:
    pod = host_pod("speaker", "", serviceAccountName="reader")
    pod["metadata"]["labels"] = {"app": "speaker"}
    container = pod["spec"]["containers"][0]
    container["command"] = ["python", "-c", ASK]
    container["volumeMounts"] = [{"name": "vault", "mountPath": "/vault"}]
    key = {"secretKeyRef": {"name": "kept", "key": "k"}}
    container["env"] = [{"name": "KEY", "valueFrom": key}]
    labels = {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}
    sources = [
        {"serviceAccountToken": {"path": "token", "audience": "vault", "expirationSeconds": 600}},
        {"downwardAPI": {"items": [labels]}},
    ]
    pod["spec"]["volumes"] = [
        {"name": "vault", "projected": {"sources": sources, "defaultMode": 0o400}}
    ]
    return pod


def granted(cluster: Cluster, namespace: str) -> None:
    """An account that may list pods, and a secret."""
    group = "rbac.authorization.k8s.io"
    version = f"{group}/v1"
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    subject = {"kind": "ServiceAccount", "name": "reader", "namespace": namespace}
    for body in (
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader"}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "kept"},
            "stringData": {"k": "word"},
        },
        {"apiVersion": version, "kind": "Role", "metadata": {"name": "r"}, "rules": rules},
        {
            "apiVersion": version,
            "kind": "RoleBinding",
            "metadata": {"name": "r"},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "r"},
            "subjects": [subject],
        },
    ):
        cluster.apply(body, namespace)


def test_a_pod_uses_its_own_token(cluster: Cluster, namespace: str) -> None:
    granted(cluster, namespace)
    cluster.apply(speaker(), namespace)
    cluster.until("Pod", "speaker", namespace, phase("Running"))
    said = until(lambda: _said(cluster, namespace), told=lambda: cluster.logs("speaker", namespace))
    who = f"system:serviceaccount:{namespace}:reader"
    refusal = (
        f'secrets is forbidden: User "{who}" cannot list resource "secrets" in API group "" in '
        f'the namespace "{namespace}"'
    )
    assert (said["pods"], said["secrets"]) == (["speaker"], [403, refusal])
    assert said["official"] == ["speaker"]
    assert said["elsewhere"] == 401
    assert (said["labels"], said["key"]) == ('app="speaker"', "word")
    assert asked(cluster, namespace, said["token"]) == 200
    assert asked(cluster, namespace, said["vault"]) == 401
    cluster.delete("Pod", "speaker", namespace)
    until(lambda: True if asked(cluster, namespace, said["token"]) == 401 else None)
    assert said["token"] not in cluster.log()


def _said(cluster: Cluster, namespace: str) -> dict[str, Any] | None:
    lines = cluster.logs("speaker", namespace).splitlines()
    found: dict[str, Any] | None = json.loads(lines[0]) if lines else None
    return found


def asked(cluster: Cluster, namespace: str, token: str) -> int:
    """What somebody else gets with the token."""
    access = kubeconfig.load(cluster.kubeconfig)
    request = urllib.request.Request(
        f"{access.server}/api/v1/namespaces/{namespace}/pods",
        headers={"authorization": f"Bearer {token}"},
    )
    trust = ssl.create_default_context(cadata=access.ca)
    try:
        with urllib.request.urlopen(request, context=trust) as got:
            return int(got.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
