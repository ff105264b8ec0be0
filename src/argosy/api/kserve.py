"""KServe's `InferenceService` (`serving.kserve.io/v1beta1`), with upstream's field names.

Only what the controller honours is in these structs: any other field is an unknown field, by name.
Source: the KServe API.
"""

from typing import Annotated, Any, ClassVar, Literal

import msgspec

from argosy.api.meta import Condition, Object, View
from argosy.api.modelversion import CONDITIONS, ModelFormat
from argosy.api.resource import AGE, NAME, Column, Resource
from argosy.api.structs import Builtin, ListMap


class PredictorModel(View, frozen=True, kw_only=True):
    """The model that is served; `storage_uri` is `model-registry://MODEL/VERSION`."""

    model_format: ModelFormat
    storage_uri: Annotated[str, msgspec.Meta(pattern=r"^model-registry://[^/]+/[^/]+$")]
    protocol_version: Literal["v2"] = "v2"
    env: Annotated[
        tuple[Annotated[dict[str, Any], Builtin("io.k8s.api.core.v1.EnvVar")], ...], ListMap("name")
    ] = ()
    resources: (
        Annotated[dict[str, Any], Builtin("io.k8s.api.core.v1.ResourceRequirements")] | None
    ) = None


class Predictor(View, frozen=True, kw_only=True):
    """The pods that answer. `min_replicas` of them run: there is no autoscaling yet."""

    model: PredictorModel
    min_replicas: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    runtime_class_name: str = ""
    node_selector: dict[str, str] = {}
    tolerations: tuple[
        Annotated[dict[str, Any], Builtin("io.k8s.api.core.v1.Toleration")], ...
    ] = ()


class InferenceServiceSpec(View, frozen=True, kw_only=True):
    """What shall be served."""

    predictor: Predictor


class Address(View, frozen=True, kw_only=True):
    """Where it answers inside the cluster."""

    url: str = ""


class FailureInfo(View, frozen=True, kw_only=True):
    """Why the model could not be loaded."""

    reason: str = ""
    message: str = ""
    exit_code: int | None = None


class ModelStates(View, frozen=True, kw_only=True):
    """Where the model is on its way."""

    active_model_state: str = ""
    target_model_state: str = ""


class ModelStatus(View, frozen=True, kw_only=True):
    """The model's side of the status."""

    transition_status: str = "InProgress"
    states: ModelStates | None = None
    last_failure_info: FailureInfo | None = None


class InferenceServiceStatus(View, frozen=True, kw_only=True):
    """Whether and where it answers."""

    conditions: Annotated[
        tuple[Annotated[Condition, Builtin(CONDITIONS)], ...], ListMap("type")
    ] = ()
    url: str = ""
    address: Address | None = None
    model_status: ModelStatus = ModelStatus()


class InferenceService(Object, frozen=True, kw_only=True):
    """A model that answers over HTTP by the Open Inference Protocol."""

    resource: ClassVar[Resource] = Resource(
        group="serving.kserve.io",
        version="v1beta1",
        kind="InferenceService",
        plural="inferenceservices",
        short_names=("isvc",),
        status=True,
        columns=(NAME, Column("URL", "status.url"), Column("Ready", "ready-condition"), AGE),
    )

    spec: InferenceServiceSpec
    status: InferenceServiceStatus = InferenceServiceStatus()
