"""Priority levels at work: what each is configured to have, and what it has for now.

A level's nominal share of all seats may in part be lent to others and is, by what each level could
use; this is looked at anew every ten seconds, by whoever comes first after that. Source: KEP-1040,
and apiserver's `util/flowcontrol/apf_controller.go`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from argosy.apiserver.flowcontrol.allocation import Claim, allocate
from argosy.apiserver.flowcontrol.demand import Demand
from argosy.apiserver.flowcontrol.objects import LevelSpec, PriorityLevel
from argosy.apiserver.flowcontrol.queues import Queues
from argosy.apiserver.flowcontrol.sharding import hand_of

PERIOD_SECONDS = 10.0
MOST_SEATS = 10
_ONE_QUEUE = (0,)
_WIDEST = 0.15


@dataclass(slots=True, eq=False)
class Level:
    """One level. Numbers are of seats; `virtual` is how far it is in having its turn."""

    name: str
    spec: LevelSpec
    queues: Queues
    uid: str = ""
    leaving: bool = False  # deleted, but not yet empty
    nominal: int = 0
    least: int = 0
    most: int = 0
    target: float = 0.0
    widest: int = MOST_SEATS  # the most that one request is taken to need
    virtual: float = 0.0
    demand: Demand = field(default_factory=Demand)

    @property
    def exempt(self) -> bool:
        """Whether nobody waits here."""
        return self.spec.type == "Exempt"

    @property
    def shares(self) -> int:
        """Its part of all seats, compared with those of others."""
        part = self.spec.exempt if self.exempt else self.spec.limited
        return part.nominal_concurrency_shares if part is not None else 0

    def hand(self, schema: str, flow: str) -> Sequence[int]:
        """The queues that a flow may wait in."""
        limited = self.spec.limited
        queuing = limited.limit_response.queuing if limited is not None else None
        if queuing is None or queuing.queues <= 1:
            return _ONE_QUEUE
        return hand_of(schema, flow, queuing.queues, queuing.hand_size)

    def configure(self, object_: PriorityLevel) -> None:
        """Be what the object says from now on; who waits goes on waiting."""
        self.uid, self.spec = object_.metadata.uid, object_.spec
        self.leaving = False
        limited = self.spec.limited
        queuing = limited.limit_response.queuing if limited is not None else None
        self.queues.boundless = self.exempt
        self.queues.length = queuing.queue_length_limit if queuing is not None else None

    def resize(self, seats: int, shares: int) -> None:
        """Have the part of all `seats` that is due to it where there are `shares`."""
        self.nominal = nominal = ceil(seats * self.shares / shares) if shares else 0
        part = self.spec.exempt if self.exempt else self.spec.limited
        lendable = round(nominal * (part.lendable_percent if part is not None else 0) / 100)
        limited = self.spec.limited
        percent = limited.borrowing_limit_percent if limited is not None else None
        borrowed = seats if percent is None else round(nominal * percent / 100)
        self.least, self.most = nominal - lendable, nominal + borrowed
        queuing = limited.limit_response.queuing if limited is not None else None
        if queuing is not None:
            wide = min(ceil(nominal * _WIDEST), nominal // max(1, queuing.hand_size))
            self.widest = min(MOST_SEATS, max(1, wide))
        else:
            self.widest = MOST_SEATS


class Levels:
    """All levels, and `seats` to divide among them."""

    def __init__(self, seats: int, now: Callable[[], float]) -> None:
        self._seats = seats
        self._now = now
        self._adjusted = now()
        self.by_name: dict[str, Level] = {}
        self.fair_share = 0.0

    def configure(self, objects: Mapping[str, PriorityLevel]) -> None:
        """Have these levels. Those that are gone stay until nobody runs or waits in them."""
        levels = self.by_name
        for name, object_ in objects.items():
            level = levels.get(name)
            if level is None:
                queues = Queues(self._now)
                level = levels[name] = Level(name, object_.spec, queues)
            level.configure(object_)
        for name in [name for name in levels if name not in objects]:
            levels[name].leaving = True
            if levels[name].queues.idle:
                del levels[name]
        self._resize()

    def _resize(self) -> None:
        shares = sum(level.shares for level in self.by_name.values())
        for level in self.by_name.values():
            level.resize(self._seats, shares)
        self._lend()

    def adjust(self) -> bool:
        """Lend anew, if it is time; whether it was."""
        now = self._now()
        if now - self._adjusted < PERIOD_SECONDS:
            return False
        self._adjusted = now
        gone = [name for name, one in self.by_name.items() if one.leaving and one.queues.idle]
        for name in gone:
            del self.by_name[name]
        if gone:
            self._resize()
        else:
            self._lend()
        return True

    def _lend(self) -> None:
        now = self._now()
        levels = list(self.by_name.values())
        for level in levels:
            level.demand.update(level.queues.demand, now)
        total = sum(level.nominal for level in levels)
        left = total
        for level in levels:
            if level.exempt:
                level.queues.limit = max(level.least, level.demand.most)
                left -= level.queues.limit
        self._divide(left, total, [level for level in levels if not level.exempt])

    def _divide(self, left: int, total: int, levels: list[Level]) -> None:
        """Among the limited ones; `left` is what the exempt one does not use of `total`."""
        low = [max(one.least, min(one.nominal, one.demand.most)) for one in levels]
        least, current = sum(level.least for level in levels), sum(low)
        self.fair_share = 0.0
        for level, bound in zip(levels, low, strict=True):
            level.target = max(float(bound), level.demand.smoothed)
        if left <= least:
            limits: list[float] = [level.least for level in levels]
        elif left <= current:
            part = (left - least) / (current - least)
            limits = [
                one.least + (bound - one.least) * part
                for one, bound in zip(levels, low, strict=True)
            ]
        else:
            claims = [
                Claim(bound, level.target, level.most)
                for level, bound in zip(levels, low, strict=True)
            ]
            limits, self.fair_share = allocate(total, claims)
        for level, limit in zip(levels, limits, strict=True):
            level.queues.limit = round(limit)
