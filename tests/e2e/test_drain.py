"""`kubectl drain` of the only node: what may go goes, budgets are kept, and all comes back.

The oldest kubectl that is there and the newest do the same.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.kit import Cluster, Json, host_pod, until
from tests.e2e.kubectl import Kubectl, kubectls

FOREVER = "trap 'exit 0' TERM; while :; do sleep 0.2; done"
PLACE = "default"


@pytest.fixture(scope="module")
def own(sandboxed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of this module's own: its node is emptied."""
    cluster = Cluster(tmp_path_factory.mktemp("drained"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.kill()


@pytest.fixture(params=["oldest", "newest"])
def drained(request: pytest.FixtureRequest, own: Cluster, tmp_path: Path) -> Iterator[Kubectl]:
    """A kubectl for it, after which nothing is left."""
    programs = kubectls()
    if not programs:
        pytest.skip("kubectl is not installed")
    kubectl = Kubectl(programs[0 if request.param == "oldest" else -1], own, PLACE, tmp_path)
    yield kubectl
    kubectl.ok("uncordon", node(kubectl))
    kubectl.ok("delete", "deployments,daemonsets,poddisruptionbudgets,pods", "--all", "--now")
    until(lambda: not pods(kubectl) or None)


def node(kubectl: Kubectl) -> str:
    return kubectl.ok("get", "nodes", "-o", "name").strip().removeprefix("node/")


def pods(kubectl: Kubectl, **labels: str) -> list[Json]:
    """The pods that are not on their way out."""
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    found: Json = json.loads(kubectl.ok("get", "pods", "-l", selector, "-o", "json"))
    return [pod for pod in found["items"] if "deletionTimestamp" not in pod["metadata"]]


def phases(kubectl: Kubectl, app: str) -> list[str]:
    return sorted(pod["status"]["phase"] for pod in pods(kubectl, app=app))


def workload(kind: str, name: str, **spec: Json | int) -> Json:
    """A Deployment or DaemonSet of pods of this machine."""
    pod = host_pod(name, FOREVER, restartPolicy="Always", terminationGracePeriodSeconds=1)["spec"]
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
            **spec,
        },
    }


def budget(name: str) -> Json:
    """One pod of the app has to run at any time."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": name}}},
    }


def run(kubectl: Kubectl, *manifests: Json) -> None:
    for manifest in manifests:
        kubectl.ok("apply", "-f", "-", stdin=manifest)


def test_a_node_is_emptied_and_filled_again(drained: Kubectl) -> None:
    name = node(drained)
    run(drained, workload("Deployment", "web", replicas=2), workload("DaemonSet", "agent"))
    drained.ok("rollout", "status", "deployment/web", "--timeout=60s")
    drained.ok("rollout", "status", "daemonset/agent", "--timeout=60s")
    refused = drained("drain", name)
    assert refused.code == 1 and "cannot delete DaemonSet-managed Pods" in refused.err
    assert phases(drained, "web") == ["Running", "Running"]
    said = drained.ok("drain", name, "--ignore-daemonsets", "--timeout=60s")
    assert "evicting pod default/web-" in said and f"node/{name} drained" in said
    assert "SchedulingDisabled" in drained.ok("get", "node", name)
    assert phases(drained, "agent") == ["Running"]
    until(lambda: phases(drained, "web") == ["Pending", "Pending"] or None)
    assert all("nodeName" not in pod["spec"] for pod in pods(drained, app="web"))
    assert f"node/{name} uncordoned" in drained.ok("uncordon", name)
    drained.ok("rollout", "status", "deployment/web", "--timeout=60s")
    assert phases(drained, "web") == ["Running", "Running"]


def test_a_budget_holds_the_last_pod(drained: Kubectl) -> None:
    name = node(drained)
    run(drained, workload("Deployment", "web", replicas=2), budget("web"))
    drained.ok("rollout", "status", "deployment/web", "--timeout=60s")
    until(lambda: allowed(drained) == 1 or None)
    stuck = drained("drain", name, "--timeout=2s")
    assert stuck.code == 1
    assert "Cannot evict pod as it would violate the pod's disruption budget." in stuck.err
    assert phases(drained, "web") == ["Pending", "Running"]
    drained.ok("delete", "poddisruptionbudget", "web")
    drained.ok("drain", name, "--timeout=60s")
    until(lambda: phases(drained, "web") == ["Pending", "Pending"] or None)


def allowed(kubectl: Kubectl) -> int:
    found: Json = json.loads(kubectl.ok("get", "poddisruptionbudget", "web", "-o", "json"))
    return int(found.get("status", {}).get("disruptionsAllowed", 0))


def test_pods_with_data_of_their_own_or_without_an_owner_are_asked_for(drained: Kubectl) -> None:
    name = node(drained)
    pod = host_pod("alone", FOREVER, volumes=[{"name": "v", "emptyDir": {}}])
    pod["spec"]["terminationGracePeriodSeconds"] = 1
    run(drained, pod)
    until(lambda: [one["status"]["phase"] for one in pods(drained)] == ["Running"] or None)
    refused = drained("drain", name)
    assert refused.code == 1
    assert "cannot delete Pods with local storage (use --delete-emptydir-data" in refused.err
    refused = drained("drain", name, "--delete-emptydir-data")
    assert refused.code == 1 and "declare no controller (use --force" in refused.err
    drained.ok("drain", name, "--delete-emptydir-data", "--force", "--timeout=60s")
    assert pods(drained) == []
