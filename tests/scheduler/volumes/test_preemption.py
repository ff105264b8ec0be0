"""Preemption beside the rules of volumes: who goes for a pod with claims, and where nobody does."""

from typing import Any

import pytest

from argosy.scheduler.columns import Columns
from tests.scheduler.builders import node
from tests.scheduler.preemption.kit import World, ranked
from tests.scheduler.volumes.kit import (
    HOST,
    claim,
    csi,
    csi_node,
    put,
    storage,
    user,
    volume,
)

ALONE = ["ReadWriteOncePod"]


def mounting(name: str, priority: int, *claims: str, cpu: int = 1) -> Any:
    return ranked(name, priority, cpu, spec={"volumes": list(user(name, *claims).spec.volumes)})


def world(pods: dict[str, list[Any]], *objects: Any) -> World:
    found = World({})
    for name in pods:
        found.state.nodes.put_node(node(name, labels={HOST: name}))
    for each in objects:
        put(found.state, None, each)
    for name, items in pods.items():
        for item in items:
            found.put(item, name)
    return found


def test_pods_go_only_where_the_volume_can_be_had() -> None:
    full = {"n1": [ranked("a", 1, 4)], "n2": [ranked("b", 2, 4)]}
    it = world(full, storage(), claim(), volume(at=["n2"]))
    assert it.victims(mounting("p", 9, "c")) == ("n2", ["b"])


def test_nobody_goes_for_a_claim_that_no_volume_suits(monkeypatch: pytest.MonkeyPatch) -> None:
    full = {"n1": [ranked("a", 1, 1)], "n2": [ranked("b", 2, 1)]}
    it = world(full, storage(), claim())
    tried: list[str] = []
    monkeypatch.setattr(Columns, "drop_pod", lambda _, uid: tried.append(uid))
    decision = it.decide(mounting("p", 9, "c"))
    assert not decision.preemptions and not tried
    assert "2 Preemption is not helpful for scheduling" in decision.refusals[0].message


def test_a_pod_goes_for_the_claim_that_one_alone_may_have() -> None:
    there = {"n1": [mounting("a", 1, "c"), ranked("b", 1)], "n2": []}
    it = world(there, claim(on="v", accessModes=ALONE), volume())
    assert it.victims(mounting("p", 9, "c")) == ("n1", ["a"])


def test_a_pod_goes_for_the_volume_that_is_one_too_many() -> None:
    bound = [claim(x, on=f"v{x}") for x in "abc"]
    volumes = [volume(f"v{x}", owner=x, **csi(f"h{x}")) for x in "abc"]
    there = {"n1": [mounting("low", 1, "a"), mounting("mid", 5, "b")]}
    it = world(there, *bound, *volumes, csi_node("n1", 2))
    assert it.victims(mounting("p", 9, "c")) == ("n1", ["low"])
