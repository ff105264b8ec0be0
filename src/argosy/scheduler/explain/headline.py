"""The dominant reason as a pod's condition and event carry it, after kube-scheduler's sentence.

It is worked out anew only where that sentence changes: a pod that is refused again for the same
reasons is told the same, so that neither its condition nor its events change without news. For the
same end it names no amounts that change with every pod that comes or goes.
"""

from collections.abc import Callable, Sequence

from argosy.api.core import Pod
from argosy.scheduler.columns import Columns
from argosy.scheduler.explain.hurdles import Look, apart, plain_hurdles
from argosy.scheduler.explain.reasons import dominant
from argosy.scheduler.explain.words import sentence
from argosy.scheduler.framework import Plugin
from argosy.scheduler.ranking import Surveys
from argosy.scheduler.shape import Shape, shape_of

MOST_KNOWN = 1024


class Headlines:
    """Headlines by shape and by kube-scheduler's sentence; the oldest make room.

    `surveys` are asked for only where a headline is worked out.
    """

    def __init__(
        self,
        nodes: Columns,
        plugins: Sequence[Plugin],
        surveys: Callable[[Pod], Surveys],
        *,
        most: int = MOST_KNOWN,
    ) -> None:
        self._nodes = nodes
        self._plugins = plugins
        self._surveys = surveys
        self._most = most
        self._known: dict[tuple[Shape, str], str] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, pod: Pod, told: str) -> str:
        """The headline for a pod that no node takes, as the sentence `told` says; empty where there
        is nothing to add."""
        shape = shape_of(pod)
        known = self._known.get((shape, told))
        if known is None:
            known = headline(self._nodes, self._plugins, shape, self._surveys(pod))
            self._known[shape, told] = known
            if len(self._known) > self._most:
                del self._known[next(iter(self._known))]
        return known


def headline(nodes: Columns, plugins: Sequence[Plugin], shape: Shape, surveys: Surveys = ()) -> str:
    """Why no node takes a pod of this shape, in at most 200 characters; empty where filters and
    surveys leave a node, and it is devices that are lacking."""
    if not nodes.count:
        return "The cluster has no nodes."
    look = Look(
        shape=shape,
        live=nodes.live[: nodes.size],
        apart=apart(nodes, plugins, shape),
        hurdles=tuple(plain_hurdles(nodes, plugins, shape, surveys)),
    )
    reason = dominant(look)
    return "" if reason is None else sentence(nodes, look, reason, brief=True)
