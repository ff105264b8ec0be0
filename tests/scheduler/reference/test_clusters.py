"""Random clusters are worth comparing on: every rule refuses some, every score tells some apart."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings

from tests.scheduler.reference.clusters import (
    MOST_NODES,
    MOST_PODS,
    Case,
    cluster,
    clusters,
    some_args,
)
from tests.scheduler.reference.kit import name_of
from tests.scheduler.reference.rules import FILTERS, SCORES, feasible, feasible_nodes, scores

SEEDS = 250


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [cluster(seed) for seed in range(SEEDS)]


def test_a_seed_always_gives_the_same_case() -> None:
    assert cluster(7) == cluster(7)
    assert cluster(7) != cluster(8)


def test_every_rule_refuses_some_nodes_and_lets_others_in(cases: list[Case]) -> None:
    mixed: Counter[str] = Counter()
    for case in cases:
        names = [name_of(node) for node in case.cluster["nodes"]]
        for plugin in FILTERS:
            answers = {feasible(plugin, case.cluster, case.pod, name) for name in names}
            mixed[plugin] += len(answers) == 2
    rare = {"NodeName", "VolumeRestrictions", "VolumeZone"}
    for plugin in FILTERS:
        assert mixed[plugin] >= SEEDS * (0.01 if plugin in rare else 0.05), (plugin, mixed)


def test_every_score_tells_some_nodes_apart(cases: list[Case]) -> None:
    apart: Counter[str] = Counter()
    for case in cases:
        names = [name_of(node) for node in case.cluster["nodes"]]
        for plugin in SCORES:
            apart[plugin] += len(set(scores(plugin, case.cluster, case.pod, names).values())) > 1
    for plugin in SCORES:
        assert apart[plugin] >= SEEDS * 0.08, (plugin, apart)


def test_some_pods_have_a_choice(cases: list[Case]) -> None:
    choices = sum(len(feasible_nodes(case.cluster, case.pod)) > 1 for case in cases)
    assert choices >= SEEDS * 0.1


def test_clusters_are_small_and_scores_in_bounds(cases: list[Case]) -> None:
    for seed, case in enumerate(cases[:60]):
        names = [name_of(node) for node in case.cluster["nodes"]]
        assert 1 <= len(names) <= MOST_NODES and len(case.cluster["pods"]) <= MOST_PODS
        args = some_args(Random(seed))
        assert set(feasible_nodes(case.cluster, case.pod, args)) <= set(names)
        for plugin in SCORES:
            got = scores(plugin, case.cluster, case.pod, names, args.get(plugin))
            assert list(got) == names
            assert all(0 <= score <= 100 for score in got.values())


@settings(max_examples=4)
@given(case=clusters())
def test_hypothesis_draws_such_cases_too(case: Case) -> None:
    names = [name_of(node) for node in case.cluster["nodes"]]
    assert set(feasible_nodes(case.cluster, case.pod)) <= set(names)
