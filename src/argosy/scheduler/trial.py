"""Whether one pod fits on one row as things stand: every rule is asked anew.

The way of a preemption's dry run: take pods off the columns, ask, put them back. It asks what may
change with the pods of a node; what depends on the node alone is known before. A row with
nominated pods that come first is asked twice, with them and without: room must be left for them,
but they may as well end up elsewhere.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from argosy.api.core import Pod
from argosy.scheduler.framework import Lack, Plugin, Reserver
from argosy.scheduler.occupants import Occupant
from argosy.scheduler.shape import Shape
from argosy.scheduler.state import State


class Trial:
    """One pod's rules. `exempt` are uids of nominated pods that it need not yield to."""

    def __init__(
        self,
        state: State,
        plugins: Sequence[Plugin],
        pod: Pod,
        shape: Shape,
        *,
        reservers: Sequence[Reserver] = (),
        exempt: Collection[str] = (),
    ) -> None:
        self._state = state
        self._pod = pod
        self._shape = shape
        self._reservers = reservers
        self._exempt = {pod.metadata.uid, *exempt}
        self._filters = [
            plugin
            for plugin in plugins
            if plugin.filter and plugin.usage and (not plugin.applies or plugin.applies(shape))
        ]
        self._surveying = [it for it in plugins if it.survey and not it.prefers]

    def fits(self, row: int) -> bool:
        """Whether the pod could be placed on `row` now."""
        return not self.lacks(row)

    def first(self, row: int) -> Sequence[Occupant]:
        """Those nominated for `row` that come before the pod."""
        nodes = self._state.nodes
        return nodes.nominated.before(nodes.names[row], self._pod.spec.priority, self._exempt)

    def lacks(self, row: int) -> Mapping[str, int]:
        """Why it could not; empty where it could."""
        nodes = self._state.nodes
        name, first = nodes.names[row], self.first(row)
        try:
            for occupant in first:
                nodes.put_pod(name, occupant)
            reasons = self._asked(row) if first else {}
        finally:
            for occupant in reversed(first):
                nodes.drop_pod(occupant.pod.metadata.uid)
        return reasons or self._asked(row)

    def _asked(self, row: int) -> Mapping[str, int]:
        nodes = self._state.nodes
        rows = np.array([row], dtype=np.intp)
        for plugin in self._filters:
            if not self._passes(plugin, row):
                told = plugin.explain(nodes, self._shape, rows) if plugin.explain else {}
                return told or {plugin.name: 1}
        for plugin in self._surveying:
            assert plugin.survey is not None
            survey = plugin.survey(self._state, self._pod)
            mask = survey.mask if survey is not None else None
            if survey is not None and mask is not None and not mask[row]:
                return survey.explain(rows) or {plugin.name: 1}
        return self.denied(row)

    def _passes(self, plugin: Plugin, row: int) -> bool:
        nodes = self._state.nodes
        if plugin.filter_row is not None:
            return plugin.filter_row(nodes, self._shape, row)
        assert plugin.filter is not None
        return bool(plugin.filter(nodes, self._shape, np.array([row], dtype=np.intp))[0])

    def denied(self, row: int) -> Mapping[str, int]:
        """What the row lacks that no pod's going away would give."""
        name = self._state.nodes.names[row]
        for reserver in self._reservers:
            if name not in reserver.nodes:
                return {reserver.elsewhere(): 1}
            answer = reserver.reserve(name)
            if isinstance(answer, Lack):
                return {answer.reason: 1}
        return {}
