"""The list of all controllers, in the order in which they are set up."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from argosy.api.kinds import KINDS
from argosy.cluster.bootstrap import PROVISIONER
from argosy.controllers.garbage import GarbageCollector
from argosy.controllers.reservations import reservations
from argosy.controllers.resourceclaims import resource_claims
from argosy.controllers.volumeclaims import volume_claims
from argosy.models.modelversion import model_versions
from argosy.runtime.controller import Controller
from argosy.runtime.manager import Manager
from argosy.scheduler.loop import Scheduler
from argosy.serving.inferenceservice import inference_services
from argosy.training.trainjob import train_jobs

OPERATORS: tuple[Callable[[Manager], Controller[Any]], ...] = (
    train_jobs,
    model_versions,
    inference_services,
)
"""Controllers of the AI platform: they run on any cluster."""


def add_operators(manager: Manager) -> None:
    """Run the AI platform's controllers."""
    for make in OPERATORS:
        manager.add(make(manager))


def add_kubernetes(manager: Manager, volumes: Path) -> None:
    """Run what a real cluster brings itself: volumes, claims, garbage collector, scheduler."""
    manager.add(volume_claims(manager, volumes, PROVISIONER))
    manager.add(resource_claims(manager))
    manager.add(reservations(manager))
    resources = [kind.resource for kind in KINDS if kind.resource.plural != "events"]
    manager.add_runner(GarbageCollector(manager, resources).run)
    manager.add_runner(Scheduler(manager).run)
