"""StatefulSets and DaemonSets through a stock kubectl, with pods that really run."""

import json

from tests.e2e.kit import Cluster, Json, until
from tests.e2e.kubectl import Kubectl

FOREVER = "echo $VERSION >> /data/versions; while :; do sleep 1; done"


def template(version: str, script: str, **spec: object) -> Json:
    main = {
        "name": "main",
        "image": "host",
        "command": ["sh", "-c", script],
        "env": [{"name": "VERSION", "value": version}],
    }
    if "data" in script:
        main["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    return {
        "metadata": {"labels": {"app": "set"}},
        "spec": {
            "runtimeClassName": "host",
            "terminationGracePeriodSeconds": 1,
            "containers": [main],
            **spec,
        },
    }


def stateful_set(version: str, replicas: int = 2) -> Json:
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "standard",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db"},
        "spec": {
            "replicas": replicas,
            "serviceName": "db",
            "selector": {"matchLabels": {"app": "set"}},
            "template": template(version, FOREVER),
            "volumeClaimTemplates": [claim],
        },
    }


def daemon_set(version: str) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "agent"},
        "spec": {
            "selector": {"matchLabels": {"app": "set"}},
            "template": template(version, "while :; do sleep 1; done"),
        },
    }


def versions(kubectl: Kubectl) -> dict[str, str]:
    """What each pod was made with."""
    found = json.loads(kubectl.ok("get", "pods", "-o", "json"))["items"]
    return {
        pod["metadata"]["name"]: pod["spec"]["containers"][0]["env"][0]["value"]
        for pod in found
        if "deletionTimestamp" not in pod["metadata"]
    }


def rolled_out(kubectl: Kubectl, what: str) -> str:
    return kubectl.ok("rollout", "status", what, "--timeout=25s")


def test_a_stateful_set(cluster: Cluster, namespace: str, kubectl: Kubectl) -> None:
    kubectl.ok("apply", "-f", "-", stdin=stateful_set("one"))
    assert "complete" in rolled_out(kubectl, "sts/db")
    assert versions(kubectl) == {"db-0": "one", "db-1": "one"}
    claims = kubectl.ok("get", "pvc", "-o", "jsonpath={.items[*].status.phase}")
    assert claims == "Bound Bound"
    row = kubectl.ok("get", "sts", "db", "--no-headers").split()
    assert row[:2] == ["db", "2/2"]

    kubectl.ok("scale", "sts/db", "--replicas=3")
    rolled_out(kubectl, "sts/db")
    kubectl.ok("scale", "sts/db", "--replicas=1")
    until(lambda: versions(kubectl) == {"db-0": "one"} or None, told=lambda: versions(kubectl))
    assert len(cluster.list("PersistentVolumeClaim", namespace)) == 3

    kubectl.ok("set", "env", "sts/db", "VERSION=two")
    rolled_out(kubectl, "sts/db")
    assert versions(kubectl) == {"db-0": "two"}
    assert len(kubectl.ok("rollout", "history", "sts/db").splitlines()) >= 4
    kubectl.ok("rollout", "undo", "sts/db")
    rolled_out(kubectl, "sts/db")
    assert versions(kubectl) == {"db-0": "one"}
    assert kubectl.ok("exec", "db-0", "--", "cat", "/data/versions").split() == [
        "one",
        "two",
        "one",
    ]

    before = cluster.get("Pod", "db-0", namespace)["metadata"]["uid"]
    kubectl.ok("delete", "sts", "db", "--cascade=orphan")
    kubectl.ok("apply", "-f", "-", stdin=stateful_set("one", replicas=1))
    rolled_out(kubectl, "sts/db")
    assert cluster.get("Pod", "db-0", namespace)["metadata"]["uid"] == before
    kubectl.ok("delete", "sts", "db")
    until(lambda: versions(kubectl) == {} or None, told=lambda: versions(kubectl))


def test_a_daemon_set(cluster: Cluster, namespace: str, kubectl: Kubectl) -> None:
    kubectl.ok("apply", "-f", "-", stdin=daemon_set("one"))
    assert "successfully rolled out" in rolled_out(kubectl, "ds/agent")
    row = kubectl.ok("get", "ds", "agent", "--no-headers").split()
    assert row[:6] == ["agent", "1", "1", "1", "1", "1"]
    [pod] = versions(kubectl)
    assert cluster.get("Pod", pod, namespace)["spec"]["nodeName"] == "localhost"

    kubectl.ok("set", "env", "ds/agent", "VERSION=two")
    rolled_out(kubectl, "ds/agent")
    assert list(versions(kubectl).values()) == ["two"]
    kubectl.ok("rollout", "undo", "ds/agent")
    rolled_out(kubectl, "ds/agent")
    assert list(versions(kubectl).values()) == ["one"]
    kubectl.ok("rollout", "restart", "ds/agent")
    rolled_out(kubectl, "ds/agent")
    kubectl.ok("delete", "ds", "agent")
    until(lambda: versions(kubectl) == {} or None, told=lambda: versions(kubectl))
