"""What the node knows of a pod's containers: the facts that plans and statuses are made from."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from argosy.api.core import ContainerStateTerminated, ContainerStatus, Pod
from argosy.base.clock import parse_timestamp

KILLED = 137  # 128 + SIGKILL
UNKNOWN = "ContainerStatusUnknown"
SHUTDOWN = "NodeShutdown"
FIRST_DELAY = 10.0
LONGEST_DELAY = 300.0
CALM = timedelta(minutes=10)  # a container that ran this long starts afresh


@dataclass(frozen=True, slots=True)
class Waiting:
    """It was never started, or could not be."""

    reason: str = "ContainerCreating"
    message: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """It runs since `since`; `id` is its instance's."""

    since: datetime
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminated:
    """It ran and ended."""

    code: int
    reason: str
    message: str = ""
    started: datetime | None = None
    finished: datetime
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One container as observed. Where it is terminated and will restart, that is still `state`.

    `started` and `healthy` are the verdicts of the startup and readiness probes; `failing` says
    why a probe wants it ended; `stopping` is when it was asked to end; `crashes` counts the
    terminations in a row, which set the delay before the next start.
    """

    name: str
    state: Waiting | Running | Terminated = Waiting()
    last: Terminated | None = None
    restarts: int = 0
    started: bool = False
    healthy: bool = False
    failing: str = ""
    stopping: datetime | None = None
    crashes: int = 0

    @property
    def ready(self) -> bool:
        """Whether it serves."""
        return isinstance(self.state, Running) and self.started and self.healthy

    @property
    def delay(self) -> float:
        """Seconds between the last termination and the next start."""
        if self.crashes <= 1:
            return 0.0
        return float(min(FIRST_DELAY * 2 ** min(self.crashes - 2, 16), LONGEST_DELAY))


def begun(seen: Seen, state: Running, *, started: bool, healthy: bool) -> Seen:
    """`seen` after a start; the instance before becomes the last one."""
    again = isinstance(seen.state, Terminated)
    return Seen(
        name=seen.name,
        state=state,
        last=seen.state if isinstance(seen.state, Terminated) else seen.last,
        restarts=seen.restarts + again,
        started=started,
        healthy=healthy,
        crashes=seen.crashes,
    )


def ended(seen: Seen, state: Terminated) -> Seen:
    """`seen` after its instance ended."""
    calm = state.started is not None and state.finished - state.started >= CALM
    crashes = 1 if calm else seen.crashes + 1
    return replace(seen, state=state, started=False, healthy=False, failing="", crashes=crashes)


def recovered(pod: Pod, now: datetime) -> tuple[tuple[Seen, ...], bool]:
    """The containers of a pod that an earlier run of this program left, and whether any ran.

    What ran then was killed with it: nobody saw how it ended.
    """
    statuses = {status.name: status for status in pod.status.container_statuses}
    seen = tuple(_recall(c.name, statuses.get(c.name), now) for c in pod.spec.containers)
    lost = any(isinstance(s.state, Terminated) and s.state.reason == UNKNOWN for s in seen)
    return seen, lost


def _recall(name: str, status: ContainerStatus | None, now: datetime) -> Seen:
    if status is None:
        return Seen(name=name)
    state: Waiting | Terminated = Waiting()
    last = _terminated(status.last_state.terminated, now)
    if status.state.running is not None:
        state = Terminated(
            code=KILLED,
            reason=UNKNOWN,
            message="The node was interrupted and the container was killed with it.",
            started=_moment(status.state.running.started_at),
            finished=now,
            id=status.container_id.rpartition("/")[2],
        )
    elif (terminated := _terminated(status.state.terminated, now)) is not None:
        state = terminated
    elif last is not None:  # it waited for its next start
        state, last = last, None
    return Seen(name=name, state=state, last=last, restarts=status.restart_count)


def _terminated(view: ContainerStateTerminated | None, now: datetime) -> Terminated | None:
    if view is None:
        return None
    return Terminated(
        code=view.exit_code,
        reason=view.reason,
        message=view.message,
        started=_moment(view.started_at),
        finished=_moment(view.finished_at) or now,
    )


def _moment(text: str | None) -> datetime | None:
    return parse_timestamp(text) if text else None
