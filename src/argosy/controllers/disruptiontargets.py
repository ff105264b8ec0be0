"""Takes back from pods that they are to be disrupted, where nothing came of it.

Who evicts a pod says so in its condition `DisruptionTarget` and deletes it then. A pod that says so
and is not deleted two minutes later stays, it seems. What its node says of it is left. Source:
upstream's disruption controller.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from argosy.api.core import Pod
from argosy.api.meta import condition
from argosy.base.clock import Clock, parse_timestamp, timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.controller import DONE, Controller, Result
from argosy.runtime.manager import Manager

Json = dict[str, Any]
NAME = "controllers/disruptiontargets"
TARGET = "DisruptionTarget"
BY_NODE = "TerminationByKubelet"
PATIENCE = 120.0


@dataclass(frozen=True)
class DisruptionTargets:
    """Writes conditions of pods."""

    client: Client
    clock: Clock

    async def reconcile(self, pod: Pod) -> Result:
        """Take the condition back, when it is time to."""
        left = remaining(pod, self.clock.now())
        if left is None:
            return DONE
        if left > 0:
            return Result(left)
        meta = pod.metadata
        path = pod.resource.path(meta.name, meta.namespace)
        try:
            fresh = await self.client.call("GET", path)
            await self._clear(msgspec.json.decode(fresh, type=Pod), msgspec.json.decode(fresh))
        except StatusError as error:
            if error.code != 404:
                raise
        return DONE

    async def _clear(self, pod: Pod, plain: Json) -> None:
        now = self.clock.now()
        left = remaining(pod, now)
        if left is None or left > 0:
            return
        meta = pod.metadata
        patch = {
            # With the revision: whoever evicts it just now is right.
            "metadata": {"resourceVersion": meta.resource_version},
            "status": {"conditions": cleared(plain, timestamp(now))},
        }
        await self.client.merge(
            pod.resource, meta.name, meta.namespace, patch, subresource="status"
        )


def remaining(pod: Pod, now: datetime) -> float | None:
    """Seconds until the pod's condition is stale; None where it has none that could be."""
    found = condition(pod.status.conditions, TARGET)
    if found is None or found.status != "True" or found.reason == BY_NODE:
        return None
    if pod.metadata.deletion_timestamp is not None or pod.finished:
        return None
    if found.last_transition_time is None:
        return 0.0
    elapsed = (now - parse_timestamp(found.last_transition_time)).total_seconds()
    return max(PATIENCE - elapsed, 0.0)


def cleared(plain: Json, now: str) -> list[Json]:
    """The pod's conditions, with that one taken back."""
    conditions: list[Json] = plain["status"]["conditions"]
    return [_taken_back(one, now) if one["type"] == TARGET else one for one in conditions]


def _taken_back(condition: Json, now: str) -> Json:
    seen = condition.get("observedGeneration")
    told = {"observedGeneration": seen} if seen else {}
    return {"type": TARGET, "status": "False", "lastTransitionTime": now, **told}


def disruption_targets(manager: Manager) -> Controller[Pod]:
    """The controller, on the manager's caches."""
    targets = DisruptionTargets(manager.client_as(NAME), manager.clock)
    return Controller(
        name=NAME,
        informer=manager.informer(Pod),
        reconcile=targets.reconcile,
        concerns=lambda pod: condition(pod.status.conditions, TARGET) is not None,
    )
