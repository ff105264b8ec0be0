"""Follows a file that configures the server: looks at it when it changes, and once a minute.

One for all such files (authenticators, authorizers, keys of encryption). Who takes the content over
says whether it did: what is wrong is refused once, until the file changes; what can't be had now is
tried again. Either way the server goes on as before. Counted under upstream's names, without the
label of the server's identity, for there is one server.
"""

import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from argosy.apiserver.configfile import ConfigurationError
from argosy.base.clock import Clock
from argosy.base.exposition import Family

LOOK_SECONDS: Final = 60.0
GLANCE_SECONDS: Final = 1.0
"""Between two questions whether the file is another one: 4 µs each."""

Take = Callable[[bytes], Awaitable[bool]]
"""Takes the content over; whether it says anything new. Raises ConfigurationError, NotYetError."""

log = logging.getLogger(__name__)


class NotYetError(Exception):
    """What the file says can't be had now, and may be later; the text says why."""


@dataclass(slots=True, eq=False)
class Reloading:
    """Follows `file`, the server's configuration of `what`; `seen` is the digest of what holds."""

    what: str
    file: Path
    clock: Clock
    take: Take
    seen: str = ""
    _hash: str = ""
    _counts: dict[str, tuple[int, float]] = field(default_factory=dict)

    async def run(self) -> None:
        """Do so until cancelled."""
        while True:
            mark = self._mark()
            await self.look()
            until = self.clock.monotonic() + LOOK_SECONDS
            while self.clock.monotonic() < until and self._mark() == mark:
                await self.clock.sleep(GLANCE_SECONDS)

    async def look(self) -> None:
        """Take over what the file says now, if that can be."""
        try:
            data = self.file.read_bytes()
        except OSError as error:
            self._failed(f"reading {self.file}: {error.strerror or error}")
            return
        digest = digest_of(data)
        if digest == self.seen:
            self._hash = self._hash or digest
            return
        try:
            changed = await self.take(data)
        except NotYetError as error:
            self._failed(str(error))
            return
        except ConfigurationError as error:
            self.seen = digest
            self._failed(str(error))
            return
        except Exception as error:  # whatever it is, the server goes on as before
            self._failed(f"{type(error).__name__}: {error}")
            return
        self.seen = self._hash = digest
        if changed:
            self._count("success")
            log.info("reloaded a configuration", extra={"of": self.what})

    def families(self) -> Iterator[Family]:
        """What is told of it."""
        prefix = f"apiserver_{self.what}_config_controller_"
        reloads = f"{prefix}automatic_reloads_total"
        moment = f"{prefix}automatic_reload_last_timestamp_seconds"
        counts = Family(reloads, "counter", f"Reloads of {self.what} configuration.", ("status",))
        last = Family(moment, "gauge", f"When {self.what} was last reloaded.", ("status",))
        for status, (count, when) in self._counts.items():
            counts.add((status,), count)
            last.add((status,), when)
        holding = Family(
            f"{prefix}last_config_info",
            "gauge",
            f"The digest of the {self.what} configuration that holds.",
            ("hash",),
        )
        if self._hash:
            holding.add((self._hash,), 1)
        yield from (counts, last, holding)

    def _failed(self, why: str) -> None:
        self._count("failure")
        log.error("reloading a configuration", extra={"of": self.what, "error": why})

    def _count(self, status: str) -> None:
        count = self._counts.get(status, (0, 0.0))[0]
        self._counts[status] = count + 1, self.clock.now().timestamp()

    def _mark(self) -> tuple[int, ...]:
        """What tells a changed file; of one that is not there nothing."""
        try:
            found = self.file.stat()
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_ino, found.st_size


def digest_of(data: bytes) -> str:
    """What a file's content is told by."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
