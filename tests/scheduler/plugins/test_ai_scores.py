"""The scores for AI workloads together: with the guide's profile, and whatever nodes are called."""

import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Node
from argosy.scheduler.config.reading import ConfigError, parsed
from argosy.scheduler.config.setup import made, without_effect
from argosy.scheduler.decide import Decider, Unit
from argosy.scheduler.framework import Plugin
from argosy.scheduler.plugins import inference_headroom, node_reliability, rank_closeness
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.state import State
from argosy.testing.clock import FakeClock
from tests.scheduler.builders import group, node, occupant, pod

GUIDE = Path(__file__).parents[3] / "docs" / "scheduling.md"
HOST = "kubernetes.io/hostname"
RACK = "cloud.provider.com/topology-rack"
ZONE = "topology.kubernetes.io/zone"
NAMES = {"RankCloseness", "InferenceHeadroom", "NodeReliability"}


def of_the_guide() -> tuple[Plugin, ...]:
    """The plugins of the profile that the guide shows."""
    texts = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (text,) = (it for it in texts if "RankCloseness" in it)
    configuration = parsed(text.encode())
    assert not list(without_effect(configuration))
    (profile,) = made(configuration, FakeClock()).profiles
    return profile.plugins


def test_nobody_has_them_who_does_not_name_them() -> None:
    assert NAMES.isdisjoint(plugin.name for plugin in PLUGINS)
    weights = {plugin.name: plugin.weight for plugin in of_the_guide() if plugin.name in NAMES}
    assert weights == {"RankCloseness": 10, "InferenceHeadroom": 5, "NodeReliability": 5}


@pytest.mark.parametrize(
    ("name", "args", "told"),
    [
        ("RankCloseness", {"topologyKeys": [""]}, "topologyKeys[0]: Invalid value: "),
        ("InferenceHeadroom", {"burstPods": 0}, "burstPods: Invalid value: 0: "),
        ("NodeReliability", {"spotLabels": [{}]}, "spotLabels[0].key: Required value: "),
    ],
)
def test_wrong_arguments_are_told_with_their_path(
    name: str, args: dict[str, Any], told: str
) -> None:
    profile = {
        "plugins": {"score": {"enabled": [{"name": name}]}},
        "pluginConfig": [{"name": name, "args": args}],
    }
    header = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
    }
    configuration = parsed(msgspec.json.encode({**header, "profiles": [profile]}))
    with pytest.raises(ConfigError) as caught:
        made(configuration, FakeClock())
    assert str(caught.value).startswith(f"profiles[0].pluginConfig[0].args.{told}")


def racks_of(plugins: Sequence[Plugin], *, gang: bool) -> dict[str, set[str]]:
    """In which racks the ranks of two jobs are, four each, on four racks of two nodes."""
    state = State()
    for number in range(8):
        labels = {HOST: f"n{number}", RACK: f"r{number % 4}", ZONE: "z"}
        state.nodes.put_node(node(f"n{number}", labels=labels))
    if gang:
        for name in ("a", "b"):
            state.put_group(None, group(name, 4))
    decider = Decider(state, plugins)
    found: dict[str, set[str]] = {}
    for name in ("a", "b"):
        for unit in units(name, gang):
            decision = decider.decide(unit)
            assert len(decision.placements) == len(unit.pods)
            rows = [state.nodes.row_of[it.node] for it in decision.placements]
            told = {state.nodes.node(row).metadata.labels[RACK] for row in rows}
            found.setdefault(name, set()).update(told)
    return found


def units(name: str, gang: bool) -> list[Unit]:
    """Four ranks: as one gang, or of an indexed Job, one after the other."""
    if gang:
        ranks = [pod(f"{name}{i}", requests={"cpu": 2}, gang=name) for i in range(4)]
        return [Unit(pods=tuple(ranks), gang=name, group=group(name, 4))]
    label = {"batch.kubernetes.io/job-name": name}
    index = "batch.kubernetes.io/job-completion-index"
    ranks = [
        pod(f"{name}{i}", requests={"cpu": 2}, metadata={"labels": {**label, index: str(i)}})
        for i in range(4)
    ]
    return [Unit(pods=(it,)) for it in ranks]


