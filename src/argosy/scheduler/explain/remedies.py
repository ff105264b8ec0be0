"""What might help at one node: a remedy for each hurdle that it fails.

A remedy edits the pods that wait, or the node, or takes pods away. It is only a guess at what would
help: whether it does is tried (see fixes).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import msgspec

from argosy.api.core import Node, Pod, Taint
from argosy.api.nodeaffinity import REQUIRED
from argosy.scheduler.explain.closest import missing_labels, taints_of
from argosy.scheduler.explain.edits import (
    NodeEdit,
    PodEdit,
    asking,
    labelled,
    same,
    tolerating,
    uncordoned,
    untainted,
    without_host_ports,
    without_labels,
    without_required,
    without_spread,
)
from argosy.scheduler.explain.hurdles import (
    AFFINITY,
    CORDON,
    FIT,
    PINNED,
    SELECTOR,
    TAINTS,
    Hurdle,
    Look,
)
from argosy.scheduler.explain.snapshot import Change, Swap
from argosy.scheduler.explain.words import left, shown, written
from argosy.scheduler.state import State

HOSTNAME = "kubernetes.io/hostname"
OWN_TAINTS = "node.kubernetes.io/"
"""Taints that tell of a node's state: to tolerate them puts the pod on a broken node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A change and how it is told: `text` is what to do, `command` does it where one can.

    `size` tells small changes from large ones; `start` is when the pod would start, where that is
    known. Of remedies that are `alike`, the first one will do.
    """

    kind: str
    text: str
    size: int
    command: str = ""
    pod: PodEdit = field(default=same)
    node: NodeEdit = field(default=same)
    others: Change = ()
    start: str = ""
    alike: str = ""

    def change(self, state: State, pods: Sequence[Pod], row: int | None) -> Change:
        """The change for the pods that wait, at the node of `row`."""
        swaps: list[Swap] = list(self.others)
        for old in pods:
            swaps.append((old, self.pod(old)))
        if row is not None and self.node is not same:
            node = state.nodes.node(row)
            swaps.append((node, self.node(node)))
        return tuple(swap for swap in swaps if swap[0] is not swap[1])


def together(parts: Sequence[Remedy]) -> Remedy:
    """Several remedies as one."""
    if len(parts) == 1:
        return parts[0]

    def pod(item: Pod) -> Pod:
        for part in parts:
            item = part.pod(item)
        return item

    node: NodeEdit = same
    for part in parts:
        node = part.node if part.node is not same else node
    others = tuple(swap for part in parts for swap in part.others)
    return Remedy(
        kind="+".join(part.kind for part in parts),
        text=" and ".join(part.text for part in parts),
        size=100 * (len(parts) - 1) + sum(part.size for part in parts),
        command=" && ".join(part.command for part in parts if part.command),
        pod=pod,
        node=node,
        others=others,
        alike=" and ".join(part.alike or part.text for part in parts),
    )


def remedies(state: State, look: Look, hurdle: Hurdle, row: int) -> list[Remedy]:
    """What might get the pod over `hurdle` at a node, the smaller change first."""
    return list(_remedies(state, look, hurdle, row))


def _remedies(state: State, look: Look, hurdle: Hurdle, row: int) -> Iterator[Remedy]:
    name = state.nodes.names[row]
    if hurdle.plugin == TAINTS:
        yield from _taints(name, taints_of(state, look, row))
    elif hurdle.plugin == CORDON:
        command = f"kubectl uncordon {name}"
        text = f"uncordon node {name}"
        yield Remedy(kind="Uncordon", text=text, size=3, command=command, node=uncordoned)
    elif hurdle.plugin == FIT:
        yield from _less(state, look, hurdle.part, row)
    elif hurdle.part == SELECTOR:
        yield from _labels(state, look, row)
    elif hurdle.plugin in (AFFINITY, PINNED):
        yield from _affinity(look, name)
    else:
        for text, edit in _DROPS.get(hurdle.plugin, ()):
            yield Remedy(kind="Drop", text=text, size=6, pod=edit)


def _taints(name: str, taints: Sequence[Taint]) -> Iterator[Remedy]:
    if any(taint.key.startswith(OWN_TAINTS) for taint in taints):
        return
    told = " and ".join(written(taint) for taint in taints)
    command = f"kubectl taint node {name} " + " ".join(f"{written(taint)}-" for taint in taints)
    yield Remedy(kind="Tolerate", text=f"tolerate taint {told}", size=2, pod=tolerating(*taints))
    yield Remedy(
        kind="RemoveTaint",
        text=f"take taint {told} off node {name}",
        size=5,
        command=command,
        node=untainted(*taints),
    )


def _less(state: State, look: Look, resource: str, row: int) -> Iterator[Remedy]:
    most = left(state.nodes, resource, row)
    if resource == "pods" or most <= 0:
        return
    asked = dict(look.shape.request.amounts)[resource]
    text = f"ask for {shown(resource, most)} {resource} instead of {shown(resource, asked)}"
    edit = asking(resource, most)
    yield Remedy(kind="AskLess", text=text, size=7, pod=edit, alike=f"less {resource}")


def _labels(state: State, look: Look, row: int) -> Iterator[Remedy]:
    """The pod's nodeSelector: less of it, or a label more."""
    missing = missing_labels(state, look, row)
    yield _label(state.nodes.names[row], missing)
    told = ", ".join(f"{key}={value}" for key, value in missing.items())
    yield Remedy(
        kind="DropSelector",
        text=f"drop {told} from the pod's nodeSelector",
        size=5,
        pod=without_labels(*missing),
    )


