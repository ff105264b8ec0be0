"""How wide a request is: the seats that it is taken to need, before it runs.

Lists and watches that begin with a list by the number of objects that they look at; writes by the
number of watches that will be told of them, after their answer. Source: apiserver's
`util/flowcontrol/request`, Kubernetes 1.36, with estimates by count.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from math import ceil

from argosy.apiserver.authorization.attributes import Attributes
from argosy.apiserver.flowcontrol.queues import Ticket
from argosy.http.message import Request

OBJECTS_PER_SEAT = 100
WATCHES_PER_SEAT = 10
EVENT_SECONDS = 0.005
WRITES = frozenset({"create", "update", "patch", "delete"})
_Place = tuple[str, str, str, str]

Stored = Callable[[Attributes], int]
"""How many objects there are where the request looks."""


class Watchers:
    """Watches that are open, by what they are of."""

    def __init__(self) -> None:
        self._open: dict[_Place, int] = {}

    async def counted(
        self, asked: Attributes, body: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        """The watch's answer; it counts as long as it is open."""
        place = (asked.group, asked.resource, asked.namespace, asked.name)
        self._open[place] = self._open.get(place, 0) + 1
        try:
            async with aclosing(body):
                async for piece in body:
                    yield piece
        finally:
            self._open[place] -= 1
            if not self._open[place]:
                del self._open[place]

    def of(self, asked: Attributes) -> int:
        """How many may be told of what the request does."""
        group, resource = asked.group, asked.resource
        places = {
            (group, resource, "", ""),
            (group, resource, asked.namespace, ""),
            (group, resource, asked.namespace, asked.name),
        }
        return sum(self._open.get(place, 0) for place in places)


@dataclass(frozen=True, slots=True)
class Estimator:
    """Makes tickets."""

    stored: Stored
    watchers: Watchers

    def ticket(self, request: Request, asked: Attributes, widest: int) -> Ticket:
        """For a request, in a level that lets one be as wide as `widest`."""
        if asked.path is not None:
            return Ticket(1)
        if asked.verb in ("list", "watch"):
            return Ticket(self._read(request, asked, widest))
        if asked.verb in WRITES:
            return self._write(asked, widest)
        return Ticket(1)

    def _read(self, request: Request, asked: Attributes, widest: int) -> int:
        query = request.parameters()
        if asked.name:
            return 1
        if asked.verb == "watch" and query.get("sendInitialEvents", "false") != "true":
            if query.get("resourceVersion", "") not in ("", "0"):
                return 1
        objects = self.stored(asked)
        limit = query.get("limit", "")
        whole = not asked.labels.requirements and not asked.fields.terms
        if whole and limit.isascii() and limit.isdigit() and len(limit) < 10 and int(limit):
            objects = min(objects, int(limit))
        return max(1, min(widest, ceil(objects / OBJECTS_PER_SEAT)))

    def _write(self, asked: Attributes, widest: int) -> Ticket:
        told = 0 if asked.whole_resource == "serviceaccounts/token" else self.watchers.of(asked)
        if told < WATCHES_PER_SEAT:
            return Ticket(1)
        wanted = ceil(told / WATCHES_PER_SEAT)
        final = min(wanted, widest)
        return Ticket(1, final, wanted * EVENT_SECONDS / final)


def tracked(asked: Attributes) -> bool:
    """Whether a watch is told of any object: those of one node's pods hardly ever are."""
    if asked.resource != "pods":
        return True
    return not any(
        term.equal and term.value and term.path == ("spec", "nodeName")
        for term in asked.fields.terms
    )
