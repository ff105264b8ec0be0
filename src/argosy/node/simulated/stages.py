"""What is to be told of a simulated pod now. Pure: the pod, its run and the time in, a status out.

All containers run from the start to the end of the pod, ready all the time, and are never started
again: the end of the run is the pod's, whatever its restart policy says. A pod that is being
deleted ends at once, as one that SIGTERM kills. The status is the node's own (`node.status`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from argosy.api.core import Container, Pod, PodStatus
from argosy.base.clock import parse_timestamp
from argosy.node.plan import Situation, Verdict, decide
from argosy.node.simulated.runs import Run
from argosy.node.state import Running, Seen, Terminated, Waiting
from argosy.node.status import Placement, pod_status

RUNTIME: Final = "simulated"
BY_SIGTERM: Final = 143
WRONG: Final = "CreateContainerConfigError"
FIELDS: Final = msgspec.structs.fields(PodStatus)

Json = dict[str, Any]
State = Waiting | Running | Terminated
States = Sequence[tuple[Container, State]]


@dataclass(frozen=True, slots=True)
class Stage:
    """The pod's status, and the seconds until another is due; None: until something changes."""

    status: Json
    after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A pod where it lives. `began`: when it started, or starts now."""

    pod: Pod
    address: str
    host: str
    began: datetime

    def waits(self, why: str, now: datetime) -> Stage:
        """It can't start, and `why`."""
        return Stage(self._told(Waiting(WRONG, why), now))

    def stage(self, run: Run, now: datetime) -> Stage:
        """What the pod is now, and for how long."""
        running = Running(self.began, "")
        plan = decide(self._situation(self._main(running), now))
        if plan.verdict is not None:
            return Stage(self._told(self._ended(now, BY_SIGTERM), now, plan.verdict))
        left = None if run.length is None else (self.began + run.length - now).total_seconds()
        if left is not None and left <= 0 and self.pod.status.phase == "Running":
            return Stage(self._told(self._ended(now, int(run.fails)), now))
        pauses = [max(0.0, pause) for pause in (left, plan.after) if pause is not None]
        return Stage(self._told(running, now), min(pauses, default=None))

    def ends(self, now: datetime) -> Stage:
        """It is being deleted."""
        return Stage(self._told(self._ended(now, BY_SIGTERM), now))

    def _ended(self, now: datetime, code: int) -> Terminated:
        reason = "Error" if code else "Completed"
        return Terminated(code=code, reason=reason, started=self.began, finished=now)

    def _told(self, state: State, now: datetime, verdict: Verdict | None = None) -> Json:
        told = self._status(self._main(state), now, verdict)
        if init := self._init(state):
            before = self._status(init, now, verdict)["containerStatuses"]
            told["initContainerStatuses"] = [
                {**status, "ready": True} if was is not state else status
                for status, (_, was) in zip(before, init, strict=True)
            ]
        return told

    def _main(self, state: State) -> States:
        return [(container, state) for container in self.pod.spec.containers]

    def _init(self, state: State) -> States:
        """The init containers: those that run beside the others, and those that ran before."""
        done = self._ended(self.began, 0)
        return [
            (
                Container(name=one.name, image=one.image),
                state if one.restart_policy == "Always" or isinstance(state, Waiting) else done,
            )
            for one in self.pod.spec.init_containers
        ]

    def _status(self, states: States, now: datetime, verdict: Verdict | None) -> Json:
        up = not any(isinstance(state, Waiting) for _, state in states)
        place = Placement(pod_ip=self.address, host_ip=self.host, runtime=RUNTIME, prepared=up)
        return pod_status(self._situation(states, now, verdict), place)

    def _situation(
        self, states: States, now: datetime, verdict: Verdict | None = None
    ) -> Situation:
        seen = (
            Seen(name=container.name, state=state, started=True, healthy=True)
            for container, state in states
        )
        # Nothing is started again.
        containers = tuple(container for container, _ in states)
        policy = {"restart_policy": "Never", "containers": containers}
        spec = msgspec.structs.replace(self.pod.spec, **policy)
        pod = msgspec.structs.replace(self.pod, spec=spec)
        return Situation(
            pod=pod, containers=tuple(seen), now=now, begun=self.began, verdict=verdict
        )


def since(pod: Pod) -> datetime | None:
    """When the pod's containers started, if they run."""
    for status in pod.status.container_statuses:
        if status.state.running is not None and status.state.running.started_at:
            return parse_timestamp(status.state.running.started_at)
    return None


def told_already(pod: Pod, status: Json) -> bool:
    """Whether all of `status` that anybody here reads is the pod's. The rest is others' to tell."""
    found = msgspec.convert(status, PodStatus)
    return all(
        getattr(found, field.name) == getattr(pod.status, field.name)
        for field in FIELDS
        if field.encode_name in status
    )
