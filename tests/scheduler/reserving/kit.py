"""A cluster without an API, in which time passes in steps: pods come, are decided on, and end."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from argosy.api.core import Pod
from argosy.base.clock import timestamp
from argosy.scheduler.backlog import Backlog, UnitKey, unit_of
from argosy.scheduler.decide import Decider, Refusal
from argosy.scheduler.endings import RUN
from argosy.scheduler.occupants import occupant_of
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.reserving.book import PATIENCE, Book
from argosy.scheduler.reserving.keeping import RESERVATION
from argosy.scheduler.reserving.reservation import order_of
from argosy.scheduler.state import State
from argosy.testing.clock import EPOCH
from tests.scheduler.builders import group, node, pod

STEP = 10.0


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.elapsed = 0.0

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")


class Ground:
    """The cluster. `ends`: when pods end, in truth; `told`: what each pod was refused for last."""

    def __init__(self, nodes: Iterable[str] = ("n1", "n2"), patience: float = PATIENCE) -> None:
        self.state = State()
        self.clock = Hands()
        self.backlog = Backlog(["default-scheduler"])
        self.freed = 0
        plugins = (*PLUGINS, RESERVATION)
        self.decider = Decider(self.state, plugins)
        self.gentle = Decider(self.state, [it for it in plugins if not it.preemption])
        self.book = Book(self.state, self.clock, self._woken, patience=patience)
        self.waiting: dict[UnitKey, None] = {}
        self.ends: dict[str, float] = {}
        self.running: dict[str, Pod] = {}
        self.told: dict[str, Refusal] = {}
        self.begun: dict[str, float] = {}
        for name in nodes:
            self.state.nodes.put_node(node(name))

    def _woken(self) -> None:
        self.freed += 1

    def gang(self, name: str, size: int, *, cpu: int = 4, least: int = 0, **more: Any) -> UnitKey:
        """Let a gang come."""
        self.backlog.put_group(None, group(name, least or size))
        for number in range(size):
            self.come(f"{name}-{number}", cpu, gang=name, **more)
        return UnitKey("default", name, True)

    def come(
        self,
        name: str,
        cpu: int,
        *,
        length: float = 1e9,
        told: bool = False,
        priority: int = 0,
        forever: bool = False,
        gang: str = "",
        job: str = "",
    ) -> None:
        """Let a pod come that will run for `length` seconds, which it says beforehand or not."""
        meta: dict[str, Any] = {"creationTimestamp": timestamp(self.clock.now())}
        if job:
            owner = {"kind": "Job", "name": job, "uid": f"uid-{job}", "controller": True}
            meta["ownerReferences"] = [owner]
        if told:
            meta["annotations"] = {RUN: str(length)}
        spec = {"priority": priority, "restartPolicy": "Always" if forever else "Never"}
        made = pod(name, requests={"cpu": str(cpu)}, metadata=meta, spec=spec, gang=gang)
        self.ends[made.metadata.uid] = length
        self.backlog.put(None, made)
        self.waiting[self.backlog.top(unit_of(made))] = None

    def until(self, seconds: float) -> None:
        """Let time pass up to a moment."""
        self.pass_time(round((seconds - self.clock.elapsed) / STEP))

    def pass_time(self, steps: int = 1) -> None:
        """Let pods end, and all that wait have their turn, the first in order first."""
        for _ in range(steps):
            self.clock.elapsed += STEP
            for uid in [uid for uid in self.running if self.ends[uid] <= self.clock.elapsed]:
                self.end(uid)
            self.turns()

    def end(self, uid: str) -> None:
        """A pod is done."""
        gone = self.running.pop(uid)
        self.state.nodes.drop_pod(uid)
        self.backlog.put(gone, None)

    def turns(self) -> None:
        """Everybody has one turn."""
        keys = [(order_of(self._pods(key), key), key) for key in self.waiting]
        for _, key in sorted(keys):
            self._turn(key)

    def _pods(self, key: UnitKey) -> tuple[Pod, ...]:
        unit = self.backlog.unit(key)
        assert unit is not None
        return unit.pods

    def _turn(self, key: UnitKey) -> None:
        unit = self.backlog.unit(key)
        assert unit is not None
        self.book.tick(key, unit)
        decision = self.decider.decide(unit)
        if unit.gang:
            decision = self.book.seen(key, unit, decision, self.gentle)
        for placement in decision.placements:
            self._start(placement.pod, placement.node)
        for refusal in decision.refusals:
            self.told[refusal.pod.metadata.name] = refusal
        if self.backlog.unit(key) is None:
            del self.waiting[key]

    def _start(self, waiting: Pod, name: str) -> None:
        uid = waiting.metadata.uid
        spec = msgspec.structs.replace(waiting.spec, node_name=name)
        status = msgspec.structs.replace(waiting.status, start_time=timestamp(self.clock.now()))
        bound = msgspec.structs.replace(waiting, spec=spec, status=status)
        self.backlog.put(waiting, bound)
        self.state.nodes.put_pod(name, occupant_of(bound))
        self.running[uid] = bound
        self.begun[waiting.metadata.name] = self.clock.elapsed
        self.ends[uid] += self.clock.elapsed

    def cpus(self, name: str) -> int:
        """What is taken of a node."""
        on = self.state.nodes.pods_on(name)
        return sum(dict(item.request.amounts)["cpu"] for item in on) // 1000

    def at(self, seconds: float) -> str:
        """A moment as it is told."""
        return timestamp(datetime.fromtimestamp(EPOCH.timestamp() + seconds, UTC))
