"""What allocations take, seen and assumed."""

from typing import Any

import msgspec

from argosy.api.dra import Consumer, ResourceClaim
from argosy.scheduler.dra.inventory import DeviceId
from argosy.scheduler.dra.ledger import Ledger
from tests.scheduler.builders import DRIVER, allocated, claim

GPU = DeviceId(DRIVER, "n1", "gpu-0")
ME = Consumer(resource="pods", name="p", uid="uid-p")


def share(amount: Any, **more: Any) -> ResourceClaim:
    return claim(status=allocated(consumed={"compute": amount}), **more)


def version(number: int) -> dict[str, str]:
    return {"resourceVersion": str(number)}


def test_seen_allocations_count_until_they_are_gone() -> None:
    ledger = Ledger()
    first = share(50)
    ledger.put(None, first)
    ledger.put(None, share(30, name="d"))
    assert ledger.use(GPU).consumed["compute"] == 80
    ledger.put(first, claim())
    assert ledger.use(GPU).consumed["compute"] == 30
    ledger.put(share(30, name="d"), None)
    assert ledger.use(GPU).idle


def test_a_share_that_nobody_can_read_takes_the_whole_device() -> None:
    ledger = Ledger()
    broken = share("half")
    ledger.put(None, broken)
    assert ledger.use(GPU).wholes == 1
    ledger.put(broken, None)
    assert ledger.use(GPU).idle


def test_an_assumed_allocation_counts_until_the_view_has_caught_up() -> None:
    ledger = Ledger()
    before = claim(metadata=version(5))
    ledger.put(None, before)
    allocation = share(50).status.allocation
    ledger.assume(before, allocation, ME)
    # Another change of the claim, made before ours, comes late.
    late = claim(metadata=version(6))
    ledger.put(before, late)
    assert ledger.use(GPU).consumed["compute"] == 50
    after = msgspec.structs.replace(
        share(50), metadata=msgspec.structs.replace(before.metadata, resource_version="8")
    )
    ledger.written(after)
    stale = claim(metadata=version(7))
    ledger.put(late, stale)
    assert ledger.current(stale).status.allocation == allocation
    ledger.put(stale, after)
    gone = claim(metadata=version(9))
    ledger.put(after, gone)
    assert ledger.current(gone) == gone
    assert ledger.use(GPU).idle


def test_retract_undoes_one_assume() -> None:
    ledger = Ledger()
    before = claim()
    ledger.put(None, before)
    ledger.assume(before, share(50).status.allocation, ME)
    other = Consumer(resource="pods", name="q", uid="uid-q")
    ledger.assume(before, None, other)
    assert ledger.current(before).status.reserved_for == (ME, other)
    ledger.retract("uid-c")
    assert ledger.current(before).status.reserved_for == (ME,)
    assert ledger.use(GPU).shares == 1
    ledger.retract("uid-c")
    assert ledger.current(before) == before
    assert ledger.use(GPU).idle


def test_forget_drops_all_that_was_assumed() -> None:
    ledger = Ledger()
    ledger.put(None, claim())
    ledger.assume(claim(), share(50).status.allocation, ME)
    ledger.assume(claim(), None, ME)
    ledger.forget("uid-c")
    assert ledger.use(GPU).idle
