"""The list of all controllers, in the order in which they are set up."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from argosy.api.resource import Resource
from argosy.apiserver.authentication.keys import Keys
from argosy.apiserver.authentication.legacy import issue
from argosy.cluster.authority import Authority
from argosy.cluster.bootstrap import PROVISIONER
from argosy.controllers.certificates_approval import approval
from argosy.controllers.certificates_cleaning import cleaning
from argosy.controllers.certificates_signing import signing
from argosy.controllers.clusterroleaggregation import cluster_role_aggregation
from argosy.controllers.customresources import custom_resources
from argosy.controllers.garbage import GarbageCollector
from argosy.controllers.namespaces import namespaces
from argosy.controllers.reservations import reservations
from argosy.controllers.resourceclaims import resource_claims
from argosy.controllers.resourcequotas import resource_quotas
from argosy.controllers.serviceaccounts import service_accounts
from argosy.controllers.tokens import account_tokens, bootstrap_cleaning
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


def add_kubernetes(
    manager: Manager,
    volumes: Path,
    resources: Iterable[Resource],
    *,
    collector: Manager | None = None,
) -> None:
    """Run what a real cluster brings itself: volumes, claims, garbage, namespaces, scheduler.

    The garbage collector follows all of `resources`. With a `collector` it runs there: nothing
    waits for it, so that it need not read all objects at the start.
    """
    served = tuple(resources)
    manager.add(volume_claims(manager, volumes, PROVISIONER))
    manager.add(resource_claims(manager))
    manager.add(reservations(manager))
    manager.add(namespaces(manager, served))
    manager.add(custom_resources(manager, served))
    manager.add(service_accounts(manager))
    manager.add(resource_quotas(manager, served))
    manager.add(cluster_role_aggregation(manager))
    collector = collector or manager
    collector.add_runner(GarbageCollector(collector, served).run)
    manager.add_runner(Scheduler(manager).run)


def add_credentials(manager: Manager, pki: Path, keys: Keys) -> None:
    """Run what gives out credentials, and takes them back.

    The authority's key is in `pki`; `keys` sign tokens.
    """

    async def issued(namespace: str, secret: str, account: str, uid: str) -> str:
        if not keys.made:
            await asyncio.to_thread(keys.make)
        return issue(keys, namespace, secret, account, uid)

    manager.add(approval(manager))
    manager.add(signing(manager, Authority(pki, manager.clock).sign))
    manager.add(cleaning(manager))
    manager.add(account_tokens(manager, issued, (pki / "ca.crt").read_bytes()))
    manager.add(bootstrap_cleaning(manager))
