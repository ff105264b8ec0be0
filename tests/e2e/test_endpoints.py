"""Services find their pods, and budgets keep some of them, with a stock kubectl."""

import json

from tests.e2e.kit import Cluster, Json, host_pod, is_true, until
from tests.e2e.kubectl import Done, Kubectl

LABELS = {"app": "web"}
WEB = "sleep 1; cd /tmp; echo hello > page; exec python -m http.server --bind $IP 8000"
SERVICE: Json = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"selector": LABELS, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
}
BUDGET: Json = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "web"},
    "spec": {"selector": {"matchLabels": LABELS}, "minAvailable": 1},
}


def web(name: str, script: str = WEB) -> Json:
    """A pod that is ready once it serves pages."""
    pod = host_pod(name, script)
    pod["metadata"]["labels"] = LABELS
    (container,) = pod["spec"]["containers"]
    container["ports"] = [{"name": "http", "containerPort": 8000}]
    container["env"] = [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
    container["readinessProbe"] = {"tcpSocket": {"port": "http"}, "periodSeconds": 1}
    return pod


def addresses(kubectl: Kubectl, kind: str) -> str:
    """The pods in one of the lists of the service's Endpoints."""
    found = json.loads(kubectl.ok("get", "endpoints", "web", "-o", "json"))
    parts = found.get("subsets") or []
    return " ".join(one["targetRef"]["name"] for part in parts for one in part.get(kind) or ())


def ready(kubectl: Kubectl) -> dict[str, bool]:
    """The pods in the service's slices, and whether they are ready."""
    selector = "kubernetes.io/service-name=web"
    found = json.loads(kubectl.ok("get", "endpointslices", "-l", selector, "-o", "json"))
    return {
        one["targetRef"]["name"]: one["conditions"]["ready"]
        for piece in found["items"]
        for one in piece.get("endpoints") or ()
    }


def test_a_service_finds_its_pods_as_they_become_ready(
    cluster: Cluster, namespace: str, kubectl: Kubectl
) -> None:
    kubectl.ok("apply", "-f", "-", stdin=SERVICE)
    until(lambda: kubectl("get", "endpoints", "web").code == 0 or None)
    kubectl.ok("apply", "-f", "-", stdin=web("one"))
    until(lambda: ready(kubectl) == {"one": False} or None, told=lambda: ready(kubectl))
    assert addresses(kubectl, "notReadyAddresses") == "one"
    cluster.until("Pod", "one", namespace, is_true("Ready"))
    until(lambda: ready(kubectl) == {"one": True} or None, told=lambda: ready(kubectl))
    until(lambda: addresses(kubectl, "addresses") == "one" or None)
    described = kubectl.ok("describe", "service", "web")
    (line,) = [one for one in described.splitlines() if one.startswith("Endpoints:")]
    assert line.split()[1].endswith(":8000")
    page = f"/api/v1/namespaces/{namespace}/services/web:http/proxy/page"
    assert kubectl.ok("get", "--raw", page) == "hello\n"
    kubectl.ok("delete", "pod", "one", "--grace-period=1")
    until(lambda: ready(kubectl) == {} or None, told=lambda: ready(kubectl))
    kubectl.ok("delete", "service", "web")
    until(lambda: kubectl("get", "endpoints", "web").code == 1 or None)
    until(lambda: not cluster.list("EndpointSlice", namespace) or None)


def evict(kubectl: Kubectl, namespace: str, name: str) -> Done:
    """What `kubectl drain` asks for each pod."""
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
    }
    path = f"/api/v1/namespaces/{namespace}/pods/{name}/eviction"
    return kubectl("create", "--raw", path, "-f", "-", stdin=body)


def test_a_budget_keeps_the_last_pod(cluster: Cluster, namespace: str, kubectl: Kubectl) -> None:
    kubectl.ok("apply", "-f", "-", stdin=BUDGET)
    kubectl.ok("apply", "-f", "-", stdin=web("one"))
    cluster.until("Pod", "one", namespace, is_true("Ready"))
    healthy = "jsonpath={.status.currentHealthy} {.status.disruptionsAllowed}"
    look = ("get", "pdb", "web", "-o", healthy)
    until(lambda: kubectl.ok(*look) == "1 0" or None, told=lambda: kubectl.ok(*look))
    refused = evict(kubectl, namespace, "one")
    assert refused.code == 1
    assert "Cannot evict pod as it would violate the pod's disruption budget." in refused.err

    kubectl.ok("apply", "-f", "-", stdin=web("two"))
    until(lambda: kubectl.ok(*look) == "2 1" or None, told=lambda: kubectl.ok(*look))
    waited = kubectl.ok("wait", "--for=condition=DisruptionAllowed", "pdb/web", "--timeout=5s")
    assert "condition met" in waited
    assert evict(kubectl, namespace, "one").code == 0
    until(lambda: kubectl("get", "pod", "one").code == 1 or None)
    until(lambda: kubectl.ok(*look) == "1 0" or None, told=lambda: kubectl.ok(*look))
    assert evict(kubectl, namespace, "two").code == 1
    assert "Running" in kubectl.ok("get", "pod", "two")
