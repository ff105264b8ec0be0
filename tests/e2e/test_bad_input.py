"""What a user gets wrong: told in Kubernetes' words, where they look; the cluster goes on."""

import re
from pathlib import Path

import pytest

from examples.digits.export import to_onnx
from examples.digits.network import initial_state
from tests.e2e.digits import manifest, register, serve, volume
from tests.e2e.kit import Cluster, Json, Refused, condition, host_pod, is_true, phase, says


def waiting(pod: Json) -> Json:
    """Why the pod's only container does not run."""
    (status,) = pod["status"]["containerStatuses"]
    found: Json = status["state"]["waiting"]
    assert pod["status"]["phase"] == "Pending" and status["restartCount"] == 0
    return found


def refusal(cluster: Cluster, namespace: str, body: Json) -> Refused:
    """How the API refuses to apply `body`; nothing of it is there afterwards."""
    with pytest.raises(Refused) as told:
        cluster.apply(body, namespace)
    assert cluster.list(body["kind"], namespace) == []
    return told.value


def simple_runtime(script: str, *, nodes: int = 1, restarts: int = 0) -> Json:
    """A TrainingRuntime called `simple` whose nodes run a shell script."""
    pod = host_pod("unused", script)["spec"]
    del pod["restartPolicy"]
    pod["containers"][0]["name"] = "node"
    job = {
        "name": "node",
        "template": {
            "metadata": {"labels": {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}},
            "spec": {"template": {"spec": pod}},
        },
    }
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainingRuntime",
        "metadata": {"name": "simple"},
        "spec": {
            "mlPolicy": {"numNodes": nodes},
            "template": {
                "spec": {"failurePolicy": {"maxRestarts": restarts}, "replicatedJobs": [job]}
            },
        },
    }


def train_job(runtime: str) -> Json:
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": "job"},
        "spec": {"runtimeRef": {"kind": "TrainingRuntime", "name": runtime}},
    }


# refused by the API


def test_a_train_job_of_a_runtime_that_is_not_there(cluster: Cluster, namespace: str) -> None:
    told = refusal(cluster, namespace, train_job("nowhere"))
    assert (told.code, told.reason) == (422, "Invalid")
    assert told.message == (
        'TrainJob.trainer.kubeflow.org "job" is invalid: '
        'spec.runtimeRef: Not found: "TrainingRuntime/nowhere"'
    )


def test_a_runtime_that_goes_away_is_missed_and_found_again(
    cluster: Cluster, namespace: str
) -> None:
    cluster.apply(simple_runtime("sleep 60"), namespace)
    paused = train_job("simple")
    paused["spec"]["suspend"] = True
    cluster.apply(paused, namespace)
    cluster.until("TrainJob", "job", namespace, is_true("Suspended"))
    cluster.delete("TrainingRuntime", "simple", namespace)
    cluster.apply(paused | {"spec": paused["spec"] | {"suspend": False}}, namespace)
    missing = 'spec.runtimeRef: Not found: \\"TrainingRuntime/simple\\"'
    job = cluster.until("TrainJob", "job", namespace, says(missing))
    assert condition(job, "Scheduled")["reason"] == "TrainingRuntimeNotFound"
    cluster.apply(simple_runtime("true"), namespace)
    cluster.until("TrainJob", "job", namespace, is_true("Complete"))


def test_an_unknown_field(cluster: Cluster, namespace: str) -> None:
    cluster.apply(simple_runtime("true"), namespace)
    job = train_job("simple")
    job["spec"]["trainer"] = {"numNode": 2}
    told = refusal(cluster, namespace, job)
    assert told.code == 400
    assert 'strict decoding error: unknown field "spec.trainer.numNode"' in told.message
    pod = host_pod("pod", "true")
    pod["spec"]["containers"][0]["comand"] = ["true"]
    told = refusal(cluster, namespace, pod)
    assert 'strict decoding error: unknown field "spec.containers[0].comand"' in told.message


# accepted, and told in the status


def test_a_gang_that_can_never_fit(cluster: Cluster, namespace: str) -> None:
    cluster.apply(manifest("half-gpu"), namespace)
    runtime = simple_runtime("sleep 60", nodes=3)
    replicated = runtime["spec"]["template"]["spec"]["replicatedJobs"][0]
    pod = replicated["template"]["spec"]["template"]["spec"]
    pod["resourceClaims"] = [{"name": "gpu", "resourceClaimTemplateName": "half-gpu"}]
    pod["containers"][0]["resources"] = {"claims": [{"name": "gpu"}]}
    cluster.apply(runtime, namespace)
    cluster.apply(train_job("simple"), namespace)
    why = (
        "cannot allocate all claims (gpu.argosy.dev: compute 50 requested, 0 of 100 free on gpu-0)"
    )
    names = [f"job-node-0-{rank}-0" for rank in range(3)]
    for name in names:
        told = cluster.until("Pod", name, namespace, says(why))
        assert condition(told, "PodScheduled")["reason"] == "Unschedulable"
        assert told["status"]["phase"] == "Pending"
    job = cluster.until("TrainJob", "job", namespace, says(why))
    assert condition(job, "Scheduled")["status"] == "False"
    assert not [pod for pod in cluster.list("Pod", namespace) if pod["spec"].get("nodeName")]
    # None of them holds a part of the GPU: others can have all of it.
    cluster.delete("TrainJob", "job", namespace)
    runtime["spec"]["mlPolicy"]["numNodes"] = 2
    cluster.apply(runtime, namespace)
    cluster.apply(train_job("simple"), namespace)
    for name in names[:2]:
        cluster.until("Pod", name, namespace, phase("Running"))


