"""Plays the pods of all simulated nodes: they start, run for as long as they are told to, and end.

One controller over the shared cache: the pods that wait for their end wait in its queue. What a pod
shall tell follows from what the API has of it and the time (`stages`), so that a new process goes
on where the last one was; only that the second in which a pod started had parts is forgotten then.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from argosy.api.core import Pod
from argosy.node.simulated.addresses import PodAddresses
from argosy.node.simulated.nodes import SimulatedNode
from argosy.node.simulated.runs import read_run
from argosy.node.simulated.stages import Json, Life, since, told_already
from argosy.runtime.controller import DONE, Controller, Result
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.manager import Manager

NAME: Final = "node/simulated"
WORKERS: Final = 16
REASON: Final = "InvalidSimulation"


class Player:
    """Plays the pods that are bound to `nodes`, by name."""

    def __init__(self, manager: Manager, nodes: Mapping[str, SimulatedNode]) -> None:
        self._client = manager.client_as(NAME)
        self._clock = manager.clock
        self._nodes = nodes
        self._pods = manager.informer(Pod)
        self._events = EventRecorder(self._client, self._clock, NAME)
        self._addresses = PodAddresses()
        self._began: dict[str, datetime] = {}
        self._pods.subscribe(self._addresses.changed)
        self._pods.subscribe(self._changed)

    def controller(self) -> Controller[Pod]:
        """It as a controller, for a manager."""
        return Controller(
            name=NAME,
            informer=self._pods,
            reconcile=self.reconcile,
            workers=WORKERS,
            concerns=self._concerns,
        )

    async def reconcile(self, pod: Pod) -> Result:
        """Bring a pod one step on."""
        if not self._concerns(pod):  # another has the name now
            return DONE
        if pod.metadata.deletion_timestamp is not None:
            return await self._leave(pod)
        if pod.finished:
            return DONE
        now, meta = self._clock.now(), pod.metadata
        life, failures = self._life(pod, now), self._nodes[pod.spec.node_name].group.failures
        try:
            run = read_run(meta.annotations, meta.uid, failures)
        except ValueError as error:
            await self._events.record(pod, Note(REASON, str(error), "Warning"))
            if pod.status.phase != "Running":
                await self._tell(pod, life.waits(str(error), now).status)
            return DONE
        stage = life.stage(run, now)
        if run.length is not None:
            self._began[meta.uid] = life.began
        await self._tell(pod, stage.status)
        return Result(after=stage.after)

    async def _leave(self, pod: Pod) -> Result:
        """End a pod that is being deleted, and let it go. Who waits for its end learns of it."""
        meta = pod.metadata
        if meta.finalizers and not pod.finished:
            now = self._clock.now()
            await self._tell(pod, self._life(pod, now).ends(now).status)
        if meta.deletion_grace_period_seconds != 0:  # else it is its finalizers' now
            await self._client.delete(
                Pod.resource, meta.name, meta.namespace, uid=meta.uid, grace=0
            )
        return DONE

    def _life(self, pod: Pod, now: datetime) -> Life:
        host = self._nodes[pod.spec.node_name].address
        own = host if pod.spec.host_network else pod.status.pod_ip
        began = self._began.get(pod.metadata.uid) or since(pod) or now
        return Life(pod=pod, address=own or self._addresses.next(), host=host, began=began)

    async def _tell(self, pod: Pod, status: Json) -> None:
        if told_already(pod, status):
            return
        meta = pod.metadata
        # With the revision: what was read may be older than what was written last.
        about = {"uid": meta.uid, "resourceVersion": meta.resource_version}
        await self._client.merge(
            Pod.resource,
            meta.name,
            meta.namespace,
            {"metadata": about, "status": status},
            subresource="status",
        )

    def _concerns(self, pod: Pod) -> bool:
        return pod.spec.node_name in self._nodes

    def _changed(self, old: Pod | None, new: Pod | None) -> None:
        if old is not None and (
            new is None or new.metadata.uid != old.metadata.uid or new.finished
        ):
            self._began.pop(old.metadata.uid, None)
