"""When pods end by themselves, as far as that is known beforehand.

A deadline ends a pod for sure: its own, or that of the Job that it belongs to. A simulated pod runs
for as long as its annotation says. Any other that is not restarted for ever will end too, nobody
knows when.
"""

from datetime import datetime, timedelta

from argosy.api.batch import Job
from argosy.api.cel.values import CelError, parse_duration
from argosy.api.core import Pod
from argosy.base.clock import parse_timestamp

RUN = "argosy.dev/simulated-run-seconds"


class Deadlines:
    """When Jobs end their pods: those that have begun, and must not go on for ever."""

    def __init__(self) -> None:
        self._of: dict[str, datetime] = {}

    def put(self, old: Job | None, new: Job | None) -> None:
        """A Job came, changed or went."""
        if old is not None:
            self._of.pop(old.metadata.uid, None)
        end = None
        if new is not None:
            end = _after(new.status.start_time, new.spec.active_deadline_seconds)
        if new is not None and end is not None:
            self._of[new.metadata.uid] = end

    def of(self, pod: Pod) -> datetime | None:
        """When the pod's Job ends it; None where that is not known."""
        owner = pod.controller if self._of else None
        return self._of.get(owner.uid) if owner is not None else None


def length_of(pod: Pod) -> float | None:
    """The seconds after which the pod will have ended, once it has started; None: not known."""
    deadline, run = pod.spec.active_deadline_seconds, pod.metadata.annotations.get(RUN)
    if deadline is None and run is None:
        return None
    spans = [deadline, _run(run) if run else None]
    return min((seconds for seconds in spans if seconds is not None), default=None)


def end_of(pod: Pod, now: datetime, deadlines: Deadlines) -> datetime | None:
    """When a running pod ends, not before `now`; None: not known."""
    ends = (_after(pod.status.start_time, length_of(pod)), deadlines.of(pod))
    end = min((end for end in ends if end is not None), default=None)
    return None if end is None else max(now, end)


def end_if_begun(pod: Pod, now: datetime, deadlines: Deadlines) -> datetime | None:
    """When a pod ends that begins at `now`; None: not known."""
    length, end = length_of(pod), deadlines.of(pod)
    if length is None:
        return end
    try:
        own = now + timedelta(seconds=length)
    except OverflowError:
        return end
    return own if end is None else min(own, end)


def will_end(pod: Pod) -> bool:
    """Whether the pod ends by itself one day: it is not restarted for ever."""
    return pod.spec.restart_policy != "Always"


def _after(start: str | None, seconds: float | None) -> datetime | None:
    if seconds is None or not start:
        return None
    try:
        return parse_timestamp(start) + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None


def _run(text: str) -> float | None:
    """The seconds of a simulated run: a number or a duration."""
    try:
        return parse_duration(text if text[-1].isalpha() else f"{text}s").ns / 1e9
    except CelError:
        return None
