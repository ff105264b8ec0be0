"""DynamicResources: a pod goes where all of its claims can be had.

Source: KEP-4381 (structured parameters) and KEP-5075 (consumable capacity). A claim that is
allocated already pins the pod to its devices' node; the others of the pod are allocated together.
"""

import uuid
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from argosy.api.cel.values import CelError
from argosy.api.core import Pod, PodResourceClaim
from argosy.api.dra import Allocation, DeviceAllocation, DeviceResult, ResourceClaim
from argosy.scheduler.dra.allocator import Share, search, shortage
from argosy.scheduler.dra.devices import Devices
from argosy.scheduler.dra.requests import Need, RefusedError, needs_of
from argosy.scheduler.framework import (
    BusyError,
    Lack,
    Plugin,
    Reserver,
    UnschedulableError,
)
from argosy.scheduler.placement import Grant

MOST_CONSUMERS = 256
"""So many pods may share one claim."""

ShareIds = Callable[[ResourceClaim, Need], str]


def share_id(claim: ResourceClaim, need: Need) -> str:
    """A share's name: no two needs of any claims have the same one, and it can be repeated."""
    told = f"{claim.metadata.uid}/{need.request}/{need.index}"
    return str(uuid.uuid5(uuid.NAMESPACE_OID, told))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A claim to allocate."""

    claim: ResourceClaim
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class ClaimReserver:
    """Asks node by node for one pod's claims."""

    devices: Devices
    allocated: tuple[ResourceClaim, ...]
    wanted: tuple[Wanted, ...]
    share_ids: ShareIds

    @property
    def nodes(self) -> frozenset[str]:
        """Where the allocated claims are; else every node that has devices."""
        homes = [self.devices.home(claim) for claim in self.allocated]
        return frozenset.intersection(*homes) if homes else self.devices.inventory.nodes()

    @property
    def kind(self) -> Hashable:
        """The allocated claims themselves, and what the others ask for."""
        allocated = tuple(claim.metadata.uid for claim in self.allocated)
        wanted = tuple(
            (
                need.request,
                need.label,
                need.drivers,
                need.selectors,
                tuple(sorted(need.capacities.items())),
            )
            for item in self.wanted
            for need in item.needs
        )
        return (allocated, wanted)

    def elsewhere(self) -> str:
        """A node with no devices, or not those of an allocated claim."""
        if self.allocated:
            return "resourceclaim not available on the node"
        return "cannot allocate all claims"

    def reserve(self, node: str) -> tuple[Grant, ...] | Lack:
        """Devices of `node` for every claim that has none yet."""
        needs = [need for wanted in self.wanted for need in wanted.needs]
        try:
            shares = search(self.devices.slots(node), needs)
            lacking = "" if shares is not None else shortage(self.devices.slots(node), needs)
        except CelError as error:
            text = f"asking a selector of a device of node {node}: {error}"
            raise UnschedulableError(text) from error
        if shares is None:
            return Lack("cannot allocate all claims", lacking)
        grants = [Grant(claim) for claim in self.allocated]
        for wanted in self.wanted:
            own, shares = shares[: len(wanted.needs)], shares[len(wanted.needs) :]
            grants.append(Grant(wanted.claim, self._allocation(wanted, own)))
        return tuple(grants)

    def _allocation(self, wanted: Wanted, shares: Sequence[Share]) -> Allocation:
        results = [
            self._result(wanted.claim, need, share)
            for need, share in zip(wanted.needs, shares, strict=True)
        ]
        return Allocation(devices=DeviceAllocation(results=tuple(results)))

    def _result(self, claim: ResourceClaim, need: Need, share: Share) -> DeviceResult:
        device = share.offer.id
        whole = DeviceResult(
            request=need.request, driver=device.driver, pool=device.pool, device=device.device
        )
        if share.consumed is None:
            return whole
        capacities = share.offer.capacities
        return DeviceResult(
            request=need.request,
            driver=device.driver,
            pool=device.pool,
            device=device.device,
            share_id=self.share_ids(claim, need),
            consumed_capacity={
                name: capacities[name].written(amount) for name, amount in share.consumed.items()
            },
        )


def make_plugin(share_ids: ShareIds = share_id) -> Plugin:
    """The plugin, with its own source of share names."""

    def reserver(devices: Devices, pod: Pod) -> Reserver | None:
        claims = claims_of(devices, pod)
        if not claims:
            return None
        allocated = tuple(claim for claim in claims if claim.status.allocation is not None)
        wanted = tuple(
            Wanted(claim, _needs(devices, claim))
            for claim in claims
            if claim.status.allocation is None
        )
        return ClaimReserver(devices, allocated, wanted, share_ids)

    return Plugin(name="DynamicResources", reserver=reserver, steady=True)


def claims_of(devices: Devices, pod: Pod) -> list[ResourceClaim]:
    """The claims of `pod`, each once. Raises UnschedulableError while one isn't usable."""
    found: dict[str, ResourceClaim] = {}
    for entry in pod.spec.resource_claims:
        name = claim_name(pod, entry)
        if name is None:
            raise UnschedulableError(
                f'waiting for resource claim "{entry.name}" to be created from template'
            )
        if name:
            claim = devices.claim(pod.metadata.namespace, name)
            found[name] = _usable(pod, entry, name, claim)
            if found[name].metadata.uid in devices.ledger.in_flight:
                raise BusyError(f'resourceclaim "{name}" is being allocated for another pod')
    return list(found.values())


def claim_name(pod: Pod, entry: PodResourceClaim) -> str | None:
    """The name of the claim that `entry` stands for.

    None: not made yet. Empty: none is needed, as the template's controller says.
    """
    if entry.resource_claim_name:
        return entry.resource_claim_name
    statuses = pod.status.resource_claim_statuses
    return next((item.resource_claim_name for item in statuses if item.name == entry.name), None)


def _usable(
    pod: Pod, entry: PodResourceClaim, name: str, claim: ResourceClaim | None
) -> ResourceClaim:
    if claim is None:
        raise UnschedulableError(f'resourceclaim "{name}" not found')
    if claim.metadata.deletion_timestamp:
        raise UnschedulableError(f'resourceclaim "{name}" is being deleted')
    owners = {owner.uid for owner in claim.metadata.owner_references}
    if entry.resource_claim_template_name and pod.metadata.uid not in owners:
        raise UnschedulableError(f'resourceclaim "{name}" was not created for this pod')
    consumers = claim.status.reserved_for
    known = any(consumer.uid == pod.metadata.uid for consumer in consumers)
    if not known and len(consumers) >= MOST_CONSUMERS:
        raise UnschedulableError(
            f'resourceclaim "{name}" is already reserved for {MOST_CONSUMERS} consumers'
        )
    return claim


def _needs(devices: Devices, claim: ResourceClaim) -> tuple[Need, ...]:
    try:
        return needs_of(claim, devices.classes)
    except RefusedError as error:
        raise UnschedulableError(str(error)) from error


PLUGIN = make_plugin()
