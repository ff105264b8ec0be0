"""Plans are carried out on a plain model: every step holds, and what is won was claimed."""

from collections import Counter, defaultdict
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Node, Pod
from argosy.api.dra import ResourceClaim
from argosy.api.meta import Object
from argosy.scheduler.defrag.demands import typical_of
from argosy.scheduler.defrag.ground import Ground, Value
from argosy.scheduler.defrag.plan import Plan
from argosy.scheduler.defrag.told import summary
from argosy.scheduler.explain.snapshot import snapshot_of, state_of
from argosy.scheduler.shape import request_of
from tests.scheduler.builders import device_class
from tests.scheduler.defrag.kit import APART, GPU, budget, devices, host, planned, runs, sharing

hosts = st.lists(
    st.tuples(st.sampled_from([4, 8]), st.sampled_from([0, 2, 4])), min_size=2, max_size=5
)
guests = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from([500, 1000, 3000]),
        st.sampled_from([0, 0, 1, 2]),
        st.sampled_from(["ReplicaSet", "ReplicaSet", "StatefulSet", "Job", ""]),
        st.sampled_from(["web", "db"]),
        st.booleans(),
    ),
    max_size=10,
)
shares = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 2), st.sampled_from([20, 50, 70])), max_size=6
)


@settings(max_examples=30, deadline=None)
@given(hosts, guests, shares, st.integers(0, 3), st.integers(0, 3))
def test_every_step_holds_and_the_gain_is_what_was_claimed(
    sizes: list[tuple[int, int]],
    placed: list[tuple[int, int, int, str, str, bool]],
    parts: list[tuple[int, int, int]],
    web: int,
    db: int,
) -> None:
    objects = cluster(sizes, placed, parts)
    budgets = [
        budget(allowed, {"matchLabels": {"app": app}}, app)
        for app, allowed in (("web", web), ("db", db))
    ]
    holds(planned(*objects, *budgets), objects, {"web": web, "db": db})


@pytest.mark.parametrize("seed", range(8))
def test_larger_clusters(seed: int) -> None:
    random = Random(seed)
    sizes = [(random.choice((4, 8, 16)), random.choice((0, 2, 4))) for _ in range(10)]
    placed = [
        (
            random.randrange(10),
            random.choice((250, 500, 1000, 2000)),
            random.choice((0, 0, 0, 1, 2)),
            random.choice(("ReplicaSet", "ReplicaSet", "ReplicaSet", "Job")),
            random.choice(("web", "db")),
            random.random() < 0.2,
        )
        for _ in range(40)
    ]
    parts = [
        (random.randrange(2), random.randrange(3), random.choice((20, 40, 50))) for _ in range(8)
    ]
    objects = cluster(sizes, placed, parts)
    found = planned(*objects)
    assert found.goals
    holds(found, objects, {"web": 99, "db": 99})


def holds(found: Plan, objects: list[Object], budgets: dict[str, int]) -> None:
    """Every step of the plan can be made, and it wins what it claims to."""
    after = executed(found, objects, budgets)
    assert measured(objects, objects) == found.before
    assert measured(after, objects) == found.after
    won = [goal.gain for goal in found.goals]
    assert all(gain.better for gain in won)
    assert sum(gain.nodes for gain in won) == found.after.nodes - found.before.nodes
    assert sum(gain.gpus for gain in won) == found.after.gpus - found.before.gpus
    assert sum(gain.stranded for gain in won) == found.after.stranded - found.before.stranded
    assert bool(won) or summary(found).startswith("Nothing to move: ")


