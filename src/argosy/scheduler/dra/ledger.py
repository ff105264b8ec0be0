"""Who has which device: allocations as the API tells them, and those assumed ahead of it.

An assumed allocation counts from the moment of the decision until the informer shows the claim
as it was written, so two decisions never give away the same capacity.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from argosy.api.dra import Allocation, Consumer, DeviceResult, ResourceClaim
from argosy.base import quantity
from argosy.scheduler.columns import ChangeLog
from argosy.scheduler.dra.inventory import DeviceId


@dataclass(slots=True)
class Use:
    """What is taken of one device: wholly by so many, or in so many shares that sum up."""

    wholes: int = 0
    shares: int = 0
    consumed: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def idle(self) -> bool:
        """Nobody has anything of it."""
        return not (self.wholes or self.shares)


_IDLE = Use()


@dataclass(frozen=True, slots=True)
class _Assumed:
    claim: ResourceClaim
    written: int | None = None


class Ledger:
    """All claims, and what their allocations take.

    `in_flight` holds the uids of claims that are being written: nobody else may decide on them.
    """

    def __init__(self) -> None:
        self._seen: dict[str, ResourceClaim] = {}
        self._assumed: dict[str, list[_Assumed]] = {}
        self.in_flight: set[str] = set()
        self._counted: dict[str, Allocation] = {}
        self._uses: dict[DeviceId, Use] = {}
        self._log = ChangeLog()
        self._numbers: dict[DeviceId, int] = {}
        self._numbered: list[DeviceId] = []

    @property
    def position(self) -> int:
        """Where the log of changes stands."""
        return self._log.position

    def since(self, position: int) -> list[DeviceId] | None:
        """The devices of which more or less is taken since; None where it is too long ago."""
        found = self._log.since(position)
        return None if found is None else [self._numbered[number] for number in found]

    def put(self, old: ResourceClaim | None, new: ResourceClaim | None) -> None:
        """A claim came, changed or went."""
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            self._seen.pop(old.metadata.uid, None)
            self._assumed.pop(old.metadata.uid, None)
            self._recount(old.metadata.uid)
        if new is not None:
            self._seen[new.metadata.uid] = new
            self._catch_up(new.metadata.uid)

    def current(self, claim: ResourceClaim) -> ResourceClaim:
        """`claim` with what is assumed of it."""
        assumed = self._assumed.get(claim.metadata.uid)
        return assumed[-1].claim if assumed else claim

    def assume(
        self, claim: ResourceClaim, allocation: Allocation | None, consumer: Consumer
    ) -> None:
        """From now on `claim` counts as given to `consumer` too; None: as allocated before."""
        now = self.current(claim)
        status = msgspec.structs.replace(
            now.status,
            allocation=allocation or now.status.allocation,
            reserved_for=with_consumers(now.status.reserved_for, (consumer,)),
        )
        assumed = _Assumed(msgspec.structs.replace(now, status=status))
        self._assumed.setdefault(claim.metadata.uid, []).append(assumed)
        self._recount(claim.metadata.uid)

    def retract(self, uid: str) -> None:
        """Undo the last `assume` of the claim."""
        self._assumed[uid].pop()
        if not self._assumed[uid]:
            del self._assumed[uid]
        self._recount(uid)

    def written(self, claim: ResourceClaim) -> None:
        """The server has taken the claim and gave it this version."""
        uid = claim.metadata.uid
        self._assumed[uid] = [_Assumed(claim, int(claim.metadata.resource_version))]
        self._catch_up(uid)

    def forget(self, uid: str) -> None:
        """Nothing of what was assumed of the claim came to be."""
        self._assumed.pop(uid, None)
        self._recount(uid)

    def use(self, device: DeviceId) -> Use:
        """What is taken of `device`; don't change it."""
        return self._uses.get(device, _IDLE)

    def _catch_up(self, uid: str) -> None:
        """Once the informer shows what was written, its view counts."""
        seen, assumed = self._seen.get(uid), self._assumed.get(uid)
        written = assumed[-1].written if assumed else None
        if seen is not None and written is not None:
            if int(seen.metadata.resource_version) >= written:
                del self._assumed[uid]
        self._recount(uid)

    def _recount(self, uid: str) -> None:
        assumed, seen = self._assumed.get(uid), self._seen.get(uid)
        claim = assumed[-1].claim if assumed else seen
        allocation = claim.status.allocation if claim else None
        old = self._counted.pop(uid, None)
        if old is not None:
            self._count(old, -1)
        if allocation is not None:
            self._counted[uid] = allocation
            self._count(allocation, 1)

    def _count(self, allocation: Allocation, sign: int) -> None:
        for result in allocation.devices.results:
            device = DeviceId(result.driver, result.pool, result.device)
            self._note(device)
            use = self._uses.setdefault(device, Use())
            consumed = _consumed(result)
            if consumed is None:
                use.wholes += sign
            else:
                use.shares += sign
                for name, amount in consumed.items():
                    use.consumed[name] += sign * amount
            if use.idle:
                del self._uses[device]

    def _note(self, device: DeviceId) -> None:
        if device not in self._numbers:
            self._numbers[device] = len(self._numbered)
            self._numbered.append(device)
        self._log.add(self._numbers[device])


def with_consumers(known: tuple[Consumer, ...], more: Iterable[Consumer]) -> tuple[Consumer, ...]:
    """`known` and those of `more` that aren't in it, told apart by uid."""
    uids = {item.uid for item in known}
    return (*known, *(item for item in more if item.uid not in uids))


def _consumed(result: DeviceResult) -> dict[str, Decimal] | None:
    """What a share takes; None where the device is taken wholly, or nobody can tell how much."""
    if not result.share_id:
        return None
    try:
        return {name: quantity.parse(text) for name, text in result.consumed_capacity.items()}
    except ValueError:
        return None
