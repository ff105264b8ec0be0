"""One running instance of a container: its process, its log, its probes."""

import asyncio
from pathlib import Path

from argosy.api.core import Container
from argosy.base.clock import Clock
from argosy.node.logs import LogFile, last_lines
from argosy.node.prober import Report, checker, watch
from argosy.node.runtimes.interface import Exit, Process

LONGEST_MESSAGE = 4096


class RunningInstance:
    """What the worker holds while a container runs."""

    def __init__(self, process: Process, log: LogFile, message: Path) -> None:
        self.process = process
        self.log = log
        self._message = message
        self._probes: asyncio.Task[None] | None = None

    def probe(self, container: Container, address: str, clock: Clock, report: Report) -> None:
        """Start the container's probes."""
        work = watch(container, checker(container, address), clock, report)
        self._probes = asyncio.create_task(work)

    async def finished(self) -> Exit:
        """Wait for its end; the log is complete and no probe runs after that."""
        try:
            return await self.process.wait()
        finally:
            if self._probes is not None:
                self._probes.cancel()
                await asyncio.gather(self._probes, return_exceptions=True)
            self.log.close()

    def message(self, *, or_log: bool) -> str:
        """What it left as its termination message; `or_log`: else the end of its log."""
        try:
            with self._message.open("rb") as file:
                left = file.read(LONGEST_MESSAGE).decode(errors="replace")
        except OSError:
            left = ""
        return left if left or not or_log else last_lines(self.log.path)
