"""Every plugin against the slow reference, on random small clusters: same nodes, same scores.

`ARGOSY_REFERENCE_SEEDS=10000` asks for more clusters than the suite has time for.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest

from argosy.api.core import Namespace, Node, Pod
from argosy.scheduler.framework import Mask, Plugin, UnschedulableError
from argosy.scheduler.occupants import occupant_of
from argosy.scheduler.plugins.table import FACTORIES, PART_OF, PLUGINS
from argosy.scheduler.ranking import normalized
from argosy.scheduler.shape import shape_of
from argosy.scheduler.state import State
from tests.scheduler.reference import rules
from tests.scheduler.reference.clusters import cluster, some_args
from tests.scheduler.reference.kit import Args, Cluster, Object, name_of
from tests.scheduler.volumes.kit import put_volumes

COMPARED = (
    "NodeUnschedulable",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "VolumeRestrictions",
    "NodeVolumeLimits",
    "VolumeBinding",
    "VolumeZone",
    "PodTopologySpread",
    "InterPodAffinity",
    "NodeDeclaredFeatures",
    "NodeResourcesBalancedAllocation",
    "ImageLocality",
)
"""The plugins by their names; those whose result is a survey's may be named too."""

SEEDS = int(os.environ.get("ARGOSY_REFERENCE_SEEDS", "200"))
A_TEST = 50
"""Seeds: a test takes a second or less."""

Feeder = Callable[[State, Cluster], None]


def put_nodes(state: State, made: Cluster) -> None:
    for item in made["nodes"]:
        state.nodes.put_node(msgspec.convert(item, Node))


def put_pods(state: State, made: Cluster) -> None:
    for item in made["pods"]:
        pod = msgspec.convert(item, Pod)
        if not pod.finished:
            state.nodes.put_pod(pod.spec.node_name, occupant_of(pod))


def put_namespaces(state: State, made: Cluster) -> None:
    for item in made["namespaces"]:
        state.namespaces.put(None, msgspec.convert(item, Namespace))


FEEDERS: tuple[Feeder, ...] = (put_namespaces, put_nodes, put_pods, put_volumes)
"""What makes a state of a cluster, kind by kind."""


@dataclass(frozen=True)
class World:
    """One case, as both see it."""

    cluster: Cluster
    state: State
    told: Object
    pod: Pod
    args: Mapping[str, Args]

    def names(self) -> list[str]:
        return [name_of(item) for item in self.cluster["nodes"]]

    def parts(self, name: str) -> list[Plugin]:
        """The plugins here that are upstream's one."""
        found = [plugin for plugin in PLUGINS if PART_OF.get(plugin.name, plugin.name) == name]
        if name in self.args and name in FACTORIES:
            made = FACTORIES[name](self.args[name])
            found = [made if plugin.name == name else plugin for plugin in found]
        assert found, name
        return found


def world(seed: int) -> World:
    case = cluster(seed)
    state = State()
    for feed in FEEDERS:
        feed(state, case.cluster)
    args = some_args(Random(seed)) if seed % 2 else {}
    return World(case.cluster, state, case.pod, msgspec.convert(case.pod, Pod), args)


def mask_of(it: World, name: str) -> list[bool]:
    """The nodes that our plugin lets the pod have."""
    size = it.state.nodes.size
    found = np.ones(size, dtype=np.bool_)
    for plugin in it.parts(name):
        found &= _filtered(it, plugin)
        try:
            survey = plugin.survey(it.state, it.pod) if plugin.survey else None
        except UnschedulableError:  # what no node can help
            return [False] * size
        if survey is not None and survey.mask is not None:
            found &= survey.mask
        reserver = plugin.reserver(it.state.devices, it.pod) if plugin.reserver else None
        if reserver is not None:
            found &= np.array([node in reserver.nodes for node in it.names()])
    passed: list[bool] = found.tolist()
    return passed


def _filtered(it: World, plugin: Plugin) -> Mask:
    nodes, shape = it.state.nodes, shape_of(it.pod)
    if plugin.filter is None:
        return np.ones(nodes.size, dtype=np.bool_)
    mask = plugin.filter(nodes, shape, nodes.everything)
    one_by_one = [plugin.filter(nodes, shape, np.array([row]))[0] for row in range(nodes.size)]
    assert mask.tolist() == one_by_one
    if plugin.filter_row:
        assert mask.tolist() == [plugin.filter_row(nodes, shape, row) for row in range(nodes.size)]
    if plugin.applies and not plugin.applies(shape):
        assert mask.all()
    return mask


def scores_of(it: World, name: str, feasible: Sequence[str]) -> list[int] | None:
    """What our plugin gives the feasible nodes; None where they are all alike to it."""
    nodes, shape = it.state.nodes, shape_of(it.pod)
    chosen = np.isin(nodes.names, feasible)
    for plugin in it.parts(name):
        if plugin.score and (plugin.applies is None or plugin.applies(shape)):
            raw = plugin.score(nodes, shape, nodes.everything)
            if plugin.score_row:
                assert raw.tolist() == [plugin.score_row(nodes, shape, i) for i in range(len(raw))]
            if plugin.normalize:
                raw = normalized(raw, chosen, plugin.normalize)
            found: list[int] = raw[chosen].tolist()
            return found
        try:
            survey = plugin.survey(it.state, it.pod) if plugin.survey else None
        except UnschedulableError:
            return None
        scores = survey.score(chosen) if survey is not None else None
        if scores is not None:
            surveyed: list[int] = scores[chosen].tolist()
            return surveyed
    return None


@pytest.mark.parametrize("first", range(0, SEEDS, A_TEST))
def test_equal_to_the_reference(first: int) -> None:
    for seed in range(first, min(first + A_TEST, SEEDS)):
        it = world(seed)
        names = it.names()
        for name in COMPARED:
            args: dict[str, Any] = dict(it.args.get(name, {}))
            wanted = [rules.feasible(name, it.cluster, it.told, node, args) for node in names]
            assert mask_of(it, name) == wanted, (seed, name)
        feasible = Random(seed).sample(names, Random(seed).randint(1, len(names)))
        feasible.sort(key=names.index)
        for name in COMPARED:
            given = rules.scores(name, it.cluster, it.told, feasible, dict(it.args.get(name, {})))
            expected = [given[node] for node in feasible]
            ours = scores_of(it, name, feasible)
            if ours is None:
                assert len(set(expected)) == 1, (seed, name, expected)
            else:
                assert ours == expected, (seed, name)


def test_every_compared_plugin_has_its_say() -> None:
    """Neither all nor nothing: otherwise the comparison above would be worth little."""
    refused: set[str] = set()
    scored: set[str] = set()
    for seed in range(60):
        it = world(seed)
        refused |= {name for name in COMPARED if not all(mask_of(it, name))}
        names = it.names()
        scores = {name: scores_of(it, name, names) for name in COMPARED}
        scored |= {name for name, found in scores.items() if found and len(set(found)) > 1}
    assert refused >= set(COMPARED) & set(rules.FILTERS)
    assert scored >= set(COMPARED) & set(rules.SCORES)
