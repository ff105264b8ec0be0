"""What a pod is, once on a node, for the placing of others: what it uses, and what it shows.

The rules of other pods see its namespace, its labels and whether it is on its way out (`Identity`).
What it brings along to be counted by node (host ports, the terms of its own affinity, volumes that
can't be had twice, the team that it is a rank of) are its marks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from argosy.api.core import Pod
from argosy.scheduler.shape import Request, host_ports, request_of
from argosy.scheduler.terms import Rules, rules_of
from argosy.scheduler.work import team_of

Room = Literal["port", "apart", "together", "preferred", "claim", "disk", "team"]


class Mark(NamedTuple):
    """Something that is counted by node: a kind of thing, and which."""

    room: Room
    key: Any


class Disk(NamedTuple):
    """A volume that pods of one node can't share freely."""

    kind: str
    id: tuple[str, ...]
    read_only: bool


class Identity(NamedTuple):
    """What selectors see of a pod."""

    namespace: str
    labels: tuple[tuple[str, str], ...]
    terminating: bool


@dataclass(frozen=True, slots=True)
class Occupant:
    """A pod on a node. Equal where nothing differs that the placing of others depends on."""

    request: Request
    identity: Identity
    marks: tuple[Mark, ...] = ()
    pod: Pod = field(compare=False, kw_only=True)


def occupant_of(pod: Pod, request: Request | None = None) -> Occupant:
    """What `pod` is on a node; `request` where it is known. Raises ValueError if it is broken."""
    meta = pod.metadata
    labels = tuple(sorted(meta.labels.items()))
    identity = Identity(meta.namespace, labels, meta.deletion_timestamp is not None)
    rules = rules_of(meta.namespace, pod.spec.affinity)
    marks = (*_rule_marks(rules), *_port_marks(pod), *_volume_marks(pod), *_team_marks(pod))
    return Occupant(request or request_of(pod), identity, marks, pod=pod)


def bare(pod: Pod) -> Occupant:
    """`pod` as a pod of its node and no more: what is said of a broken one."""
    meta = pod.metadata
    identity = Identity(meta.namespace, (), meta.deletion_timestamp is not None)
    return Occupant(Request((("pods", 1),), (0, 0)), identity, pod=pod)


def claim_names(pod: Pod) -> Iterator[str]:
    """The volume claims that `pod` mounts, those made for it alone by their names too."""
    for volume in pod.spec.volumes:
        if claim := volume.get("persistentVolumeClaim"):
            yield str(claim.get("claimName", ""))
        elif "ephemeral" in volume:
            yield f"{pod.metadata.name}-{volume['name']}"


def disks(pod: Pod) -> Iterator[Disk]:
    """The volumes of `pod` that another pod of its node may not have at the same time."""
    for volume in pod.spec.volumes:
        if source := volume.get("gcePersistentDisk"):
            yield Disk("gce", (str(source.get("pdName", "")),), bool(source.get("readOnly")))
        elif source := volume.get("awsElasticBlockStore"):
            yield Disk("aws", (str(source.get("volumeID", "")),), False)
        elif source := volume.get("iscsi"):
            yield Disk("iscsi", (str(source.get("iqn", "")),), bool(source.get("readOnly")))
        elif source := volume.get("rbd"):
            image = (str(source.get("pool") or "rbd"), str(source.get("image", "")))
            for monitor in source.get("monitors") or ():
                yield Disk("rbd", (str(monitor), *image), bool(source.get("readOnly")))


def _rule_marks(rules: Rules) -> Iterator[Mark]:
    for term in dict.fromkeys(rules.apart):
        yield Mark("apart", term)
    for term in rules.together:
        yield Mark("together", term)
    for weighed in rules.preferred:
        yield Mark("preferred", weighed)


def _port_marks(pod: Pod) -> Iterator[Mark]:
    return (Mark("port", port) for port in host_ports(pod))


def _team_marks(pod: Pod) -> tuple[Mark, ...]:
    team = team_of(pod)
    return () if team is None else (Mark("team", team),)


def _volume_marks(pod: Pod) -> Iterator[Mark]:
    if not pod.spec.volumes:
        return
    for name in dict.fromkeys(claim_names(pod)):
        yield Mark("claim", (pod.metadata.namespace, name))
    for disk in dict.fromkeys(disks(pod)):
        yield Mark("disk", disk)
