"""The worker of one pod: looks, decides (`plan`), acts, reports (`status`), sleeps, again.

It is woken by whatever may change the plan: a new version of the pod, a container's end, a probe's
verdict, time. There is one task a pod, so its status writes are in order; each is one patch, made
only when something changed and tried again until it is through. A patch carries the version that
it was made from: somebody else's condition is never overwritten.
"""

import asyncio
import hashlib
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from argosy.api.core import Container, Pod, PodStatus
from argosy.base.errors import StatusError
from argosy.node.instance import RunningInstance
from argosy.node.launch import Instance, Parts, Prepared, configure, prepare
from argosy.node.logs import LogFile
from argosy.node.plan import Plan, Situation, Verdict, decide, restarts
from argosy.node.prober import Kind
from argosy.node.refusal import Refusal
from argosy.node.runtimes.interface import Exit, Process, StartError
from argosy.node.state import (
    SHUTDOWN,
    Running,
    Seen,
    Terminated,
    Waiting,
    begun,
    ended,
    recovered,
)
from argosy.node.status import Placement, pod_status
from argosy.runtime.events import Note

VOLUMES = "volumes"
RETRY = 2.0  # seconds until something that was refused is tried again
_NOT_REPORTED = 0.2

log = logging.getLogger(__name__)


