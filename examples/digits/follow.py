"""Follows a TrainJob by its pods' logs, through restarts of the gang and of the cluster."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from argosy.api.core import Pod
from argosy.base.errors import StatusError
from argosy.client.client import Client

NAMESPACE = "default"
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Line:
    """One JSON line that a rank printed: `attempt` counts the gang's starts from 0."""

    attempt: int
    event: dict[str, Any]


class Follower:
    """Reads all ranks of one job; `lines` is what they say, as it comes."""

    def __init__(self, client: Client, job: str) -> None:
        self._client = client
        self._job = job
        self._queue: asyncio.Queue[Line] = asyncio.Queue()
        self._seen: set[str] = set()
        self._readers: list[asyncio.Task[None]] = []

    async def lines(self) -> AsyncGenerator[Line, None]:
        """All lines until rank 0 is done."""
        async with asyncio.TaskGroup() as group:
            finder = group.create_task(self._find(group))
            try:
                while True:
                    line = await self._queue.get()
                    yield line
                    if line.event["event"] == "done":
                        return
            finally:
                finder.cancel()
                for task in self._readers:
                    task.cancel()

    async def _find(self, group: asyncio.TaskGroup) -> None:
        """Look for pods whose log nobody reads yet."""
        while True:
            with contextlib.suppress(ConnectionError, StatusError):
                labels = f"jobset.sigs.k8s.io/jobset-name={self._job}"
                for pod in (await self._client.list(Pod, NAMESPACE, labels=labels)).items:
                    if pod.metadata.uid not in self._seen and _has_log(pod):
                        self._seen.add(pod.metadata.uid)
                        self._readers.append(group.create_task(self._read(pod)))
            # Looked for again and again rather than watched: the cluster may restart meanwhile.
            await asyncio.sleep(POLL_SECONDS)

    async def _read(self, pod: Pod) -> None:
        attempt = int(pod.metadata.labels.get("training.argosy.dev/attempt", "0"))
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod.metadata.name}/log"
        rest = b""
        with contextlib.suppress(ConnectionError, StatusError):
            async for piece in self._client.stream(path, {"follow": "true"}):
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    self._take(attempt, line)

    def _take(self, attempt: int, line: bytes) -> None:
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict) and "event" in event:
                self._queue.put_nowait(Line(attempt, event))


def _has_log(pod: Pod) -> bool:
    return any(status.state.waiting is None for status in pod.status.container_statuses)
