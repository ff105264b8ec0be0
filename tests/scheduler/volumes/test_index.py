"""The index of volumes: what is promised, which changes may help, that nothing is given twice."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Pod
from argosy.scheduler.decide import Decider, Decision, Unit
from argosy.scheduler.placement import Placement
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.plugins.volume_binding import NONE_FOUND
from argosy.scheduler.state import State
from tests.scheduler.builders import group
from tests.scheduler.volumes.kit import (
    DRIVER,
    attachment,
    capacity,
    claim,
    claim_body,
    csi_node,
    decoded,
    driver,
    put,
    state_of,
    storage,
    user,
    volume,
)

BOUND = {"namespace": "default", "name": "c", "uid": "uid-c"}


def decide(state: State, *pods: Pod, least: int = 0) -> Decision:
    gang = "g" if least else ""
    unit = Unit(pods=pods, gang=gang, group=group("g", least) if least else None)
    return Decider(state, PLUGINS).decide(unit)


def given_to(decision: Decision) -> dict[str, tuple[str, str | None]]:
    """By claim: the node, and the volume (None: one that is made)."""
    return {
        grant.claim.metadata.name: (
            placement.node,
            grant.volume.metadata.name if grant.volume else None,
        )
        for placement in decision.placements
        for grant in placement.volumes
    }


def test_of_two_pods_the_second_does_not_get_the_firsts_volume() -> None:
    state = state_of(storage(), claim("a"), claim("b"), volume(at=["n2"]))
    assert given_to(decide(state, user("p", "a"))) == {"a": ("n2", "v")}
    refused = decide(state, user("q", "b")).refusals[0].message
    assert refused.startswith(f"0/3 nodes are available: 3 {NONE_FOUND}.")


def test_pods_of_one_claim_get_the_same() -> None:
    state = state_of(storage(), claim(), volume("v", at=["n2"]), volume("w", at=["n1"]))
    first = given_to(decide(state, user("p", "c")))
    assert given_to(decide(state, user("q", "c"))) == first


def test_pods_of_one_claim_go_where_its_volume_is_made() -> None:
    state = state_of(storage("made", DRIVER), claim(storage="made"))
    first = given_to(decide(state, user("p", "c", requests={"cpu": "2"})))
    again = given_to(decide(state, user("q", "c", requests={"cpu": "1"})))
    assert again == first == {"c": ("n1", None)}  # though others are emptier


def test_a_promise_holds_until_the_last_pod_is_done() -> None:
    state = state_of(storage(), claim("a"), claim("b"), volume())
    placements = [p for name in "pq" for p in decide(state, user(name, "a")).placements]
    for placement in placements:
        assert not decide(state, user("r", "b")).placements
        state.settle([placement], [placement])
    assert given_to(decide(state, user("r", "b")))["b"][1] == "v"


def test_what_was_written_meanwhile_counts_when_the_promise_ends() -> None:
    state = state_of(storage(), claim("a"), claim("b"), volume())
    (placement,) = decide(state, user("p", "a")).placements
    bound = volume(claimRef={"namespace": "default", "name": "a", "uid": "uid-a"}, phase="Bound")
    put(state, volume(), bound)
    state.settle([placement], [])
    assert not decide(state, user("q", "b")).placements
    again = given_to(decide(state, user("q", "a")))
    assert again["a"][1] == "v"


def test_a_gang_that_fails_gives_all_volumes_back() -> None:
    state = state_of(storage(), claim("a"), claim("b"), claim("c"), volume("v"), volume("w"))
    pods = [user(name, name) for name in "abc"]
    assert not decide(state, *pods, least=3).placements
    assert {name for _, name in given_to(decide(state, *pods[:2], least=2)).values()} == {"v", "w"}


def test_a_promised_volume_that_changes_stays_promised() -> None:
    state = state_of(storage(), claim("a"), claim("b"), volume())
    (placement,) = decide(state, user("p", "a")).placements
    relabelled = volume(labels={"a": "b"})
    put(state, volume(), relabelled)
    assert not decide(state, user("q", "b")).placements
    state.settle([placement], [placement])
    assert given_to(decide(state, user("q", "b")))["b"][1] == "v"


def test_a_volume_that_is_gone_is_promised_to_nobody() -> None:
    state = state_of(storage(), claim("a"), volume())
    (placement,) = decide(state, user("p", "a")).placements
    put(state, volume(), None)
    assert not decide(state, user("q", "a")).placements
    state.settle([placement], [placement])
    put(state, None, volume())
    assert given_to(decide(state, user("q", "a")))["a"][1] == "v"


@pytest.mark.parametrize(
    ("old", "new", "helps"),
    [
        (None, claim(), True),
        (claim(), None, False),
        (claim(), claim(), False),
        (claim(), claim(on="v"), True),
        (claim(selected="n1"), claim(), True),
        (claim(on="v"), claim(on="v", phase="Lost"), True),
        (None, volume(), True),
        (volume(), None, False),
        (volume(), volume(), False),
        (volume(phase="Pending"), volume(), True),
        (volume(), volume(phase="Bound"), False),
        (volume(), volume(at=["n1"]), True),
        (volume(), volume(labels={"a": "b"}), True),
        (volume(owner="c"), volume(), True),
        (volume(), volume(owner="c"), True),
        (volume(), volume(claimRef=BOUND), False),
        (volume(), volume(claimRef=BOUND, at=["n1"]), True),
        (volume(claimRef=BOUND), volume(owner="c"), True),
        (None, storage(), True),
        (storage(), storage(mode="Immediate"), True),
        (storage(), None, False),
        (driver(), driver(capacity=False), True),
        (driver(), None, True),
        (None, driver(), False),
        (None, csi_node("n1", 0), True),
        (csi_node("n1", 1), csi_node("n1", 2), True),
        (csi_node("n1", 2), csi_node("n1", 1), False),
        (csi_node("n1", 2), None, False),
        (None, attachment("v", "n1"), False),
        (attachment("v", "n1"), None, True),
        (None, capacity("a", "z", "1Gi"), True),
        (capacity("a", "z", "1Gi"), capacity("a", "z", "2Gi"), True),
        (capacity("a", "z", "2Gi"), capacity("a", "z", "1Gi"), False),
        (capacity("a", "z", "2Gi"), None, False),
    ],
)
def test_which_changes_may_help_a_pod(old: Any, new: Any, helps: bool) -> None:
    state = state_of(*filter(None, (old,)))
    assert put(state, old, new) is helps


actions = st.lists(
    st.tuples(st.sampled_from(["decide", "bind", "fail", "lose"]), st.integers(0, 5)), max_size=30
)


@settings(max_examples=60, deadline=None)
@given(actions)
def test_no_volume_is_given_to_two_claims(taken: list[tuple[str, int]]) -> None:
    """Whatever the order of decisions, writes that go well or badly, and volumes that vanish."""
    volumes = {f"v{i}": volume(f"v{i}", f"{i + 1}Gi", at=[f"n{i % 3 + 1}"]) for i in range(4)}
    claims = {f"c{i}": claim(f"c{i}") for i in range(6)}
    state = state_of(storage(), *volumes.values(), *claims.values())
    flying: dict[str, Placement] = {}
    owners: dict[str, str] = {}
    for what, number in taken:
        name = f"c{number}"
        if what == "decide" and name not in flying and name not in owners.values():
            for placement in decide(state, user(f"p{number}", name)).placements:
                flying[name] = placement
                (grant,) = placement.volumes
                assert grant.volume is not None
                chosen = grant.volume.metadata.name
                assert chosen not in owners
                assert chosen not in [
                    g.volume.metadata.name
                    for other, p in flying.items()
                    for g in p.volumes
                    if other != name and g.volume is not None
                ]
        elif what in ("bind", "fail") and name in flying:
            placement = flying.pop(name)
            (grant,) = placement.volumes
            assert grant.volume is not None
            chosen = grant.volume.metadata.name
            if what == "bind" and chosen in volumes:
                owners[chosen] = name
                reference = {"namespace": "default", "name": name, "uid": f"uid-{name}"}
                bound = volume(chosen, claimRef=reference, phase="Bound")
                put(state, volumes[chosen], bound)
                volumes[chosen] = bound
                has = decoded(claim_body(name, on=chosen), type(claims[name]))
                put(state, claims[name], has)
                claims[name] = has
                state.settle([placement], [])
            else:
                state.settle([placement], [placement])
        elif what == "lose" and (lost := f"v{number}") in volumes and lost not in owners:
            put(state, volumes.pop(lost), None)
