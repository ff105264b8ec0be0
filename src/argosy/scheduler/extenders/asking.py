"""Asks the extenders that care for a pod, ahead of the decision.

A decision is made at once, and nobody on the network answers at once. So the nodes that plugins
would take are shown to the extenders first, while other pods are decided on; their answer is kept,
and the decision that follows is made over what is true by then, within what they have allowed: in
it the answer is one more survey (`plugin`).
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from argosy.api.core import Node, Pod
from argosy.client.client import Client
from argosy.scheduler.columns import Columns
from argosy.scheduler.decide import Decider
from argosy.scheduler.extenders.extender import (
    HIGHEST_PRIORITY,
    Extender,
    ExtenderError,
    Link,
    linked,
)
from argosy.scheduler.framework import (
    HIGHEST_SCORE,
    BusyError,
    Mask,
    Plugin,
    Scores,
    Survey,
    UnschedulableError,
)
from argosy.scheduler.placement import Placement
from argosy.scheduler.state import State

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Units of which extenders are asked at the same time."""
REFUSED = "node(s) did not pass the extenders"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the extenders said of one pod: on which of the nodes that they were shown it may be, why
    not on the others, and what is best."""

    shown: frozenset[str]
    nodes: frozenset[str]
    failed: Mapping[str, str]
    scores: Mapping[str, int]


class Extenders:
    """All extenders of a scheduler, and their answers on the pods that are being decided."""

    def __init__(self, client: Client, extenders: Iterable[Extender]) -> None:
        self._client = client
        self._links = [linked(extender) for extender in extenders]
        self._answers: dict[str, Answer] = {}
        self._open: set[str] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)

    @property
    def plugin(self) -> Plugin:
        """What brings the answers into decisions."""
        return Plugin(name="Extenders", survey=self._survey)

    def concern(self, pods: Iterable[Pod]) -> bool:
        """Whether an extender is to be asked of any of the pods."""
        return any(link.extender.cares(pod) for pod in pods for link in self._links)

    async def ask(self, decider: Decider, pods: Iterable[Pod]) -> None:
        """Have an answer for each pod. Raises what keeps the decision from being made."""
        async with self._slots:
            bodies: dict[str, msgspec.Raw] = {}
            for pod in pods:
                if caring := [link for link in self._links if link.extender.cares(pod)]:
                    nodes = self._candidates(decider, pod)
                    bodies = bodies or (await self._bodies(caring) if nodes else {})
                    answer = await self._answer(pod, caring, nodes, bodies)
                    self._answers[pod.metadata.uid] = answer

    def agree(self, placements: Iterable[Placement]) -> bool:
        """Whether extenders have seen and passed each of the places, where they care."""
        answers = ((it.node, self._answers.get(it.pod.metadata.uid)) for it in placements)
        return all(answer is None or node in answer.nodes for node, answer in answers)

    def forget(self, pods: Iterable[Pod]) -> None:
        """The decision was made: the next one needs new answers."""
        for pod in pods:
            self._answers.pop(pod.metadata.uid, None)

    async def bind(self, placement: Placement) -> bool:
        """Whether an extender has bound the pod in our place. Raises ExtenderError."""
        for link in self._links:
            if not link.extender.bind_verb or not link.extender.cares(placement.pod):
                continue
            try:
                await link.bind(placement)
            except ExtenderError as error:
                if not link.extender.ignorable:
                    raise
                _skipped(link, error)
                continue
            return True
        return False

    async def close(self) -> None:
        """Let go of the connections."""
        for link in self._links:
            await link.way.close()

    def _candidates(self, decider: Decider, pod: Pod) -> list[str]:
        """The nodes that the plugins would take."""
        self._open.add(pod.metadata.uid)
        try:
            return decider.candidates(pod)
        except UnschedulableError:
            return []  # why, the decision will tell
        finally:
            self._open.discard(pod.metadata.uid)

    async def _answer(
        self,
        pod: Pod,
        caring: Sequence[Link],
        nodes: Sequence[str],
        bodies: Mapping[str, msgspec.Raw],
    ) -> Answer:
        left = tuple(nodes)
        failed: dict[str, str] = {}
        if not left:
            return Answer(frozenset(), frozenset(), failed, {})
        whole = msgspec.Raw(await self._client.call("GET", Pod.resource.path(*pod.key[::-1])))
        for link in caring:
            if not link.extender.filter_verb or not left:
                continue
            try:
                passed = await link.filter(_args(link, whole, left, bodies), left)
            except ExtenderError as error:
                if not link.extender.ignorable:
                    raise
                _skipped(link, error)
                continue
            left = passed.nodes
            failed |= passed.failed
        ranking = [link for link in caring if link.extender.prioritize_verb] if left else []
        parts = await asyncio.gather(
            *(_scores(link, _args(link, whole, left, bodies)) for link in ranking)
        )
        scores = {name: sum(part.get(name, 0) for part in parts) for name in left}
        return Answer(frozenset(nodes), frozenset(left), failed, scores)

    async def _bodies(self, caring: Sequence[Link]) -> dict[str, msgspec.Raw]:
        """All nodes as the API has them, where an extender wants them."""
        if all(link.extender.by_name for link in caring):
            return {}
        listed = await self._client.call("GET", Node.resource.path())
        items = msgspec.json.decode(listed, type=_Listed).items
        return {msgspec.json.decode(item, type=_Named).metadata.name: item for item in items}

    def _survey(self, state: State, pod: Pod) -> Survey | None:
        if pod.metadata.uid in self._open or not self.concern((pod,)):
            return None
        answer = self._answers.get(pod.metadata.uid)
        if answer is None:
            raise BusyError("waiting for the answer of an extender")
        return _Said(state.nodes, answer)


@dataclass(frozen=True, slots=True)
class _Said:
    """An answer over the rows."""

    nodes: Columns
    answer: Answer

    @property
    def mask(self) -> Mask | None:
        """All but the rows that were shown and have not passed.

        Who makes room for the pod by preemption may look at rows that were not worth showing;
        placed it is on none of them (`Extenders.agree`).
        """
        row_of = self.nodes.row_of
        refused = self.answer.shown - self.answer.nodes
        if not refused:
            return None
        mask = np.ones(self.nodes.size, dtype=np.bool_)
        mask[[row_of[name] for name in refused if name in row_of]] = False
        return mask

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        """In the extenders' words, where they gave any."""
        counts: dict[str, int] = {}
        for row in rows:
            text = self.answer.failed.get(self.nodes.names[row], REFUSED)
            counts[text] = counts.get(text, 0) + 1
        return counts

    def score(self, feasible: Mask) -> Scores | None:
        """As many times a hundred as the extenders weigh."""
        if not any(self.answer.scores.values()):
            return None
        scores = np.zeros(self.nodes.size, dtype=np.int64)
        for name, score in self.answer.scores.items():
            if (row := self.nodes.row_of.get(name)) is not None:
                scores[row] = score
        return scores


