"""What makes pods of other objects, for tests of operators that stand on it.

Beside these run no scheduler and nothing that looks at nodes every few seconds, so that a virtual
day passes in a moment. `Kubelet(manager, everywhere=True)` lets the pods run.
"""

from collections.abc import Iterable

from argosy.api.resource import Resource
from argosy.controllers.cronjobs import cron_jobs
from argosy.controllers.deployments.deployments import deployments
from argosy.controllers.garbage import GarbageCollector
from argosy.controllers.jobs.job import jobs
from argosy.controllers.replicasets import replica_sets
from argosy.controllers.statefulsets.statefulset import stateful_sets
from argosy.runtime.manager import Manager


def add_workloads(manager: Manager, resources: Iterable[Resource]) -> None:
    """Run Deployments, ReplicaSets, StatefulSets, Jobs, CronJobs, and the garbage collector, which
    follows all of `resources` and what users define.
    """
    manager.add(deployments(manager))
    manager.add(replica_sets(manager))
    manager.add(stateful_sets(manager))
    manager.add(jobs(manager))
    manager.add(cron_jobs(manager))
    manager.add_runner(GarbageCollector(manager, resources).run)
