"""Deletes pods that nobody else will: too many that have ended, and those whose node is no more.

Three times a minute all pods are looked at. A node that is missing is given some time to come
back; a pod that never had one goes as soon as it is deleted. What has not ended is made `Failed`
first: no node is left to say so. Source: kube-controller-manager's `podgc`.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from argosy.api.core import Node, Pod
from argosy.api.meta import condition
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/podgc"
THRESHOLD = 12_500
"""So many pods that have ended may stay."""
PERIOD = 20.0
QUARANTINE = 40.0
"""Seconds."""
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
ORPHANED = "PodGC: node no longer exists"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Waste:
    """A pod that is to go, and whether that is because its node has gone."""

    pod: Pod
    orphaned: bool = False


def waste(
    pods: Sequence[Pod], nodes: Mapping[str, Node], gone: Set[str], threshold: int
) -> list[Waste]:
    """Which pods are to go; `gone` are the nodes that are known to be no more."""
    found = [Waste(pod) for pod in _surplus(pods, threshold)]
    found += [Waste(pod) for pod in pods if _stuck(pod, nodes)]
    found += [Waste(pod, orphaned=True) for pod in pods if pod.spec.node_name in gone]
    found += [
        Waste(pod) for pod in pods if pod.metadata.deletion_timestamp and not pod.spec.node_name
    ]
    return list({item.pod.key: item for item in found}.values())


def _surplus(pods: Iterable[Pod], threshold: int) -> list[Pod]:
    """The oldest of those that have ended, evicted ones first."""
    ended = [pod for pod in pods if pod.finished]
    if threshold <= 0 or len(ended) <= threshold:
        return []
    ended.sort(key=_age)
    return ended[: len(ended) - threshold]


def _age(pod: Pod) -> tuple[bool, str, str]:
    meta = pod.metadata
    return (pod.status.reason != "Evicted", meta.creation_timestamp or "", meta.name)


def _stuck(pod: Pod, nodes: Mapping[str, Node]) -> bool:
    """Whether it waits for a node that is out of service to stop it."""
    node = nodes.get(pod.spec.node_name)
    if node is None or pod.metadata.deletion_timestamp is None:
        return False
    told = condition(node.status.conditions, "Ready")
    ready = told is not None and told.status == "True"
    return not ready and any(taint.key == OUT_OF_SERVICE for taint in node.spec.taints)


class PodCollector:
    """Looks again and again."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        pods: Informer[Pod],
        nodes: Informer[Node],
        *,
        threshold: int = THRESHOLD,
    ) -> None:
        self._client, self._clock = client, clock
        self._pods, self._nodes = pods, nodes
        self._threshold = threshold
        self._missing: dict[str, float] = {}

    async def run(self) -> None:
        """Collect until cancelled."""
        await self._pods.synced.wait()
        await self._nodes.synced.wait()
        while True:
            await self._clock.sleep(PERIOD)
            await self.collect()

    async def collect(self) -> None:
        """One look at everything; what fails comes again at the next."""
        pods = list(self._pods.items())
        nodes = {node.metadata.name: node for node in self._nodes.items()}
        try:
            gone = await self._gone(pods, nodes)
        except (StatusError, ConnectionError) as error:
            log.info("looking for a node failed", extra={"error": str(error)})
            gone = set()
        for item in waste(pods, nodes, gone, self._threshold):
            try:
                await self._remove(item)
            except (StatusError, ConnectionError) as error:
                place = "/".join(item.pod.key)
                log.info("deleting a pod failed", extra={"pod": place, "error": str(error)})

    async def _gone(self, pods: Iterable[Pod], nodes: Mapping[str, Node]) -> set[str]:
        """The nodes that were missing long enough, and that the server does not know either."""
        now = self._clock.monotonic()
        named = {pod.spec.node_name for pod in pods if pod.spec.node_name}
        missing = named - nodes.keys()
        self._missing = {name: self._missing.get(name, now) for name in missing}
        late = [name for name, since in self._missing.items() if now - since >= QUARANTINE]
        return {name for name in late if await self._client.find(Node, name) is None}

    async def _remove(self, item: Waste) -> None:
        meta = item.pod.metadata
        if not item.pod.finished:
            await self._fail(item)
        await self._client.delete(Pod.resource, meta.name, meta.namespace, uid=meta.uid, grace=0)

    async def _fail(self, item: Waste) -> None:
        meta = item.pod.metadata
        status: dict[str, Any] = {"phase": "Failed"}
        if item.orphaned:
            told = {
                "type": "DisruptionTarget",
                "status": "True",
                "reason": "DeletionByPodGC",
                "message": ORPHANED,
                "lastTransitionTime": timestamp(self._clock.now()),
            }
            status["conditions"] = [told]
        body = {
            "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid},
            "status": status,
        }
        await self._client.apply(Pod.resource, body, subresource="status")


def pod_collector(manager: Manager, *, threshold: int = THRESHOLD) -> PodCollector:
    """The collector, on the manager's caches."""
    return PodCollector(
        manager.client_as(NAME),
        manager.clock,
        manager.informer(Pod),
        manager.informer(Node),
        threshold=threshold,
    )
