"""The list of all controllers, in the order in which they are set up.

Those of the AI platform are in `platform`, because they run on other clusters too.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.api.autoscaling import HorizontalPodAutoscaler
from argosy.api.batch import CronJob, Job
from argosy.api.daemonsets import DaemonSet
from argosy.api.replicas import Deployment, ReplicaSet, ReplicationController
from argosy.api.resource import Resource
from argosy.api.resources.control import FLOW_SCHEMA
from argosy.api.scheduling import PodGroup
from argosy.api.statefulsets import StatefulSet
from argosy.api.storage import VolumeAttributesClass
from argosy.apiserver.aggregation.aggregation import Aggregation
from argosy.apiserver.authentication.keys import Keys
from argosy.apiserver.authentication.legacy import Used, issue
from argosy.cluster.apiservice import ServicePublisher
from argosy.cluster.authority import Authority
from argosy.cluster.bootstrap import PROVISIONER
from argosy.cluster.flowcontrol import MANAGER as PRODUCER
from argosy.cluster.flowcontrol import FlowControl
from argosy.cluster.frontproxy import Publisher
from argosy.cluster.platform import add_operators as add_operators
from argosy.cluster.scheduling import add_scheduler
from argosy.cluster.usedtokens import UsedTokens
from argosy.controllers.apiservices import api_services
from argosy.controllers.attachdetach.attachdetach import attach_detach
from argosy.controllers.attachdetach.telling import told_volumes
from argosy.controllers.autoscaling.autoscaler import horizontal_pod_autoscalers
from argosy.controllers.certificates_approval import approval
from argosy.controllers.certificates_cleaning import PodCertificateRequest, cleaning, pod_cleaning
from argosy.controllers.certificates_signing import signing
from argosy.controllers.claimprotection import claim_protection
from argosy.controllers.clusterroleaggregation import cluster_role_aggregation
from argosy.controllers.cronjobs import cron_jobs
from argosy.controllers.customresources import custom_resources
from argosy.controllers.daemonsets.daemonset import daemon_sets
from argosy.controllers.deployments.deployments import deployments
from argosy.controllers.disruptionbudgets import disruption_budgets
from argosy.controllers.disruptiontargets import disruption_targets
from argosy.controllers.endpoints.controllers import add_endpoints
from argosy.controllers.ephemeralvolumes import ephemeral_volumes
from argosy.controllers.flowschemas import flow_schemas
from argosy.controllers.garbage import GarbageCollector
from argosy.controllers.jobs.job import jobs
from argosy.controllers.jobs.orphans import job_orphans
from argosy.controllers.namespaces import namespaces
from argosy.controllers.nodelifecycle.controllers import add_node_lifecycle
from argosy.controllers.podgc import pod_collector
from argosy.controllers.podgroupprotection import pod_group_protection
from argosy.controllers.registrations import registrations
from argosy.controllers.replicasets import replica_sets, replication_controllers
from argosy.controllers.reservations import reservations
from argosy.controllers.resourceclaims import resource_claims
from argosy.controllers.resourcequotas import resource_quotas
from argosy.controllers.rootca import root_ca
from argosy.controllers.serviceaccounts import service_accounts
from argosy.controllers.statefulsets.statefulset import stateful_sets
from argosy.controllers.storagemigration import storage_migrations
from argosy.controllers.tokens import account_tokens, bootstrap_cleaning
from argosy.controllers.ttlafterfinished import ttl_after_finished
from argosy.controllers.volumeclaims import volume_claims
from argosy.controllers.volumeprotection import class_protection, volume_protection
from argosy.controllers.volumes.volumes import volumes as persistent_volumes
from argosy.runtime.manager import Manager

if TYPE_CHECKING:
    from argosy.scheduler.profiles import Setup


def add_kubernetes(
    manager: Manager,
    volumes: Path,
    resources: Iterable[Resource],
    *,
    collector: Manager | None = None,
    gate: Callable[[str], bool] = lambda _: True,
    scheduling: "Setup | None" = None,
) -> None:
    """Run what a real cluster brings itself: volumes, claims, garbage, namespaces, scheduler.

    The garbage collector follows all of `resources`. With a `collector` it runs there: nothing
    waits for it, so that it need not read all objects at the start. `gate` tells whether a feature
    gate is open, `scheduling` how the scheduler decides, where somebody has configured it.
    """
    served = tuple(resources)
    manager.add(volume_claims(manager, volumes, PROVISIONER))
    manager.add(claim_protection(manager))
    manager.add(ephemeral_volumes(manager))
    manager.add(volume_protection(manager))
    manager.add(persistent_volumes(manager, volumes, PROVISIONER))
    manager.add(attach_detach(manager))
    manager.add(told_volumes(manager))
    by_kind = {resource.kind: resource for resource in served}
    if (classes := by_kind.get(VolumeAttributesClass.resource.kind)) is not None:
        manager.add(class_protection(manager, classes))
    if (groups := by_kind.get(PodGroup.resource.kind)) is not None:
        manager.add(pod_group_protection(manager, groups))
    manager.add(resource_claims(manager))
    manager.add(reservations(manager))
    manager.add(namespaces(manager, served))
    manager.add(custom_resources(manager, served))
    if (migrations := storage_migrations(manager, served)) is not None:
        manager.add(migrations)
    if Job.resource in served:
        manager.add(jobs(manager))
        manager.add(job_orphans(manager))
        manager.add(ttl_after_finished(manager))
    if CronJob.resource in served:
        manager.add(cron_jobs(manager))
    manager.add_runner(pod_collector(manager).run)
    add_node_lifecycle(manager)
    manager.add(service_accounts(manager))
    if DaemonSet.resource in served:
        manager.add(daemon_sets(manager))
    if StatefulSet.resource in served:
        manager.add(stateful_sets(manager))
    manager.add(resource_quotas(manager, served))
    add_endpoints(manager)
    manager.add(disruption_budgets(manager))
    manager.add(disruption_targets(manager))
    if HorizontalPodAutoscaler.resource in served:
        manager.add(horizontal_pod_autoscalers(manager, zero=gate("HPAScaleToZero")))
    _add_access(manager, served)
    if FLOW_SCHEMA in served:  # older minors have it in versions of another shape
        manager.add(flow_schemas(manager))
        manager.add_runner(FlowControl(manager.client_as(PRODUCER), manager.clock).run)
    _add_replicas(manager, served)
    collector = collector or manager
    collector.add_runner(GarbageCollector(collector, served).run)
    add_scheduler(manager, scheduling, served=served)


def _add_access(manager: Manager, served: Collection[Resource]) -> None:
    """Run what keeps roles and requests for certificates in order."""
    manager.add(cluster_role_aggregation(manager))
    if PodCertificateRequest.resource in served:
        manager.add(pod_cleaning(manager))


def _add_replicas(manager: Manager, served: Collection[Resource]) -> None:
    """Run the controllers of pods that are alike, for those of their kinds that are served."""
    if ReplicationController.resource in served:
        manager.add(replication_controllers(manager))
    if ReplicaSet.resource in served:
        manager.add(replica_sets(manager))
        if Deployment.resource in served:
            manager.add(deployments(manager))


def add_aggregation(manager: Manager, aggregation: Aggregation, pki: Path) -> None:
    """Run what has to do with who serves which group; extension servers trust what is in `pki`."""
    manager.add(api_services(manager, aggregation.availability))
    manager.add_runner(registrations(manager, sorted(aggregation.own)).run)
    if aggregation.front is not None:
        client = manager.client_as("cluster/frontproxy")
        authority = (pki / "ca.crt").read_bytes
        manager.add_runner(Publisher(client, manager.clock, aggregation.front, authority).run)


def add_address(manager: Manager, url: str) -> None:
    """Run what tells clients in the cluster that the API server is at `url`."""
    client = manager.client_as("cluster/apiservice")
    manager.add_runner(ServicePublisher(client, manager.clock, url).run)


def add_credentials(manager: Manager, pki: Path, keys: Keys, used: Used) -> None:
    """Run what gives out credentials, and takes them back.

    The authority's key is in `pki`; `keys` sign tokens; `used` tells which of secrets were used.
    """

    async def issued(namespace: str, secret: str, account: str, uid: str) -> str:
        if not keys.made:
            await asyncio.to_thread(keys.make)
        return issue(keys, namespace, secret, account, uid)

    manager.add(approval(manager))
    manager.add(signing(manager, Authority(pki, manager.clock).sign))
    manager.add(cleaning(manager))
    authority = (pki / "ca.crt").read_bytes()
    manager.add(root_ca(manager, authority))
    manager.add(account_tokens(manager, issued, authority))
    manager.add(bootstrap_cleaning(manager))
    client = manager.client_as("cluster/usedtokens")
    manager.add_runner(UsedTokens(client, manager.clock, used).run)