class _Meta(msgspec.Struct):
    name: str


class _Named(msgspec.Struct):
    metadata: _Meta


class _Listed(msgspec.Struct):
    items: list[msgspec.Raw]


def _args(
    link: Link, pod: msgspec.Raw, nodes: Sequence[str], bodies: Mapping[str, msgspec.Raw]
) -> bytes:
    """ExtenderArgs: names, or whole nodes."""
    args: dict[str, Any] = {"Pod": pod, "Nodes": None, "NodeNames": None}
    if link.extender.by_name:
        args["NodeNames"] = nodes
    else:
        args["Nodes"] = {"metadata": {}, "items": [bodies[it] for it in nodes if it in bodies]}
    return msgspec.json.encode(args)


async def _scores(link: Link, args: bytes) -> dict[str, int]:
    """Weighed, on the scale of plugins; none where the extender fails: others' scores will do."""
    try:
        found = await link.prioritize(args)
    except ExtenderError as error:
        _skipped(link, error)
        return {}
    factor = link.extender.weight * (HIGHEST_SCORE // HIGHEST_PRIORITY)
    return {name: score * factor for name, score in found.items()}


def _skipped(link: Link, error: ExtenderError) -> None:
    context = {"extender": link.extender.access.server, "error": str(error)}
    log.warning("skipping extender", extra=context)
