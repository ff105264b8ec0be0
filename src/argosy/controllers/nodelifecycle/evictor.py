"""Taints that let the pods of unhealthy nodes go, given no faster than a zone can bear.

A node that is not ready, or can't be reached, has the `NoExecute` taint that says which; what
follows for its pods is told by their tolerations (`eviction`). One taint takes the other's place at
once; a node's first one waits for its turn in the zone (`zones`).
"""

from collections.abc import Mapping
from typing import Any

from argosy.api.core import Node
from argosy.base.clock import Clock, timestamp
from argosy.client.client import Client
from argosy.controllers.nodelifecycle.zones import RATE, Bucket, zone_of
from argosy.controllers.nodetaints import retaint

Json = dict[str, Any]

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
EFFECT = "NoExecute"
KEYS: Mapping[str, str] = {"False": NOT_READY, "Unknown": UNREACHABLE}
"""Taints by what the condition Ready says."""


class Evictor:
    """Gives and takes the taints; remembers who waits."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._waiting: dict[str, dict[str, None]] = {}
        self._buckets: dict[str, Bucket] = {}

    async def judge(self, node: Node, ready: str) -> None:
        """See to the taints of a node whose condition Ready has this status."""
        name = node.metadata.name
        has = {taint.key for taint in node.spec.taints if taint.effect == EFFECT}
        has &= {NOT_READY, UNREACHABLE}
        wanted = KEYS.get(ready)
        if wanted is None:
            self.forget(name)
            if has:
                await self._give(name, None)
        elif has and has != {wanted}:
            await self._give(name, wanted)
        elif not has:
            self._waiting.setdefault(zone_of(node), {})[name] = None

    async def clear(self, node: Node) -> None:
        """Take the taints, whatever the node says."""
        await self.judge(node, "True")

    def forget(self, name: str) -> None:
        """It waits no longer."""
        for waiting in self._waiting.values():
            waiting.pop(name, None)

    def change(self, rates: Mapping[str, float]) -> None:
        """Go on at these rates, by zone."""
        for zone, rate in rates.items():
            self._bucket(zone).change(rate, self._clock.monotonic())

    async def advance(self, ready: Mapping[str, str]) -> None:
        """Taint those whose turn it is; `ready` is what the nodes that are there say."""
        for zone, waiting in self._waiting.items():
            while waiting and self._bucket(zone).take(self._clock.monotonic()):
                name = next(iter(waiting))
                del waiting[name]
                await self._give(name, KEYS.get(ready.get(name, "")))

    def _bucket(self, zone: str) -> Bucket:
        if zone not in self._buckets:
            self._buckets[zone] = Bucket(RATE, self._clock.monotonic())
        return self._buckets[zone]

    async def _give(self, name: str, key: str | None) -> None:
        now = timestamp(self._clock.now())
        await retaint(self._client, name, lambda _, taints: swapped(taints, key, now))


def swapped(taints: list[Json], key: str | None, now: str) -> list[Json]:
    """`taints` with the one of this key, and without the other one (or, for None, both)."""
    kept = [one for one in taints if not _ours(one) or one["key"] == key]
    if key is None or any(_ours(one) for one in kept):
        return kept
    return [*kept, {"key": key, "effect": EFFECT, "timeAdded": now}]


def _ours(taint: Json) -> bool:
    return taint["effect"] == EFFECT and taint["key"] in (NOT_READY, UNREACHABLE)
