"""Claims as people use them: data outlive their pods, and go with the claim."""

import json

from tests.e2e.kit import Cluster, Json, host_pod, phase, until
from tests.e2e.kubectl import Kubectl

CLAIM: Json = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def user(name: str, script: str) -> Json:
    """A pod that has the claim at /data."""
    source = {"persistentVolumeClaim": {"claimName": "data"}}
    pod = host_pod(name, script, volumes=[{"name": "data", **source}])
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    return pod


def test_data_outlive_pods_and_go_with_the_claim(
    cluster: Cluster, namespace: str, kubectl: Kubectl
) -> None:
    kubectl.ok("apply", "-f", "-", stdin=CLAIM)
    kubectl.ok("wait", "--for=jsonpath={.status.phase}=Bound", "pvc/data", "--timeout=30s")
    volume = json.loads(kubectl.ok("get", "pvc", "data", "-o", "json"))["spec"]["volumeName"]
    found: Json = json.loads(kubectl.ok("get", "pv", volume, "-o", "json"))
    folder = cluster.data / "volumes" / found["spec"]["hostPath"]["path"].rpartition("/")[2]
    writes = "mkdir -p /data/deep && echo kept > /data/deep/file && ln -s /etc /data/link"
    kubectl.ok("apply", "-f", "-", stdin=user("first", writes))
    cluster.until("Pod", "first", namespace, phase("Succeeded"))
    assert (folder / "deep" / "file").read_text() == "kept\n"
    kubectl.ok("apply", "-f", "-", stdin=user("second", "cat /data/deep/file"))
    cluster.until("Pod", "second", namespace, phase("Succeeded"))
    assert kubectl.ok("logs", "second") == "kept\n"
    assert "Delete" in kubectl.ok("get", "pv", volume)
    assert "ProvisioningSucceeded" in kubectl.ok("describe", "pvc", "data")
    kubectl.ok("delete", "pod", "first", "second", "--now")
    kubectl.ok("delete", "pvc", "data", "--timeout=30s")
    until(lambda: kubectl("get", "pv", volume).code or None)
    assert not folder.exists() and not list(folder.parent.glob(f"*{volume}*"))
