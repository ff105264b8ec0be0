"""Constraints of pods that state none: as a profile gives them, and against the reference."""

from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest

from argosy.api.core import Pod
from argosy.scheduler.plugins.pod_topology_spread import PLUGIN, configured
from argosy.scheduler.spread_defaults import SYSTEM, defaults_of
from tests.scheduler.plugins.places import asking, cluster, feasible, labelled, scores
from tests.scheduler.reference import rules
from tests.scheduler.test_against_reference import world
from tests.scheduler.test_owners import service

HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
LISTED = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (
            {"defaultingType": "Some"},
            'defaultingType: Unsupported value: "Some": supported values: "System", "List"',
        ),
        (
            {"defaultConstraints": [LISTED]},
            'defaultingType: Invalid value: "System": when .defaultConstraints are not empty',
        ),
        (
            [{**LISTED, "maxSkew": 0}],
            "defaultConstraints[0].maxSkew: Invalid value: 0: not in valid range (0, inf)",
        ),
        (
            [{**LISTED, "topologyKey": ""}],
            "defaultConstraints[0].topologyKey: Required value: can not be empty",
        ),
        (
            [LISTED, {**LISTED, "topologyKey": "a b"}],
            'defaultConstraints[1].topologyKey: Invalid value: "a b": name part must consist',
        ),
        (
            [{**LISTED, "whenUnsatisfiable": ""}],
            "defaultConstraints[0].whenUnsatisfiable: Required value: can not be empty",
        ),
        (
            [{**LISTED, "whenUnsatisfiable": "x"}],
            'defaultConstraints[0].whenUnsatisfiable: Unsupported value: "x": supported values: '
            '"DoNotSchedule", "ScheduleAnyway"',
        ),
        (
            [{**LISTED, "labelSelector": {}}],
            "defaultConstraints[0].labelSelector: Forbidden: constraint must not define a "
            "selector, as they deduced for each pod",
        ),
        (
            [LISTED, LISTED],
            'defaultConstraints[1]: Duplicate value: "{zone, DoNotSchedule}"',
        ),
        ([{**LISTED, "maxSkew": "1"}], "defaultConstraints[0].maxSkew: Invalid value: expected"),
        ({"defaults": 1}, "defaults: unknown field"),
    ],
)
def test_wrong_arguments(args: Any, words: str) -> None:
    given = {"defaultingType": "List", "defaultConstraints": args} if type(args) is list else args
    with pytest.raises(ValueError) as caught:
        configured(given)
    assert str(caught.value).startswith(words)


def test_the_system_s_are_there_without_arguments() -> None:
    assert defaults_of({}) == defaults_of({"defaultingType": "System"}) == SYSTEM
    state = cluster([("n1", labelled(app="a"))])
    assert scores(PLUGIN, state, asking(labels={"app": "a"})) is None
    state.owners.put_service(None, service(app="a"))
    assert PLUGIN.survey is not None
    assert PLUGIN.survey(state, asking(labels={"app": "b"})) is None
    # One pod costs ln 6, beside maxSkew - 1 = 2; no node has a zone of that name.
    assert scores(PLUGIN, state, asking(labels={"app": "a"})) == {
        "n1": 50,
        "n2": 100,
        "n3": 100,
        "n4": 100,
    }


def test_a_list_takes_their_place() -> None:
    listed = configured({"defaultingType": "List", "defaultConstraints": [LISTED]})
    state, new = cluster([("n1", labelled(app="a"))]), asking(labels={"app": "a"})
    assert feasible(listed, state, new) == ["n1", "n2", "n3", "n4"]
    state.owners.put_service(None, service(app="a"))
    assert feasible(listed, state, new) == ["n3"]
    assert feasible(configured({"defaultingType": "List"}), state, new) == ["n1", "n2", "n3", "n4"]
    own = [{**LISTED, "whenUnsatisfiable": "ScheduleAnyway"}]
    stating = asking(labels={"app": "a"}, topologySpreadConstraints=own)
    assert feasible(listed, state, stating) == ["n1", "n2", "n3", "n4"]


def some_list(random: Random) -> list[dict[str, Any]]:
    keys = random.sample([HOST, ZONE, "example.com/rack"], random.randint(1, 2))
    return [
        {
            "topologyKey": key,
            "maxSkew": random.randint(1, 3),
            "whenUnsatisfiable": random.choice(["DoNotSchedule", "ScheduleAnyway"]),
            "minDomains": random.choice([None, 2, 3]),
            "nodeTaintsPolicy": random.choice([None, "Honor"]),
        }
        for key in keys
    ]


def test_equal_to_the_reference() -> None:
    compared = 0
    for seed in range(80):
        it, random = world(seed), Random(seed)
        labels = it.pod.metadata.labels
        if not labels or it.pod.spec.topology_spread_constraints:
            continue
        compared += 1
        selector = dict([random.choice(sorted(labels.items()))])
        it.state.owners.put_service(None, service("s", it.pod.metadata.namespace, **selector))
        listed = {"defaultingType": "List", "defaultConstraints": some_list(random)}
        for args in ({}, listed):
            check(it.state, it.cluster, it.told, args, {"matchLabels": selector})
    assert compared > 20


def check(state: Any, made: Any, told: Any, args: Any, selector: Any) -> None:
    plugin = configured(args)
    told_args = {**args, "defaultSelector": selector}
    names = list(state.nodes.names)
    pod = msgspec.convert(told, Pod)
    survey = plugin.survey(state, pod) if plugin.survey else None
    mask = None if survey is None else survey.mask
    ours = [name for i, name in enumerate(names) if mask is None or mask[i]]
    assert ours == [
        name for name in names if rules.feasible("PodTopologySpread", made, told, name, told_args)
    ]
    found = survey.score(np.ones(len(names), dtype=np.bool_)) if survey else None
    given = rules.scores("PodTopologySpread", made, told, names, told_args)
    values = [0] * len(names) if found is None else found.tolist()
    assert values == list(given.values())
