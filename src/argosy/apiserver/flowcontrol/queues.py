"""The queues of one priority level: who has seats, who waits, and who of these is next.

Fair queuing by virtual time as upstream has it, but between flows, not queues: each flow has a
virtual time at which its next request would begin, which moves on by the seats and seconds that
its requests take, and the flow that is least far is next. A flow that comes anew begins where the
least far one is that waits; upstream computes that moment from all seats that are wanted, which
are not taken here while requests wait for their turn. So a flood that fills its whole hand of
queues has one turn, as everybody has; the queues bound how many may wait, and keep flows out of
each other's way.

Where flows meet, each may have few writes at work (`narrow`): who is at that bound is passed over.

Flows and queues exist while they hold something. Nobody waits here in any other sense than by being
in a list: time is whatever `now` says. Source: KEP-1040, apiserver's `fairqueuing/queueset`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

from argosy.apiserver.flowcontrol.demand import Integrator

GUESSED_SECONDS = 0.003
"""How long a request is taken to run until it has."""
MOST_REMEMBERED = 1024
FULL = "queue-full"
NO_SEATS = "concurrency-limit"
WAITED = "time-out"
GONE = "cancelled"


@dataclass(slots=True, eq=False)
class Ticket:
    """One request: `seats` while it runs, `final` ones for `lingers` seconds after its end."""

    seats: int
    final: int = 0
    lingers: float = 0.0
    granted: Callable[[], None] | None = None  # called where it had to wait
    came: float = 0.0
    number: int = 0
    began: float | None = None
    place: "tuple[Queue, Flow] | None" = None
    writes: bool = False  # it shares the disk's commits with others

    @property
    def flow(self) -> str:
        """The name of its flow, once it has entered."""
        return self.place[1].name if self.place else ""

    @property
    def most(self) -> int:
        """Seats that are kept for it."""
        return max(self.seats, self.final)

    @property
    def work(self) -> float:
        """Seat-seconds, as far as they can be told before it runs."""
        return self.seats * GUESSED_SECONDS + self.final * self.lingers


@dataclass(slots=True, eq=False)
class Queue:
    """Some flows' requests, in the order in which they came."""

    index: int
    waiting: dict[Ticket, None] = field(default_factory=dict)
    work: float = 0.0


@dataclass(slots=True, eq=False)
class Flow:
    """One flow's requests: those that wait, in order, and how many run or linger."""

    name: str
    waiting: dict[Ticket, None] = field(default_factory=dict)
    executing: int = 0
    seats: int = 0
    writing: int = 0  # writes that run and wait for nobody but the disk
    start: float = 0.0  # the virtual time at which the next one begins
    guessed: float = 0.0  # the part of it that is of those that run
    chosen: int = 0  # when it was last


