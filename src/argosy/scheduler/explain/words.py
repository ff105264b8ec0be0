"""The reason in one sentence, in words of who uses Kubernetes."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

import numpy as np

from argosy.api.core import Taint
from argosy.api.tolerations import untolerated
from argosy.base import quantity
from argosy.scheduler.columns import Columns
from argosy.scheduler.explain.hurdles import (
    AFFINITY,
    CORDON,
    FIT,
    PINNED,
    SELECTOR,
    TAINTS,
    Look,
    NodeRows,
)
from argosy.scheduler.explain.reasons import Dominant
from argosy.scheduler.framework import Mask
from argosy.scheduler.plugins.node_unschedulable import CORDONED
from argosy.scheduler.plugins.taint_toleration import FORBIDDING
from argosy.scheduler.shape import LARGEST, Shape

LONGEST = 200
MOST_HOLDERS = 3
_MEBI = 2**20


def sentence(nodes: Columns, look: Look, reason: Dominant, *, brief: bool = False) -> str:
    """At most 200 characters on why no node takes the pod; `brief` leaves out what is free now."""
    words = _WORDS.get(reason.hurdle.plugin, _other)
    return cut(words(nodes, look, reason, brief))


def cut(text: str, longest: int = LONGEST) -> str:
    """`text`, shortened at its end where it is too long."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def shown(resource: str, amount: int) -> str:
    """An amount in a node's units, as people write it; bytes are rounded down to what is short."""
    if amount > LARGEST:
        return "too much"
    if resource == "cpu":
        return quantity.decimal(Decimal(amount) / 1000)
    if amount >= _MEBI and resource in ("memory", "ephemeral-storage"):
        return quantity.binary(amount - amount % _MEBI)
    return str(amount)


def left(nodes: Columns, resource: str, row: int) -> int:
    """How much is free on a node; less than nothing where it has more pods than room."""
    column = nodes.column(resource)
    return int(nodes.allocatable[row, column] - nodes.requested[row, column])


def roomiest(nodes: Columns, resource: str, rows: Mask) -> int:
    """The row that has most of a resource free."""
    found: NodeRows = np.flatnonzero(rows)
    column = nodes.column(resource)
    free = nodes.allocatable[found, column] - nodes.requested[found, column]
    return int(found[int(free.argmax())])


def holders(nodes: Columns, resource: str, row: int, most: int = MOST_HOLDERS) -> str:
    """Who has most of a node's resource: `default/train-0 (2), default/b (1) and 3 more`."""
    held = [
        (amount, "/".join(occupant.pod.key))
        for occupant in nodes.pods_on(nodes.names[row])
        if (amount := dict(occupant.request.amounts).get(resource, 0))
    ]
    if resource == "pods":
        return ""
    held.sort(key=lambda item: (-item[0], item[1]))
    told = ", ".join(f"{name} ({shown(resource, amount)})" for amount, name in held[:most])
    return f"{told} and {len(held) - most} more" if len(held) > most else told


def in_question(failed: Mask, among: Mask) -> str:
    """How many of the nodes in question, as the subject of a sentence."""
    number, of = int(failed.sum()), int(among.sum())
    if of == 1:
        return "the only node that could take it"
    return f"{'all' if number == of else f'{number} of'} {of} nodes that could take it"


def _fit(nodes: Columns, look: Look, reason: Dominant, brief: bool) -> str:
    resource = reason.hurdle.part
    asked = dict(look.shape.request.amounts)[resource]
    column = nodes.column(resource)
    if reason.never:
        rows = _otherwise(look, reason)
        most = int(nodes.allocatable[np.flatnonzero(rows), column].max(initial=0))
        if not most:
            return f"The pod asks for {resource}, which no node {_it_may_use(look, rows)}has."
        told = f"no node {_it_may_use(look, rows)}has more than {shown(resource, most)}"
        return f"Too large: the pod asks for {shown(resource, asked)} {resource}, {told}."
    row = roomiest(nodes, resource, reason.failed)
    name, whole = nodes.names[row], int(nodes.allocatable[row, column])
    free = shown(resource, max(0, left(nodes, resource, row)))
    if resource == "pods":
        most_pods = f"{name} takes at most {whole} pods" if whole else f"{name} takes none"
        return f"Cluster full: no node has room for one more pod; {most_pods}."
    start = f"Not enough {resource}: the pod asks for {shown(resource, asked)}"
    if brief:
        return f"{start}, no node that could take it has so much free."
    place = f"{name} has most free, {free} of {shown(resource, whole)}"
    held = holders(nodes, resource, row)
    whole_text = f"{start}; {place}, held by {held}."
    return whole_text if held and len(whole_text) <= LONGEST else f"{start}; {place}."


