"""Hints by which proxies prefer endpoints that are near: `spec.trafficDistribution`.

Each ready endpoint is hinted at for its own zone, and for its own node where that is preferred.
Source: KEP-4444 and KEP-3015.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from argosy.api.endpoints import Endpoint, EndpointHints, EndpointSlice, Hint
from argosy.controllers.endpoints.packing import Draft, Packing

SAME_NODE = "PreferSameNode"
NEAR = ("PreferClose", "PreferSameZone", SAME_NODE)


def hinted(packing: Packing, distribution: str) -> None:
    """Give all slices the hints of a service with this distribution, or none."""
    kept = []
    for piece in packing.kept:
        endpoints = [_with_hints(one, distribution) for one in piece.endpoints]
        if tuple(endpoints) == piece.endpoints:
            kept.append(piece)
        else:
            packing.update.append(_draft(piece, endpoints))
    packing.kept = kept
    for draft in (*packing.create, *packing.update):
        draft.endpoints = [_with_hints(one, distribution) for one in draft.endpoints]


def _draft(piece: EndpointSlice, endpoints: Sequence[Endpoint]) -> Draft:
    labels = piece.metadata.labels
    return Draft(piece.address_type, piece.ports, labels, list(endpoints), before=piece)


def _with_hints(endpoint: Endpoint, distribution: str) -> Endpoint:
    hints = _hints(endpoint, distribution)
    return endpoint if endpoint.hints == hints else replace(endpoint, hints=hints)


def _hints(endpoint: Endpoint, distribution: str) -> EndpointHints | None:
    if distribution not in NEAR or not endpoint.conditions.ready:
        return None
    zones = (Hint(name=endpoint.zone),) if endpoint.zone else ()
    node = endpoint.node_name if distribution == SAME_NODE else None
    nodes = (Hint(name=node),) if node else ()
    return EndpointHints(for_zones=zones, for_nodes=nodes) if zones or nodes else None
