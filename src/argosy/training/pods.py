"""What a TrainJob's pods look like: the runtime's template with the job's changes.

Names, labels, rendezvous variables and the headless service are those that Kubeflow Trainer and
JobSet give, so that images and scripts written for them find what they expect.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from argosy.api.core import Pod, Service
from argosy.api.meta import owned
from argosy.api.scheduling import PodGroup
from argosy.api.trainer import Trainer, TrainingRuntimeSpec, TrainJob
from argosy.runtime.commit import Desired

JOB = "node"
"""The name of the replicated job, and by convention of the trainer's container."""
PORT = 29400
ATTEMPT = "training.argosy.dev/attempt"
FAILURES = "training.argosy.dev/failures"
JOBSET = "jobset.sigs.k8s.io/jobset-name"
INDEX = "batch.kubernetes.io/job-completion-index"

Json = dict[str, Any]


def nodes(job: TrainJob, runtime: TrainingRuntimeSpec) -> int:
    """How many pods the job has."""
    return job.spec.trainer.num_nodes or runtime.ml_policy.num_nodes


def group(job: TrainJob, runtime: TrainingRuntimeSpec, attempt: int, failures: int) -> Desired:
    """The gang of one attempt; it also remembers how many attempts failed before."""
    meta = {
        **_meta(job, f"{job.metadata.name}-{attempt}"),
        "labels": {JOBSET: job.metadata.name, ATTEMPT: str(attempt)},
        "annotations": {FAILURES: str(failures)},
    }
    policy = {"gang": {"minCount": nodes(job, runtime)}}
    return Desired(PodGroup.resource, {"metadata": meta, "spec": {"schedulingPolicy": policy}})


def service(job: TrainJob) -> Desired:
    """The headless service under which the pods find each other by name."""
    spec = {
        "clusterIP": "None",
        "selector": {JOBSET: job.metadata.name},
        "publishNotReadyAddresses": True,
    }
    return Desired(Service.resource, {"metadata": _meta(job, job.metadata.name), "spec": spec})


def pods(job: TrainJob, runtime: TrainingRuntimeSpec, attempt: int, count: int) -> list[Desired]:
    """The pods of one attempt, `count` of them, by rank."""
    return [_pod(job, runtime, rank, attempt, count) for rank in range(count)]


def _meta(job: TrainJob, name: str) -> Json:
    return {"name": name, "namespace": job.metadata.namespace, "ownerReferences": [owned(job)]}


def _pod(
    job: TrainJob, runtime: TrainingRuntimeSpec, rank: int, attempt: int, count: int
) -> Desired:
    name = job.metadata.name
    template = runtime.template.spec.replicated_jobs[0].template["spec"]["template"]
    given = template.get("metadata") or {}
    meta = _meta(job, f"{name}-{JOB}-0-{rank}-{attempt}")
    meta["labels"] = {
        **(given.get("labels") or {}),
        JOBSET: name,
        INDEX: str(rank),
        ATTEMPT: str(attempt),
    }
    if given.get("annotations"):
        meta["annotations"] = given["annotations"]
    spec = {
        **template["spec"],
        "restartPolicy": "Never",
        "hostname": f"{name}-{JOB}-0-{rank}",
        "subdomain": name,
        "schedulingGroup": {"podGroupName": f"{name}-{attempt}"},
        "containers": _containers(
            job, template["spec"]["containers"], _rendezvous(job, runtime, rank, count)
        ),
    }
    return Desired(Pod.resource, {"metadata": meta, "spec": spec})


def _containers(
    job: TrainJob, containers: Sequence[Json], rendezvous: Iterable[Json]
) -> list[Json]:
    trainer = next((item for item in containers if item["name"] == JOB), containers[0])
    changed = _trainer(trainer, job.spec.trainer, rendezvous)
    return [changed if item is trainer else item for item in containers]


def _trainer(container: Json, trainer: Trainer, rendezvous: Iterable[Json]) -> Json:
    changed = {"terminationMessagePolicy": "FallbackToLogsOnError", **container}
    if trainer.image is not None:
        changed["image"] = trainer.image
    if trainer.command:
        changed["command"] = list(trainer.command)
    if trainer.args:
        changed["args"] = list(trainer.args)
    if trainer.resources_per_node is not None:
        claims = (container.get("resources") or {}).get("claims")
        resources = dict(trainer.resources_per_node)
        changed["resources"] = {"claims": claims, **resources} if claims else resources
    variables = {item["name"]: item for item in container.get("env") or ()}
    for item in (*trainer.env, *rendezvous):
        variables[item["name"]] = dict(item)
    if variables:
        changed["env"] = list(variables.values())
    return changed


def _rendezvous(job: TrainJob, runtime: TrainingRuntimeSpec, rank: int, count: int) -> list[Json]:
    """The variables of torchrun, where the runtime's policy is torch."""
    if runtime.ml_policy.torch is None:
        return []
    name = job.metadata.name
    values: Mapping[str, object] = {
        "PET_NNODES": count,
        "PET_NPROC_PER_NODE": job.spec.trainer.num_proc_per_node or 1,
        "PET_NODE_RANK": rank,
        "PET_MASTER_ADDR": f"{name}-{JOB}-0-0.{name}",
        "PET_MASTER_PORT": PORT,
    }
    return [{"name": key, "value": str(value)} for key, value in values.items()]