def test_a_script_that_crashes_at_once(cluster: Cluster, namespace: str) -> None:
    script = "echo about to load; echo 'ValueError: no such data set' >&2; exit 7"
    cluster.apply(simple_runtime(script, restarts=2), namespace)
    cluster.apply(train_job("simple"), namespace)
    job = cluster.until("TrainJob", "job", namespace, is_true("Failed"))
    failed = condition(job, "Failed")
    assert failed["reason"] == "ReachedMaxRestarts"
    assert failed["message"] == (
        'pod job-node-0-0-2: container "node" exited with code 7: '
        "ValueError: no such data set (restarts allowed: 2)"
    )
    (last,) = cluster.list("Pod", namespace)  # the last attempt's stays for its log
    assert last["metadata"]["name"] == "job-node-0-0-2"
    assert "no such data set" in cluster.logs("job-node-0-0-2", namespace)


def test_a_pod_without_a_runtime_class(cluster: Cluster, namespace: str) -> None:
    body = host_pod("pod", "true")
    del body["spec"]["runtimeClassName"]
    cluster.apply(body, namespace)
    told = waiting(cluster.until("Pod", "pod", namespace, says("RuntimeClassUnavailable")))
    assert told["message"] == (
        "no container runtime on this node runs pods that name no RuntimeClass; "
        "hint: runtimeClassName: host"
    )


def test_a_pod_of_an_image_that_is_not_this_machine(cluster: Cluster, namespace: str) -> None:
    body = host_pod("pod", "true")
    body["spec"]["containers"][0]["image"] = "python:3.13"
    cluster.apply(body, namespace)
    told = waiting(cluster.until("Pod", "pod", namespace, says("CreateContainerError")))
    assert 'image "python:3.13" can\'t be run by the host runtime' in told["message"]
    assert "hint: image: host runs the machine's own programs" in told["message"]


def test_a_pod_with_a_kind_of_volume_that_is_not_supported(
    cluster: Cluster, namespace: str
) -> None:
    share = {"name": "share", "nfs": {"server": "files", "path": "/"}}
    cluster.apply(host_pod("pod", "true", volumes=[share]), namespace)
    told = waiting(cluster.until("Pod", "pod", namespace, says("CreateContainerConfigError")))
    assert told["message"] == (
        "spec.volumes[0].nfs: Forbidden: this node mounts volumes of these kinds: "
        "configMap, downwardAPI, projected, secret, emptyDir, hostPath, persistentVolumeClaim, "
        "ephemeral"
    )


def test_a_command_that_does_not_exist(cluster: Cluster, namespace: str) -> None:
    body = host_pod("pod", "")
    body["spec"]["containers"][0]["command"] = ["no-such-program"]
    cluster.apply(body, namespace)
    pod = cluster.until("Pod", "pod", namespace, phase("Failed"))
    (status,) = pod["status"]["containerStatuses"]
    assert "no-such-program" in status["state"]["terminated"]["message"]


# content


def test_a_corrupted_model_is_never_served(cluster: Cluster, namespace: str) -> None:
    cluster.apply(manifest("storage"), namespace)
    file = volume(cluster, namespace, "digits") / "models" / "digits.onnx"
    sound = to_onnx(initial_state(0).weights)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(sound)
    digest = register(cluster, namespace, None)
    flip(file)
    serve(cluster, namespace, "digits")
    service = cluster.until("InferenceService", "digits", namespace, says("its digest is"))
    failure = service["status"]["modelStatus"]["lastFailureInfo"]
    assert failure["reason"] == "ModelLoadFailed" and failure["exitCode"] == 3
    expected = r"model /mnt/models/models/digits\.onnx is not the one that was asked for: its "
    expected += rf"digest is sha256:[0-9a-f]{{64}}, it must be {digest}"
    assert re.fullmatch(expected, failure["message"])
    assert condition(service, "Ready")["status"] == "False"
    assert condition(service, "Ready")["message"] == failure["message"]
    assert cluster.runs

    file.write_bytes(sound)
    healed = cluster.until("InferenceService", "digits", namespace, is_true("Ready"), seconds=60)
    assert "lastFailureInfo" not in healed["status"]["modelStatus"]


def test_a_model_that_is_not_there_is_told(cluster: Cluster, namespace: str) -> None:
    cluster.apply(manifest("storage"), namespace)
    version = manifest("modelversion")
    del version["spec"]["trainJobRef"]
    cluster.apply(version, namespace)
    told = cluster.until("ModelVersion", "digits-1", namespace, says("ReadingFailed"))
    assert condition(told, "Ready")["message"] == (
        "computing the digest of /mnt/models/models/digits.onnx: "
        "/mnt/models/models/digits.onnx does not exist"
    )
    serve(cluster, namespace, "digits")
    service = cluster.until("InferenceService", "digits", namespace, says("ModelNotReady"))
    assert "does not exist" in condition(service, "Ready")["message"]


def test_a_file_that_is_no_model_is_told(cluster: Cluster, namespace: str) -> None:
    cluster.apply(manifest("storage"), namespace)
    file = volume(cluster, namespace, "digits") / "models" / "digits.onnx"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("not a model")
    register(cluster, namespace, None)
    serve(cluster, namespace, "digits")
    service = cluster.until("InferenceService", "digits", namespace, says("FailedToLoad"))
    assert "serving model 'digits': loading it: " in condition(service, "Ready")["message"]


def flip(file: Path) -> None:
    """Change one bit in the middle."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
