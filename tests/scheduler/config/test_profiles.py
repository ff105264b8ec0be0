"""Which plugins a profile has, in which order, with which weights: as kube-scheduler has it."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from argosy.scheduler.config.forms import KubeSchedulerConfiguration
from argosy.scheduler.config.parts import has
from argosy.scheduler.config.reading import ConfigError, parsed
from argosy.scheduler.config.setup import made, without_effect
from argosy.scheduler.framework import Plugin
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.profiles import Setup
from argosy.testing.clock import FakeClock

KIND = {
    "apiVersion": "kubescheduler.config.k8s.io/v1",
    "kind": "KubeSchedulerConfiguration",
}
FILTERS = [plugin.name for plugin in PLUGINS if has(plugin, "filter")]
SCORES = {plugin.name: plugin.weight for plugin in PLUGINS if has(plugin, "score")}


def configuration(**fields: Any) -> KubeSchedulerConfiguration:
    return parsed(msgspec.json.encode({**KIND, **fields}))


def setup(**fields: Any) -> Setup:
    return made(configuration(**fields), FakeClock())


def profile(**fields: Any) -> tuple[Plugin, ...]:
    """The plugins of the one profile."""
    (found,) = setup(profiles=[fields]).profiles
    return found.plugins


def chosen(**plugins: Any) -> tuple[Plugin, ...]:
    """With such `plugins`."""
    return profile(plugins=plugins)


def filters(plugins: tuple[Plugin, ...]) -> list[str]:
    return [plugin.name for plugin in plugins if has(plugin, "filter")]


def weights(plugins: tuple[Plugin, ...]) -> dict[str, int]:
    return {plugin.name: plugin.weight for plugin in plugins if has(plugin, "score")}


def named(*names: str, **weights: int) -> list[Mapping[str, Any]]:
    plain = [{"name": name} for name in names]
    return [*plain, *({"name": name, "weight": weight} for name, weight in weights.items())]


def test_without_profiles_there_is_the_default_one() -> None:
    (found,) = setup().profiles
    assert found.name == "default-scheduler"
    assert filters(found.plugins) == FILTERS
    assert weights(found.plugins) == SCORES
    assert {plugin.name for plugin in found.plugins} == {plugin.name for plugin in PLUGINS}


def test_upstreams_example_of_two_profiles() -> None:
    found = setup(
        profiles=[
            {"schedulerName": "default-scheduler"},
            {
                "schedulerName": "no-scoring-scheduler",
                "plugins": {
                    "preScore": {"disabled": named("*")},
                    "score": {"disabled": named("*")},
                },
            },
        ]
    )
    first, second = found.profiles
    assert [first.name, second.name] == ["default-scheduler", "no-scoring-scheduler"]
    assert weights(first.plugins) == SCORES
    assert not any(plugin.score for plugin in second.plugins)
    surveys = [plugin.survey for plugin in second.plugins if plugin.survey]
    assert surveys and not set(surveys) & {plugin.survey for plugin in first.plugins}
    assert filters(second.plugins) == filters(first.plugins)


def test_a_plugin_may_be_left_out_at_one_point_or_at_all() -> None:
    everywhere = chosen(multiPoint={"disabled": named("TaintToleration", "NoSuchPlugin")})
    assert "TaintToleration" not in {plugin.name for plugin in everywhere}
    unscored = chosen(score={"disabled": named("TaintToleration")})
    assert "TaintToleration" in filters(unscored) and "TaintToleration" not in weights(unscored)
    unfiltered = chosen(filter={"disabled": named("TaintToleration")})
    assert "TaintToleration" not in filters(unfiltered)
    assert weights(unfiltered)["TaintToleration"] == 3
    ungated = chosen(preEnqueue={"disabled": named("SchedulingGates")})
    assert not any(plugin.gate for plugin in ungated)
    calm = chosen(postFilter={"disabled": named("*")})
    assert not any(plugin.preemption for plugin in calm)


def test_weights() -> None:
    """What a point says goes before what is said of all points; who says nothing says 1."""
    usual = SCORES["TaintToleration"]
    assert usual == 3
    cases: list[tuple[dict[str, Any], int]] = [
        ({}, usual),
        ({"multiPoint": {"enabled": named("TaintToleration")}}, 1),
        ({"multiPoint": {"enabled": named(TaintToleration=7)}}, 7),
        ({"score": {"enabled": named(TaintToleration=5)}}, 5),
        ({"score": {"enabled": named("TaintToleration")}}, 1),
        (
            {
                "score": {"enabled": named(TaintToleration=5)},
                "multiPoint": {"enabled": named(TaintToleration=7)},
            },
            5,
        ),
    ]
    for plugins, expected in cases:
        assert weights(chosen(**plugins))["TaintToleration"] == expected


def test_the_order_of_filters() -> None:
    """First what is named there and is a default, as named; then the others."""
    found = filters(chosen(filter={"enabled": named("NodeResourcesFit", "TaintToleration")}))
    assert found[:2] == ["NodeResourcesFit", "TaintToleration"]
    assert sorted(found) == sorted(FILTERS)
    rest = [name for name in FILTERS if name not in found[:2]]
    assert found[2:] == rest


def test_only_what_is_named() -> None:
    found = chosen(
        multiPoint={
            "disabled": named("*"),
            "enabled": named("NodeResourcesFit", "PrioritySort", "DefaultBinder"),
        }
    )
    assert [plugin.name for plugin in found] == ["NodeResourcesFit"]


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"multiPoint": {"disabled": named("*")}},
        "[profiles[0].plugins.queueSort: Invalid value: 0: only one queue sort plugin required for "
        'profile with scheduler name "default-scheduler", but got 0, profiles[0].plugins.bind: '
        "Invalid value: 0: at least one bind plugin is needed for profile with scheduler name "
        '"default-scheduler"]',
    ),
    (
        {"filter": {"enabled": named("Mine")}},
        'profiles[0].plugins.filter.enabled[0]: Not found: "Mine": plugin does not exist',
    ),
    (
        {"multiPoint": {"enabled": named("NodeName", "TaintToleration", "Mine")}},
        'profiles[0].plugins.multiPoint.enabled[2]: Not found: "Mine": plugin does not exist',
    ),
    (
        {"score": {"enabled": named("NodeUnschedulable")}},
        'profiles[0].plugins.score.enabled[0]: Invalid value: "NodeUnschedulable": plugin does not '
        "extend score",
    ),
    (
        {"bind": {"enabled": named("PrioritySort")}},
        'profiles[0].plugins.bind.enabled[0]: Invalid value: "PrioritySort": plugin does not '
        "extend bind",
    ),
    (
        {"score": {"enabled": named("TaintToleration", "TaintToleration")}},
        'profiles[0].plugins.score.enabled[1]: Duplicate value: "TaintToleration": plugin is '
        "already registered",
    ),
]


@pytest.mark.parametrize(("plugins", "told"), REFUSED)
def test_mistakes(plugins: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        chosen(**plugins)
    assert str(caught.value) == told


def test_what_plugins_are_told() -> None:
    args = {"minCandidateNodesPercentage": 20, "minCandidateNodesAbsolute": 7}
    (found,) = (
        plugin.preemption
        for plugin in profile(pluginConfig=[{"name": "DefaultPreemption", "args": args}])
        if plugin.preemption
    )
    assert (found.percentage, found.absolute) == (20, 7)
    kind = {"apiVersion": KIND["apiVersion"], "kind": "DefaultPreemptionArgs"}
    assert profile(pluginConfig=[{"name": "DefaultPreemption", "args": kind}])


def test_a_plugin_that_only_some_want() -> None:
    assert "GPUPacking" not in {plugin.name for plugin in profile()}
    found = chosen(multiPoint={"enabled": named(GPUPacking=20)})
    assert weights(found)["GPUPacking"] == 20
    args = [{"name": "GPUPacking", "args": {"policy": "none"}}]
    with pytest.raises(ConfigError) as caught:
        profile(plugins={"score": {"enabled": named("GPUPacking")}}, pluginConfig=args)
    where = "profiles[0].pluginConfig[0].args.policy"
    assert str(caught.value).startswith(f'{where}: Unsupported value: "none": supported values: ')


WRONG_ARGS = [
    (
        {"minCandidateNodesPercentage": 101},
        "profiles[0].pluginConfig[0].args.minCandidateNodesPercentage: Invalid value: 101: not in "
        "valid range [0, 100]",
    ),
    (
        {"apiVersion": "v1", "kind": "DefaultPreemptionArgs"},
        "profiles[0].pluginConfig[0].args: args for plugin DefaultPreemption were not of type "
        "DefaultPreemptionArgs, got DefaultPreemptionArgs of v1",
    ),
]


@pytest.mark.parametrize(("args", "told"), WRONG_ARGS)
def test_wrong_args(args: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        profile(pluginConfig=[{"name": "DefaultPreemption", "args": args}])
    assert str(caught.value) == told


def test_rests() -> None:
    found = setup(podInitialBackoffSeconds=3, podMaxBackoffSeconds=60)
    assert (found.first_rest, found.longest_rest) == (3.0, 60.0)


def test_what_has_no_effect_is_known() -> None:
    quiet = configuration(
        percentageOfNodesToScore=100,
        leaderElection={"leaderElect": False},
        profiles=[{"plugins": {"score": {"disabled": named("*")}}}],
    )
    assert list(without_effect(quiet)) == []
    loud = configuration(
        parallelism=4,
        percentageOfNodesToScore=50,
        leaderElection={"leaderElect": True},
        clientConnection={"qps": 5},
        enableProfiling=True,
        enableContentionProfiling=True,
        delayCacheUntilActive=True,
        profiles=[
            {
                "percentageOfNodesToScore": 10,
                "plugins": {"preScore": {"disabled": named("*")}},
                "pluginConfig": [{"name": "TaintToleration", "args": {"a": 1}}],
            }
        ],
        extenders=[{"urlPrefix": "http://a", "preemptVerb": "preempt"}],
    )
    assert sorted(without_effect(loud)) == [
        "clientConnection",
        "delayCacheUntilActive",
        "enableContentionProfiling",
        "enableProfiling",
        "extenders[0].preemptVerb",
        "leaderElection",
        "parallelism",
        "percentageOfNodesToScore",
        "profiles[0].percentageOfNodesToScore",
        "profiles[0].pluginConfig[0]",
        "profiles[0].plugins.preScore",
    ]
