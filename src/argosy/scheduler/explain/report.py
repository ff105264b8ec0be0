"""The whole answer for one pod: the reason, what each filter removes, who is close, what helps.

`explain` goes the way of a decision: is the pod one to be placed at all, is it held back, is its
gang there, and then what stands between it and the nodes. Of a gang that fits in part, it is the
first pod without a place that is told about, with the others in theirs.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from argosy.api.core import Node, Pod
from argosy.api.scheduling import CompositePodGroup, PodGroup
from argosy.scheduler.backlog import Backlog, unit_of
from argosy.scheduler.decide import Unit
from argosy.scheduler.explain import standing
from argosy.scheduler.explain.closest import Near, nearest, told
from argosy.scheduler.explain.fixes import Fix, fixes_of
from argosy.scheduler.explain.hurdles import Look
from argosy.scheduler.explain.looking import StoppedError, look_at
from argosy.scheduler.explain.missing import (
    claimed,
    grouped,
    opened,
    served,
    smaller_gang,
    volume_claimed,
)
from argosy.scheduler.explain.reasons import dominant
from argosy.scheduler.explain.snapshot import Snapshot, state_of
from argosy.scheduler.explain.trials import Trials
from argosy.scheduler.explain.words import cut, sentence
from argosy.scheduler.foreigngroups import FAMILIES
from argosy.scheduler.framework import Plugin


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What one filter does: `nodes` fail at it, `alone` of them at nothing else."""

    filter: str
    nodes: int
    alone: int
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Why a pod is pending. `reason` is one word for programs: a plugin's name, or a state.

    `nodes`: how many there are. `feasible`: how many would take the pod as things are.
    """

    pod: str
    reason: str
    headline: str
    nodes: int = 0
    feasible: int = 0
    removed: tuple[Removed, ...] = ()
    closest: tuple[Near, ...] = ()
    fixes: tuple[Fix, ...] = ()


def explain(snapshot: Snapshot, pod: Pod, plugins: Sequence[Plugin], now: datetime) -> Report:
    """Why `pod`, one of the snapshot's, is pending."""
    known = standing.of(snapshot, pod)
    if known is not None:
        nodes = len(snapshot.of(Node))
        return Report(pod=_name(pod), reason=known.reason, headline=cut(known.text), nodes=nodes)
    trials = Trials(state_of(snapshot), plugins, unit_for(snapshot, pod), pod)
    return _Explaining(snapshot, trials, plugins, now).report()


def unit_for(snapshot: Snapshot, pod: Pod) -> Unit:
    """What `pod` is decided with, and what of its gang is placed."""
    backlog = Backlog((pod.spec.scheduler_name,))
    for group in snapshot.of(PodGroup).values():
        backlog.put_group(None, group)
    for composite in snapshot.of(CompositePodGroup).values():
        backlog.put_composite(None, composite)
    key = backlog.top(unit_of(pod))
    for other in snapshot.of(Pod).values():
        if backlog.top(unit_of(other)) == key:
            backlog.put(None, other)
    foreign = FAMILIES[key.family].kind if key.family in FAMILIES else None
    if foreign is not None:
        backlog.put_minimum(key, snapshot.of(foreign).get((key.namespace, key.name)))
    return backlog.unit(key) or Unit(pods=(pod,))


def _name(pod: Pod) -> str:
    return "/".join(pod.key)


