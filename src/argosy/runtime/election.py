"""Leader election by a Lease: of several processes one works, and the next begins when it ends.

The protocol and its defaults are client-go's (tools/leaderelection), so that ours can stand
together with others: who finds the lease free, or unchanged for as long as it says that it lasts,
writes itself into it; the holder renews it. Nobody compares clocks: a candidate counts from when it
*saw* the record change. A lease that is not renewed for `renew_deadline` is lost.

Why two never write (`client.fence`). The holder's fence is open until `renew_deadline` after it
*sent* the last renewal that succeeded. A candidate first saw that renewal after it was sent, and
takes the lease no sooner than `lease_duration` after that. So between a fence that closes and
another that opens lie `lease_duration - renew_deadline` seconds (5): for what is under way, and
for clocks that run unequally (by up to a third). The lease is released once the work has ended and
every write of the last seconds was answered; else it is left to run out. Each write to the lease
names the revision that was read, so of two takers one fails; and a holder that was stopped renews
only what nobody wrote meanwhile, or what still has its own `leaseTransitions`.

What no client can rule out alone: a write that passed the open fence (it is asked once more when a
connection had to be made) and that network or kernel hold back for longer than those 5 seconds; or
a virtual machine that was paused with all its clocks. Then the write's own preconditions (uid,
revision, a fixed name) are what is left.

client-go's users exit when they lose a lease, because nothing else stops their threads for sure.
Here the work is cancelled, and what would outlive that can't write: so `lead` waits for its end
and returns, and whoever called it exits, or stands again by calling it again.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from argosy.api.leases import Lease
from argosy.api.meta import ObjectMeta
from argosy.api.resources.control import LEASE
from argosy.base.clock import Clock, micro_timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.client.fence import Fence, Moment
from argosy.runtime.events import EventRecorder, Note

JITTER = 1.2
"""A candidate tries again after `retry_period`, and up to so many times that more."""

T = TypeVar("T")
Json = dict[str, Any]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """In seconds: how long a lease lasts, until when it must be renewed, how often that is tried.

    Raises ValueError where these don't fit each other, in client-go's words.
    """

    lease_duration: int = 15
    renew_deadline: float = 10.0
    retry_period: float = 2.0

    def __post_init__(self) -> None:
        if self.lease_duration <= self.renew_deadline:
            raise ValueError("leaseDuration must be greater than renewDeadline")
        if self.renew_deadline <= JITTER * self.retry_period:
            raise ValueError("renewDeadline must be greater than retryPeriod*JitterFactor")
        if self.retry_period <= 0:
            raise ValueError("retryPeriod must be greater than zero")


class Election:
    """Stands for one lease as `identity`, which no other process may have.

    `fence` is to guard the transport of the work (`client.fence.Fenced`); `client` is not to be
    fenced: it writes the lease itself.
    """

    def __init__(
        self,
        client: Client,
        clock: Clock,
        *,
        name: str,
        namespace: str,
        identity: str,
        terms: Terms | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.identity = identity
        self.fence = Fence(clock)
        self._client = client
        self._clock = clock
        self._name = name
        self._namespace = namespace
        self._terms = terms or Terms()
        self._chance = chance
        self._events = EventRecorder(client, clock, client.manager)
        self._lease: Json | None = None  # as it was last read or written
        self._observed = 0.0  # when it was first seen so
        self._term: object = None  # the leaseTransitions with which it was taken
        self._trouble = ""  # what was told last

    @property
    def leading(self) -> bool:
        """Whether the lease is held: for metrics and answers, the fence decides."""
        return self.fence.left > 0

    @property
    def leader(self) -> str:
        """The identity that held the lease when it was last seen; empty where none did."""
        return str(_spec(self._lease).get("holderIdentity") or "")

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, and run `work` while it is held.

        Returns when the work has ended: by itself, or cancelled because the lease was lost. Raises
        what it raises. The work has at most what is left until `renew_deadline` to drain.
        """
        await self._acquire()
        working = asyncio.ensure_future(work())
        try:
            await self._keep(working)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await self._resign()
        if not working.cancelled():
            working.result()

    async def _acquire(self) -> None:
        extra = {"lease": f"{self._namespace}/{self._name}", "identity": self.identity}
        log.info("standing for election", extra=extra)
        self._term = None
        while not await self._tried(self._terms.renew_deadline / 2):
            pause = self._terms.retry_period * (1 + JITTER * self._chance())
            await self._clock.sleep(pause)
        self._term = _spec(self._lease).get("leaseTransitions")
        log.info("leading", extra=extra)

    async def _keep(self, working: "asyncio.Future[None]") -> None:
        """Renew until the work is done or the lease is lost."""
        await self._tell("became leader")
        while self.fence.left and not working.done():
            # Never beyond the deadline: then the work is to end.
            pause = min(self._terms.retry_period, self.fence.left)
            sleeping = asyncio.ensure_future(self._clock.sleep(pause))
            try:
                await asyncio.wait((sleeping, working), return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeping.cancel()
            if not working.done() and self.fence.left:
                await self._renew(working)

    async def _renew(self, working: "asyncio.Future[None]") -> None:
        """Try once; the fence is closed where the lease is another's."""
        patience = min(self._terms.renew_deadline / 2, self.fence.left)
        renewed = await self._tried(patience)
        if not renewed and self._lease is not None and not self._mine():
            self.fence.close()
        if not self.fence.left and not working.done():
            log.warning("the lease is lost", extra={"leader": self.leader})

    def _mine(self) -> bool:
        """Whether the lease is this one's, of the term that it began."""
        spec = _spec(self._lease)
        known = self._term is None or spec.get("leaseTransitions") == self._term
        return bool(spec.get("holderIdentity") == self.identity and known)

    async def _tried(self, seconds: float) -> bool:
        """Whether the lease could be taken or renewed now, in so many seconds."""
        try:
            taken = await within(self._clock, seconds, self._take())
        except (StatusError, ConnectionError, TimeoutError, msgspec.DecodeError) as error:
            self._complain(str(error) or "no answer")
            return False
        self._trouble = ""
        return taken

    def _complain(self, trouble: str) -> None:
        """Once of each trouble: a candidate may try for ever."""
        level = logging.INFO if trouble == self._trouble else logging.WARNING
        log.log(level, "the lease can't be had", extra={"lease": self._name, "error": trouble})
        self._trouble = trouble

    async def _take(self) -> bool:
        """Take or renew the lease, where that may be."""
        if self.leading and self._lease is not None and self._mine():
            try:
                return await self._write(self._lease)  # as if nobody had touched it
            except StatusError as error:
                if error.code not in (404, 409):
                    raise
        now = self._clock.monotonic()
        found = await self._read()
        if found is None:
            if self._term is not None:
                self.fence.close()  # who knows who held it meanwhile
                return False
            return await self._create()
        if self._term is not None and not self._mine():
            return False
        free = not self.leader or self.leader == self.identity
        lasts = float(_spec(found).get("leaseDurationSeconds") or 0)
        if not free and now < self._observed + lasts:
            return False
        return await self._write(found)

    async def _read(self) -> Json | None:
        path = LEASE.path(self._name, self._namespace)
        try:
            found: Json = msgspec.json.decode(await self._client.call("GET", path))
        except StatusError as error:
            if error.code != 404:
                raise
            return None
        if self._lease is None or _spec(found) != _spec(self._lease):
            self._observed = self._clock.monotonic()
        self._lease = found
        return found

    async def _create(self) -> bool:
        sent = self.fence.moment()
        body = {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": {**self._record(), "acquireTime": self._now(), "leaseTransitions": 0},
        }
        return self._held(sent, await self._client.create(LEASE, body))

    async def _write(self, lease: Json) -> bool:
        spec = _spec(lease)
        record = self._record()
        if spec.get("holderIdentity") != self.identity:
            record["acquireTime"] = record["renewTime"]
            record["leaseTransitions"] = int(spec.get("leaseTransitions") or 0) + 1
        sent = self.fence.moment()
        written = await self._client.update(LEASE, {**lease, "spec": {**spec, **record}})
        return self._held(sent, written)

    def _held(self, sent: Moment, written: Json) -> bool:
        self._lease, self._observed = written, self._clock.monotonic()
        self.fence.extend(sent, self._terms.renew_deadline)
        return True

    def _record(self) -> Json:
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": self._terms.lease_duration,
            "renewTime": self._now(),
        }

    def _now(self) -> str:
        return micro_timestamp(self._clock.now())

    async def _resign(self) -> None:
        """Let the next one begin at once, where the lease is this one's yet; the work has ended."""
        mine = self._lease is not None and self._mine()
        mine = mine and self.fence.quiet(self._terms.lease_duration - self._terms.renew_deadline)
        self.fence.close()
        await self._tell("stopped leading")
        if mine:
            try:
                await within(self._clock, self._terms.retry_period, self._release())
            except (StatusError, ConnectionError, TimeoutError, msgspec.DecodeError) as error:
                log.info("the lease is not released", extra={"error": str(error) or "no answer"})
        with suppress(TimeoutError):  # the process may be about to end
            await within(self._clock, self._terms.retry_period, self._events.flushed())

    async def _release(self) -> None:
        found = await self._read()  # a renewal may have been under way
        if found is None or not self._mine():
            return
        record = {
            "holderIdentity": "",
            "leaseDurationSeconds": 1,
            "renewTime": self._now(),
            "acquireTime": self._now(),
        }
        body = {**found, "spec": {**_spec(found), **record}}
        self._lease = await self._client.update(LEASE, body)

    async def _tell(self, what: str) -> None:
        if self._lease is None:
            return
        meta = self._lease["metadata"]
        about = ObjectMeta(name=self._name, namespace=self._namespace, uid=meta.get("uid", ""))
        note = Note("LeaderElection", f"{self.identity} {what}")
        await self._events.record(Lease(metadata=about), note)


def _spec(lease: Mapping[str, Any] | None) -> Json:
    return (lease or {}).get("spec") or {}


async def within(clock: Clock, seconds: float, step: Coroutine[Any, Any, T]) -> T:
    """What `step` gives, or a TimeoutError after `seconds` of the clock's time."""
    doing, sleeping = asyncio.ensure_future(step), asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((doing, sleeping), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        raise TimeoutError
    finally:
        doing.cancel()
        sleeping.cancel()
        await asyncio.gather(doing, sleeping, return_exceptions=True)