@pytest.mark.parametrize("gang", [True, False])
def test_ranks_of_a_job_land_in_one_rack(gang: bool) -> None:
    spread = racks_of(PLUGINS, gang=gang)
    assert all(len(racks) > 1 for racks in spread.values())
    close = racks_of(of_the_guide(), gang=gang)
    assert [len(racks) for racks in close.values()] == [1, 1]
    assert close["a"].isdisjoint(close["b"])


class Place(NamedTuple):
    """A node: zone, rack (0: none), processors, what others use of them, ranks of the team on it;
    whether it is a spot node, and when it failed, in minutes after one (-1: never)."""

    zone: int
    rack: int
    cpu: int
    used: int
    ranks: int
    spot: bool
    failed: int


places = st.builds(
    Place,
    zone=st.integers(0, 2),
    rack=st.integers(0, 3),
    cpu=st.integers(0, 6),
    used=st.integers(0, 6),
    ranks=st.integers(0, 2),
    spot=st.booleans(),
    failed=st.integers(-1, 59),
)
MADE = [
    rank_closeness.configured({"topologyKeys": [ZONE, RACK, HOST]}),
    inference_headroom.configured({}),
    node_reliability.configured({}),
]
SERVED = {"serving.kserve.io/inferenceservice": "chat"}
NOW = "2026-01-01T02:00:00Z"
PODS = [
    pod("rank", gang="g", requests={"cpu": 1}, metadata={"creationTimestamp": NOW}),
    pod("served", requests={"cpu": 1}, metadata={"labels": SERVED}),
]


def as_node(place: Place, name: str) -> Node:
    labels = {HOST: name, ZONE: f"z{place.zone}"}
    if place.rack:
        labels[RACK] = f"r{place.rack}"
    if place.spot:
        labels["karpenter.sh/capacity-type"] = "spot"
    body: dict[str, Any] = msgspec.to_builtins(
        node(name, labels=labels, allocatable={"cpu": place.cpu})
    )
    body["metadata"]["creationTimestamp"] = "2025-01-01T00:00:00Z"
    if place.failed >= 0:
        since = f"2026-01-01T01:{place.failed:02}:00Z"
        told = {"type": "Ready", "status": "True", "lastTransitionTime": since}
        body["status"]["conditions"] = [told]
    return msgspec.convert(body, Node)


def scored(named: Sequence[tuple[str, Place]], least: int) -> dict[str, list[list[int]]]:
    """By node, what it is worth to each pod by each plugin."""
    state = State()
    state.put_group(None, group("g", least))
    for name, place in named:
        state.nodes.put_node(as_node(place, name))
        state.nodes.put_pod(name, occupant(f"used-{name}", requests={"cpu": place.used}))
        for number in range(place.ranks):
            state.nodes.put_pod(name, occupant(f"{name}-{number}", gang="g"))
    feasible = np.array([place.cpu > place.used for _, place in named])
    found: dict[str, list[list[int]]] = {name: [] for name, _ in named}
    for plugin in MADE:
        for item in PODS:
            assert plugin.survey
            survey = plugin.survey(state, item)
            given = survey.score(feasible) if survey else None
            for row, (name, _) in enumerate(named):
                told = [] if given is None or not feasible[row] else [int(given[row])]
                assert all(0 <= score <= 100 for score in told)
                found[name].append(told)
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(places, min_size=1, max_size=8), st.integers(1, 6), st.randoms())
def test_names_and_order_of_nodes_do_not_matter(
    cluster: list[Place], least: int, chance: random.Random
) -> None:
    named = [(f"n{number}", place) for number, place in enumerate(cluster)]
    renamed = [(f"x{99 - number}", place) for number, place in enumerate(cluster)]
    pairs = dict(zip((name for name, _ in renamed), (name for name, _ in named), strict=True))
    chance.shuffle(renamed)
    expected = scored(named, least)
    assert {pairs[name]: told for name, told in scored(renamed, least).items()} == expected