class Queues:
    """All queues of a level. `limit` is the number of seats, `length` the most that wait in one."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._queues: dict[int, Queue] = {}
        self._flows: dict[str, Flow] = {}
        self._wanting: dict[str, Flow] = {}  # those that have somebody waiting
        self._left: dict[str, float] = {}  # how far flows were that hold nothing now
        self._virtual = 0.0
        self._count = 0
        self.limit = 0
        self.length: int | None = None  # None: nobody waits for a seat
        self.boundless = False
        self.waiting = self.waiting_seats = self.executing = self.seats = 0
        self.demand = Integrator(now())

    @property
    def idle(self) -> bool:
        """Whether nobody runs or waits."""
        return not (self.executing or self.waiting or self.seats)

    def enter(self, ticket: Ticket, flow_name: str, hand: Sequence[int]) -> str:
        """Let it wait in the emptiest queue of its hand; else why it is refused."""
        queue = self._emptiest(hand)
        if refused := self._refused(ticket, queue):
            return refused
        flow = self._flows.get(flow_name)
        if flow is None:
            start = self._left.pop(flow_name, -inf)
            flow = self._flows[flow_name] = Flow(flow_name, start=start)
        if not flow.waiting:
            self._begin(flow)
        ticket.came, ticket.number = self._now(), self._count
        ticket.place = queue, flow
        self._queues[queue.index] = queue
        queue.waiting[ticket] = flow.waiting[ticket] = None
        self._wanting[flow_name] = flow
        queue.work += ticket.work
        self.waiting += 1
        self.waiting_seats += ticket.most
        self._demanded(ticket.came)
        return ""

    def length_for(self, ticket: Ticket) -> int:
        """How long its queue is."""
        assert ticket.place is not None
        return len(ticket.place[0].waiting)

    def take(self, writers: float = inf) -> Ticket | None:
        """Begin with the one that is next; None where nobody waits, or it finds no seats.

        Flows that have so many `writers` at work already don't count, where a write is next.
        """
        if not self._wanting or (self.length is not None and self.seats >= self.limit):
            return None
        heads = (_head(flow) for flow in self._wanting.values())
        may = [head for head in heads if not head.writes or _flow(head).writing < writers]
        if not may or not self._fits(ticket := min(may, key=_order)):
            return None
        flow = self._remove(ticket)
        flow.writing += ticket.writes
        self._count += 1
        flow.chosen = self._count
        self._virtual = flow.start - flow.guessed
        ticket.began = self._now()
        self.executing += 1
        self.seats += ticket.most
        flow.executing += 1
        flow.seats += ticket.most
        flow.start += ticket.work
        flow.guessed += ticket.work
        self._demanded(ticket.began)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Don't wait any longer."""
        flow = self._remove(ticket)
        self._drop_if_empty(flow)
        self._demanded(self._now())

    def finish(self, ticket: Ticket) -> None:
        """It has run. Unless it lingers its seats are free; else `release` them after that."""
        assert ticket.place is not None
        assert ticket.began is not None
        _, flow = ticket.place
        self.executing -= 1
        flow.executing -= 1
        flow.writing -= ticket.writes
        flow.guessed = flow.guessed - ticket.work if flow.executing else 0.0
        flow.start += ticket.seats * (self._now() - ticket.began - GUESSED_SECONDS)
        if not ticket.lingers:
            self.release(ticket)

    def asleep(self, ticket: Ticket, *, asleep: bool) -> None:
        """It waits for another server, or not any more: meanwhile its flow may write."""
        assert ticket.place is not None
        ticket.place[1].writing += (not asleep) - asleep

    def release(self, ticket: Ticket) -> None:
        """Its seats are free again."""
        assert ticket.place is not None
        _, flow = ticket.place
        self.seats -= ticket.most
        flow.seats -= ticket.most
        self._drop_if_empty(flow)
        self._demanded(self._now())

    def _begin(self, flow: Flow) -> None:
        """Who had nobody waiting is not paid back for that: others' time has moved on."""
        others = self._wanting.values()
        least = min((one.start - one.guessed for one in others), default=self._virtual)
        flow.start = max(flow.start, least)

    def _demanded(self, now: float) -> None:
        self.demand.set(self.seats + self.waiting_seats, now)

    def _emptiest(self, hand: Sequence[int]) -> Queue:
        """Where the least work waits; which of equals is first, goes round."""
        found: Queue | None = None
        self._count += 1
        for i in range(len(hand)):
            index = hand[(i + self._count) % len(hand)]
            queue = self._queues.get(index)
            if queue is None:
                return Queue(index)
            if found is None or queue.work < found.work:
                found = queue
        assert found is not None
        return found

    def _refused(self, ticket: Ticket, queue: Queue) -> str:
        if self.boundless:
            return ""
        taken = self.seats + self.waiting_seats
        if self.length is None:
            fits = taken == 0 or taken + ticket.most <= self.limit
            return "" if fits else NO_SEATS
        return FULL if taken >= self.limit and len(queue.waiting) >= self.length else ""

    def _fits(self, ticket: Ticket) -> bool:
        """A request that is wider than the level runs alone."""
        if self.boundless or self.seats + ticket.most <= self.limit:
            return True
        return ticket.most > self.limit and self.executing == 0

    def _remove(self, ticket: Ticket) -> Flow:
        """Let it wait no longer."""
        assert ticket.place is not None
        queue, flow = ticket.place
        del queue.waiting[ticket]
        del flow.waiting[ticket]
        if not flow.waiting:
            del self._wanting[flow.name]
        queue.work -= ticket.work
        if not queue.waiting:
            del self._queues[queue.index]
        self.waiting -= 1
        self.waiting_seats -= ticket.most
        return flow

    def _drop_if_empty(self, flow: Flow) -> None:
        if not (flow.waiting or flow.executing or flow.seats):
            del self._flows[flow.name]
            self._left[flow.name] = flow.start
            if len(self._left) > MOST_REMEMBERED:
                del self._left[next(iter(self._left))]


def _head(flow: Flow) -> Ticket:
    return next(iter(flow.waiting))


def _flow(ticket: Ticket) -> Flow:
    assert ticket.place is not None
    return ticket.place[1]


def _order(ticket: Ticket) -> tuple[float, int, int]:
    """By its flow's virtual time; then by whose turn is longer ago; then by who came first."""
    flow = _flow(ticket)
    return flow.start, flow.chosen, ticket.number
