"""The AI platform's controllers against a cluster that somebody else runs: `argosy operators`.

Which of their kinds the cluster serves is asked by discovery, again and again: what is missing is
told, and begins when it is there (`argosy install` brings the definitions). Whenever that changes
all begin anew, with caches of their own; that is rare, and nothing is left over from before.
"""

import asyncio
import signal
import socket
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from argosy.api.kserve import InferenceService
from argosy.api.modelversion import ModelVersion
from argosy.api.resource import Resource
from argosy.api.scheduling import PodGroup
from argosy.api.trainer import ClusterTrainingRuntime, TrainingRuntime, TrainJob
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.client.fence import Fenced
from argosy.client.watching import decoded
from argosy.cluster.platform import HOST_IMAGE, OPERATORS, add_operators
from argosy.cluster.rights import NAME
from argosy.cluster.scheduling import missing
from argosy.runtime.election import Election, Terms
from argosy.runtime.health import Door
from argosy.runtime.manager import GRACE, Manager
from argosy.scheduler.kinds import OPTIONAL

if TYPE_CHECKING:
    from argosy.scheduler.profiles import Setup

LOOK_SECONDS = 10.0


class _Named(msgspec.Struct, frozen=True):
    name: str


class _Resources(msgspec.Struct, frozen=True):
    """What discovery says of a version of a group."""

    resources: list[_Named]


_resources = msgspec.json.Decoder(_Resources)

NEEDS: Mapping[Resource, tuple[Resource, ...]] = {
    TrainJob.resource: (
        ClusterTrainingRuntime.resource,
        TrainingRuntime.resource,
        PodGroup.resource,
    ),
    ModelVersion.resource: (),
    InferenceService.resource: (ModelVersion.resource,),
}
"""What else a kind's controller can do nothing without."""