def _it_may_use(look: Look, rows: Mask) -> str:
    return "" if rows.sum() == look.live.sum() else "it may use "


def _otherwise(look: Look, reason: Dominant) -> Mask:
    """The nodes that would do but for this; all where there are none."""
    rows = look.live.copy()
    for hurdle in look.hurdles:
        if hurdle is not reason.hurdle and hurdle.plugin != FIT:
            rows &= ~hurdle.never
    return rows if rows.any() else look.live


def _taints(nodes: Columns, look: Look, reason: Dominant, brief: bool) -> str:
    subject = in_question(reason.failed, reason.among)
    verb = "has" if reason.among.sum() == 1 else "have"
    sets = nodes.taint_ids[np.flatnonzero(reason.failed)]
    kinds, counts = np.unique(sets, return_counts=True)
    taints = forbidding(nodes.taint_sets[int(kinds[counts.argmax()])], look.shape)
    more = " and others" if len(kinds) > 1 or len(taints) > 1 else ""
    told = f"{written(taints[0])}{more}"
    return f"Taints: {subject} {verb} taint {told}, which the pod does not tolerate."


def forbidding(taints: Sequence[Taint], shape: Shape) -> list[Taint]:
    """The taints that keep the pod away, but for that of cordoned nodes."""
    found = untolerated(taints, shape.tolerations, FORBIDDING)
    return [taint for taint in found if taint.key != CORDONED.key]


def written(taint: Taint) -> str:
    """A taint as kubectl writes it."""
    return f"{taint.key}{f'={taint.value}' if taint.value else ''}:{taint.effect}"


def _cordon(nodes: Columns, look: Look, reason: Dominant, brief: bool) -> str:
    subject = in_question(reason.failed, reason.among)
    verb = "is" if reason.among.sum() == 1 else "are"
    names = _names(nodes, reason.failed)
    return f"Cordoned: {subject} {verb} marked unschedulable ({names})."


def _affinity(nodes: Columns, look: Look, reason: Dominant, brief: bool) -> str:
    if reason.hurdle.part == SELECTOR:
        wanted = ", ".join(f"{key}={value}" for key, value in look.shape.node_selector)
        return cut(f"No node has the labels of the pod's nodeSelector: {wanted}", LONGEST - 1) + "."
    if reason.hurdle.plugin == PINNED:
        return "The one node that the pod requires by its name does not exist or can't take it."
    return "No node matches the pod's required node affinity."


def _ports(nodes: Columns, look: Look, reason: Dominant, brief: bool) -> str:
    subject = in_question(reason.failed, reason.among)
    numbers = ", ".join(str(port.number) for port in look.shape.ports)
    return f"Host port {numbers} is taken on {subject}."


def _volumes(nodes: Columns, look: Look, reason: Dominant, brief: bool) -> str:
    subject = in_question(reason.failed, reason.among)
    return f"Volumes: {subject} can't use the pod's volumes ({_told(look, reason)})."


def _devices(nodes: Columns, look: Look, reason: Dominant, brief: bool) -> str:
    rows = np.flatnonzero(reason.failed)
    told = next(iter(reason.hurdle.reasons(rows[:1])))
    if reason.never:
        return f"No node has devices for the pod's claims: {told}."
    name = nodes.names[int(rows[0])]
    return f"Devices in use: {in_question(reason.failed, reason.among)}: {told} on {name}."


def _other(nodes: Columns, look: Look, reason: Dominant, brief: bool) -> str:
    told = _told(look, reason)
    subject = in_question(reason.failed, reason.among)
    if reason.never:
        return f"No node will do: {told}."
    return f"{subject[0].upper()}{subject[1:]}: {told}."


def _told(look: Look, reason: Dominant) -> str:
    """The commonest of the plugin's own reasons; its name, where it gives none."""
    counts = reason.hurdle.reasons(np.flatnonzero(reason.failed))
    return max(sorted(counts), key=lambda text: counts[text], default=reason.hurdle.plugin)


def _names(nodes: Columns, rows: Mask, most: int = 3) -> str:
    found = [nodes.names[int(row)] for row in np.flatnonzero(rows)[: most + 1]]
    return ", ".join(found[:most]) + (", …" if len(found) > most else "")


Words = Callable[[Columns, Look, Dominant, bool], str]
_WORDS: Mapping[str, Words] = MappingProxyType(
    {
        FIT: _fit,
        TAINTS: _taints,
        CORDON: _cordon,
        AFFINITY: _affinity,
        PINNED: _affinity,
        "NodePorts": _ports,
        "VolumeBinding": _volumes,
        "VolumeZone": _volumes,
        "NodeVolumeLimits": _volumes,
        "VolumeRestrictions": _volumes,
        "DynamicResources": _devices,
    }
)
