"""A tour with a stock kubectl: what people type every day, and what they mistype."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.e2e.digits import manifest, prepare
from tests.e2e.kit import Cluster, Json, host_pod, is_true, phase, until
from tests.e2e.kubectl import Kubectl

COUNT = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.1; done"


@pytest.fixture
def talking(cluster: Cluster, namespace: str, kubectl: Kubectl) -> Kubectl:
    """A pod that counts is there and runs."""
    kubectl.ok("apply", "-f", "-", stdin=host_pod("talk", COUNT))
    cluster.until("Pod", "talk", namespace, phase("Running"))
    return kubectl


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


@contextmanager
def spoken(kubectl: Kubectl, path: Path, *arguments: str) -> Iterator[Path]:
    """A kubectl that goes on until the block ends, and the file that it writes to."""
    with path.open("wb") as output:
        process = subprocess.Popen(
            kubectl.command(*arguments),
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(kubectl.environment),
        )
    try:
        yield path
    finally:
        process.kill()
        process.wait()


def told(path: Path, text: str) -> None:
    """Wait until a file has a text."""
    until(lambda: text in path.read_text() or None, told=path.read_text)


# reading


def test_get(talking: Kubectl) -> None:
    header, row = lines(talking.ok("get", "pods"))
    assert header == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert row[:4] == ["talk", "1/1", "Running", "0"]
    header, row = lines(talking.ok("get", "po", "-o", "wide"))
    wide = dict(zip(header[:7], row, strict=False))  # further ones have names of two words
    assert wide["NODE"] == "localhost" and wide["IP"].startswith("127.")
    in_json = json.loads(talking.ok("get", "pod", "talk", "-o", "json"))
    in_yaml = yaml.safe_load(talking.ok("get", "pod/talk", "-o", "yaml"))
    assert in_json["spec"] == in_yaml["spec"]
    assert in_json["spec"]["containers"][0]["command"] == ["sh", "-c", COUNT]
    path = "jsonpath={.items[*].metadata.name}"
    assert talking.ok("get", "pods", "-o", path, "--field-selector=status.phase=Running") == "talk"
    assert talking.ok("get", "pods", "-l", "app=other", "-o", "name") == ""
    assert "talk" in talking.ok("get", "pods", "--all-namespaces")


def test_get_watch(kubectl: Kubectl, tmp_path: Path) -> None:
    with spoken(kubectl, tmp_path / "watch", "get", "pods", "-w") as output:
        kubectl.ok("apply", "-f", "-", stdin=host_pod("short", "sleep 0.5"))
        told(output, "Completed")
    seen = [row[2] for row in lines(output.read_text()) if row[0] == "short"]
    assert [state for state in seen if state in ("Running", "Completed")][-1] == "Completed"
    assert "Running" in seen
    ended = kubectl("get", "pods", "-w", "--request-timeout=1s")
    assert "short" in ended.out  # and it did end


def test_the_three_kinds_of_the_main_job(
    cluster: Cluster, namespace: str, kubectl: Kubectl
) -> None:
    prepare(cluster, namespace)
    job = manifest("trainjob")
    job["spec"]["trainer"]["args"] = ["--steps=20", "--output=/data/models/digits.onnx"]
    for body in (job, manifest("modelversion"), manifest("inferenceservice")):
        kubectl.ok("apply", "-f", "-", stdin=body)
    cluster.until("InferenceService", "digits", namespace, is_true("Ready"))
    shown = kubectl.ok("get", "pods,trainjobs,inferenceservices")
    tables = [lines(part) for part in shown.split("\n\n")]
    assert [table[0][0] for table in tables] == ["NAME"] * 3
    pods, jobs, services = [table[1:] for table in tables]
    assert {row[0].split("/")[0] for row in pods} == {"pod"}
    assert jobs[0][:2] == ["trainjob.trainer.kubeflow.org/digits", "Complete"]
    assert services[0][0] == "inferenceservice.serving.kserve.io/digits"
    assert services[0][2] == "True"
    assert "Complete" in kubectl.ok("describe", "trainjob", "digits")
    waited = kubectl.ok("wait", "--for=condition=Complete", "trainjob/digits", "--timeout=5s")
    assert "condition met" in waited
    removed(cluster, namespace, kubectl)


def removed(cluster: Cluster, namespace: str, kubectl: Kubectl) -> None:
    """Deleting an owner takes away what it owns."""
    kubectl.ok("delete", "inferenceservice/digits", "trainjob/digits", "mv/digits-1")
    owned = ("Pod", "Service", "PodGroup", "ResourceClaim")
    until(
        lambda: not any(cluster.list(kind, namespace) for kind in owned) or None,
        told=lambda: [cluster.list(kind, namespace) for kind in owned],
    )
    assert kubectl("get", "trainjob", "digits").code == 1


def test_describe(talking: Kubectl) -> None:
    text = talking.ok("describe", "pod", "talk")
    assert "Runtime Class Name:  host" in text
    assert "Started container main" in text  # from the events
    assert "Successfully assigned" in text
    node = talking.ok("describe", "node", "localhost")
    assert "Ready" in node and "Allocatable" in node


def test_explain_and_discovery(kubectl: Kubectl) -> None:
    spec = kubectl.ok("explain", "trainjob.spec")
    assert "GROUP:      trainer.kubeflow.org" in spec
    assert "runtimeRef	<Object> -required-" in spec
    assert "numNodes	<integer>" in kubectl.ok("explain", "trainjob.spec.trainer")
    assert "runtimeClassName	<string>" in kubectl.ok("explain", "pod.spec")
    table = lines(kubectl.ok("api-resources", "--no-headers"))
    assert ["pods", "po", "v1", "true", "Pod"] in table
    assert ["trainjobs", "trainer.kubeflow.org/v1alpha1", "true", "TrainJob"] in table
    versions = kubectl.ok("api-versions").split()
    assert {"v1", "resource.k8s.io/v1", "serving.kserve.io/v1beta1"} <= set(versions)
    assert "Server Version: v1." in kubectl.ok("version")


# writing


def config_map(**data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": data}


def data_of(kubectl: Kubectl) -> Json:
    found: Json = json.loads(kubectl.ok("get", "cm", "conf", "-o", "json"))["data"]
    return found


def test_apply_twice(kubectl: Kubectl) -> None:
    assert "created" in kubectl.ok("apply", "-f", "-", stdin=config_map(a="1", b="2"))
    assert "unchanged" in kubectl.ok("apply", "-f", "-", stdin=config_map(a="1", b="2"))
    kubectl.ok("patch", "cm", "conf", "--type=merge", "-p", '{"data":{"other":"kept"}}')
    assert "configured" in kubectl.ok("apply", "-f", "-", stdin=config_map(a="3"))
    assert data_of(kubectl) == {"a": "3", "other": "kept"}  # b was ours, other never was


def test_apply_on_the_server(kubectl: Kubectl) -> None:
    server = ("apply", "--server-side", "-f", "-")
    assert "serverside-applied" in kubectl.ok(*server, stdin=config_map(a="1", b="2"))
    kubectl.ok(*server, stdin=config_map(a="1"))
    assert data_of(kubectl) == {"a": "1"}
    refused = kubectl(*server, "--field-manager=other", stdin=config_map(a="2"))
    assert refused.code == 1
    assert 'conflict with "kubectl"' in refused.err and ".data.a" in refused.err
    kubectl.ok(*server, "--field-manager=other", "--force-conflicts", stdin=config_map(a="2"))
    assert data_of(kubectl) == {"a": "2"}


def test_apply_changes_a_custom_kind(kubectl: Kubectl) -> None:
    runtime = manifest("runtime")
    assert "created" in kubectl.ok("apply", "-f", "-", stdin=runtime)
    runtime["spec"]["mlPolicy"]["numNodes"] = 4
    assert "configured" in kubectl.ok("apply", "-f", "-", stdin=runtime)
    path = "jsonpath={.spec.mlPolicy.numNodes}"
    assert kubectl.ok("get", "trainingruntime", "digits", "-o", path) == "4"


def test_a_dry_run_changes_nothing(kubectl: Kubectl) -> None:
    kubectl.ok("apply", "--dry-run=server", "-f", "-", stdin=config_map(a="1"))
    assert kubectl("get", "cm", "conf").code == 1


def test_small_changes(kubectl: Kubectl) -> None:
    kubectl.ok("create", "-f", "-", stdin=config_map(a="1"))
    kubectl.ok("label", "cm", "conf", "colour=blue")
    kubectl.ok("annotate", "cm", "conf", "note=here")
    assert "colour=blue" in kubectl.ok("get", "cm", "--show-labels")
    replace = '[{"op": "replace", "path": "/data/a", "value": "2"}]'
    kubectl.ok("patch", "cm", "conf", "--type=json", "-p", replace)
    assert data_of(kubectl) == {"a": "2"}


def test_delete(talking: Kubectl) -> None:
    assert 'pod "talk" deleted' in talking.ok("delete", "pod", "talk")
    gone = talking("get", "pod", "talk")
    assert gone.code == 1
    assert 'Error from server (NotFound): pods "talk" not found' in gone.err
    again = talking("delete", "pod", "talk")
    assert again.code == 1 and "NotFound" in again.err
    talking.ok("delete", "pod", "talk", "--ignore-not-found")


# logs


def test_logs(talking: Kubectl, tmp_path: Path) -> None:
    with spoken(talking, tmp_path / "log", "logs", "-f", "talk") as output:
        told(output, "line 1\n")
        told(output, "line 25\n")  # what came after the command had begun
    assert len(talking.ok("logs", "talk", "--tail=2").splitlines()) == 2
    stamped = talking.ok("logs", "talk", "--timestamps", "--tail=1")
    assert stamped[:2] == "20" and "line" in stamped
    unknown = talking("logs", "talk", "-c", "other")
    assert unknown.code == 1 and "container other is not valid for pod talk" in unknown.err


def test_logs_follow_ends_with_the_pod(kubectl: Kubectl, cluster: Cluster, namespace: str) -> None:
    kubectl.ok("apply", "-f", "-", stdin=host_pod("short", "echo one; sleep 1; echo two"))
    cluster.until("Pod", "short", namespace, phase("Running", "Succeeded"))
    assert kubectl.ok("logs", "-f", "short") == "one\ntwo\n"


def test_logs_of_the_container_before(cluster: Cluster, namespace: str, kubectl: Kubectl) -> None:
    body = host_pod("crash", "echo start $(date +%s%N); sleep 0.3; exit 3", restartPolicy="Always")
    kubectl.ok("apply", "-f", "-", stdin=body)
    cluster.until("Pod", "crash", namespace, restarted)
    before = kubectl.ok("logs", "crash", "--previous")
    assert before.startswith("start ")
    assert kubectl.ok("logs", "crash") != before
    (row,) = lines(kubectl.ok("get", "pod", "crash", "--no-headers"))
    assert int(row[3]) >= 1


def restarted(pod: Json) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return any(status["restartCount"] > 0 for status in statuses)


# mistakes


def test_an_unknown_field(kubectl: Kubectl) -> None:
    body = host_pod("bad", "true", runtimeClass="host")
    for how in ((), ("--server-side",)):
        refused = kubectl("apply", *how, "-f", "-", stdin=body)
        assert refused.code == 1
        assert 'strict decoding error: unknown field "spec.runtimeClass"' in refused.err
    warned = kubectl("apply", "--validate=warn", "-f", "-", stdin=body)
    assert warned.code == 0 and 'Warning: unknown field "spec.runtimeClass"' in warned.err


def test_invalid_values(kubectl: Kubectl) -> None:
    body = host_pod("Not_A_Name", "true")
    refused = kubectl("apply", "-f", "-", stdin=body)
    assert refused.code == 1
    assert 'The Pod "Not_A_Name" is invalid: metadata.name: Invalid value' in refused.err
    body = host_pod("empty", "true", containers=[])
    refused = kubectl("apply", "-f", "-", stdin=body)
    assert 'The Pod "empty" is invalid: spec.containers: Required value' in refused.err


ABSENT = {
    "scale --replicas=2 pod/talk": "the server could not find the requested resource",
    "get nonsense": 'the server doesn\'t have a resource type "nonsense"',
    "get --raw /apis/none/v1": "the server could not find the requested resource",
    "top pods": "Metrics API not available",
}


@pytest.mark.parametrize("command", ABSENT)
def test_what_is_not_there_is_told(talking: Kubectl, command: str) -> None:
    refused = talking(*command.split())
    assert refused.code == 1, refused
    assert ABSENT[command] in refused.err
    assert talking.ok("get", "pod", "talk", "--no-headers").split()[2] == "Running"


def test_a_wrong_token_is_unauthorized(kubectl: Kubectl) -> None:
    refused = kubectl("get", "pods", "--token=wrong")
    assert refused.code == 1
    assert "You must be logged in to the server" in refused.err
