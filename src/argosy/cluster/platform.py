"""The AI platform's controllers: what runs in the embedded cluster and on any other alike.

Nothing here, and nothing that it imports, knows the API server.
"""

from collections.abc import Callable, Iterable
from typing import Any

from argosy.api.kserve import InferenceService
from argosy.api.modelversion import ModelVersion
from argosy.api.resource import Resource
from argosy.api.trainer import TrainJob
from argosy.models.modelversion import model_versions
from argosy.runtime.controller import Controller
from argosy.runtime.manager import Manager
from argosy.serving.inferenceservice import inference_services
from argosy.training.trainjob import train_jobs

HOST_IMAGE = "host"
"""The image of pods that are processes of the node's machine."""

OPERATORS: tuple[tuple[Resource, Callable[[Manager, str], Controller[Any]]], ...] = (
    (TrainJob.resource, lambda manager, _: train_jobs(manager)),
    (ModelVersion.resource, lambda manager, image: model_versions(manager, image)),
    (InferenceService.resource, lambda manager, image: inference_services(manager, image)),
)
"""By whose objects they act on. They get the image of the pods that they make themselves."""


def add_operators(
    manager: Manager, resources: Iterable[Resource], *, image: str = HOST_IMAGE
) -> None:
    """Run the AI platform's controllers, for those of its kinds that are among `resources`.

    Where a kind is switched off, somebody else's operator may have defined it: it is theirs then.
    """
    served = frozenset(resources)
    for resource, make in OPERATORS:
        if resource in served:
            manager.add(make(manager, image))
