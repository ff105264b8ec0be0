"""`ModelVersion`: one immutable version of a registered model, known by its content's digest.

No kind of the ecosystem's stands for it (Kubeflow's model registry keeps versions in a database),
so it is our own. `model-registry://MODEL/VERSION`, the registry's address form that KServe
understands, finds it.
"""

from typing import Annotated, ClassVar

import msgspec

from argosy.api.meta import Condition, Object, View
from argosy.api.resource import AGE, NAME, Column, Resource
from argosy.api.structs import Builtin, ListMap, Rule

CONDITIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.Condition"


class TrainJobRef(View, frozen=True, kw_only=True):
    """The training run, of the same namespace, that makes the model."""

    name: Annotated[str, msgspec.Meta(min_length=1)]


class ModelFormat(View, frozen=True, kw_only=True):
    """How the content is to be read."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    version: str | None = None


class ModelVersionSpec(View, frozen=True, kw_only=True):
    """Which content this version is. Immutable.

    `storage_uri` is `pvc://CLAIM/PATH`; with `train_job_ref` the content counts from the job's
    completion on. `runtime_class_name` is that of the pod that reads the content.
    """

    model: Annotated[str, msgspec.Meta(min_length=1, max_length=63)]
    version: Annotated[str, msgspec.Meta(min_length=1, max_length=63)]
    storage_uri: Annotated[str, msgspec.Meta(pattern=r"^pvc://[a-z0-9][-a-z0-9.]*/.+$")]
    model_format: ModelFormat
    train_job_ref: TrainJobRef | None = None
    runtime_class_name: str = ""


class ModelVersionStatus(View, frozen=True, kw_only=True):
    """What the content was found to be: `digest` is `sha256:…`, `size` is in bytes."""

    conditions: Annotated[
        tuple[Annotated[Condition, Builtin(CONDITIONS)], ...], ListMap("type")
    ] = ()
    digest: str = ""
    size: int = 0


class ModelVersion(Object, frozen=True, kw_only=True):
    """One version of a model."""

    resource: ClassVar[Resource] = Resource(
        group="models.argosy.dev",
        version="v1alpha1",
        kind="ModelVersion",
        plural="modelversions",
        short_names=("mv",),
        status=True,
        columns=(
            NAME,
            Column("Model", "spec.model"),
            Column("Version", "spec.version"),
            Column("Ready", "ready-condition"),
            Column("Digest", "status.digest"),
            AGE,
        ),
    )

    spec: Annotated[ModelVersionSpec, Rule("self == oldSelf", message="field is immutable")]
    status: ModelVersionStatus = ModelVersionStatus()
