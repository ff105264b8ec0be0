"""What decisions are made over: nodes and devices, with placements assumed and taken back."""

from collections.abc import Iterable

from argosy.api.core import Pod
from argosy.api.dra import Consumer
from argosy.api.meta import Key
from argosy.api.scheduling import PodGroup
from argosy.scheduler.budgets import Budgets
from argosy.scheduler.columns import Columns
from argosy.scheduler.dra.devices import Devices
from argosy.scheduler.endings import Deadlines
from argosy.scheduler.namespaces import Namespaces
from argosy.scheduler.owners import Owners
from argosy.scheduler.placement import Placement
from argosy.scheduler.reserving.reservation import Reservation
from argosy.scheduler.volumes.index import Volumes


class State:
    """The scheduler's picture of the cluster.

    A placement is assumed, then either retracted (within the decision, newest first) or handed
    over to be written, and settled when that is done.
    """

    def __init__(self) -> None:
        self.nodes = Columns()
        self.devices = Devices()
        self.budgets = Budgets()
        self.groups: dict[Key, PodGroup] = {}
        self.evicting: set[str] = set()
        """The uids of pods that are being evicted, which the API may not show yet."""
        self.deadlines = Deadlines()
        self.reserved: Reservation | None = None
        """Room that is kept for a gang that waits."""
        self.namespaces = Namespaces()
        self.owners = Owners()
        self.volumes = Volumes()

    def assume(self, placement: Placement) -> None:
        """Count the pod on its node and its claims as given, before the API knows."""
        self.nodes.put_pod(placement.node, placement.occupant)
        for grant in placement.grants:
            self.devices.ledger.assume(grant.claim, grant.allocation, consumer(placement.pod))
        for wanted in placement.volumes:
            self.volumes.promise(wanted, placement.node, placement.pod.metadata.uid)

    def retract(self, placement: Placement) -> None:
        """Undo the last `assume`."""
        self._take_back_volumes(placement)
        self.nodes.drop_pod(placement.pod.metadata.uid)
        for grant in reversed(placement.grants):
            self.devices.ledger.retract(grant.claim.metadata.uid)

    def put_group(self, old: PodGroup | None, new: PodGroup | None) -> None:
        """A pod group came, changed or went."""
        if old is not None:
            self.groups.pop(old.key, None)
        if new is not None:
            self.groups[new.key] = new

    def least_of(self, group: Key) -> int:
        """How many pods of a group must be on nodes for any of them to be; 0 for no gang."""
        known = self.groups.get(group)
        policy = known.spec.scheduling_policy.gang if known else None
        return policy.min_count if policy else 0

    def hand_over(self, placements: Iterable[Placement]) -> None:
        """The placements are being written: nobody else decides on their claims."""
        self.devices.ledger.in_flight.update(_claims(placements))

    def settle(self, placements: Iterable[Placement], failed: Iterable[Placement]) -> None:
        """The writing is over; of the `failed` ones nothing stays assumed."""
        self.devices.ledger.in_flight.difference_update(_claims(placements))
        for placement in placements:
            self._take_back_volumes(placement)
        for placement in failed:
            self.nodes.drop_pod(placement.pod.metadata.uid)

    def _take_back_volumes(self, placement: Placement) -> None:
        for wanted in placement.volumes:
            self.volumes.take_back(wanted, placement.pod.metadata.uid)


def consumer(pod: Pod) -> Consumer:
    """`pod` as an entry of a claim's `reservedFor`."""
    return Consumer(resource="pods", name=pod.metadata.name, uid=pod.metadata.uid)


def _claims(placements: Iterable[Placement]) -> set[str]:
    return {grant.claim.metadata.uid for item in placements for grant in item.grants}
