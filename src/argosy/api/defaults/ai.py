"""Defaults of the AI platform's kinds.

Source: the API references of Kubeflow Trainer, JobSet and KServe.
"""

from collections.abc import Callable, Mapping

from argosy.api.defaults.fill import Json, fill
from argosy.api.trainer import GROUP


def _train_job(job: Json) -> None:
    fill(job["spec"], {"suspend": False})
    fill(job["spec"]["runtimeRef"], {"apiGroup": GROUP, "kind": "ClusterTrainingRuntime"})


def _training_runtime(runtime: Json) -> None:
    spec = runtime["spec"]
    if "mlPolicy" in spec:
        fill(spec["mlPolicy"], {"numNodes": 1})
    for job in spec["template"].get("spec", {}).get("replicatedJobs", ()):
        fill(job, {"replicas": 1})


def _inference_service(service: Json) -> None:
    predictor = service["spec"]["predictor"]
    fill(predictor, {"minReplicas": 1})
    fill(predictor["model"], {"protocolVersion": "v2"})


DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "ClusterTrainingRuntime": _training_runtime,
    "InferenceService": _inference_service,
    "TrainingRuntime": _training_runtime,
    "TrainJob": _train_job,
}
