"""All hurdles of one pod, those too that nodes have to be asked about one by one."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from argosy.api.core import Pod
from argosy.scheduler.columns import Columns
from argosy.scheduler.dra.devices import Devices
from argosy.scheduler.explain.hurdles import Hurdle, Look, NodeRows, apart, plain_hurdles
from argosy.scheduler.framework import (
    Lack,
    Mask,
    Plugin,
    Reserver,
    UnschedulableError,
)
from argosy.scheduler.placing import Placer
from argosy.scheduler.plugins.dynamic_resources import claim_name
from argosy.scheduler.ranking import Surveys
from argosy.scheduler.shape import Shape, shape_of
from argosy.scheduler.state import State

MOST_ASKED = 1_000
"""So many nodes are asked for devices; the answer of further ones is taken to be the same."""


class StoppedError(Exception):
    """No node is looked at for this pod; the text says why, `plugin` who."""

    def __init__(self, plugin: str, text: str) -> None:
        super().__init__(text)
        self.plugin = plugin


def look_at(state: State, plugins: Sequence[Plugin], pod: Pod) -> Look:
    """All hurdles of `pod` that any node fails at. Raises StoppedError."""
    shape = stops(plugins, pod)
    surveys = _surveys(state, plugins, pod)
    plain = tuple(plain_hurdles(state.nodes, plugins, shape, surveys))
    live = state.nodes.live[: state.nodes.size].copy()
    found = [*plain, *_reserved(state, plugins, pod, live, plain)]
    return Look(
        shape=shape,
        live=live,
        apart=apart(state.nodes, plugins, shape),
        hurdles=tuple(hurdle for hurdle in found if not hurdle.passed[live].all()),
    )


def stops(plugins: Sequence[Plugin], pod: Pod) -> Shape:
    """The pod's shape, where it may be looked at at all. Raises StoppedError."""
    for plugin in plugins:
        for ask in (plugin.gate, plugin.refuse):
            text = ask(pod) if ask else None
            if text:
                raise StoppedError(plugin.name, text)
    try:
        return shape_of(pod)
    except ValueError as error:
        raise StoppedError("", str(error)) from error


def _surveys(state: State, plugins: Sequence[Plugin], pod: Pod) -> Surveys:
    """What plugins have to say of this one pod, as a decision asks them. Raises StoppedError."""
    try:
        return Placer(state, plugins).search(pod).surveys
    except UnschedulableError as error:
        for plugin in plugins:
            if _refuses(state, plugin, pod):
                raise StoppedError(plugin.name, str(error)) from error
        raise StoppedError("", str(error)) from error


def _refuses(state: State, plugin: Plugin, pod: Pod) -> bool:
    """Whether it is this plugin that has no use for any node."""
    try:
        if plugin.reserver:
            plugin.reserver(state.devices, pod)
        if plugin.survey:
            plugin.survey(state, pod)
    except UnschedulableError:
        return True
    return False


def _reserved(
    state: State, plugins: Sequence[Plugin], pod: Pod, live: Mask, others: Sequence[Hurdle]
) -> list[Hurdle]:
    """Those that nodes are asked for one by one: only nodes that fail at most one of the others."""
    bare = _unused(state.devices, pod)
    failed = np.zeros(len(live), dtype=np.int64)
    natural = live.copy()
    for hurdle in others:
        failed += ~hurdle.passed
        natural &= ~hurdle.never
    found = []
    for plugin in plugins:
        reserver, ever = _reserver(plugin, state.devices, pod), _reserver(plugin, bare, pod)
        if reserver is not None and ever is not None:
            answers = _Answers(state.nodes, plugin.name, reserver)
            passed = answers.ask(live & (failed <= 1))
            nature = _Answers(state.nodes, plugin.name, ever).ask(natural)
            hurdle = Hurdle(
                plugin=plugin.name, passed=passed, nature=nature | passed, reasons=answers.reasons
            )
            found.append(hurdle)
    return found


def _reserver(plugin: Plugin, devices: Devices, pod: Pod) -> Reserver | None:
    try:
        return plugin.reserver(devices, pod) if plugin.reserver else None
    except UnschedulableError as error:
        raise StoppedError(plugin.name, str(error)) from error


def _unused(devices: Devices, pod: Pod) -> Devices:
    """The devices as though nobody had one, but for what the pod's own claims have."""
    found = Devices()
    found.inventory, found.classes = devices.inventory, devices.classes
    for entry in pod.spec.resource_claims:
        name = claim_name(pod, entry)
        claim = devices.claim(pod.metadata.namespace, name) if name else None
        if claim is not None:
            found.put_claim(None, claim)
    return found


class _Answers:
    """What nodes said to one reserver. Raises StoppedError where it can't ask at all."""

    def __init__(self, nodes: Columns, plugin: str, reserver: Reserver) -> None:
        self._nodes = nodes
        self._plugin = plugin
        self._reserver = reserver
        self._wanted = reserver.nodes
        self._lacks: dict[int, Lack] = {}

    def ask(self, rows: Mask) -> Mask:
        """Which of all rows have what is asked for; those not in `rows` don't, if not wanted."""
        passed: Mask = np.zeros(len(rows), dtype=np.bool_)
        known = (self._nodes.row_of.get(name) for name in self._wanted)
        wanted = sorted(row for row in known if row is not None)
        passed[wanted] = True
        asked = [row for row in wanted if rows[row]]
        for row in asked[:MOST_ASKED]:
            passed[row] = self._one(row)
        if len(asked) > MOST_ASKED:
            passed[asked[MOST_ASKED:]] = bool(passed[asked[:MOST_ASKED]].any())
        return passed

    def _one(self, row: int) -> bool:
        try:
            answer = self._reserver.reserve(self._nodes.names[row])
        except UnschedulableError as error:
            raise StoppedError(self._plugin, str(error)) from error
        if isinstance(answer, Lack):
            self._lacks[row] = answer
            return False
        return True

    def reasons(self, rows: NodeRows) -> Mapping[str, int]:
        """By what each node said; with its detail where it is about one node."""
        found: Counter[str] = Counter()
        for row in rows:
            lack = self._lacks.get(int(row))
            if lack is None:
                found[self._reserver.elsewhere()] += 1
            elif lack.detail and len(rows) == 1:
                found[lack.detail] += 1
            else:
                found[lack.reason] += 1
        return found
