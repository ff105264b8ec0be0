"""The pods of this node: a worker, an address and names for each."""

import asyncio
import shutil
from pathlib import Path

from argosy.api.core import Pod, Service
from argosy.node.addresses import AddressBlock
from argosy.node.hosts import NamedPod
from argosy.node.launch import Parts
from argosy.node.worker import PodWorker
from argosy.runtime.informer import Informer

REFRESH = 60.0  # seconds between two looks at what volumes shall hold, as kubelet has it


class NodePods:
    """Workers by the uid of their pods. Everybody's address is known before anybody starts."""

    def __init__(self, parts: Parts, node: str, block: AddressBlock) -> None:
        self._parts = parts
        self._node = node
        self._block = block
        self._workers: dict[str, PodWorker] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._renamed = asyncio.Event()
        self._closed = False

    def changed(self, old: Pod | None, new: Pod | None) -> None:
        """A pod came, changed or went; pods of other nodes are passed over."""
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            if (gone := self._workers.get(old.metadata.uid)) is not None:
                gone.remove()
        if new is None or new.spec.node_name != self._node or self._closed:
            return
        worker = self._workers.get(new.metadata.uid)
        if worker is not None:
            worker.update(new)
        else:
            self._add(new)
        self.rename()

    def find(self, namespace: str, name: str) -> PodWorker | None:
        """The worker of a pod; of several pods that had the name, of the newest."""
        found = [w for w in self._workers.values() if w.pod.key == (namespace, name)]
        return found[-1] if found else None

    def rename(self) -> None:
        """Names may have changed."""
        self._renamed.set()

    async def keep_names(self, services: Informer[Service]) -> None:
        """Keep the hosts files right until cancelled."""
        while True:
            self._renamed.clear()
            named = [NamedPod(w.pod, w.address) for w in self._workers.values()]
            running = [entry for entry in named if not entry.pod.finished]
            self._parts.hosts.refresh(running, services.items())
            await self._renamed.wait()

    async def keep_volumes(self) -> None:
        """Keep what is in volumes up to date until cancelled: one timer for all pods."""
        while True:
            await self._parts.clock.sleep(REFRESH)
            for worker in list(self._workers.values()):
                await worker.refresh()

    async def stop(self, grace: float, late: float) -> None:
        """End all pods within `grace` seconds; their last statuses get `late` more."""
        self._closed = True
        for worker in self._workers.values():
            worker.shut_down(grace)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace + late)

    async def close(self) -> None:
        """Kill what still runs."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _add(self, pod: Pod) -> None:
        address = self._block.assign(pod.metadata.uid, pod.status.pod_ip)
        worker = PodWorker(self._parts, pod, address)
        self._workers[pod.metadata.uid] = worker
        task = asyncio.create_task(self._run(pod.metadata.uid, worker))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, uid: str, worker: PodWorker) -> None:
        await worker.run()
        if not self._closed:
            del self._workers[uid]
            self._block.release(uid)
            self._parts.volumes.contents.tokens.forget(uid)
            self.rename()
            await asyncio.to_thread(shutil.rmtree, worker.folder, ignore_errors=True)


def forget_folders(root: Path, known: set[str]) -> None:
    """Remove the folders of pods that went while nobody was here."""
    folder = root / "pods"
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in known:
            shutil.rmtree(path, ignore_errors=True)
