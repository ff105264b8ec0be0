"""TrainJobs name a runtime that is there, as Kubeflow's own webhook demands."""

from argosy.api.trainer import ClusterTrainingRuntime, TrainingRuntime, TrainJob
from argosy.apiserver.admission.rule import Attributes
from argosy.base.errors import invalid, missing_reference

RUNTIMES = {kind.resource.kind: kind.resource for kind in (TrainingRuntime, ClusterTrainingRuntime)}


def runtime_exists(attributes: Attributes) -> None:
    """Refuse a new TrainJob whose runtime is not there.

    Where the kind is one that a user defined, its own webhook says so.
    """
    if attributes.target.served.view is None:
        return
    reference = attributes.new["spec"]["runtimeRef"]
    runtime = RUNTIMES[reference["kind"]]
    name = reference["name"]
    if attributes.look(runtime.key(attributes.target.namespace, name)) is None:
        error = missing_reference("spec.runtimeRef", f"{runtime.kind}/{name}")
        job = attributes.new["metadata"].get("name", "")
        raise invalid(TrainJob.resource.kind, TrainJob.resource.group, job, [error])
