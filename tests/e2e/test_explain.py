"""`argosy explain` on a running cluster: why a pod waits, and a fix that makes it run."""

import json
import subprocess
import sys
from typing import Any

from tests.e2e.kit import Cluster, condition, host_pod, phase

Json = dict[str, Any]


def explain(cluster: Cluster, namespace: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "argosy", "explain", "-n", namespace, *arguments]
    command += ["--kubeconfig", str(cluster.kubeconfig)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def unscheduled(pod: Json) -> bool:
    return condition(pod, "PodScheduled").get("status") == "False"


def test_a_pending_pod_is_explained_and_the_fix_makes_it_run(
    cluster: Cluster, namespace: str
) -> None:
    cluster.apply(host_pod("picky", "true", nodeSelector={"e2e/disk": "ssd"}), namespace)
    cluster.until("Pod", "picky", namespace, unscheduled)
    told = json.loads(explain(cluster, namespace, "pod/picky", "-o", "json"))
    assert told["headline"] == "No node has the labels of the pod's nodeSelector: e2e/disk=ssd."
    fix = next(fix for fix in told["fixes"] if fix["kind"] == "Label")
    node = fix["node"]
    assert fix["text"] == f"label node {node} e2e/disk=ssd"
    cluster.call(
        "PATCH",
        f"/api/v1/nodes/{node}",
        {"metadata": {"labels": {"e2e/disk": "ssd"}}},
        content="application/merge-patch+json",
    )
    cluster.until("Pod", "picky", namespace, phase("Succeeded"))
    assert explain(cluster, namespace, "picky").endswith("The pod has ended: Succeeded.\n")
    cluster.call(
        "PATCH",
        f"/api/v1/nodes/{node}",
        {"metadata": {"labels": {"e2e/disk": None}}},
        content="application/merge-patch+json",
    )
