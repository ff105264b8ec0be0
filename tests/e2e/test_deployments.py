"""Deployments as people run them with a stock kubectl: rolled out, looked at, undone, scaled."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.kit import Cluster, Json, host_pod, until
from tests.e2e.kubectl import Kubectl

FOREVER = "trap 'exit 0' TERM; while :; do sleep 0.2; done"
COUNT = 800
WAITED = ("--timeout=60s",)


def web(replicas: int, script: str = FOREVER) -> Json:
    """A Deployment of pods of this machine."""
    pod = host_pod("web", script)
    spec = {**pod["spec"], "restartPolicy": "Always", "terminationGracePeriodSeconds": 1}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": spec},
        },
    }


def rolled_out(kubectl: Kubectl) -> None:
    said = kubectl.ok("rollout", "status", "deployment/web", *WAITED)
    assert 'deployment "web" successfully rolled out' in said


def read(kubectl: Kubectl, *what: str) -> Json:
    found: Json = json.loads(kubectl.ok("get", *what, "-o", "json"))
    return found


def running(kubectl: Kubectl) -> list[Json]:
    """The pods that are not on their way out."""
    pods = read(kubectl, "pods", "-l", "app=web")["items"]
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def gone(kubectl: Kubectl) -> bool:
    return not read(kubectl, "replicasets,pods", "-l", "app=web")["items"]


def variables(kubectl: Kubectl) -> set[str]:
    """What the pods' containers have as COLOUR."""
    found = [pod["spec"]["containers"][0].get("env", [{"value": ""}]) for pod in running(kubectl)]
    return {env[0]["value"] for env in found}


def revisions(kubectl: Kubectl) -> list[str]:
    lines = kubectl.ok("rollout", "history", "deployment/web").splitlines()
    return [line.split()[0] for line in lines if line[:1].isdigit()]


@pytest.fixture
def deployed(cluster: Cluster, namespace: str, kubectl: Kubectl) -> Iterator[Kubectl]:
    kubectl.ok("apply", "-f", "-", stdin=web(2))
    yield kubectl
    kubectl("delete", "deployment", "web", "--ignore-not-found")


def test_a_rollout_and_back(deployed: Kubectl) -> None:
    rolled_out(deployed)
    row = deployed.ok("get", "deployment", "web").splitlines()[1].split()
    assert row[:4] == ["web", "2/2", "2", "2"]
    deployed.ok("set", "env", "deployment/web", "COLOUR=red")
    rolled_out(deployed)
    assert variables(deployed) == {"red"}
    assert revisions(deployed) == ["1", "2"]
    assert "COLOUR:\tred" in deployed.ok("rollout", "history", "deployment/web", "--revision=2")
    deployed.ok("rollout", "undo", "deployment/web")
    rolled_out(deployed)
    assert variables(deployed) == {""}
    assert revisions(deployed) == ["2", "3"]
    before = {pod["metadata"]["uid"] for pod in running(deployed)}
    deployed.ok("rollout", "restart", "deployment/web")
    rolled_out(deployed)
    assert before.isdisjoint(pod["metadata"]["uid"] for pod in running(deployed))
    described = deployed.ok("describe", "deployment", "web")
    assert "ScalingReplicaSet" in described and "NewReplicaSetAvailable" in described


def test_scaling_pausing_and_deleting(deployed: Kubectl) -> None:
    rolled_out(deployed)
    deployed.ok("scale", "deployment/web", "--replicas=3")
    rolled_out(deployed)
    assert len(running(deployed)) == 3
    deployed.ok("rollout", "pause", "deployment/web")
    deployed.ok("set", "env", "deployment/web", "COLOUR=blue")
    deployed.ok("scale", "deployment/web", "--replicas=1")
    until(lambda: len(running(deployed)) == 1 or None)
    assert variables(deployed) == {""}
    deployed.ok("rollout", "resume", "deployment/web")
    rolled_out(deployed)
    assert variables(deployed) == {"blue"}
    deployed.ok("wait", "--for=condition=Available", "deployment/web", *WAITED)
    deployed.ok("delete", "deployment", "web")
    until(lambda: gone(deployed) or None)


def test_pods_outlive_their_deployment_and_are_taken_over(deployed: Kubectl) -> None:
    rolled_out(deployed)
    before = {pod["metadata"]["uid"] for pod in running(deployed)}
    deployed.ok("delete", "deployment", "web", "--cascade=orphan")
    [left] = read(deployed, "replicasets", "-l", "app=web")["items"]
    name = left["metadata"]["name"]
    until(lambda: "ownerReferences" not in read(deployed, "rs", name)["metadata"] or None)
    deployed.ok("apply", "-f", "-", stdin=web(2))
    rolled_out(deployed)
    assert {pod["metadata"]["uid"] for pod in running(deployed)} == before
    deployed.ok("delete", "deployment", "web", "--cascade=foreground")
    assert gone(deployed)  # kubectl has waited for the Deployment, which waited for them


def test_a_killed_server_goes_on_where_it_was(
    sandboxed: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Killed while it makes pods: afterwards there are as many as asked for, and no more."""
    cluster = Cluster(tmp_path_factory.mktemp("killed"))
    body = web(COUNT)
    body["spec"]["template"]["spec"]["nodeSelector"] = {"nowhere": "found"}
    try:
        cluster.start()
        cluster.apply(body, "default")
        before = until(lambda: len(cluster.list("Pod", "default")) or None)
        cluster.kill()
        assert before < COUNT  # it was in the middle
        cluster.start()
        cluster.until(
            *("Deployment", "web", "default"),
            lambda it: it.get("status", {}).get("replicas") == COUNT,
        )
        assert len(cluster.list("Pod", "default")) == COUNT
    finally:
        cluster.kill()
