"""Subsets of Endpoints: addresses grouped by the ports that they have, in one form only.

Equal endpoints have equal subsets, in whatever order they were found. More addresses than an object
can bear are left out, those that are not ready first. Source: `RepackSubsets` and
`truncateEndpoints` of upstream.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from argosy.api.endpoints import EndpointAddress, EndpointPort, EndpointSubset
from argosy.controllers.endpoints.pods import ordered

MOST = 1000
"""Addresses of one object."""
Where = tuple[str, str]  # the address and its object's uid: pods may share the node's address
Ready = dict[Where, bool]
Subsets = tuple[EndpointSubset, ...]


def repacked(subsets: Iterable[EndpointSubset]) -> Subsets:
    """The same, in the one form. An address that is also said to be not ready is not."""
    known: dict[Where, EndpointAddress] = {}
    by_port: defaultdict[EndpointPort | None, Ready] = defaultdict(dict)
    for subset in subsets:
        for port in subset.ports or (None,):
            ready = by_port[port]
            for address in subset.addresses:
                ready.setdefault(_known(address, known), True)
            for address in subset.not_ready_addresses:
                ready[_known(address, known)] = False
    by_addresses: defaultdict[tuple[tuple[Where, bool], ...], list[EndpointPort]]
    by_addresses = defaultdict(list)
    for one, ready in by_port.items():
        by_addresses[tuple(sorted(ready.items()))] += [one] if one is not None else []
    packed = [_subset(group, ports, known) for group, ports in by_addresses.items()]
    return tuple(sorted(packed, key=_order))


def _known(address: EndpointAddress, known: dict[Where, EndpointAddress]) -> Where:
    """What identifies the address; the first that is said of it holds."""
    target = address.target_ref
    where = (address.ip, target.uid if target is not None else "")
    known.setdefault(where, address)
    return where


def _subset(
    group: Iterable[tuple[Where, bool]],
    ports: Iterable[EndpointPort],
    known: dict[Where, EndpointAddress],
) -> EndpointSubset:
    divided: dict[bool, list[EndpointAddress]] = {True: [], False: []}
    for where, ready in group:
        divided[ready].append(known[where])
    return EndpointSubset(
        addresses=tuple(divided[True]),
        not_ready_addresses=tuple(divided[False]),
        ports=ordered(ports),
    )


def _order(subset: EndpointSubset) -> tuple[object, ...]:
    ports = [
        (port.name, port.port, port.protocol, port.app_protocol or "") for port in subset.ports
    ]
    addresses = [one.ip for one in (*subset.addresses, *subset.not_ready_addresses)[:1]]
    return (ports, addresses)


def truncated(subsets: Sequence[EndpointSubset]) -> tuple[Subsets, bool]:
    """At most so many addresses as may be, and whether there were more.

    Each subset keeps its share, rounded up as long as there is room.
    """
    ready = sum(len(subset.addresses) for subset in subsets)
    others = sum(len(subset.not_ready_addresses) for subset in subsets)
    if ready + others <= MOST:
        return tuple(subsets), False
    if ready > MOST:
        shares = _shares([len(subset.addresses) for subset in subsets], MOST)
        return tuple(
            replace(subset, addresses=subset.addresses[:share], not_ready_addresses=())
            for subset, share in zip(subsets, shares, strict=True)
        ), True
    shares = _shares([len(subset.not_ready_addresses) for subset in subsets], MOST - ready)
    return tuple(
        replace(subset, not_ready_addresses=subset.not_ready_addresses[:share])
        for subset, share in zip(subsets, shares, strict=True)
    ), True


def _shares(numbers: Sequence[int], room: int) -> list[int]:
    total, left, shares = sum(numbers), room, []
    for number in numbers:
        share = min(math.ceil(number / total * room), left, number)
        shares.append(share)
        left -= share
    return shares
