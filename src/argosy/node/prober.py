"""Probes: whether a container has started, is ready, is alive.

The tally of successes and failures is pure; the checks are one HTTP request or one connection each.
A startup probe holds the others back. Statuses from 200 to 399 are a success.
Source: Kubernetes' "Liveness, Readiness, and Startup Probes".
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from argosy.api.core import Container, HTTPGet, Probe
from argosy.base.clock import Clock

Kind = Literal["Startup", "Readiness", "Liveness"]
Check = Callable[[Probe], Awaitable[str]]
"""Asks once: why it failed, or the empty string."""
Report = Callable[[Kind, bool, str], None]
"""Called when a probe's verdict changes, with the text of the failure."""
_LONGEST_LINE = 4096
_IN_PATHS = "/?&=%:@!$'()*+,;~-._"


@dataclass(frozen=True, slots=True)
class Tally:
    """Results in a row, and the verdict so far (None: none yet)."""

    successes: int = 0
    failures: int = 0
    verdict: bool | None = None


def count(tally: Tally, success: bool, probe: Probe) -> Tally:
    """The tally after one more result."""
    if success:
        successes = tally.successes + 1
        verdict = True if successes >= probe.success_threshold else tally.verdict
        return Tally(successes, 0, verdict)
    failures = tally.failures + 1
    verdict = False if failures >= probe.failure_threshold else tally.verdict
    return Tally(0, failures, verdict)


async def watch(container: Container, check: Check, clock: Clock, report: Report) -> None:
    """Probe until cancelled."""
    if container.startup_probe is not None:
        await _loop("Startup", container.startup_probe, check, clock, report)
    async with asyncio.TaskGroup() as group:
        if container.readiness_probe is not None:
            group.create_task(_loop("Readiness", container.readiness_probe, check, clock, report))
        if container.liveness_probe is not None:
            group.create_task(_loop("Liveness", container.liveness_probe, check, clock, report))


async def _loop(kind: Kind, probe: Probe, check: Check, clock: Clock, report: Report) -> None:
    """One probe; a startup probe ends with its first success."""
    await clock.sleep(probe.initial_delay_seconds)
    tally = Tally()
    while True:
        failure = await check(probe)
        before, tally = tally.verdict, count(tally, not failure, probe)
        if tally.verdict is not None and tally.verdict != before:
            report(kind, tally.verdict, failure)
        if kind == "Startup" and tally.verdict:
            return
        await clock.sleep(probe.period_seconds)


def checker(container: Container, address: str) -> Check:
    """Checks against a pod's address; named ports are the container's."""
    ports = {port.name: port.container_port for port in container.ports if port.name}

    async def check(probe: Probe) -> str:
        wanted = probe.http_get or probe.tcp_socket
        if wanted is None:
            return "the probe has no action"
        port = ports.get(wanted.port) if isinstance(wanted.port, str) else wanted.port
        if port is None:
            return f"the container has no port named {wanted.port!r}"
        host = wanted.host or address
        try:
            async with asyncio.timeout(probe.timeout_seconds):
                return await _ask(wanted if isinstance(wanted, HTTPGet) else None, host, port)
        except TimeoutError:
            return f"no answer from {host}:{port} within {probe.timeout_seconds} s"
        except (OSError, ValueError) as error:
            return f"{host}:{port}: {error}"

    return check


async def _ask(request: HTTPGet | None, host: str, port: int) -> str:
    secure = _unverified() if request is not None and request.scheme == "HTTPS" else None
    reader, writer = await asyncio.open_connection(host, port, ssl=secure, limit=_LONGEST_LINE)
    try:
        if request is None:
            return ""
        path = quote(request.path, safe=_IN_PATHS)
        head = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: kube-probe/1.37"
        writer.write(f"{head}\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode())
        return _verdict(await reader.readline())
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _verdict(line: bytes) -> str:
    parts = line.split(None, 2)
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/") or not parts[1].isdigit():
        return "the answer is not HTTP"
    code = int(parts[1])
    return "" if 200 <= code < 400 else f"HTTP probe failed with statuscode: {code}"


def _unverified() -> ssl.SSLContext:
    """As Kubernetes has it, a probe doesn't check certificates."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
