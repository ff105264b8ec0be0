"""Conversion webhooks: who they are, what they are asked, and what is remembered of their answers.

What was asked about one state of an object is not asked again: answers are kept by the object's key
and revision, the version wanted and the generation of the definition, within a bound. Who needs the
same answer at the same time waits for the same question. Questions have as many objects as are
needed at once, up to a bound: see `review`.
"""

import asyncio
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from argosy.apiserver.extensions.review import LARGEST, REVIEWS, Review, refused, shown
from argosy.apiserver.extensions.view import Form, version_of
from argosy.apiserver.outbound import Outbound, OutboundError
from argosy.store.interface import Record

Json = dict[str, Any]
SECONDS: Final = 30.0
"""So long a webhook may take; upstream waits as long as the request may last."""
MOST_OBJECTS: Final = 500
MOST_BYTES: Final = 1 << 20
"""How much is asked about in one question: of more objects than one, at most so many bytes."""
AT_ONCE: Final = 4
"""Questions of one list that are asked at the same time."""
MOST_KEPT: Final = 32 << 20
"""Bytes of converted objects that are remembered."""


class State(NamedTuple):
    """A state of an object in a version, under one form of its definition."""

    definition: str
    generation: int
    key: str
    revision: int
    wanted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """The conversion webhook of a kind; `forms` are those of its versions, by apiVersion."""

    uid: str
    generation: int
    config: Mapping[str, Any]
    versions: Sequence[str]
    forms: Mapping[str, Form]

    def state(self, record: Record, wanted: str) -> State:
        """What the converted object is found by."""
        return State(self.uid, self.generation, record.key, record.revision, wanted)

    def filled(self, value: bytes) -> Json:
        """A stored object in the form of the version in which it is stored."""
        obj: Json = msgspec.json.decode(value)
        version = version_of(value)
        form = self.forms.get(version)
        if form is None:
            text = f"request to convert CR from an invalid group/version: {version}"
            raise refused(text)
        if form.fill is not None:
            form.fill(obj)
        return form.pruned(obj, [])


@dataclass(slots=True, eq=False)
class Conversions:
    """What all conversion webhooks are asked. `close` gives up what is not answered yet."""

    outbound: Outbound
    seconds: float = SECONDS
    most_kept: int = MOST_KEPT
    _kept: dict[State, bytes] = field(default_factory=dict)
    _bytes: int = 0
    _running: dict[State, "asyncio.Task[dict[State, bytes]]"] = field(default_factory=dict)
    _tasks: "set[asyncio.Task[dict[State, bytes]]]" = field(default_factory=set)

    def known(self, state: State) -> bytes | None:
        """The converted object, if it is remembered."""
        value = self._kept.pop(state, None)
        if value is not None:
            self._kept[state] = value
        return value

    def keep(self, state: State, value: bytes) -> None:
        """Remember a converted object, and forget those that nobody asked for the longest."""
        self._bytes += len(value) - len(self._kept.pop(state, b""))
        self._kept[state] = value
        while self._bytes > self.most_kept:
            self._bytes -= len(self._kept.pop(next(iter(self._kept))))

    async def all(self, hook: Hook, wanted: str, records: Iterable[Record]) -> dict[State, bytes]:
        """Stored objects in another version. Raises StatusError 500.

        The caller may be cancelled: what it asked is answered all the same, and remembered.
        """
        found: dict[State, bytes] = {}
        waits: set[asyncio.Task[dict[State, bytes]]] = set()
        fresh: dict[State, bytes] = {}
        for record in records:
            state = hook.state(record, wanted)
            if (value := self.known(state)) is not None:
                found[state] = value
            elif (task := self._running.get(state)) is not None:
                waits.add(task)
            else:
                fresh[state] = record.value
        for task in waits:
            found |= await asyncio.shield(task)
        for some in _handfuls(list(batches(fresh)), AT_ONCE):
            for task in [self._begin(hook, wanted, batch) for batch in some]:
                found |= await asyncio.shield(task)
        return found

    def _begin(
        self, hook: Hook, wanted: str, batch: Mapping[State, bytes]
    ) -> "asyncio.Task[dict[State, bytes]]":
        task = asyncio.create_task(self._asked(hook, wanted, batch))
        self._tasks.add(task)
        for state in batch:
            self._running[state] = task
        task.add_done_callback(partial(self._over, tuple(batch)))
        return task

    def _over(self, states: Iterable[State], task: "asyncio.Task[dict[State, bytes]]") -> None:
        self._tasks.discard(task)
        for state in states:
            if self._running.get(state) is task:
                del self._running[state]
        if not task.cancelled():
            task.exception()  # it was raised to whoever waited; nobody may have

    async def _asked(
        self, hook: Hook, wanted: str, batch: Mapping[State, bytes]
    ) -> dict[State, bytes]:
        objects = [hook.filled(value) for value in batch.values()]
        values = [_encoded(obj) for obj in await self.turned(hook, wanted, objects)]
        turned = dict(zip(batch, values, strict=True))
        for state, value in turned.items():
            self.keep(state, value)
        return turned

    async def turned(self, hook: Hook, wanted: str, objects: Sequence[Json]) -> list[Json]:
        """The objects in the version `wanted`, as its schema has them. Raises StatusError 500."""
        version = next((name for name in hook.versions if name in REVIEWS), "")
        if not version:
            raise refused("no supported conversion review versions")
        review = Review(version=version, uid=str(uuid.uuid4()), wanted=wanted, objects=objects)
        try:
            where = self.outbound.where(hook.config)
            status, body = await self.outbound.post(
                where,
                review.body(),
                seconds=self.seconds,
                query=f"timeout={-(-self.seconds // 1):.0f}s",
            )
        except OutboundError as error:
            raise review.failed(str(error)) from None
        if not 200 <= status < 300:
            raise review.failed(_unanswered(status, body))
        form = hook.forms[wanted]
        turned = [form.pruned(obj, []) for obj in review.converted(body)]
        for old, new in zip(objects, turned, strict=True):
            if len(_encoded(new)) > max(LARGEST, len(_encoded(old))):
                raise review.failed(f"an object of {shown(new)} has more than {LARGEST} bytes")
        return turned

    async def close(self) -> None:
        """Give up all questions."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _encoded(obj: Json) -> bytes:
    return msgspec.json.encode(obj)


def _unanswered(status: int, body: bytes) -> str:
    said = body[:512].decode(errors="replace")
    if status >= 500:
        return f'an error on the server ("{said}") has prevented the request from succeeding'
    return f"the server responded with the status code {status}: {said}"


def batches(states: Mapping[State, bytes]) -> Iterator[dict[State, bytes]]:
    """Pieces that are asked about in one question each."""
    batch: dict[State, bytes] = {}
    size = 0
    for state, value in states.items():
        if batch and (len(batch) == MOST_OBJECTS or size + len(value) > MOST_BYTES):
            yield batch
            batch, size = {}, 0
        batch[state] = value
        size += len(value)
    if batch:
        yield batch


def _handfuls(
    pieces: Sequence[dict[State, bytes]], most: int
) -> Iterator[Sequence[dict[State, bytes]]]:
    for start in range(0, len(pieces), most):
        yield pieces[start : start + most]
