"""Decisions on single pods and gangs, told as tables."""

from typing import Any

import pytest

from argosy.api.dra import DeviceResult
from argosy.scheduler.decide import Decider, Decision, Unit
from argosy.scheduler.dra.inventory import DeviceId
from argosy.scheduler.framework import Plugin
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.state import State
from tests.scheduler.builders import (
    DRIVER,
    allocated,
    claim,
    device_class,
    exactly,
    group,
    node,
    pod,
    resource_slice,
    shared_gpu,
)

PEACEFUL = tuple(plugin for plugin in PLUGINS if plugin.preemption is None)
"""What evicts nobody: its messages are shorter."""


class World:
    """A state with a decider over it."""

    def __init__(self, *nodes: Any) -> None:
        self.state = State()
        self.decider = Decider(self.state, PEACEFUL)
        for item in nodes:
            self.state.nodes.put_node(item)
        self.state.devices.put_class(None, device_class())

    def slices(self, *slices: Any) -> "World":
        for item in slices:
            self.state.devices.put_slice(None, item)
        return self

    def claims(self, *claims: Any) -> "World":
        for item in claims:
            self.state.devices.put_claim(None, item)
        return self

    def decide(self, *pods: Any, **unit: Any) -> Decision:
        return self.decider.decide(Unit(pods=pods, **unit))


def gpu(name: str) -> DeviceId:
    return DeviceId(DRIVER, "n1", name)


def message(decision: Decision) -> str:
    return decision.refusals[0].message


def test_a_pod_goes_to_the_emptiest_node() -> None:
    world = World(node("a"), node("b"))
    places = [world.decide(pod(f"p{i}", requests={"cpu": "1"})).placements for i in range(4)]
    assert [place[0].node for place in places] == ["a", "b", "a", "b"]


