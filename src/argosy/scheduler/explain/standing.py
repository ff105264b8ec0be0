"""What is to be said of a pod before any node is looked at."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from argosy.api.core import Pod
from argosy.api.meta import condition
from argosy.scheduler.explain.looking import StoppedError
from argosy.scheduler.explain.snapshot import Snapshot

SCHEDULABLE = "Nothing stands in its way: it fits as things are now, and should be placed shortly."
DEFAULT_SCHEDULER = "default-scheduler"
SERVED = (DEFAULT_SCHEDULER, "argosy")
GATES: Mapping[str, str] = MappingProxyType(
    {"kueue.x-k8s.io/": "Kueue removes it when it admits the workload"}
)
"""Who takes gates with these beginnings away, and when."""
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "persistentvolumeclaim": "PersistentVolumeClaim",
        "resourceclaim": "ResourceClaim",
        "deviceclass": "DeviceClass",
    }
)
_RESERVED = re.compile(r"had room reserved for (gang [^\s,]+?)[.,](?:\s|$)")
_COUNT = re.compile(r"^0/\d+ nodes are available: ")


@dataclass(frozen=True, slots=True)
class Standing:
    """A word for programs and a sentence for people."""

    reason: str
    text: str


def of(snapshot: Snapshot, pod: Pod) -> Standing | None:
    """Why no scheduler has anything to decide about the pod; None where one has."""
    if pod.finished:
        return Standing("Finished", f"The pod has ended: {pod.status.phase}.")
    if pod.metadata.deletion_timestamp:
        return Standing("Deleting", "The pod is being deleted.")
    if pod.spec.node_name:
        return Standing("Scheduled", _on_node(pod))
    return None


def gated(pod: Pod) -> str:
    """The gates, and who takes them away where that is known."""
    names = [gate.name for gate in pod.spec.scheduling_gates]
    who = next((text for start, text in GATES.items() if names[0].startswith(start)), "")
    told = f'"{names[0]}"' + (f" and {len(names) - 1} more" if len(names) > 1 else "")
    plural = "s" if len(names) > 1 else ""
    return f"Held back by scheduling gate{plural} {told}{f': {who}' if who else ''}."


def kept_out(pod: Pod) -> str:
    """For whom room is reserved that the pod would have, as the scheduler has told; empty where it
    has not: reservations are nowhere but in its memory."""
    told = condition(pod.status.conditions, "PodScheduled")
    found = _RESERVED.search(told.message) if told is not None else None
    return f"The room that it would have is reserved for {found[1]}." if found else ""


def unserved(pod: Pod) -> str:
    """By which name the pod asks for a scheduler."""
    return f'No scheduler serves the pod: its schedulerName is "{pod.spec.scheduler_name}".'


def nominated(pod: Pod) -> str:
    """Where room is being made for the pod."""
    node = pod.status.nominated_node_name
    return f"Room is being made on node {node}: it waits for the pods evicted there to end."


def stopped(error: StoppedError) -> str:
    """What a plugin said of the pod, as a sentence."""
    text = _COUNT.sub("", str(error))
    for written, kind in KINDS.items():
        text = text.replace(f'{written} "', f'{kind} "')
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def served(snapshot: Snapshot, name: str) -> bool:
    """Whether a scheduler of this name is known, or has told of any pod."""
    return name in SERVED or any(
        pod.spec.scheduler_name == name
        and (pod.spec.node_name or condition(pod.status.conditions, "PodScheduled"))
        for pod in snapshot.of(Pod).values()
    )


def _on_node(pod: Pod) -> str:
    statuses = (*pod.status.init_container_statuses, *pod.status.container_statuses)
    waiting = (item.state.waiting for item in statuses if item.state.waiting)
    told = next((item for item in waiting if item.reason), None)
    if pod.status.phase != "Pending":
        return f"Not pending: the pod is on node {pod.spec.node_name} ({pod.status.phase})."
    why = f"; its container waits: {told.reason} {told.message}".rstrip() if told else ""
    return f"Placed on node {pod.spec.node_name}, not running yet{why}."
