"""The kinds that are served: Kubernetes' own, from their table, and ours, from their views.

A new kind of ours is a view in a file of its own and one line here.
"""

from collections.abc import Mapping
from typing import ClassVar

from argosy.api import kserve, modelversion, trainer
from argosy.api.meta import Object
from argosy.api.resource import Resource
from argosy.api.resources import scheduling
from argosy.api.resources.table import BUILT_IN


class RuntimeClass(Object, frozen=True, kw_only=True):
    """A way of running pods; `handler` is the node's name for it."""

    resource: ClassVar[Resource] = scheduling.RUNTIME_CLASS

    handler: str = ""


OWN: tuple[type[Object], ...] = (
    trainer.ClusterTrainingRuntime,
    trainer.TrainingRuntime,
    trainer.TrainJob,
    kserve.InferenceService,
    modelversion.ModelVersion,
)

RESOURCES: tuple[Resource, ...] = (*BUILT_IN, *(kind.resource for kind in OWN))
"""All there are, in the order in which discovery shows them."""

PREFERRED: Mapping[str, Resource] = {item.kind: item for item in reversed(RESOURCES)}
"""By kind, the first in the table: for whoever knows a kind by its name alone."""
