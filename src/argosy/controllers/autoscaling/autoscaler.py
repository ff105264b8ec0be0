"""Keeps the number of pods of autoscalers' targets near what is measured of them.

Each autoscaler is looked at every fifteen seconds, and never sooner: the scale is asked for, what
the metrics propose is held to bounds and pace, the scale is written, then the status. Where a look
comes to nothing the status says why, and the next one comes as always. Source: upstream's
horizontal controller.
"""

from dataclasses import dataclass, replace
from typing import Any

from argosy.api.autoscaling import HorizontalPodAutoscaler
from argosy.api.core import Pod
from argosy.api.meta import Condition
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import StatusError
from argosy.base.selectors import parse_labels
from argosy.client.client import Client
from argosy.controllers.autoscaling.answers import Answers
from argosy.controllers.autoscaling.discovery import Discovery
from argosy.controllers.autoscaling.memory import Memory
from argosy.controllers.autoscaling.metrics import Asking, Metrics
from argosy.controllers.autoscaling.outcome import Outcome, status_after, written
from argosy.controllers.autoscaling.podgroups import Delays
from argosy.controllers.autoscaling.proposals import Failure, Proposal, Proposals, Scene
from argosy.controllers.autoscaling.replicas import Tolerance
from argosy.controllers.autoscaling.scales import Found, ScaleError, Scales
from argosy.controllers.autoscaling.selected import Selected
from argosy.controllers.autoscaling.verdict import (
    ABLE,
    ACTIVE,
    Move,
    best,
    decided,
    from_zero,
    mark,
    tolerance,
    without_metrics,
    zero_mark,
)
from argosy.runtime.controller import Controller, Result
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

Json = dict[str, Any]
NAME = "controllers/horizontalpodautoscalers"
COMPONENT = "horizontal-pod-autoscaler"
PERIOD = 15.0
SEEN = mark(
    ABLE,
    True,
    "SucceededGetScale",
    "the HPA controller was able to get the target's current scale",
)


class _Unmeasured(Exception):
    """No metric can be made use of: what is to be said, and what was measured nevertheless."""

    def __init__(self, text: str, condition: Condition, metrics: tuple[Json, ...] = ()) -> None:
        super().__init__(text)
        self.condition = condition
        self.metrics = metrics