@dataclass(frozen=True, slots=True)
class _Explaining:
    """One explanation on its way."""

    snapshot: Snapshot
    trials: Trials
    plugins: Sequence[Plugin]
    now: datetime

    def report(self) -> Report:
        """What holds the pod back as such, else what stands between it and the nodes."""
        trials = self.trials
        pod, unit = trials.pod, trials.unit
        ready = [item for item in unit.pods if not item.spec.scheduling_gates]
        there = unit.bound + len(ready)
        if pod.spec.scheduling_gates:
            return self._short("SchedulingGated", standing.gated(pod), opened(trials))
        if not standing.served(self.snapshot, pod.spec.scheduler_name):
            return self._short("NoScheduler", standing.unserved(pod), served(trials))
        if not self.snapshot.of(Node):
            return self._short("NoNodes", "The cluster has no nodes.")
        if unit.trouble:
            return self._short("GangIncomplete", f'Gang "{unit.gang}": {unit.trouble}.')
        if unit.gang and unit.group is None and unit.composite is None:
            text = f'Its PodGroup "{unit.gang}" does not exist yet.'
            return self._short("GangIncomplete", text, grouped(trials))
        if there < unit.least:
            text = f'Gang "{unit.gang}" is incomplete: {there} of {unit.least} pods are there.'
            return self._short("GangIncomplete", text, smaller_gang(trials, there))
        if trials.placed(()) is not None:
            kept = standing.kept_out(pod)
            reason = "GangReservation" if kept else "Schedulable"
            return self._short(reason, kept or standing.SCHEDULABLE)
        if pod.status.nominated_node_name:
            return self._short("Preempting", standing.nominated(pod))
        try:
            return self._in_gang(ready) if unit.gang else self._looked(pod, "")
        except StoppedError as error:
            reason = error.plugin or "BrokenPod"
            fixes = (*claimed(trials), *volume_claimed(trials))
            return self._short(reason, standing.stopped(error), fixes)

    def _short(self, reason: str, text: str, fixes: tuple[Fix, ...] = ()) -> Report:
        return Report(
            pod=_name(self.trials.pod),
            reason=reason,
            headline=cut(text),
            nodes=len(self.snapshot.of(Node)),
            fixes=fixes,
        )

    def _in_gang(self, ready: Sequence[Pod]) -> Report:
        """About the first pod that has no place beside the others."""
        pod, unit, state = self.trials.pod, self.trials.unit, self.trials.state
        if unit.composite is not None or unit.near is not None:
            told, _, _ = self.trials.told().partition(": 0/")
            return self._short("TopologyPlacement", f"{told[:1].upper()}{told[1:]}.")
        places = self.trials.alone(ready)
        placed = {place.pod.metadata.uid for place in places}
        first = next((item for item in (pod, *ready) if item.metadata.uid not in placed), pod)
        number = unit.bound + len(places)
        start = f'Gang "{unit.gang}": {number} of {unit.least} pods fit. ' if unit.least else ""
        for place in places:
            state.assume(place)
        try:
            report = self._looked(first, start, fix=False)
            look = look_at(state, self.plugins, first)
        finally:
            for place in reversed(places):
                state.retract(place)
        fixes = fixes_of(self.snapshot, self.trials, look, self.now)
        return replace(report, fixes=(*fixes, *smaller_gang(self.trials, number)))

    def _looked(self, pod: Pod, start: str, *, fix: bool = True) -> Report:
        """What stands between `pod` and the nodes as they are now."""
        state = self.trials.state
        look = look_at(state, self.plugins, pod)
        reason = dominant(look)
        if reason is None:
            return self._short("Schedulable", standing.SCHEDULABLE)
        return Report(
            pod=_name(self.trials.pod),
            reason=reason.hurdle.plugin,
            headline=cut(start + sentence(state.nodes, look, reason)),
            nodes=int(look.live.sum()),
            feasible=int((look.live & (look.fails == 0)).sum()),
            removed=removed(look),
            closest=told(state, look, nearest(state, look, reason.among)),
            fixes=fixes_of(self.snapshot, self.trials, look, self.now) if fix else (),
        )


def removed(look: Look) -> tuple[Removed, ...]:
    """What each filter removes, resources told together."""
    found: list[Removed] = []
    for name in dict.fromkeys(hurdle.plugin for hurdle in look.hurdles):
        own = [hurdle for hurdle in look.hurdles if hurdle.plugin == name]
        passed = np.logical_and.reduce([hurdle.passed for hurdle in own])
        others = [hurdle.passed for hurdle in look.hurdles if hurdle.plugin != name]
        failed = look.live & ~passed
        alone = failed & np.logical_and.reduce([look.live, *others])
        counts = Counter[str]()
        for hurdle in own:
            counts.update(hurdle.reasons(np.flatnonzero(look.live & ~hurdle.passed)))
        found.append(
            Removed(
                filter=name,
                nodes=int(failed.sum()),
                alone=int(alone.sum()),
                reasons=tuple(counts.most_common()),
            )
        )
    return tuple(found)


def plain(report: Report) -> dict[str, Any]:
    """The report as JSON; what is empty is left out."""
    full: dict[str, Any] = {
        "pod": report.pod,
        "reason": report.reason,
        "headline": report.headline,
        "nodes": report.nodes,
        "feasible": report.feasible,
        "filters": [
            {
                "filter": one.filter,
                "nodes": one.nodes,
                "alone": one.alone,
                "reasons": dict(one.reasons),
            }
            for one in report.removed
        ],
        "closest": [{"node": one.node, "lacks": list(one.lacks)} for one in report.closest],
        "fixes": [_plain_fix(fix) for fix in report.fixes],
    }
    return {name: value for name, value in full.items() if value not in ([], "")}


def _plain_fix(fix: Fix) -> dict[str, str]:
    told = {
        "kind": fix.kind,
        "text": fix.text,
        "node": fix.node,
        "command": fix.command,
        "estimatedStart": fix.start,
    }
    return {name: value for name, value in told.items() if value}
