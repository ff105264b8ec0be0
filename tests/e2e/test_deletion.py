"""What goes along with what is deleted: dependents, and all that is in a namespace."""

import json

import pytest

from tests.e2e.kit import Cluster, Json, condition, host_pod, phase, until
from tests.e2e.kubectl import Kubectl

HOLD = "example.com/hold"


def config_map(name: str, *finalizers: str, owner: Json | None = None) -> Json:
    meta: Json = {"name": name, "finalizers": list(finalizers)}
    if owner is not None:
        known = {"apiVersion": "v1", "kind": "ConfigMap", "blockOwnerDeletion": True}
        identity = {key: owner["metadata"][key] for key in ("name", "uid")}
        meta["ownerReferences"] = [{**known, **identity}]
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


def put(kubectl: Kubectl, body: Json) -> Json:
    """The object as it came into being."""
    made: Json = json.loads(kubectl.ok("create", "-f", "-", "-o", "json", stdin=body))
    return made


def read(kubectl: Kubectl, name: str) -> Json:
    found: Json = json.loads(kubectl.ok("get", "configmap", name, "-o", "json"))
    return found


def free(kubectl: Kubectl, name: str) -> None:
    patch = '{"metadata":{"finalizers":null}}'
    kubectl.ok("patch", "configmap", name, "--type=merge", "-p", patch)


def gone(kubectl: Kubectl, kind: str, name: str) -> None:
    """Wait until it is not there."""
    until(lambda: None if kubectl("get", kind, name).code == 0 else True, told=lambda: name)


@pytest.fixture
def family(kubectl: Kubectl) -> Kubectl:
    """An owner, and a child that waits for a finalizer."""
    owner = put(kubectl, config_map("owner"))
    put(kubectl, config_map("child", HOLD, owner=owner))
    return kubectl


def test_in_the_background_dependents_go_after_their_owner(family: Kubectl) -> None:
    family.ok("delete", "configmap", "owner", "--cascade=background")
    until(lambda: read(family, "child")["metadata"].get("deletionTimestamp"))
    free(family, "child")
    gone(family, "configmap", "child")


def test_in_the_foreground_dependents_go_before_their_owner(family: Kubectl) -> None:
    family.ok("delete", "configmap", "owner", "--cascade=foreground", "--wait=false")
    until(lambda: read(family, "child")["metadata"].get("deletionTimestamp"))
    owner = read(family, "owner")
    assert owner["metadata"]["finalizers"] == ["foregroundDeletion"]
    free(family, "child")
    gone(family, "configmap", "owner")
    gone(family, "configmap", "child")


def test_orphans_are_left_behind(family: Kubectl) -> None:
    family.ok("delete", "configmap", "owner", "--cascade=orphan")
    child = read(family, "child")["metadata"]
    assert "ownerReferences" not in child
    assert "deletionTimestamp" not in child
    free(family, "child")


def test_a_namespace_goes_with_all_that_is_in_it(cluster: Cluster, kubectl: Kubectl) -> None:
    namespace = kubectl.namespace
    pod = host_pod("runs", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
    kubectl.ok("apply", "-f", "-", stdin=pod)
    put(kubectl, config_map("one"))
    kubectl.ok("create", "deployment", "web", "--image=host")
    cluster.until("Pod", "runs", namespace, phase("Running"))
    kubectl.ok("delete", "namespace", namespace, "--timeout=25s")
    assert "NotFound" in kubectl("get", "namespace", namespace).err
    for kind in ("pods", "configmaps", "deployments"):
        assert kubectl.ok("get", kind, "-o", "name") == ""


def test_a_namespace_waits_for_finalizers(cluster: Cluster, kubectl: Kubectl) -> None:
    namespace = kubectl.namespace
    put(kubectl, config_map("held", HOLD))
    kubectl.ok("delete", "namespace", namespace, "--wait=false")
    left = "NamespaceFinalizersRemaining"
    found = cluster.until(
        "Namespace", namespace, "", lambda obj: condition(obj, left).get("status") == "True"
    )
    assert f"{HOLD} in 1 resource instances" in condition(found, left)["message"]
    assert "Terminating" in kubectl.ok("get", "namespace", namespace)
    refused = kubectl("create", "configmap", "late")
    assert refused.code == 1
    assert f"in namespace {namespace} because it is being terminated" in refused.err
    free(kubectl, "held")
    gone(kubectl, "namespace", namespace)


def test_the_cluster_keeps_its_own_namespaces(kubectl: Kubectl) -> None:
    refused = kubectl("delete", "namespace", "default", "kube-system")
    assert refused.code == 1
    text = 'namespaces "kube-system" is forbidden: this namespace may not be deleted'
    assert text in refused.err
