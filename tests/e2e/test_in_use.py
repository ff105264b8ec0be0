"""What is in use stays: a claim that is deleted under a pod that writes to it, with kubectl."""

from tests.e2e.kit import Cluster, Json, host_pod, phase, until
from tests.e2e.kubectl import Kubectl

CLAIM: Json = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def using(name: str, script: str) -> Json:
    """A pod that has the claim as its folder `/data`."""
    pod = host_pod(
        name, script, volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    )
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    return pod


def test_a_claim_in_use_waits_for_its_pod(
    cluster: Cluster, namespace: str, kubectl: Kubectl
) -> None:
    kubectl.ok("apply", "-f", "-", stdin=CLAIM)
    writes = "while :; do date >> /data/log; sleep 0.1; done"
    kubectl.ok("apply", "-f", "-", stdin=using("writer", writes))
    cluster.until("Pod", "writer", namespace, phase("Running"))
    volume = kubectl.ok("get", "pvc", "data", "-o", "jsonpath={.spec.volumeName}")

    assert "deleted" in kubectl.ok("delete", "pvc", "data", "--wait=false")
    header, row = (line.split() for line in kubectl.ok("get", "pvc").splitlines())
    assert dict(zip(header, row, strict=False))["STATUS"] == "Terminating"
    described = kubectl.ok("describe", "pvc", "data")
    assert "kubernetes.io/pvc-protection" in described and "Terminating" in described
    # Nor does another pod get it any more.
    kubectl.ok("apply", "-f", "-", stdin=using("late", "true"))
    late = "events", "--for", "pod/late"
    until(lambda: "FailedScheduling" in kubectl.ok(*late) or None, told=lambda: kubectl.ok(*late))
    assert 'persistentvolumeclaim "data" is being deleted' in kubectl.ok(*late)
    kubectl.ok("delete", "pod", "late", "--grace-period=0", "--force")
    assert kubectl.ok("get", "pod", "writer", "-o", "jsonpath={.status.phase}") == "Running"
    assert kubectl.ok("get", "pvc", "data", "-o", "name") == "persistentvolumeclaim/data\n"

    kubectl.ok("delete", "pod", "writer", "--grace-period=1")
    until(lambda: kubectl("get", "pvc", "data").code == 1 or None)
    until(lambda: kubectl("get", "pv", volume).code == 1 or None)


def test_a_node_that_is_cordoned_is_tainted(cluster: Cluster, kubectl: Kubectl) -> None:
    keys = ("get", "node", "localhost", "-o", "jsonpath={.spec.taints[*].key}")
    assert kubectl.ok(*keys) == ""
    kubectl.ok("cordon", "localhost")
    try:
        until(lambda: kubectl.ok(*keys) == "node.kubernetes.io/unschedulable" or None)
    finally:
        kubectl.ok("uncordon", "localhost")
    until(lambda: kubectl.ok(*keys) == "" or None)


def test_a_volume_of_a_pods_own_comes_and_goes_with_it(
    cluster: Cluster, namespace: str, kubectl: Kubectl
) -> None:
    pod = using("owner", "echo kept > /data/file && while :; do sleep 1; done")
    template = {"metadata": {"labels": {"made": "for-owner"}}, "spec": CLAIM["spec"]}
    pod["spec"]["volumes"] = [{"name": "data", "ephemeral": {"volumeClaimTemplate": template}}]
    kubectl.ok("apply", "-f", "-", stdin=pod)
    cluster.until("Pod", "owner", namespace, phase("Running"))
    listed = kubectl.ok("get", "pvc", "-l", "made=for-owner", "-o", "name")
    assert listed == "persistentvolumeclaim/owner-data\n"
    volume = kubectl.ok("get", "pvc", "owner-data", "-o", "jsonpath={.spec.volumeName}")
    kubectl.ok("delete", "pod", "owner", "--grace-period=1")
    until(lambda: kubectl("get", "pvc", "owner-data").code == 1 or None)
    until(lambda: kubectl("get", "pv", volume).code == 1 or None)
