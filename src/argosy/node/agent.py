"""The node agent: this machine as a node of the cluster.

It sees the cluster through the manager's client and informers only, so it serves the embedded
cluster and a remote one alike. At its start it registers the node and its simulated devices, ends
what an earlier run left behind, and takes up the pods that are bound to it (`pods`). A pod gets its
address and its names at once when it is seen, before anything of it starts: the ranks of a gang
find each other however they come up.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from argosy.api.core import Pod, Service
from argosy.base.errors import StatusError
from argosy.http.message import Request, Response
from argosy.node.addresses import AddressBlock
from argosy.node.contents import Contents
from argosy.node.endpoint import answer
from argosy.node.environment import api_variables
from argosy.node.gpus import SimulatedGPU
from argosy.node.hosts import HostsFiles
from argosy.node.launch import Parts
from argosy.node.lease import NodeLease
from argosy.node.machine import facts
from argosy.node.pods import NodePods, forget_folders
from argosy.node.registration import Registration
from argosy.node.runtimes.interface import Machine, Runtime
from argosy.node.tokens import PodTokens
from argosy.node.volumes import Volumes
from argosy.node.worker import PodWorker
from argosy.runtime.events import EventRecorder
from argosy.runtime.manager import Manager

LONGEST_GRACE = 5.0  # seconds that a pod gets to end when the node stops
_LATE = 5.0  # and that its last status may take after that
_PAUSE = 2.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """This machine as a node. `root` is the agent's own state folder; `readable` are the folders
    of the Python installation, which containers may read; `hidden` (and `root`) never. `api` is
    the URL at which they find the API server."""

    name: str
    root: Path
    readable: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()
    gpus: tuple[SimulatedGPU, ...] = ()
    api: str = ""


class NodeAgent:
    """Runs the pods that are bound to `config.name`; `runtimes` by RuntimeClass handler."""

    def __init__(
        self, *, manager: Manager, config: NodeConfig, runtimes: Mapping[str, Runtime]
    ) -> None:
        self.started = asyncio.Event()
        self._client = manager.client
        self._clock = manager.clock
        self._config = config
        self._runtimes = runtimes
        self._seen = manager.informer(Pod, fields=f"spec.nodeName={config.name}")
        self._services = manager.informer(Service)
        self._lease = NodeLease(manager.client, manager.clock, config.name)
        self._pods: NodePods | None = None
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Be the node until `stop` (or until cancelled, which kills the pods unreported)."""
        self._config.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        block = AddressBlock.claim()
        try:
            parts = await self._open(block.node)
            registration = await self._register(block.node)
            await self._seen.synced.wait()
            await self._services.synced.wait()
            await self._serve(NodePods(parts, self._config.name, block), registration)
        finally:
            block.close()
            self._stopped.set()

    async def stop(self) -> None:
        """End all pods, SIGTERM first, write their last statuses, and let `run` return."""
        if self._pods is None:
            return
        await self._pods.stop(LONGEST_GRACE, _LATE)
        self._stopping.set()
        await self._stopped.wait()

    async def handle(self, request: Request) -> Response:
        """A request of the API server's, on the kubelet's paths (see `endpoint`)."""
        return await answer(request, self._find, self._clock)

    def _find(self, namespace: str, name: str) -> PodWorker | None:
        return self._pods.find(namespace, name) if self._pods is not None else None

    async def _open(self, address: str) -> Parts:
        config = self._config
        hidden = tuple(path.resolve() for path in (config.root, *config.hidden))
        missing = {}
        for name, runtime in self._runtimes.items():
            state = config.root / "runtimes" / name
            await runtime.open(Machine(state=state, readable=config.readable, hidden=hidden))
            if why := await asyncio.to_thread(runtime.missing):
                missing[name] = why
        contents = Contents(self._client, PodTokens(self._client, self._clock))
        return Parts(
            client=self._client,
            clock=self._clock,
            events=EventRecorder(self._client, self._clock, "kubelet"),
            root=config.root,
            volumes=Volumes(self._client, contents, hidden),
            hosts=HostsFiles(config.root / "hosts"),
            runtimes=self._runtimes,
            missing=missing,
            host_ip=address,
            variables=api_variables(config.api) if config.api else {},
        )

    async def _register(self, address: str) -> Registration:
        """Register, again and again until the API server takes it."""
        registration = Registration(
            client=self._client,
            clock=self._clock,
            name=self._config.name,
            address=address,
            facts=facts(self._config.root),
            since=self._clock.now(),
        )
        while True:
            try:
                await registration.register(self._config.gpus)
            except (StatusError, ConnectionError) as error:
                log.warning("registering the node failed", extra={"error": str(error)})
                await self._clock.sleep(_PAUSE)
            else:
                return registration

    async def _serve(self, pods: NodePods, registration: Registration) -> None:
        """Take up the pods there are, and those that come, until stopped."""
        self._pods = pods
        forget_folders(self._config.root, {pod.metadata.uid for pod in self._seen.items()})
        try:
            async with asyncio.TaskGroup() as group:
                chores = [
                    group.create_task(pods.keep_names(self._services)),
                    group.create_task(pods.keep_volumes()),
                    group.create_task(registration.keep_beating()),
                    group.create_task(self._lease.keep()),
                ]
                self._seen.subscribe(pods.changed)
                self._services.subscribe(lambda old, new: pods.rename())
                self.started.set()
                await self._stopping.wait()
                for chore in chores:
                    chore.cancel()
            await registration.sign_off()
        finally:
            await pods.close()
