"""Deletes pods from nodes with `NoExecute` taints, once each pod's tolerations have run out.

How long a pod stays with a taint is counted from when both were seen together here, so a process
that was away for an hour evicts nobody for what it missed; nor does one that was stopped, or could
not reach the server, when the time came: neither could the node. A pod that stays with all taints,
or whose node lost them, is left alone. The pod is told first that it is to be disrupted
(`DisruptionTarget`): its controller can tell eviction from failure. Source: Kubernetes' taint
eviction controller; with several taints it counts each one's time from that taint, not from the
first.
"""

from collections.abc import Iterable, Mapping, Sequence

from argosy.api.core import Node, Pod, Taint, Toleration
from argosy.api.meta import Key
from argosy.api.tolerations import tolerates
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.nodelifecycle.placed import Placed
from argosy.controllers.podcontrol import has_left
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/tainteviction"
COMPONENT = "taint-eviction-controller"
EFFECT = "NoExecute"
REASON = "DeletionByTaintManager"
MESSAGE = "Taint manager: deleting due to NoExecute taint"
EVENT = "TaintManagerEviction"
LATE = 60.0
"""Seconds after which a time that has come was missed, and is counted anew."""
NEVER = float("inf")
AT_ONCE = float("-inf")


Since = Mapping[Taint, float]
"""Taints, and since when each is borne (monotonic seconds)."""


def patience(taint: Taint, tolerations: Sequence[Toleration]) -> float:
    """Seconds for which a pod stays with the taint: for none, for ever, or as its first toleration
    that covers it says."""
    for toleration in tolerations:
        if tolerates(toleration, taint):
            seconds = toleration.toleration_seconds
            return NEVER if seconds is None else float(max(seconds, 0))
    return 0.0


def deadline(tolerations: Sequence[Toleration], since: Since) -> float:
    """When a pod has to go whose node has these taints, each since then; NEVER where it may stay.

    A pod that doesn't bear a taint at all had to go before.
    """
    left = {taint: patience(taint, tolerations) for taint in since}
    if any(seconds <= 0 for seconds in left.values()):
        return AT_ONCE
    return min((since[taint] + seconds for taint, seconds in left.items()), default=NEVER)


def evicting(node: Node) -> tuple[Taint, ...]:
    """The taints that evict."""
    return tuple(taint for taint in node.spec.taints if taint.effect == EFFECT)


def borne(taints: Iterable[Taint], before: Since, now: float) -> Since:
    """Since when a pod bears these taints that bore those `before`."""
    return {taint: before.get(taint, now) for taint in taints}


class TaintEviction:
    """Remembers since when which pod bears which taint."""

    def __init__(self, client: Client, clock: Clock, nodes: Informer[Node], placed: Placed) -> None:
        self._client, self._clock, self._placed = client, clock, placed
        self._events = EventRecorder(client, clock, COMPONENT)
        self._tainted: dict[str, dict[str, Since]] = {}  # by node, by the pod's uid
        nodes.subscribe(self._changed)

    async def reconcile(self, node: Node) -> Result:
        """Delete the pods of the node whose time has come, and come again for the next one."""
        taints, name = evicting(node), node.metadata.name
        if not taints and name not in self._tainted:
            return DONE
        pods, now = self._placed.on(name), self._clock.monotonic()
        before = self._tainted.get(name, {})
        after = {uid: borne(taints, before.get(uid, {}), now) for uid in map(_uid, pods)}
        self._tainted[name] = after
        due, refused = [NEVER], []
        for pod in pods:
            was_due = deadline(pod.spec.tolerations, before.get(_uid(pod), {}))
            try:
                due.append(await self._handle(pod, after, was_due, now))
            except StatusError as error:  # the others must not stay for it
                refused.append(error)
        if refused:
            raise refused[0]
        if not taints:
            self._tainted.pop(name, None)
        left = min(due) - self._clock.monotonic()
        return DONE if left == NEVER else Result(max(left, 0.0))

    def nodes(self, pod: Pod) -> Iterable[Key]:
        """The node that has to be looked at when this pod changes."""
        return [("", pod.spec.node_name)] if pod.spec.node_name in self._tainted else ()

    async def _handle(
        self, pod: Pod, bearing: dict[str, Since], was_due: float, now: float
    ) -> float:
        """Delete the pod if it is time to; else when it will be."""
        if pod.metadata.deletion_timestamp is not None:
            return NEVER
        tolerations, uid = pod.spec.tolerations, _uid(pod)
        due = deadline(tolerations, bearing[uid])
        if AT_ONCE < due <= now - LATE:
            bearing[uid] = dict.fromkeys(bearing[uid], now)
            due = deadline(tolerations, bearing[uid])
        if due <= now:
            await self._evict(pod)
            return NEVER
        if due == NEVER and was_due != NEVER:
            await self._tell(pod, f"Cancelling deletion of Pod {'/'.join(pod.key)}")
        return due

    async def _evict(self, pod: Pod) -> None:
        meta = pod.metadata
        await self._tell(pod, f"Marking for deletion Pod {'/'.join(pod.key)}")
        told = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": REASON,
            "message": MESSAGE,
            "lastTransitionTime": timestamp(self._clock.now()),
        }
        body = {
            "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid},
            "status": {"conditions": [told]},
        }
        try:
            await self._client.apply(Pod.resource, body, subresource="status")
        except StatusError as error:
            if not await has_left(self._client, pod, error):
                raise
            return
        await self._client.delete(Pod.resource, meta.name, meta.namespace, uid=meta.uid)

    async def _tell(self, pod: Pod, text: str) -> None:
        await self._events.record(pod, Note(EVENT, text))

    def _changed(self, old: Node | None, new: Node | None) -> None:
        if old is not None and new is None:
            self._tainted.pop(old.metadata.name, None)


def _uid(pod: Pod) -> str:
    return pod.metadata.uid


def taint_eviction(manager: Manager, placed: Placed) -> Controller[Node]:
    """The controller, on the manager's caches."""
    nodes, pods = manager.informer(Node), manager.informer(Pod)
    eviction = TaintEviction(manager.client_as(NAME), manager.clock, nodes, placed)
    return Controller(
        name=NAME,
        informer=nodes,
        reconcile=eviction.reconcile,
        watches=(Watch(pods, eviction.nodes),),
    )
