"""The digits example, applied from its own manifests: trained, registered, served."""

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.kit import REPOSITORY, Cluster, Json, Refused

HERE = REPOSITORY / "examples" / "digits"


def manifest(name: str) -> Json:
    """One of the example's manifests."""
    body: Json = yaml.safe_load((HERE / "manifests" / f"{name}.yaml").read_text())
    return body


def prepare(cluster: Cluster, namespace: str) -> None:
    """Code, storage, half a GPU as a claim template, TrainingRuntime."""
    data = {path.name: path.read_text() for path in sorted(HERE.glob("*.py"))}
    code = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "digits-code"}}
    cluster.apply({**code, "data": data}, namespace)
    for name in ("storage", "half-gpu", "runtime"):
        cluster.apply(manifest(name), namespace)


def train(
    cluster: Cluster,
    namespace: str,
    name: str,
    *,
    steps: int,
    every: int,
    step_seconds: float = 0.0,
) -> None:
    """Apply a TrainJob of the example, with seed 7."""
    job = named(manifest("trainjob"), name)
    job["spec"]["trainer"]["args"] = [
        f"--steps={steps}",
        "--seed=7",
        f"--step-seconds={step_seconds}",
        f"--checkpoints=/data/checkpoints/{name}",
        f"--checkpoint-every={every}",
        f"--output=/data/models/{name}.onnx",
    ]
    cluster.apply(job, namespace)


def register(cluster: Cluster, namespace: str, job: str | None) -> str:
    """Apply the ModelVersion, made by `job` or by nobody; the digest that it gets."""
    version = manifest("modelversion")
    if job is None:
        del version["spec"]["trainJobRef"]
    cluster.apply(version, namespace)
    found = cluster.until(
        "ModelVersion", "digits-1", namespace, lambda it: bool(it.get("status", {}).get("digest"))
    )
    return str(found["status"]["digest"])


def serve(cluster: Cluster, namespace: str, name: str) -> None:
    """Apply the InferenceService."""
    cluster.apply(named(manifest("inferenceservice"), name), namespace)


def named(body: Json, name: str) -> Json:
    """A copy under another name."""
    changed = copy.deepcopy(body)
    changed["metadata"]["name"] = name
    return changed


def volume(cluster: Cluster, namespace: str, claim: str) -> Path:
    """Where a claim's content lies on this machine."""
    bound = cluster.until(
        "PersistentVolumeClaim", claim, namespace, lambda it: it["status"].get("phase") == "Bound"
    )
    found = cluster.get("PersistentVolume", bound["spec"]["volumeName"], "")
    return Path(found["spec"]["hostPath"]["path"])


@dataclass(frozen=True, slots=True)
class Event:
    """One line that a rank has printed."""

    attempt: int
    kind: str
    step: int
    weights: str


def events(cluster: Cluster, namespace: str, job: str) -> list[Event]:
    """What all ranks have told so far, pod after pod."""
    found = []
    for pod in cluster.list("Pod", namespace):
        labels: dict[str, Any] = pod["metadata"].get("labels", {})
        if labels.get("jobset.sigs.k8s.io/jobset-name") != job:
            continue
        attempt = int(labels["training.argosy.dev/attempt"])
        try:
            log = cluster.logs(pod["metadata"]["name"], namespace)
        except Refused:
            continue  # it has not begun
        found += [_event(attempt, line) for line in log.splitlines() if line.startswith("{")]
    return found


def _event(attempt: int, line: str) -> Event:
    said = json.loads(line)
    return Event(attempt, said["event"], said["step"], said.get("weights", ""))
