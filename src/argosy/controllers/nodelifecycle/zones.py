"""Zones of nodes, and how fast the pods of unhealthy nodes are evicted there.

Where many nodes of a zone are unhealthy it is rather the zone's network, or what looks at it, that
is broken: evictions go slower then, or, in a small zone, stop. Where all nodes of all zones are,
nothing is evicted, and what was begun is taken back. Pure, but for a bucket's tokens. Source:
kube-controller-manager's node lifecycle controller.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from argosy.api.core import Node

RATE = 0.1
SLOW_RATE = 0.01
"""Nodes in a second whose pods are begun to be evicted."""
LARGE = 50
"""A zone with more nodes goes on slowly while it is disrupted; a smaller one stops."""
UNHEALTHY = 0.55
"""The share of unhealthy nodes from which on a zone is disrupted, if there are at least three."""
FEW = 2
EXCLUDED = "node.kubernetes.io/exclude-disruption"
_REGIONS = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
_ZONES = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")


class State(Enum):
    """How a zone is."""

    INITIAL = "Initial"
    NORMAL = "Normal"
    PARTIAL = "PartialDisruption"
    FULL = "FullDisruption"


def zone_of(node: Node) -> str:
    """A name for the node's zone and region; empty where it tells neither."""
    labels = node.metadata.labels
    region, zone = (
        next((labels[name] for name in names if name in labels), "") for names in (_REGIONS, _ZONES)
    )
    return f"{region}:\0:{zone}" if region or zone else ""


def state_of(ready: Sequence[bool]) -> State:
    """How a zone is whose nodes are ready, or not."""
    lost = ready.count(False)
    if lost and lost == len(ready):
        return State.FULL
    if lost > FEW and lost / len(ready) >= UNHEALTHY:
        return State.PARTIAL
    return State.NORMAL


def rate_of(state: State, nodes: int) -> float:
    """How fast it goes in a zone of so many nodes."""
    if state is State.PARTIAL:
        return SLOW_RATE if nodes > LARGE else 0.0
    return RATE


@dataclass(frozen=True, slots=True)
class Turn:
    """What a look at all zones says: how they are, and the rates that change.

    `stopped`: all is lost just now; `resumed`: all was.
    """

    states: Mapping[str, State]
    rates: Mapping[str, float]
    stopped: bool = False
    resumed: bool = False


def turn(before: Mapping[str, State], ready: Mapping[str, Sequence[bool]]) -> Turn:
    """What follows of the nodes being ready or not, zone by zone."""
    kept = {zone: before.get(zone, State.INITIAL) for zone in ready}
    now = {zone: state_of(nodes) for zone, nodes in ready.items()}
    lost = all(state is State.FULL for state in now.values())
    was_lost = all(state is State.FULL for state in kept.values())
    if lost and was_lost:
        return Turn(kept, {})
    if lost:
        return Turn(now, dict.fromkeys(now, 0.0), stopped=True)
    changed = [zone for zone in now if was_lost or now[zone] is not kept[zone]]
    rates = {zone: rate_of(now[zone], len(ready[zone])) for zone in changed}
    return Turn(now, rates, resumed=was_lost)


class Bucket:
    """At most one at once, and `rate` in a second."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate, self._tokens, self._at = rate, 1.0, now

    def take(self, now: float) -> bool:
        """Whether one may go."""
        self._refill(now)
        if self._rate <= 0 or self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def change(self, rate: float, now: float) -> None:
        """Go on at another rate; who had to wait waits as long as the new rate says."""
        self._refill(now)
        if self._rate <= 0 or self._tokens < 1:
            self._tokens = 0.0
        self._rate = rate

    def _refill(self, now: float) -> None:
        self._tokens = min(self._tokens + (now - self._at) * self._rate, 1.0)
        self._at = now
