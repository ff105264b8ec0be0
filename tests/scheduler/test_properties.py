"""Safety whatever the order of events, against a plain reference that sums everything anew.

Never overcommits: no resource of a node and no capacity of a device is given away twice. A gang is
whole or absent. A pod that fits is placed.
"""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from argosy.api.core import Pod
from argosy.api.dra import ResourceClaim
from argosy.base import quantity
from argosy.scheduler.decide import Decider, Decision, Unit
from argosy.scheduler.dra.inventory import DeviceId
from argosy.scheduler.occupants import occupant_of
from argosy.scheduler.placement import Placement
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.state import State
from tests.scheduler.builders import (
    DRIVER,
    claim,
    device_class,
    exactly,
    group,
    node,
    pod,
    resource_slice,
    shared_gpu,
)

NODES = ("n1", "n2", "n3")
DEVICES: list[dict[str, Any]] = [
    shared_gpu("s0"),
    shared_gpu(
        "s1",
        compute={
            "value": "100",
            "requestPolicy": {
                "default": "40",
                "validRange": {"min": "20", "max": "80", "step": "20"},
            },
        },
    ),
    {"name": "whole", "capacity": {"compute": {"value": "60"}}},
]
CAPACITY = {"s0": 100, "s1": 100}

cpus = st.integers(0, 5)
wishes = st.one_of(st.none(), st.integers(1, 100))
some_claims = st.lists(st.tuples(wishes, st.integers(1, 2)), max_size=2)


