"""Autoscalers with a stock kubectl, and a metrics server beside the cluster, over real sockets."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from argosy.http.message import Request, Response
from tests.apiserver.aggregation.kit import GROUP, VERSION, registration, told
from tests.e2e.kit import Cluster, Json, Refused, host_pod, until
from tests.e2e.kubectl import Kubectl
from tests.e2e.test_aggregation import NAME, SERVICE, TRUST, Running, running

FOREVER = "trap 'exit 0' TERM; while :; do sleep 0.2; done"
WAITED = "--timeout=60s"


class Load:
    """A metrics server: every pod of the cluster uses the same cpu."""

    def __init__(self, cluster: Cluster) -> None:
        self.cpu = "1m"
        self._cluster = cluster

    def __call__(self, request: Request) -> Response | None:
        parts = request.path.split("/")
        if not request.path.startswith(f"/apis/{GROUP}/{VERSION}/namespaces/") or len(parts) != 7:
            return None
        names = [pod["metadata"]["name"] for pod in self._cluster.list("Pod", parts[5])]
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        items = [
            {
                "metadata": {"name": name, "namespace": parts[5]},
                "timestamp": now,
                "window": "0s",
                "containers": [{"name": "main", "usage": {"cpu": self.cpu, "memory": "8Mi"}}],
            }
            for name in names
        ]
        head = {"kind": "PodMetricsList", "apiVersion": f"{GROUP}/{VERSION}", "metadata": {}}
        return told({**head, "items": items})


@pytest.fixture
def load(cluster: Cluster, kubectl: Kubectl, tmp_path: Path) -> Iterator[Load]:
    """A metrics server that is registered and available."""
    trust = until(lambda: _published(cluster))["requestheader-client-ca-file"]
    with running(tmp_path / "metrics", trust) as found:
        load = Load(cluster)
        found.extension.instead = load
        _register(kubectl, found)
        yield load
        kubectl.ok("delete", "hpa,deployment", "--all", WAITED)
        kubectl.ok("delete", "apiservice", NAME)
        kubectl.ok("delete", "service", SERVICE["metadata"]["name"], "-n", "kube-system")


def _register(kubectl: Kubectl, found: Running) -> None:
    bundle = base64.b64encode(found.certificates.ca_pem).decode()
    body = registration(GROUP, VERSION, found.port, caBundle=bundle)
    kubectl.ok("apply", "-n", "kube-system", "-f", "-", stdin=SERVICE)
    head = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService"}
    kubectl.ok("apply", "-f", "-", stdin={**head, **body})
    kubectl.ok("wait", "--for=condition=Available", f"apiservice/{NAME}", "--timeout=10s")


def _published(cluster: Cluster) -> Json | None:
    try:
        data: Json = cluster.call("GET", TRUST)["data"]
    except Refused:
        return None
    return data


def deploy(kubectl: Kubectl) -> None:
    """A Deployment of one pod that asks for a tenth of a processor, and runs."""
    pod = host_pod("web", FOREVER)
    container = {**pod["spec"]["containers"][0], "resources": {"requests": {"cpu": "100m"}}}
    spec = {**pod["spec"], "containers": [container], "restartPolicy": "Always"}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {**spec, "terminationGracePeriodSeconds": 1},
            },
        },
    }
    kubectl.ok("apply", "-f", "-", stdin=body)
    kubectl.ok("rollout", "status", "deployment/web", WAITED)


def read(kubectl: Kubectl, *what: str) -> Json:
    found: Json = json.loads(kubectl.ok("get", *what, "-o", "json"))
    return found


def reached(kubectl: Kubectl, check: Callable[[int], bool]) -> int:
    """The replicas of the Deployment, once they are as they should be."""

    def look() -> int | None:
        replicas: int = read(kubectl, "deployment", "web")["spec"]["replicas"]
        return replicas if check(replicas) else None

    return until(look, seconds=45.0, told=lambda: kubectl.ok("describe", "hpa"))


def test_load_goes_up_and_down(kubectl: Kubectl, load: Load) -> None:
    deploy(kubectl)
    load.cpu = "100m"
    target = {"type": "Utilization", "averageUtilization": 50}
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 2,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
        },
    }
    kubectl.ok("apply", "-f", "-", stdin=scaler)
    reached(kubectl, lambda replicas: replicas == 2)
    kubectl.ok("wait", "hpa/web", "--for=jsonpath={.status.desiredReplicas}=2", WAITED)
    head, row = kubectl.ok("get", "hpa").splitlines()
    assert head.split() == [
        "NAME", "REFERENCE", "TARGETS", "MINPODS", "MAXPODS", "REPLICAS", "AGE",
    ]  # fmt: skip
    assert "Deployment/web   cpu: 100%/50%   1         2" in row
    described = kubectl.ok("describe", "hpa", "web")
    assert "resource cpu on pods  (as a percentage of request):  100% (100m) / 50%" in described
    assert "SuccessfulRescale" in described
    load.cpu = "1m"
    reached(kubectl, lambda replicas: replicas == 1)


@pytest.mark.parametrize("which", [0, -1], ids=["oldest", "newest"])
def test_every_kubectl_autoscales(kubectl: Kubectl, which: int) -> None:
    """Up to 1.32 it speaks autoscaling/v1."""
    programs = sorted(kubectl.program.parent.glob("kubectl.1.*")) or [kubectl.program]
    older = replace(kubectl, program=programs[which])
    target = {"apiVersion": "apps/v1", "kind": "ReplicaSet"}
    pod = host_pod("idle", FOREVER)
    labels = {"matchLabels": {"app": "idle"}}
    inside = {**pod["spec"], "restartPolicy": "Always"}
    template = {"metadata": {"labels": {"app": "idle"}}, "spec": inside}
    spec = {"replicas": 0, "selector": labels, "template": template}
    kubectl.ok("apply", "-f", "-", stdin={**target, "metadata": {"name": "idle"}, "spec": spec})
    said = older.ok("autoscale", "rs", "idle", "--min=2", "--max=5", "--cpu-percent=60")
    assert said == "horizontalpodautoscaler.autoscaling/idle autoscaled\n"
    row = older.ok("get", "hpa", "idle", "--no-headers").split()
    assert row[:2] == ["idle", "ReplicaSet/idle"]
    assert row[-4:-1] == ["2", "5", "0"]
    assert "60%" in older.ok("get", "hpa.v1.autoscaling", "idle")
    older.ok("patch", "hpa.v1.autoscaling", "idle", "-p", '{"spec":{"maxReplicas":7}}')
    assert read(kubectl, "hpa", "idle")["spec"]["maxReplicas"] == 7
    assert "Reference:" in older.ok("describe", "hpa", "idle")
    older.ok("delete", "hpa,rs", "idle")
