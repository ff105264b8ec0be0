"""`argosy up --simulate-nodes`: workloads at a scale that this machine has not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.kit import Cluster, condition, is_true, phase, until

Json = dict[str, Any]
SPECS = ("60x(cpu=64,memory=512Gi,gpu=8xH100,zones=3)", "3x(cpu=4,failure-rate=1)")
FLAGS = ("--simulate-nodes", SPECS[0], "--simulate-nodes", SPECS[1])
DEFAULT = "default"
RUN = "argosy.dev/simulated-run-seconds"
ZONE = "topology.kubernetes.io/zone"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of 63 simulated nodes."""
    cluster = Cluster(tmp_path_factory.mktemp("simulated"), flags=FLAGS)
    try:
        cluster.start()
        until(lambda: len(usable(cluster)) == 63 or None, told=lambda: str(len(usable(cluster))))
        cluster.until("ServiceAccount", "default", DEFAULT, lambda _: True)
        yield cluster
    finally:
        cluster.kill()


def usable(cluster: Cluster) -> list[Json]:
    """The simulated nodes that are ready and take pods."""
    nodes = [item for item in cluster.list("Node", "") if "sim-" in item["metadata"]["name"]]
    return [node for node in nodes if is_true("Ready")(node) and not node["spec"].get("taints")]


def template(*, node: str = "", annotations: Json | None = None, **spec: Any) -> Json:
    """Of pods for simulated nodes with GPUs, or for the one `node`."""
    known = {"kubernetes.io/hostname": node} if node else {"nvidia.com/gpu.product": "H100"}
    container: Json = {"name": "main", "image": "registry.example/none"}
    whole = {"containers": [container], "nodeSelector": known, **spec}
    return {"metadata": {"labels": {"app": "x"}, "annotations": annotations or {}}, "spec": whole}


def job(name: str, pods: Json, **spec: Any) -> Json:
    pods["spec"]["restartPolicy"] = "Never"
    whole = {"template": pods, **spec}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": whole}


def pod(name: str, made: Json) -> Json:
    meta = {**made["metadata"], "name": name}
    return {"apiVersion": "v1", "kind": "Pod", **made, "metadata": meta}


def test_nodes_are_as_they_were_asked_for(simulated: Cluster) -> None:
    nodes = {node["metadata"]["name"]: node for node in usable(simulated)}
    first = nodes["sim-0-0001"]
    amounts = first["status"]["allocatable"]
    assert {key: amounts[key] for key in ("cpu", "memory", "nvidia.com/gpu", "pods")} == {
        "cpu": "64",
        "memory": "512Gi",
        "nvidia.com/gpu": "8",
        "pods": "110",
    }
    zones = [node["metadata"]["labels"].get(ZONE) for node in nodes.values()]
    assert [zones.count(zone) for zone in ("zone-1", "zone-2", "zone-3")] == [20, 20, 20]
    assert {"sim-1-0001", "sim-1-0002", "sim-1-0003"} < nodes.keys()


def test_a_deployment_runs_there(simulated: Cluster) -> None:
    pods = template()
    pods["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": "4"}}
    selector = {"matchLabels": {"app": "x"}}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 120, "selector": selector, "template": pods},
    }
    simulated.apply(body, DEFAULT)

    def all_ready(found: Json) -> bool:
        return bool(found.get("status", {}).get("readyReplicas") == 120)

    simulated.until("Deployment", "web", DEFAULT, all_ready)
    found = simulated.list("Pod", DEFAULT)
    nodes = [one["spec"]["nodeName"] for one in found]
    assert len(set(nodes)) == 60 and max(map(nodes.count, nodes)) == 2
    assert len({one["status"]["podIP"] for one in found}) == 120
    simulated.delete("Deployment", "web", DEFAULT)
    until(lambda: not simulated.list("Pod", DEFAULT) or None)


def test_jobs_come_to_their_ends(simulated: Cluster) -> None:
    quick = template(annotations={RUN: "300ms"})
    simulated.apply(job("good", quick, completions=20, parallelism=10), DEFAULT)
    bad = template(node="sim-1-0001", annotations={RUN: "0"})
    simulated.apply(job("bad", bad, backoffLimit=0), DEFAULT)
    done = simulated.until("Job", "good", DEFAULT, is_true("Complete"))
    assert done["status"]["succeeded"] == 20
    failed = simulated.until("Job", "bad", DEFAULT, is_true("Failed"))
    assert condition(failed, "Failed")["reason"] == "BackoffLimitExceeded"
    assert failed["status"]["failed"] == 1


def test_a_claim_gets_devices_of_a_simulated_node(simulated: Cluster) -> None:
    request = {"name": "gpu", "exactly": {"deviceClassName": "gpu.argosy.dev", "count": 8}}
    claim = {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": {"name": "all"},
        "spec": {"devices": {"requests": [request]}},
    }
    simulated.apply(claim, DEFAULT)
    made = template(resourceClaims=[{"name": "gpu", "resourceClaimName": "all"}])
    made["spec"]["containers"][0]["resources"] = {"claims": [{"name": "gpu"}]}
    simulated.apply(pod("claiming", made), DEFAULT)
    found = simulated.until("Pod", "claiming", DEFAULT, phase("Running"))
    given = simulated.get("ResourceClaim", "all", DEFAULT)["status"]["allocation"]
    results = given["devices"]["results"]
    assert {one["pool"] for one in results} == {found["spec"]["nodeName"]}
    assert sorted(one["device"] for one in results) == [f"gpu-{i}" for i in range(8)]


def test_runs_go_on_after_a_restart(simulated: Cluster) -> None:
    simulated.apply(pod("long", template(annotations={RUN: "1h"})), DEFAULT)
    simulated.apply(pod("short", template(annotations={RUN: "3s"})), DEFAULT)
    before = simulated.until("Pod", "long", DEFAULT, phase("Running"))
    simulated.until("Pod", "short", DEFAULT, phase("Running"))
    node = simulated.get("Node", before["spec"]["nodeName"], "")
    simulated.kill()
    simulated.start()
    simulated.until("Pod", "short", DEFAULT, phase("Succeeded"))
    after = simulated.get("Pod", "long", DEFAULT)
    assert after["status"] == before["status"]
    again = simulated.get("Node", node["metadata"]["name"], "")
    assert again["metadata"]["uid"] == node["metadata"]["uid"] and len(usable(simulated)) == 63


def test_what_is_wrong_with_the_flag_is_told(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, flags=("--simulate-nodes", "3x(cpu=lots)"))
    cluster.launch()
    until(lambda: not cluster.runs or None)
    assert "error: --simulate-nodes: '3x(cpu=lots)': 'cpu': quantities must match" in cluster.log()
    assert "hint: for example: --simulate-nodes" in cluster.log()