class PodWorker:
    """Runs one pod. `address` is its own."""

    def __init__(self, parts: Parts, pod: Pod, address: str) -> None:
        self.pod = pod
        self.address = address
        self.folder = parts.root / "pods" / pod.metadata.uid
        self._parts = parts
        self._begun = parts.clock.now()
        seen, lost = recovered(pod, self._begun)
        self._seen = {one.name: one for one in seen}
        disrupted = lost and pod.spec.restart_policy == "Never"
        self._verdict = Verdict(disrupted=True) if disrupted else None
        self._settled = pod.finished  # in an earlier run: nothing will change any more
        self._running: dict[str, RunningInstance] = {}
        self._watchers: set[asyncio.Task[None]] = set()
        self._prepared: Prepared | None = None
        self._hold = self._begun
        self._shutdown: float | None = None
        self._gone = False
        self._over = False
        self._written: dict[str, Any] | None = None
        self._notes: list[Note] = []
        self._wake = asyncio.Event()

    def update(self, pod: Pod) -> None:
        """The API server has a version of the pod; older ones than known are ignored."""
        if int(pod.metadata.resource_version) >= int(self.pod.metadata.resource_version):
            self.pod = pod
            self._wake.set()

    def remove(self) -> None:
        """There is no more work: the API server has no such pod. What still runs is killed."""
        self._over = True
        self._wake.set()

    def shut_down(self, grace: float) -> None:
        """The node stops: end the pod within `grace` seconds and report how."""
        self._shutdown = grace
        self._wake.set()

    def kill(self) -> None:
        """SIGKILL everything of the pod."""
        for instance in self._running.values():
            instance.process.kill()

    def log_of(self, container: str, *, previous: bool) -> tuple[Path, LogFile | None] | None:
        """The log of the newest instance, or of the one before; with the open file where it runs.

        None where there is no such instance. Raises KeyError for an unknown container.
        """
        seen = self._seen[container]
        number = seen.restarts - previous
        running = self._running.get(container)
        if number < 0 or (isinstance(seen.state, Waiting) and running is None):
            return None
        live = running.log if running and not previous else None
        return self._log_path(container, number), live

    def process_of(self, container: str) -> Process | None:
        """The container's process, while it runs."""
        running = self._running.get(container)
        return None if running is None else running.process

    def waits(self, container: str) -> str:
        """Why the container does not run: its waiting reason."""
        state = self._seen[container].state
        return state.reason if isinstance(state, Waiting) else ""

    async def refresh(self) -> None:
        """Bring the content of the pod's volumes up to date, while it runs."""
        if self._prepared is not None and not self.pod.finished:
            sources, folder = self._prepared.sources, self.folder / VOLUMES
            await self._parts.volumes.refresh(self.pod, folder, sources, lambda: not self._over)

    async def run(self) -> None:
        """Work until the pod is gone or the node stops. Cancelling kills the pod."""
        try:
            while not self._over:
                self._wake.clear()
                await self._pause(await self._guarded_step())
        finally:
            self.kill()
            await asyncio.gather(*self._watchers, return_exceptions=True)

    async def _guarded_step(self) -> float | None:
        try:
            return await self._step()
        except (StatusError, ConnectionError) as error:
            log.info("trying again", extra={"pod": self.pod.key, "error": str(error)})
        except Exception:
            # A fault in one pod's handling must not stop the others.
            log.exception("handling a pod failed", extra={"pod": self.pod.key})
        return RETRY

    async def _pause(self, seconds: float | None) -> None:
        woken = asyncio.ensure_future(self._wake.wait())
        waits: list[asyncio.Future[Any]] = [woken]
        if seconds is not None:
            waits.append(asyncio.ensure_future(self._parts.clock.sleep(max(seconds, 0.0))))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _step(self) -> float | None:
        """One round; the seconds until the next where nothing happens before."""
        if self._gone:
            return None
        plan = decide(self._situation())
        self._verdict = plan.verdict
        await self._act(plan)
        reported = await self._report()
        await self._tell()
        if plan.leave and reported:
            await self._leave()
        pauses = [plan.after, None if reported else _NOT_REPORTED]
        return min((pause for pause in pauses if pause is not None), default=None)

    def _situation(self) -> Situation:
        return Situation(
            pod=self.pod,
            containers=tuple(self._seen.values()),
            now=self._parts.clock.now(),
            begun=self._begun,
            hold=self._hold,
            shutdown=self._shutdown,
            verdict=self._verdict,
        )

    # acting

    async def _act(self, plan: Plan) -> None:
        for name in plan.terminate:
            self._notes.append(Note("Killing", f"Stopping container {name}"))
            self._stopping(name)
            self._running[name].process.terminate()
        for name in plan.kill:
            self._stopping(name)
            self._running[name].process.kill()
        for container in self.pod.spec.containers:
            if container.name in plan.start:
                await self._start(container)
                self._wake.set()  # what has changed may change the plan

    def _stopping(self, name: str) -> None:
        seen = self._seen[name]
        if seen.stopping is None:
            self._seen[name] = replace(seen, stopping=self._parts.clock.now())

    async def _start(self, container: Container) -> None:
        try:
            instance = await self._launch(container)
        except Refusal as refusal:
            self._refused(container.name, refusal)
            return
        except StartError as error:
            self._refused(container.name, Refusal("CreateContainerError", str(error)))
            return
        name = container.name
        self._running[name] = instance
        self._notes.append(Note("Started", f"Started container {name}"))
        watcher = asyncio.create_task(self._watch(name, instance))
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)
        probes = (container.startup_probe, container.readiness_probe, container.liveness_probe)
        if any(probes):
            clock = self._parts.clock
            instance.probe(container, self.address, clock, self._probed(name))

    async def _launch(self, container: Container) -> RunningInstance:
        parts, name = self._parts, container.name
        if self._prepared is None:
            self._prepared = await prepare(parts, self.pod, self.folder / VOLUMES)
        seen = self._seen[name]
        number = seen.restarts + isinstance(seen.state, Terminated)
        told = f"{self.pod.metadata.uid}/{name}/{number}"
        output = LogFile(self._log_path(name, number), parts.clock)
        instance = Instance(
            id=hashlib.sha256(told.encode()).hexdigest(),
            pod_ip=self.address,
            message=self.folder / "messages" / f"{name}-{number}",
            output=output.write,
        )
        try:
            config = await configure(parts, self.pod, container, self._prepared, instance)
            process = await self._prepared.runtime.start(config)
        except BaseException:
            output.close()
            raise
        self._seen[name] = begun(
            seen,
            Running(parts.clock.now(), instance.id),
            started=container.startup_probe is None,
            healthy=container.readiness_probe is None,
        )
        self._forget_logs(name, number)
        return RunningInstance(process, output, instance.message)

    def _log_path(self, container: str, number: int) -> Path:
        return self.folder / "logs" / container / f"{number}.log"

    def _forget_logs(self, container: str, newest: int) -> None:
        """Of a container's logs only the newest two are kept."""
        for suffix in ("", ".1"):
            path = self._log_path(container, newest - 2)
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        (self.folder / "messages" / f"{container}-{newest - 1}").unlink(missing_ok=True)

    def _refused(self, name: str, refusal: Refusal) -> None:
        self._hold = self._parts.clock.now() + timedelta(seconds=RETRY)
        note = Note(refusal.event, refusal.message, "Warning")
        if isinstance(self._seen[name].state, Waiting):
            fresh = Waiting(refusal.reason, refusal.message)
            if self._seen[name].state != fresh:
                self._notes.append(note)
            self._seen[name] = replace(self._seen[name], state=fresh)
        elif note not in self._notes:
            self._notes.append(note)

    # observing

    async def _watch(self, name: str, instance: RunningInstance) -> None:
        end = await instance.finished()
        seen = self._seen[name]
        del self._running[name]
        assert isinstance(seen.state, Running)
        state = Terminated(
            code=end.code,
            reason=self._reason(seen, end),
            message=end.error or instance.message(or_log=self._falls_back(name) and end.code != 0),
            started=seen.state.since,
            finished=self._parts.clock.now(),
            id=seen.state.id,
        )
        self._seen[name] = ended(seen, state)
        if self._seen[name].delay and restarts(self.pod.spec.restart_policy, state):
            text = f"Back-off restarting failed container {name} in pod {self.pod.metadata.name}"
            self._notes.append(Note("BackOff", text, "Warning"))
        self._wake.set()

    def _reason(self, seen: Seen, end: Exit) -> str:
        if end.error:
            return "StartError"
        if self._shutdown is not None and seen.stopping is not None:
            return SHUTDOWN
        return "Completed" if end.code == 0 else "Error"

    def _probed(self, name: str) -> Any:
        def report(kind: Kind, good: bool, failure: str) -> None:
            seen = self._seen[name]
            if failure:
                text = f"{kind} probe failed: {failure}"
                self._notes.append(Note("Unhealthy", text, "Warning"))
            if kind == "Readiness":
                self._seen[name] = replace(seen, healthy=good)
            elif good and kind == "Startup":
                self._seen[name] = replace(seen, started=True)
            elif not good:
                self._seen[name] = replace(seen, failing=failure)
            self._wake.set()

        return report

    # reporting

    async def _report(self) -> bool:
        """Write the status where it differs from what was written; whether it is through."""
        if self._settled:
            return True
        placement = Placement(
            pod_ip=self.address,
            host_ip=self._parts.host_ip,
            runtime=self._prepared.handler if self._prepared else self.pod.spec.runtime_class_name,
            prepared=self._prepared is not None,
        )
        status = pod_status(self._situation(), placement)
        if status == self._written:
            return True
        meta = self.pod.metadata
        about = {"uid": meta.uid, "resourceVersion": meta.resource_version}
        patch = {"metadata": about, "status": status}
        try:
            answer = await self._parts.client.merge(
                Pod.resource, meta.name, meta.namespace, patch, subresource="status"
            )
        except StatusError as error:
            await self._not_written(error)
            return False
        self._written = status
        self._take(answer)
        return True

    def _take(self, answer: dict[str, Any]) -> None:
        """The answer is the newest version of the pod, before the informer brings it."""
        revision = answer["metadata"]["resourceVersion"]
        self.pod = msgspec.structs.replace(
            self.pod,
            metadata=msgspec.structs.replace(self.pod.metadata, resource_version=revision),
            status=msgspec.convert(answer["status"], PodStatus),
        )

    async def _not_written(self, error: StatusError) -> None:
        """Somebody else wrote, or deleted, the pod; other errors are the caller's."""
        if error.code not in (404, 409, 422):
            raise error
        meta = self.pod.metadata
        fresh = await self._parts.client.find(Pod, meta.name, meta.namespace)
        if fresh is None or fresh.metadata.uid != meta.uid:
            self.remove()
        elif fresh.metadata.resource_version != meta.resource_version:
            self.update(fresh)
        else:  # nobody did: the server refuses the status itself
            raise error

    def _falls_back(self, name: str) -> bool:
        """Whether the container's log stands in for a termination message."""
        return any(
            container.name == name
            and container.termination_message_policy == "FallbackToLogsOnError"
            for container in self.pod.spec.containers
        )

    async def _tell(self) -> None:
        notes, self._notes = self._notes, []
        for note in notes:
            with suppress(StatusError, ConnectionError):  # an event is no promise
                await self._parts.events.record(self.pod, note)

    async def _leave(self) -> None:
        meta = self.pod.metadata
        if meta.deletion_timestamp is not None:
            await self._parts.client.delete(
                Pod.resource, meta.name, meta.namespace, uid=meta.uid, grace=0
            )
            self._gone = True  # until the informer says so, or finalizers are through
        if self._shutdown is not None:
            self.remove()