def cluster(
    sizes: list[tuple[int, int]],
    placed: list[tuple[int, int, int, str, str, bool]],
    parts: list[tuple[int, int, int]],
) -> list[Object]:
    """Nodes with GPUs that are counted, but for the last two, with three each that are shared; and
    as many of the pods as there is room for."""
    cpu = {f"n{at}": size * 1000 for at, (size, _) in enumerate(sizes)}
    gpus = {f"n{at}": count for at, (_, count) in enumerate(sizes[:-2])}
    last = [f"n{len(sizes) - back}" for back in (1, 2)]
    objects: list[Object] = [device_class(), *(devices(name, 3) for name in last)]
    objects += [host(name, cpu=f"{cpu[name]}m", gpus=gpus.get(name, 0)) for name in cpu]
    for number, (at, milli, asked, kind, app, apart) in enumerate(placed):
        name = f"n{at % len(sizes)}"
        if cpu[name] < milli or gpus.get(name, 0) < asked:
            continue
        cpu[name] -= milli
        if asked:
            gpus[name] -= asked
        spec = {"affinity": APART} if apart and app == "db" else {}
        meta: dict[str, Any] = {"kind": kind, "labels": {"app": app}, "spec": spec}
        objects.append(runs(f"p{number}", name, cpu=f"{milli}m", gpus=asked, **meta))
    left = Counter({(name, f"gpu-{at}"): 100 for name in last for at in range(3)})
    for number, (which, at, compute) in enumerate(parts):
        name, device = last[which % 2], f"gpu-{at}"
        if left[name, device] >= compute and cpu[name] >= 100:
            left[name, device] -= compute
            cpu[name] -= 100
            objects += sharing(f"s{number}", name, device, compute)
    return objects


def executed(found: Plan, objects: list[Object], budgets: dict[str, int]) -> list[Object]:
    """The cluster after the plan, one eviction and one placement after the other."""
    pods = {one.metadata.uid: one for one in objects if isinstance(one, Pod)}
    claims = {one.metadata.name: one for one in objects if isinstance(one, ResourceClaim)}
    room = {one.metadata.name: one for one in objects if isinstance(one, Node)}
    allowed = Counter(budgets)
    once: set[str] = set()
    freed: set[str] = set()
    for goal in found.goals:
        for step in goal.steps:
            uid, target = step.occupant.pod.metadata.uid, step.placement.node
            one = pods[uid]
            assert one.spec.node_name == step.source
            assert one.controller is not None
            assert one.controller.kind in ("ReplicaSet", "StatefulSet")
            assert uid not in once
            assert target not in freed
            once.add(uid)
            allowed[one.metadata.labels["app"]] -= 1
            spec = msgspec.structs.replace(one.spec, node_name=target)
            pods[uid] = msgspec.structs.replace(one, spec=spec)
            for grant in step.placement.grants:
                status = msgspec.structs.replace(
                    claims[grant.claim.metadata.name].status, allocation=grant.allocation
                )
                claims[grant.claim.metadata.name] = msgspec.structs.replace(
                    grant.claim, status=status
                )
            fits(pods.values(), claims.values(), room)
        if goal.candidate.kind != "GPU":
            freed.add(goal.steps[0].source)
    assert min(allowed.values()) >= 0
    others = [one for one in objects if not isinstance(one, Pod | ResourceClaim)]
    return [*others, *pods.values(), *claims.values()]


def fits(pods: Any, claims: Any, room: dict[str, Node]) -> None:
    """No node and no device has more than it can, and those that keep apart are."""
    used: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in pods:
        used[one.spec.node_name].update(dict(request_of(one).amounts))
    for name, amounts in used.items():
        allocatable = room[name].status.allocatable
        assert amounts["cpu"] <= int(str(allocatable["cpu"]).removesuffix("m"))
        assert amounts[GPU] <= int(allocatable.get(GPU, 0))
    shares: Counter[tuple[str, str]] = Counter()
    for one in claims:
        for item in one.status.allocation.devices.results:
            shares[item.pool, item.device] += int(item.consumed_capacity["compute"])
    assert all(taken <= 100 for taken in shares.values())


def measured(objects: list[Object], asked: list[Object]) -> Value:
    """What is free in a cluster of these objects, for the pods of the other."""
    state, before = state_of(snapshot_of(objects)), snapshot_of(asked)
    claims = before.of(ResourceClaim).values()
    return Ground(state, typical_of(state, before.of(Pod).values(), claims)).total
