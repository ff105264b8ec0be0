"""The table of served kinds, in the order in which discovery shows them.

A new kind is a view in a file of its own and one line here.
"""

from typing import ClassVar

from argosy.api import core, dra, kserve, modelversion, scheduling, storage, trainer
from argosy.api.core import AGE, NAME
from argosy.api.meta import Object
from argosy.api.resource import Column, Resource


class RuntimeClass(Object, frozen=True, kw_only=True):
    """A way of running pods; `handler` is the node's name for it."""

    resource: ClassVar[Resource] = Resource(
        group="node.k8s.io",
        version="v1",
        kind="RuntimeClass",
        plural="runtimeclasses",
        namespaced=False,
        definition="io.k8s.api.node.v1.RuntimeClass",
        columns=(NAME, Column("Handler", "handler"), AGE),
    )

    handler: str = ""


KINDS: tuple[type[Object], ...] = (
    core.ConfigMap,
    core.Event,
    core.Namespace,
    core.Node,
    storage.PersistentVolumeClaim,
    storage.PersistentVolume,
    core.Pod,
    core.Service,
    RuntimeClass,
    dra.DeviceClass,
    dra.ResourceClaim,
    dra.ResourceClaimTemplate,
    dra.ResourceSlice,
    scheduling.PodGroup,
    storage.StorageClass,
    trainer.ClusterTrainingRuntime,
    trainer.TrainingRuntime,
    trainer.TrainJob,
    kserve.InferenceService,
    modelversion.ModelVersion,
)