@dataclass(frozen=True)
class HorizontalPodAutoscalers:
    """Writes scales, and the status of autoscalers. `zero`: the gate HPAScaleToZero is open."""

    client: Client
    clock: Clock
    scalers: Informer[HorizontalPodAutoscaler]
    scales: Scales
    selected: Selected
    proposals: Proposals
    memory: Memory
    events: EventRecorder
    tolerance: Tolerance
    zero: bool

    async def reconcile(self, scaler: HorizontalPodAutoscaler) -> Result:
        """One look, if it is time for it."""
        if rest := self.memory.left(scaler.key):
            return Result(rest)
        await self._write(scaler, await self._looked(scaler))
        return Result(PERIOD)

    async def _looked(self, scaler: HorizontalPodAutoscaler) -> Outcome:
        try:
            found = await self.scales.find(scaler)
        except ScaleError as error:
            await self._warn(scaler, "FailedGetScale", str(error))
            text = f"the HPA controller was unable to get the target's current scale: {error}"
            return Outcome(marks=(mark(ABLE, False, "FailedGetScale", text),))
        current = found.scale.spec.replicas
        metrics: tuple[Json, ...] = ()
        history = self.memory.history(scaler.key).begun(current, self.clock.monotonic())
        self.memory.keep(scaler.key, history)
        move = without_metrics(scaler.spec, current, from_zero(scaler, self.zero))
        if move is None:
            try:
                move, metrics = await self._measured(scaler, found)
            except _Unmeasured as error:
                await self._warn(scaler, "FailedComputeMetricsReplicas", str(error))
                marks = (SEEN, error.condition)
                return Outcome(marks=marks, current=current, metrics=error.metrics)
        outcome = Outcome(
            marks=(SEEN, *move.marks),
            current=current,
            desired=move.replicas,
            metrics=metrics,
            zeroless=current == 0 and not self.zero,
        )
        if move.replicas == current:
            return outcome
        return await self._moved(scaler, found, move, outcome)

    async def _moved(
        self, scaler: HorizontalPodAutoscaler, found: Found, move: Move, outcome: Outcome
    ) -> Outcome:
        """The scale is written."""
        before, size = found.scale.spec.replicas, f"New size: {move.replicas}; reason: {move.why}"
        try:
            await self.scales.write(found, move.replicas)
        except ScaleError as error:
            await self._warn(scaler, "FailedRescale", f"{size}; error: {error}")
            text = f"the HPA controller was unable to update the target scale: {error}"
            marks = (*outcome.marks, mark(ABLE, False, "FailedUpdateScale", text))
            return replace(outcome, marks=marks, desired=None)
        await self.events.record(scaler, Note("SuccessfulRescale", size))
        history = self.memory.history(scaler.key)
        now = self.clock.monotonic()
        self.memory.keep(
            scaler.key, history.scaled(before, move.replicas, now, scaler.spec.behavior)
        )
        text = f"the HPA controller was able to update the target scale to {move.replicas}"
        marks = (*outcome.marks, mark(ABLE, True, "SucceededRescale", text))
        if self.zero:
            marks = (*marks, zero_mark(scaler.spec, before, move.replicas))
        return replace(outcome, marks=marks, rescaled=True, zeroless=not self.zero)

    async def _measured(
        self, scaler: HorizontalPodAutoscaler, found: Found
    ) -> tuple[Move, tuple[Json, ...]]:
        """The move that the metrics lead to, and what they are. Raises _Unmeasured."""
        scene = await self._scene(scaler, found)
        results = [await self._proposed(scaler, scene, i) for i in range(len(scaler.spec.metrics))]
        metrics = tuple(
            one.status if isinstance(one, Proposal) else {"type": ""} for one in results
        )
        current = found.scale.spec.replicas
        choice = best(results, current)
        if choice.replicas is None:
            raise _Unmeasured(choice.error, choice.mark, metrics)
        move, history = decided(
            scaler.spec,
            current,
            choice.replicas,
            choice.name,
            self.memory.history(scaler.key),
            self.clock.monotonic(),
            zero=from_zero(scaler, self.zero),
        )
        self.memory.keep(scaler.key, history)
        return replace(move, marks=(choice.mark, *move.marks)), metrics

    async def _proposed(
        self, scaler: HorizontalPodAutoscaler, scene: Scene, index: int
    ) -> Proposal | Failure:
        try:
            return await self.proposals.propose(scaler.spec.metrics[index], scene)
        except Failure as failure:
            await self._warn(scaler, failure.reason, failure.told)
            return failure

    async def _scene(self, scaler: HorizontalPodAutoscaler, found: Found) -> Scene:
        """The pods that are measured. Raises _Unmeasured where it is not clear whose they are."""
        pods = await self._pods(scaler, found.scale.status.selector)
        namespace = scaler.metadata.namespace
        asking = Asking(
            namespace,
            found.scale.status.selector,
            [pod.metadata.name for pod in pods],
            self.selected.siblings(namespace),
        )
        return Scene(
            asking,
            found.scale.spec.replicas,
            found.scale.status.replicas,
            pods,
            tolerance(scaler.spec, self.tolerance),
        )

    async def _pods(self, scaler: HorizontalPodAutoscaler, selector: str) -> list[Pod]:
        if not selector:
            told = "the HPA target's scale is missing a selector"
            text = "selector is required"
            raise await self._unclear(scaler, "SelectorRequired", text, "InvalidSelector", told)
        try:
            pods = self.selected.select(scaler.key, parse_labels(selector))
        except ValueError as error:
            text = "couldn't convert selector into a corresponding internal selector object: "
            text += str(error)
            raise await self._unclear(scaler, "InvalidSelector", text) from None
        if len(rivals := self.selected.rivals(scaler.key)) > 1:
            names = " ".join("/".join(key) for key in rivals)
            text = f"pods by selector {selector} are controlled by multiple HPAs: [{names}]"
            raise await self._unclear(scaler, "AmbiguousSelector", text)
        return pods

    async def _unclear(
        self,
        scaler: HorizontalPodAutoscaler,
        event: str,
        text: str,
        reason: str = "",
        told: str = "",
    ) -> _Unmeasured:
        await self._warn(scaler, event, text)
        return _Unmeasured(text, mark(ACTIVE, False, reason or event, told or text))

    async def _warn(self, scaler: HorizontalPodAutoscaler, reason: str, text: str) -> None:
        await self.events.record(scaler, Note(reason, text, "Warning"))

    async def _write(self, scaler: HorizontalPodAutoscaler, outcome: Outcome) -> None:
        status = status_after(scaler.status, outcome, timestamp(self.clock.now()))
        if status == scaler.status:
            return
        meta = scaler.metadata
        patch = {"metadata": {"uid": meta.uid}, "status": written(status)}
        try:
            done = await self.client.merge(
                scaler.resource, meta.name, meta.namespace, patch, subresource="status"
            )
        except StatusError as error:
            if error.code == 404:
                return
            await self._warn(scaler, "FailedUpdateStatus", error.message)
            raise
        # Of what was scaled to zero only the status tells that it may come back.
        await self.scalers.reached(done["metadata"]["resourceVersion"])


def horizontal_pod_autoscalers(
    manager: Manager, *, zero: bool = True
) -> Controller[HorizontalPodAutoscaler]:
    """The controller, on the manager's caches. `zero`: the gate HPAScaleToZero is open."""
    scalers, pods = manager.informer(HorizontalPodAutoscaler), manager.informer(Pod)
    client, clock = manager.client_as(NAME), manager.clock
    answers = Answers(client, clock)
    discovery = Discovery(answers)
    controller = HorizontalPodAutoscalers(
        client=client,
        clock=clock,
        scalers=scalers,
        scales=Scales(client, discovery),
        selected=Selected(pods, scalers),
        proposals=Proposals(Metrics(answers, discovery), clock, Delays()),
        memory=Memory(clock, scalers, PERIOD),
        events=EventRecorder(client, clock, COMPONENT),
        tolerance=Tolerance(),
        zero=zero,
    )
    return Controller(name=NAME, informer=scalers, reconcile=controller.reconcile)
