"""Kubeflow's training kinds (`trainer.kubeflow.org/v1alpha1`), with upstream's field names.

A `TrainJob` names a runtime; the runtime's template is a JobSet whose one job holds the pods. Only
what the controller honours is in these structs: any other field is an unknown field, by name.
Source: the Kubeflow Trainer API, JobSet's API.
"""

from typing import Annotated, Any, ClassVar, Literal

import msgspec

from argosy.api.meta import Condition, Object, View
from argosy.api.resource import AGE, NAME, Column, Resource
from argosy.api.structs import Builtin, ListMap, Rule

GROUP = "trainer.kubeflow.org"
COUNT = msgspec.Meta(ge=1, le=2**31 - 1)
IMMUTABLE = Rule("self == oldSelf", message="field is immutable")
_ONE_TRAINER = Rule(
    "has(self.trainer) == has(oldSelf.trainer)", message="field is immutable", fieldPath=".trainer"
)
_JOBS = "self.template.spec.replicatedJobs"
_ONE_NODE = Rule(
    f"has(self.template.spec) && has({_JOBS}) && size({_JOBS}) == 1"
    f" && {_JOBS}[0].name == 'node' && {_JOBS}[0].replicas == 1 && has({_JOBS}[0].template.spec)",
    message="exactly one replicated job, named `node`, is supported",
)
"""Rules for API servers that know these kinds by their definitions; ours has `validation.ai`."""


class RuntimeRef(View, frozen=True, kw_only=True):
    """The runtime that a job runs with."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    api_group: Annotated[str, Rule(f"self == '{GROUP}'")] = GROUP
    kind: Literal["TrainingRuntime", "ClusterTrainingRuntime"] = "ClusterTrainingRuntime"


class Trainer(View, frozen=True, kw_only=True):
    """What this job changes in the runtime's trainer."""

    image: str | None = None
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Annotated[
        tuple[Annotated[dict[str, Any], Builtin("io.k8s.api.core.v1.EnvVar")], ...], ListMap("name")
    ] = ()
    num_nodes: Annotated[int, COUNT] | None = None
    resources_per_node: (
        Annotated[dict[str, Any], Builtin("io.k8s.api.core.v1.ResourceRequirements")] | None
    ) = None
    num_proc_per_node: Annotated[int, COUNT] | None = None


class TrainJobSpec(View, frozen=True, kw_only=True):
    """What shall be trained, and with which runtime."""

    runtime_ref: Annotated[RuntimeRef, IMMUTABLE]
    trainer: Annotated[Trainer, IMMUTABLE] = Trainer()
    suspend: bool = False


class JobStatus(View, frozen=True, kw_only=True):
    """How many pods of a job are in which state."""

    name: str
    ready: int | None = None
    succeeded: int | None = None
    failed: int | None = None
    active: int | None = None
    suspended: int | None = None


class TrainJobStatus(View, frozen=True, kw_only=True):
    """How the job is."""

    conditions: Annotated[
        tuple[Annotated[Condition, Builtin("io.k8s.apimachinery.pkg.apis.meta.v1.Condition")], ...],
        ListMap("type"),
    ] = ()
    jobs_status: Annotated[tuple[JobStatus, ...], ListMap("name")] = ()


class TrainJob(Object, frozen=True, kw_only=True):
    """A distributed training run."""

    resource: ClassVar[Resource] = Resource(
        group=GROUP,
        version="v1alpha1",
        kind="TrainJob",
        plural="trainjobs",
        status=True,
        columns=(NAME, Column("State", "trainjob-state"), AGE),
    )

    spec: Annotated[TrainJobSpec, _ONE_TRAINER]
    status: TrainJobStatus = TrainJobStatus()


class Torch(View, frozen=True, kw_only=True):
    """Rendezvous by the `PET_…` variables, as torchrun reads them."""


class MLPolicy(View, frozen=True, kw_only=True):
    """How the nodes of a job find each other."""

    num_nodes: Annotated[int, COUNT] = 1
    torch: Torch | None = None


class Coscheduling(View, frozen=True, kw_only=True):
    """Pods are placed all at once."""

    schedule_timeout_seconds: Annotated[int, COUNT] | None = None


class PodGroupPolicy(View, frozen=True, kw_only=True):
    """How the pods are scheduled. They always form a gang here."""

    coscheduling: Coscheduling | None = None


class ReplicatedJob(View, frozen=True, kw_only=True):
    """A job of the set; its template is Kubernetes' own."""

    name: str
    replicas: Annotated[int, COUNT] = 1
    template: Annotated[dict[str, Any], Builtin("io.k8s.api.batch.v1.JobTemplateSpec")]


class FailurePolicy(View, frozen=True, kw_only=True):
    """How often the set is started again as a whole."""

    max_restarts: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0


class JobSetSpec(View, frozen=True, kw_only=True):
    """The jobs of a runtime."""

    replicated_jobs: Annotated[tuple[ReplicatedJob, ...], ListMap("name")] = ()
    failure_policy: FailurePolicy = FailurePolicy()


class JobSetTemplate(View, frozen=True, kw_only=True):
    """The set as a template."""

    metadata: (
        Annotated[dict[str, Any], Builtin("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")] | None
    ) = None
    spec: JobSetSpec = JobSetSpec()


class TrainingRuntimeSpec(View, frozen=True, kw_only=True):
    """How jobs of this runtime run."""

    ml_policy: MLPolicy = MLPolicy()
    pod_group_policy: PodGroupPolicy | None = None
    template: JobSetTemplate


class TrainingRuntime(Object, frozen=True, kw_only=True):
    """A template of training runs, for its namespace."""

    resource: ClassVar[Resource] = Resource(
        group=GROUP,
        version="v1alpha1",
        kind="TrainingRuntime",
        plural="trainingruntimes",
        columns=(NAME, AGE),
    )

    spec: Annotated[TrainingRuntimeSpec, _ONE_NODE]


class ClusterTrainingRuntime(Object, frozen=True, kw_only=True):
    """A template of training runs, for all namespaces."""

    resource: ClassVar[Resource] = Resource(
        group=GROUP,
        version="v1alpha1",
        kind="ClusterTrainingRuntime",
        plural="clustertrainingruntimes",
        namespaced=False,
        columns=(NAME, AGE),
    )

    spec: Annotated[TrainingRuntimeSpec, _ONE_NODE]
