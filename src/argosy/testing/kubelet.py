"""A kubelet that plays: pods that have a node run and are ready at once, and end when told to.

    kubelet = Kubelet(running.manager)
    running.manager.add(kubelet.controller())

Nothing is started. What is told of a pod is what controllers wait for: phase, conditions, address,
container states. A pod that is being deleted goes at once.
"""

from collections.abc import Callable
from itertools import count
from typing import Any

from argosy.api.core import Pod
from argosy.base.clock import timestamp
from argosy.runtime.controller import DONE, Controller, Result
from argosy.runtime.manager import Manager

NAME = "testing/kubelet"
ENDED = frozenset({"Succeeded", "Failed"})
Json = dict[str, Any]


class Kubelet:
    """The nodes' part of a cluster.

    `everywhere`: pods run without a node, too, for clusters in which no scheduler runs. `ready`
    says which pods get ready; those of Jobs end well as soon as they run, if `finishes`.
    """

    def __init__(
        self,
        manager: Manager,
        *,
        everywhere: bool = False,
        ready: Callable[[Pod], bool] = lambda pod: True,
        finishes: bool = False,
    ) -> None:
        self._pods = manager.informer(Pod)
        self._client = manager.client_as(NAME)
        self._clock = manager.clock
        self._everywhere = everywhere
        self._ready = ready
        self._finishes = finishes
        self._numbers = count(1)

    def controller(self) -> Controller[Pod]:
        """It as a controller, for a manager."""
        return Controller(name=NAME, informer=self._pods, reconcile=self.reconcile)

    async def reconcile(self, pod: Pod) -> Result:
        """Bring a pod one step on."""
        placed = bool(pod.spec.node_name) or self._everywhere
        meta = pod.metadata
        if meta.deletion_timestamp is not None and placed:
            await self._client.delete(Pod.resource, meta.name, meta.namespace, grace=0)
        elif pod.status.phase in ("", "Pending") and placed:
            await self._run(pod)
        elif pod.status.phase == "Running" and self._finishes and _is_job(pod):
            await self.finish(pod)
        return DONE

    async def finish(self, pod: Pod, *, exit_code: int = 0) -> None:
        """The pod's containers have ended, all with this code."""
        now = timestamp(self._clock.now())
        ended = {"terminated": {"exitCode": exit_code, "finishedAt": now, "startedAt": now}}
        phase = "Failed" if exit_code else "Succeeded"
        await self._tell(pod, phase, ready=False, state=ended)

    async def _run(self, pod: Pod) -> None:
        now = timestamp(self._clock.now())
        number = next(self._numbers)
        address = f"10.244.{number >> 8 & 255}.{number & 255}"
        more = {"startTime": now, "podIP": address, "podIPs": [{"ip": address}]}
        state = {"running": {"startedAt": now}}
        await self._tell(pod, "Running", ready=self._ready(pod), state=state, **more)

    async def _tell(self, pod: Pod, phase: str, *, ready: bool, state: Json, **more: Any) -> None:
        now = timestamp(self._clock.now())
        conditions = [
            {"type": kind, "status": str(value), "lastTransitionTime": now}
            for kind, value in (("Initialized", True), ("ContainersReady", ready), ("Ready", ready))
        ]
        containers = [
            {
                "name": container.name,
                "image": container.image,
                "imageID": container.image,
                "ready": ready,
                "started": phase not in ENDED,
                "restartCount": 0,
                "state": state,
            }
            for container in pod.spec.containers
        ]
        told = {"phase": phase, "conditions": conditions, "containerStatuses": containers, **more}
        meta = pod.metadata
        body = {"metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid}}
        await self._client.apply(Pod.resource, {**body, "status": told}, subresource="status")


def _is_job(pod: Pod) -> bool:
    return pod.controller is not None and pod.controller.kind == "Job"