Address = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What `argosy operators` was asked for.

    `image` is that of the pods that controllers make themselves. Stood for election is in
    `namespace`, or not at all where it is empty. `doors` are where probes and metrics are answered.
    Pods that name `scheduler`, where it is given, are placed by ours; `setup` says how, and has the
    names then.
    """

    kinds: tuple[Resource, ...]
    image: str = HOST_IMAGE
    namespace: str = ""
    terms: Terms = Terms()
    doors: tuple[Address, ...] = ()
    scheduler: str = ""
    setup: "Setup | None" = None


def chosen(only: Sequence[str]) -> tuple[Resource, ...]:
    """The kinds that `only` names by their plural, or all. Raises ValueError."""
    known = {resource.plural: resource for resource, _ in OPERATORS}
    for name in only:
        if name not in known:
            raise ValueError(f"unknown operator {name!r}: there are {', '.join(known)}")
    return tuple(known[name] for name in known if not only or name in only)


async def served(client: Client, wanted: Iterable[Resource]) -> frozenset[Resource]:
    """Those of `wanted` that the cluster serves. Raises StatusError and ConnectionError.

    An answer that no API server gives is a ConnectionError too: who speaks there is somebody else.
    """
    wanted = tuple(wanted)
    found = set()
    for root in sorted({resource.root for resource in wanted}):
        try:
            answer = await client.call("GET", root)
            listed = decoded(_resources.decode, answer).resources
        except StatusError as error:
            if error.code != 404:
                raise
            continue
        except msgspec.DecodeError as error:
            raise ConnectionError(f"GET {root}: not the answer of an API server: {error}") from None
        names = {item.name for item in listed}
        found |= {item for item in wanted if item.root == root and item.plural in names}
    return frozenset(found)


class Foreign:
    """Runs the controllers of the kinds that are wanted, as far as the cluster serves them.

    `tell` is for what the person who runs them is to know.
    """

    def __init__(
        self, client: Client, clock: Clock, wanted: Wanted, tell: Callable[[str], None]
    ) -> None:
        self._client = client
        self._clock = clock
        self._wanted = wanted
        self._tell = tell
        self._trouble = ""
        self._election: Election | None = None
        if wanted.namespace:
            self._election = Election(
                replace(client, manager=NAME),
                clock,
                name=NAME,
                namespace=wanted.namespace,
                identity=f"{socket.gethostname()}_{uuid.uuid4()}",
                terms=wanted.terms,
            )

    async def run(self) -> None:
        """Run until cancelled; what was begun is ended then, for at most `GRACE` seconds.

        Raises StatusError and ConnectionError where the cluster can't be asked at the start.
        """
        known = await served(self._client, self._asked())
        self._report(known)
        working = self._begun(known)
        try:
            while True:
                await self._pause(working)
                now = await self._look(known)
                if now == known:
                    continue
                self._report(now)
                await _ended(working)
                working, known = self._begun(now), now
        finally:
            await _ended(working)

    def _asked(self) -> frozenset[Resource]:
        needed = (NEEDS[kind] for kind in self._wanted.kinds)
        read = (kind.resource for kind in OPTIONAL) if self._wanted.scheduler else ()
        return frozenset(self._wanted.kinds).union(*needed, read)

    async def _look(self, known: frozenset[Resource]) -> frozenset[Resource]:
        """What is served now; what was served before where the cluster doesn't say."""
        try:
            found = await served(self._client, self._asked())
        except (StatusError, ConnectionError) as error:
            if not self._trouble:
                self._tell(f"the cluster can't be asked what it serves: {error}")
            self._trouble = str(error)
            return known
        if self._trouble:
            self._tell("the cluster answers again")
        self._trouble = ""
        return found

    def _report(self, found: frozenset[Resource]) -> None:
        running = [kind.plural for kind in self._wanted.kinds if kind in found]
        running += [f"scheduler {self._wanted.scheduler}"] * bool(self._wanted.scheduler)
        when = " while elected" if self._election is not None else ""
        self._tell(f"running{when}: {', '.join(running) or 'nothing yet'}")
        for kind in sorted(missing(found), key=_told) if self._wanted.scheduler else ():
            self._tell(
                f"warning: the scheduler does without {kind.qualified} ({kind.version}), "
                "which the cluster does not serve"
            )
        for kind in self._wanted.kinds:
            if kind not in found:
                self._tell(f"waiting: the cluster serves no {kind.qualified} ({kind.version})")
                self._tell("hint: argosy install brings the definition")
                continue
            for need in NEEDS[kind]:
                if need not in found:
                    self._tell(
                        f"warning: {kind.plural} need {need.qualified} ({need.version}), "
                        "which the cluster does not serve"
                    )
                    if need == PodGroup.resource:
                        self._tell("hint: its feature gate GenericWorkload must be open")

    def _begun(self, found: frozenset[Resource]) -> "asyncio.Task[None]":
        return asyncio.create_task(self._manager(found).run())

    def _manager(self, found: frozenset[Resource]) -> Manager:
        client = self._client
        if self._election is not None:
            client = replace(client, transport=Fenced(client.transport, self._election.fence))
        manager = Manager(client, self._clock, election=self._election, grace=GRACE)
        kinds = [kind for kind in self._wanted.kinds if kind in found]
        add_operators(manager, kinds, image=self._wanted.image)
        if self._wanted.scheduler:
            # They take NumPy, which nobody else needs.
            from argosy.scheduler.loop import Scheduler
            from argosy.scheduler.profiles import Profile, Setup

            setup = self._wanted.setup or Setup(profiles=(Profile(self._wanted.scheduler),))
            manager.add_runner(Scheduler(manager, setup, absent=missing(found)).run)
        manager.add_runner(self._working)
        for host, port in self._wanted.doors:
            manager.add_runner(Door(manager).at(host, port), always=True)
        return manager

    async def _working(self) -> None:
        """Goes on, so that the lease is held while there is nothing to do, too."""
        if self._election is None:
            await asyncio.get_running_loop().create_future()
        self._tell("elected")
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._tell("no longer elected")

    async def _pause(self, working: "asyncio.Task[None]") -> None:
        """Until it is time to look again. Raises what ended the work."""
        sleeping = asyncio.ensure_future(self._clock.sleep(LOOK_SECONDS))
        try:
            await asyncio.wait((working, sleeping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
        if working.done() and (error := working.exception()) is not None:
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            raise error


def _told(kind: Resource) -> str:
    return kind.qualified


async def _ended(working: "asyncio.Task[None]") -> None:
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def until_signalled(foreign: Foreign) -> None:
    """Run until SIGTERM or SIGINT; a second one does not wait for what was begun."""
    running = asyncio.ensure_future(foreign.run())
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        if not running.cancelled():  # somebody else cancelled us
            raise