def _label(name: str, labels: Mapping[str, str]) -> Remedy:
    told = " ".join(f"{key}={value}" for key, value in labels.items())
    return Remedy(
        kind="Label",
        text=f"label node {name} {told}",
        size=4,
        command=f"kubectl label node {name} {told} --overwrite",
        node=labelled(labels),
    )


def _affinity(look: Look, name: str) -> Iterator[Remedy]:
    """The pod's required node affinity: none of it, or the labels that its first term asks for."""
    labels = _asked_labels(look.shape.affinity)
    if labels:
        yield _label(name, labels)
    text = "drop the pod's required node affinity"
    yield Remedy(kind="Drop", text=text, size=6, pod=without_required("nodeAffinity"))


def _asked_labels(affinity: str) -> dict[str, str]:
    """Labels by which a node matches the first required term; none where labels won't do."""
    rules = msgspec.json.decode(affinity) if affinity else {}
    terms = (rules.get(REQUIRED) or {}).get("nodeSelectorTerms") or [{}]
    items = terms[0].get("matchExpressions") or ()
    if terms[0].get("matchFields") or any(item["operator"] not in _BY_LABEL for item in items):
        return {}
    return {item["key"]: (item.get("values") or ["true"])[0] for item in items}


_BY_LABEL = ("In", "Exists")
_DROPS: Mapping[str, tuple[tuple[str, PodEdit], ...]] = MappingProxyType(
    {
        "PodTopologySpread": (("drop the pod's topology spread constraints", without_spread),),
        "NodePorts": (("drop the pod's host ports", without_host_ports),),
        "InterPodAffinity": (
            ("drop the pod's required pod affinity", without_required("podAffinity")),
            ("drop the pod's required pod anti-affinity", without_required("podAntiAffinity")),
        ),
    }
)


def like(node: Node, number: int) -> Remedy:
    """So many more nodes of the same sort, with nobody on them."""
    name = node.metadata.name
    made = tuple((None, _copy(node, f"{name}-more-{index}")) for index in range(number))
    many = "one more node" if number == 1 else f"{number} more nodes"
    return Remedy(kind="AddNode", text=f"add {many} like {name}", size=90, others=made)


def _copy(node: Node, name: str) -> Node:
    replace = msgspec.structs.replace
    labels = {**node.metadata.labels, HOSTNAME: name}
    meta = replace(node.metadata, name=name, uid=f"new-{name}", labels=labels)
    return uncordoned(replace(node, metadata=meta))
