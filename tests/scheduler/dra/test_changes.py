"""Of which devices more or less is taken since: what those go by who keep sums of it."""

from argosy.api.dra import Consumer
from argosy.scheduler.dra.inventory import DeviceId
from argosy.scheduler.dra.ledger import Ledger
from tests.scheduler.builders import DRIVER, allocated, claim

GPU = DeviceId(DRIVER, "n1", "gpu-0")
OTHER = DeviceId(DRIVER, "n1", "gpu-1")
ME = Consumer(resource="pods", name="p", uid="uid-p")


def test_every_change_is_told_once_each_device() -> None:
    ledger = Ledger()
    start = ledger.position
    assert ledger.since(start) == []
    held = claim(status=allocated())
    ledger.put(None, held)
    assert ledger.since(start) == [GPU]
    seen = ledger.position
    other = claim("d")
    ledger.put(None, other)
    assert ledger.since(seen) == []
    allocation = claim(status=allocated(device="gpu-1")).status.allocation
    ledger.assume(other, allocation, ME)
    ledger.retract(other.metadata.uid)
    assert ledger.since(seen) == [OTHER]
    ledger.put(held, None)
    assert set(ledger.since(seen) or ()) == {GPU, OTHER}


def test_who_asks_too_late_is_told_so() -> None:
    ledger = Ledger()
    start = ledger.position
    held = claim(status=allocated())
    for _ in range(2_000):
        ledger.put(None, held)
        ledger.put(held, None)
    assert ledger.since(start) is None
    assert ledger.since(ledger.position - 1) == [GPU]