@pytest.mark.parametrize(
    ("nodes", "asked", "text"),
    [
        ([], {}, "no nodes available to schedule pods"),
        ([node()], {"requests": {"cpu": 5}}, "0/1 nodes are available: 1 Insufficient cpu."),
        (
            [node(), node("n2", spec={"unschedulable": True})],
            {"requests": {"cpu": 5, "memory": "9Gi"}},
            "0/2 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, "
            "1 node(s) were unschedulable.",
        ),
        ([node()], {"requests": {"x.io/y": 1}}, "0/1 nodes are available: 1 Insufficient x.io/y."),
        ([node()], {"requests": {"cpu": "1e300"}}, "0/1 nodes are available: 1 Insufficient cpu."),
        (
            [node(allocatable={"cpu": "nonsense"})],
            {"requests": {"cpu": "1m"}},
            "0/1 nodes are available: 1 Insufficient cpu.",
        ),
        ([node(allocatable={"pods": 0})], {}, "0/1 nodes are available: 1 Too many pods."),
        (
            [node(spec={"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]})],
            {},
            "0/1 nodes are available: 1 node(s) had untolerated taint(s).",
        ),
        (
            [node(labels={"a": "b"})],
            {"spec": {"nodeSelector": {"a": "c"}}},
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
        ),
    ],
)
def test_why_a_pod_has_no_place(nodes: list[Any], asked: dict[str, Any], text: str) -> None:
    decision = World(*nodes).decide(pod(**asked))
    assert not decision.placements
    assert message(decision) == text


def test_a_broken_quantity_is_told_with_its_path() -> None:
    decision = World(node()).decide(pod(requests={"cpu": "much"}))
    assert message(decision).startswith("spec.containers[0].resources.requests[cpu]: quantities")


def test_a_gated_pod_is_told_and_not_waiting() -> None:
    decision = World(node()).decide(pod(spec={"schedulingGates": [{"name": "g"}]}))
    assert decision.refusals[0].reason == "SchedulingGated"
    assert not decision.placements
    assert not decision.waiting


def test_two_pods_share_a_device_and_a_third_is_refused() -> None:
    world = World(node()).slices(resource_slice([shared_gpu()]))
    for i in range(3):
        world.claims(claim(f"c{i}", [exactly(capacity={"compute": 50})]))
    first, second, third = (world.decide(pod(f"p{i}", claims={"gpu": f"c{i}"})) for i in range(3))
    results: list[DeviceResult] = []
    for decision in (first, second):
        allocation = decision.placements[0].grants[0].allocation
        assert allocation is not None
        results += allocation.devices.results
    assert [item.consumed_capacity for item in results] == [{"compute": "50"}] * 2
    assert len({item.share_id for item in results}) == 2
    assert message(third) == (
        "0/1 nodes are available: 1 cannot allocate all claims "
        f"({DRIVER}: compute 50 requested, 0 of 100 free on gpu-0)."
    )


def test_claims_of_one_pod_are_allocated_together_or_not_at_all() -> None:
    world = World(node()).slices(resource_slice([{"name": "g0"}, {"name": "g1"}]))
    world.claims(claim("a"), claim("b", [exactly(count=2)]), claim("c"))
    decision = world.decide(pod("p", claims={"x": "a", "y": "b"}))
    assert message(decision) == (
        "0/1 nodes are available: 1 cannot allocate all claims "
        f"({DRIVER}: 1 device requested, 0 of 2 free)."
    )
    assert all(world.state.devices.ledger.use(gpu(name)).idle for name in ("g0", "g1"))
    both = world.decide(pod("q", claims={"x": "a", "y": "c"})).placements[0]
    devices = {g.allocation.devices.results[0].device for g in both.grants if g.allocation}
    assert devices == {"g0", "g1"}


def test_a_pod_follows_an_allocated_claim() -> None:
    world = World(node("a"), node("n1", allocatable={"cpu": 1}))
    world.slices(resource_slice([{"name": "gpu-0"}])).claims(claim(status=allocated()))
    decision = world.decide(pod("p", requests={"cpu": "1"}, claims={"gpu": "c"}))
    assert decision.placements[0].node == "n1"
    assert decision.placements[0].grants[0].allocation is None
    full = world.decide(pod("q", requests={"cpu": "1"}, claims={"gpu": "c"}))
    assert message(full) == (
        "0/2 nodes are available: 1 Insufficient cpu, 1 resourceclaim not available on the node."
    )


@pytest.mark.parametrize(
    ("reserved", "released"),
    [([], True), (["uid-p"], True), (["uid-other"], False), (["uid-p", "uid-other"], False)],
)
def test_a_claim_that_holds_a_pod_where_it_does_not_fit_is_released(
    reserved: list[str], released: bool
) -> None:
    world = World(node("n1", allocatable={"cpu": 1}))
    consumers = [{"resource": "pods", "name": "x", "uid": uid} for uid in reserved]
    world.slices(resource_slice([{"name": "gpu-0"}]))
    world.claims(claim(status={**allocated(), "reservedFor": consumers}))
    decision = world.decide(pod("p", requests={"cpu": "2"}, claims={"gpu": "c"}))
    assert [item.metadata.name for item in decision.release] == ["c"] * released


def test_a_claim_has_a_limit_of_pods() -> None:
    consumers = [{"resource": "pods", "name": "x", "uid": f"u{i}"} for i in range(256)]
    world = World(node()).slices(resource_slice([{"name": "gpu-0"}]))
    world.claims(claim(status={**allocated(), "reservedFor": consumers}))
    decision = world.decide(pod(claims={"gpu": "c"}))
    assert message(decision) == 'resourceclaim "c" is already reserved for 256 consumers'


def test_a_claim_in_flight_makes_the_pod_come_again() -> None:
    world = World(node()).slices(resource_slice([{"name": "gpu-0"}])).claims(claim())
    first = world.decide(pod("p", claims={"gpu": "c"}))
    world.state.hand_over(first.placements)
    second = world.decide(pod("q", claims={"gpu": "c"}))
    assert second.busy
    world.state.settle(first.placements, ())
    assert world.decide(pod("q", claims={"gpu": "c"})).placements


TEMPLATE: dict[str, Any] = {
    "resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "t"}],
}


@pytest.mark.parametrize(
    ("made", "text"),
    [
        ([], 'waiting for resource claim "gpu" to be created from template'),
        ([{"name": "gpu", "resourceClaimName": "gone"}], 'resourceclaim "gone" not found'),
        (
            [{"name": "gpu", "resourceClaimName": "c"}],
            'resourceclaim "c" was not created for this pod',
        ),
        (
            [{"name": "gpu", "resourceClaimName": "going"}],
            'resourceclaim "going" is being deleted',
        ),
    ],
)
def test_claims_from_templates_that_are_not_usable(made: list[Any], text: str) -> None:
    world = World(node()).slices(resource_slice([shared_gpu()]))
    going = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    world.claims(claim(), claim("going", metadata=going))
    decision = world.decide(pod(spec=TEMPLATE, status={"resourceClaimStatuses": made}))
    assert message(decision) == text


def test_a_claim_from_a_template_is_used() -> None:
    world = World(node()).slices(resource_slice([shared_gpu()]))
    owner = {"kind": "Pod", "name": "p", "uid": "uid-p", "controller": True}
    world.claims(claim("p-gpu-x", metadata={"ownerReferences": [owner]}))
    made = [{"name": "gpu", "resourceClaimName": "p-gpu-x"}]
    decision = world.decide(pod("p", spec=TEMPLATE, status={"resourceClaimStatuses": made}))
    assert decision.placements[0].grants[0].claim.metadata.name == "p-gpu-x"
    none_needed = [{"name": "gpu"}]
    decision = world.decide(pod("q", spec=TEMPLATE, status={"resourceClaimStatuses": none_needed}))
    assert decision.placements[0].grants == ()


def gang_pods(count: int, **more: Any) -> list[Any]:
    return [pod(f"p{i}", gang="g", **more) for i in range(count)]


@pytest.mark.parametrize(
    ("count", "bound", "exists", "cpu", "placed", "text"),
    [
        (2, 0, True, 2, 2, ""),
        (2, 0, False, 1, 0, 'gang "g": waiting for the pod group to be created'),
        (1, 0, True, 1, 0, 'gang "g": waiting for pods, 2 are needed'),
        (1, 1, True, 1, 1, ""),
        (
            2,
            0,
            True,
            3,
            0,
            'gang "g": 1 of 2 pods can be placed: 0/1 nodes are available: 1 Insufficient cpu.',
        ),
        # More pods than the gang must have: those that fit go, the rest waits.
        (3, 0, True, 2, 2, "0/1 nodes are available: 1 Insufficient cpu."),
        (2, 2, True, 4, 1, "0/1 nodes are available: 1 Insufficient cpu."),
    ],
)
def test_gangs(count: int, bound: int, exists: bool, cpu: int, placed: int, text: str) -> None:
    world = World(node())
    pods = gang_pods(count, requests={"cpu": cpu})
    decision = world.decide(*pods, gang="g", group=group() if exists else None, bound=bound)
    assert len(decision.placements) == placed
    assert {item.message for item in decision.refusals} == ({text} if text else set())
    assert int(world.state.nodes.requested[0, 0]) == placed * cpu * 1000


def test_a_group_without_gang_places_what_fits() -> None:
    world = World(node())
    pods = gang_pods(3, requests={"cpu": 2})
    decision = world.decide(*pods, gang="g", group=group(least=None))
    assert len(decision.placements) == 2
    assert message(decision) == "0/1 nodes are available: 1 Insufficient cpu."


def test_a_gang_takes_devices_as_a_whole() -> None:
    world = World(node()).slices(resource_slice([shared_gpu()]))
    world.claims(*(claim(f"c{i}", [exactly(capacity={"compute": 50})]) for i in range(5)))
    one = world.decide(pod("single", claims={"gpu": "c0"}))
    assert one.placements
    pods = [pod(f"p{i}", gang="g", claims={"gpu": f"c{i}"}) for i in (1, 2)]
    decision = world.decide(*pods, gang="g", group=group())
    assert message(decision) == (
        'gang "g": 1 of 2 pods can be placed: 0/1 nodes are available: 1 cannot allocate all '
        f"claims ({DRIVER}: compute 50 requested, 0 of 100 free on gpu-0)."
    )
    assert world.state.devices.ledger.use(gpu("gpu-0")).consumed == {"compute": 50}


def test_pods_of_a_gang_share_a_claim() -> None:
    world = World(node("a"), node("n1")).slices(resource_slice([{"name": "gpu-0"}])).claims(claim())
    pods = gang_pods(2, claims={"gpu": "c"})
    decision = world.decide(*pods, gang="g", group=group())
    assert [item.node for item in decision.placements] == ["n1", "n1"]
    shared = world.state.devices.claim("default", "c")
    assert shared is not None
    assert [item.name for item in shared.status.reserved_for] == ["p0", "p1"]
    for placement in reversed(decision.placements):
        world.state.retract(placement)
    assert world.state.devices.claim("default", "c") == claim()


def test_a_plugin_that_throws_leaves_nothing_assumed() -> None:
    def throw_on_second(pod: Any) -> str | None:
        if pod.metadata.name == "p1":
            raise RuntimeError("broken")
        return None

    world = World(node())
    decider = Decider(world.state, (*PLUGINS, Plugin(name="Broken", refuse=throw_on_second)))
    world.decider = decider
    with pytest.raises(RuntimeError):
        world.decide(*gang_pods(2, requests={"cpu": 1}), gang="g", group=group())
    assert not world.state.nodes.requested.any()
