"""A workload's pods, and why there are none, or too few: what its controller and events say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argosy.api.core import Pod
from argosy.api.meta import Object
from argosy.scheduler.explain.standing import Standing
from argosy.scheduler.explain.words import cut

Json = Mapping[str, Any]
FAILED = ("FailedCreate", "FailedCreatePod", "ReplicaSetCreateError")
QUEUE = "kueue.x-k8s.io/queue-name"
DEEPEST = 8
"""So many owners stand between a pod and what it is asked about by, at most."""


@dataclass(frozen=True, slots=True)
class Workload:
    """An object that pods are made for, as plain JSON."""

    kind: str
    body: Json

    @property
    def called(self) -> str:
        """Its kind, namespace and name."""
        meta = self.body["metadata"]
        return f"{self.kind} {meta['namespace']}/{meta['name']}"

    @property
    def uid(self) -> str:
        """What owner references to it say."""
        return str(self.body["metadata"].get("uid", ""))


def pods_of(workload: Workload, pods: Iterable[Pod], owners: Iterable[Object]) -> list[Pod]:
    """The pods that belong to the workload, over `owners` between them."""
    meta = workload.body["metadata"]
    if workload.kind == "PodGroup":
        here = (pod for pod in pods if pod.metadata.namespace == meta["namespace"])
        return [pod for pod in here if _group(pod) == meta["name"]]
    above = {owner.metadata.uid: _controller(owner) for owner in owners}
    return [pod for pod in pods if _belongs(pod, workload.uid, above)]


def _group(pod: Pod) -> str:
    return pod.spec.scheduling_group.pod_group_name if pod.spec.scheduling_group else ""


def _controller(item: Object) -> str:
    return item.controller.uid if item.controller else ""


def _belongs(pod: Pod, uid: str, above: Mapping[str, str]) -> bool:
    owner = _controller(pod)
    for _ in range(DEEPEST):
        if owner == uid:
            return True
        owner = above.get(owner, "")
    return False


def without_pods(workload: Workload, events: Sequence[Json]) -> Standing:
    """Why a workload has no pod that waits. `events` are those of it and what it owns."""
    spec = workload.body.get("spec") or {}
    if spec.get("suspend"):
        queue = (workload.body["metadata"].get("labels") or {}).get(QUEUE)
        who = f': Kueue starts it when queue "{queue}" admits it' if queue else ""
        return Standing("Suspended", f"{workload.called} is suspended{who}.")
    if ended := _condition(workload, ("Complete", "Failed")):
        return Standing("Finished", cut(f"{workload.called} has ended: {_why(ended)}."))
    if spec.get("replicas") == 0 or spec.get("parallelism") == 0:
        return Standing("NoneWanted", f"{workload.called} asks for no pods.")
    if refused := refused_pods(workload, events):
        return refused
    if spec.get("paused"):
        return Standing("Paused", f"{workload.called} is paused.")
    return Standing("NoPods", f"{workload.called} has no pods yet: its controller makes them.")


def wants_more(workload: Workload, there: int) -> bool:
    """Whether there are to be more pods than `there`, which have not ended."""
    spec, status = workload.body.get("spec") or {}, workload.body.get("status") or {}
    if workload.kind != "Job":
        return there < int(spec.get("replicas") or 0)
    wanted = int(spec.get("parallelism") or 0)
    if spec.get("completions") is not None:
        wanted = min(wanted, int(spec["completions"]) - int(status.get("succeeded") or 0))
    return there < wanted


def refused_pods(workload: Workload, events: Sequence[Json]) -> Standing | None:
    """What keeps its pods from being made, as far as the API has refused them."""
    refused = _refused(workload, events)
    if not refused:
        return None
    reason = "QuotaExceeded" if "exceeded quota" in refused else "PodsRefused"
    return Standing(reason, cut(f"Its pods can't be created: {_short(refused)}"))


def _refused(workload: Workload, events: Sequence[Json]) -> str:
    """What the API said as a pod was to be created; the newest, empty where it did not refuse."""
    failed = [event for event in events if event.get("reason") in FAILED]
    if failed:
        return str(max(failed, key=_moment).get("message", ""))
    condition = _condition(workload, ("ReplicaFailure",))
    return str(condition.get("message", "")) if condition else ""


def _condition(workload: Workload, kinds: Sequence[str]) -> Json | None:
    """The first condition of these types that is true."""
    conditions: Sequence[Json] = (workload.body.get("status") or {}).get("conditions") or ()
    true = (item for item in conditions if item.get("status") == "True")
    return next((item for item in true if item.get("type") in kinds), None)


def _why(condition: Json) -> str:
    return str(condition.get("message") or condition.get("reason") or condition["type"])


def _moment(event: Json) -> str:
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("eventTime"), event.get("lastTimestamp"))
    return next((str(moment) for moment in times if moment), "")


def _short(message: str) -> str:
    """Without what every such message begins with."""
    text = message.removeprefix("Error creating: ")
    return text if text.endswith(".") else f"{text}."