class Placing(RuleBasedStateMachine):
    """Events and decisions in any order; `placed` is what a bystander would have noted."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.decider = Decider(self.state, PLUGINS)
        self.state.devices.put_class(None, device_class())
        self.nodes: dict[str, int] = {}
        self.placed: dict[str, Placement] = {}
        self.foreign: dict[str, tuple[str, int]] = {}
        self.claims: dict[str, ResourceClaim] = {}
        self.counter = 0

    @rule(name=st.sampled_from(NODES), cpu=st.integers(0, 8))
    def put_node(self, name: str, cpu: int) -> None:
        if name not in self.nodes:
            self.state.devices.put_slice(None, resource_slice(DEVICES, node=name))
        # A node shrinks only to what runs on it: below that nobody can help.
        cpu = max(cpu * 1000, self.used(name))
        self.nodes[name] = cpu
        self.state.nodes.put_node(node(name, allocatable={"cpu": f"{cpu}m", "pods": "6"}))

    @rule(name=st.sampled_from(NODES))
    def drop_node(self, name: str) -> None:
        if name in self.nodes and not self.pods_on(name):
            del self.nodes[name]
            self.state.nodes.drop_node(name)
            self.state.devices.put_slice(resource_slice(DEVICES, node=name), None)

    @rule(cpu=cpus, name=st.sampled_from(NODES))
    def another_scheduler_binds(self, cpu: int, name: str) -> None:
        if name in self.nodes and self.fits_plainly(name, cpu * 1000):
            item = self.new_pod(cpu, [])
            self.foreign[item.metadata.uid] = (name, cpu * 1000)
            self.state.nodes.put_pod(name, occupant_of(item))

    @rule(cpu=cpus, wanted=some_claims)
    def place_a_pod(self, cpu: int, wanted: list[tuple[int | None, int]]) -> None:
        item = self.new_pod(cpu, wanted)
        fitting = [name for name in self.nodes if self.fits_plainly(name, cpu * 1000)]
        decision = self.take(self.decider.decide(Unit(pods=(item,))))
        if not wanted:
            assert bool(decision.placements) == bool(fitting)
        if decision.placements:
            assert decision.placements[0].node in fitting

    @rule(cpu=cpus, count=st.integers(1, 5), least=st.integers(1, 5), wanted=some_claims)
    def place_a_gang(
        self, cpu: int, count: int, least: int, wanted: list[tuple[int | None, int]]
    ) -> None:
        pods = tuple(self.new_pod(cpu, wanted, gang="g") for _ in range(count))
        unit = Unit(pods=pods, gang="g", group=group(least=least))
        decision = self.take(self.decider.decide(unit))
        assert len(decision.placements) == 0 or len(decision.placements) >= least

    @precondition(lambda self: self.placed)
    @rule(data=st.data())
    def finish_a_pod(self, data: st.DataObject) -> None:
        uid = data.draw(st.sampled_from(sorted(self.placed)))
        self.release(self.placed.pop(uid))

    @precondition(lambda self: self.placed)
    @rule(data=st.data())
    def a_binding_fails(self, data: st.DataObject) -> None:
        uid = data.draw(st.sampled_from(sorted(self.placed)))
        placement = self.placed.pop(uid)
        self.state.settle((placement,), (placement,))
        self.release(placement)

    @precondition(lambda self: self.foreign)
    @rule(data=st.data())
    def a_foreign_pod_goes(self, data: st.DataObject) -> None:
        uid = data.draw(st.sampled_from(sorted(self.foreign)))
        del self.foreign[uid]
        assert self.state.nodes.drop_pod(uid)

    @precondition(lambda self: self.placed)
    @rule(data=st.data())
    def the_informer_shows_a_pods_claims(self, data: st.DataObject) -> None:
        uid = data.draw(st.sampled_from(sorted(self.placed)))
        for grant in self.placed[uid].grants:
            seen = self.claims[grant.claim.metadata.name]
            meta = msgspec.structs.replace(seen.metadata, resource_version="9")
            new = msgspec.structs.replace(self.state.devices.ledger.current(seen), metadata=meta)
            self.state.devices.ledger.written(new)
            self.state.devices.put_claim(seen, new)
            self.claims[grant.claim.metadata.name] = new

    @invariant()
    def no_node_is_overcommitted(self) -> None:
        columns = self.state.nodes
        for name, cpu in self.nodes.items():
            assert self.used(name) <= cpu
            assert len(self.pods_on(name)) <= 6
            row = columns.row_of[name]
            assert int(columns.requested[row, columns.resources["cpu"]]) == self.used(name)
            assert int(columns.requested[row, columns.resources["pods"]]) == len(self.pods_on(name))

    @invariant()
    def no_device_is_overcommitted(self) -> None:
        wholes: defaultdict[tuple[str, str], int] = defaultdict(int)
        shares: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for placement in self.placed.values():
            for grant in placement.grants:
                assert grant.allocation is not None
                for result in grant.allocation.devices.results:
                    assert result.pool == placement.node
                    device = (result.pool, result.device)
                    if result.share_id:
                        shares[device] += quantity.parse(result.consumed_capacity["compute"])
                    else:
                        wholes[device] += 1
        assert all(count == 1 and device[1] == "whole" for device, count in wholes.items())
        assert all(total <= CAPACITY[device[1]] for device, total in shares.items())
        for pool in NODES:
            for name in ("s0", "s1", "whole"):
                use = self.state.devices.ledger.use(DeviceId(DRIVER, pool, name))
                assert use.consumed.get("compute", 0) == shares.get((pool, name), 0)
                assert use.wholes == wholes.get((pool, name), 0)

    def take(self, decision: Decision) -> Decision:
        for placement in decision.placements:
            self.placed[placement.pod.metadata.uid] = placement
        return decision

    def release(self, placement: Placement) -> None:
        self.state.nodes.drop_pod(placement.pod.metadata.uid)
        for grant in placement.grants:
            seen = self.claims.pop(grant.claim.metadata.name)
            self.state.devices.put_claim(seen, None)

    def new_pod(self, cpu: int, wanted: list[tuple[int | None, int]], gang: str = "") -> Pod:
        self.counter += 1
        names = {}
        for i, (compute, count) in enumerate(wanted):
            name = f"c{self.counter}-{i}"
            capacity = {"compute": compute} if compute else None
            made = claim(name, [exactly(count=count, capacity=capacity)])
            self.claims[name] = made
            self.state.devices.put_claim(None, made)
            names[f"e{i}"] = name
        return pod(f"p{self.counter}", requests={"cpu": cpu}, claims=names, gang=gang)

    def pods_on(self, name: str) -> list[int]:
        own = [
            dict(item.occupant.request.amounts).get("cpu", 0)
            for item in self.placed.values()
            if item.node == name
        ]
        return own + [cpu for node_name, cpu in self.foreign.values() if node_name == name]

    def used(self, name: str) -> int:
        return sum(self.pods_on(name))

    def fits_plainly(self, name: str, cpu: int) -> bool:
        on_node = self.pods_on(name)
        return len(on_node) < 6 and (cpu == 0 or sum(on_node) + cpu <= self.nodes[name])


TestPlacing = Placing.TestCase
TestPlacing.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
