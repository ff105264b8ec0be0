"""A stranger's package, as pip installs one: found by its entry points, loaded when it is named."""

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.scheduler.config.reading import ConfigError, parsed
from argosy.scheduler.config.setup import made
from argosy.scheduler.decide import Decider, Unit
from argosy.scheduler.framework import Plugin
from argosy.scheduler.profiles import Profile
from argosy.scheduler.state import State
from argosy.scheduler.thirdparty import entrypoints
from argosy.testing.clock import FakeClock
from tests.scheduler.builders import node, pod

MODULE = '''
"""Prefers nodes whose name ends as a profile says; another avoids them."""

import numpy as np

from argosy.scheduler.framework import Plugin


def configured(args):
    ending = args.get("ending", "1")

    def score(nodes, shape, rows):
        return np.array([100 * name.endswith(ending) for name in nodes.names])[rows]

    return Plugin(name="whatever", score=score)


def avoided(nodes, shape, rows):
    return np.array([not name.endswith("1") for name in nodes.names])[rows]


def explained(nodes, shape, rows):
    return {"node(s) end in 1": len(rows)}


AVOID = Plugin(name="Avoid", filter=avoided, explain=explained)
NOTHING = 7


def broken(args):
    raise RuntimeError("no licence")
'''
ENTRIES = """
[argosy.scheduler.plugins]
Prefer = stranger_plugins:configured
Avoid = stranger_plugins:AVOID
Nothing = stranger_plugins:NOTHING
Broken = stranger_plugins:broken
Missing = stranger_plugins:missing
NoModule = stranger_nowhere:missing
NodeResourcesFit = stranger_plugins:AVOID
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package is on the path."""
    (tmp_path / "stranger_plugins.py").write_text(MODULE)
    folder = tmp_path / "stranger_plugins-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: stranger-plugins\nVersion: 1.0\n"
    )
    (folder / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("stranger_plugins", None)


def profile(**fields: Any) -> Profile:
    body = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "profiles": [fields],
    }
    (found,) = made(parsed(msgspec.json.encode(body)), FakeClock()).profiles
    return found


def named(name: str, point: str = "multiPoint", **weight: int) -> dict[str, Any]:
    return {point: {"enabled": [{"name": name, **weight}]}}


def plugin(found: Profile, name: str) -> Plugin:
    return next(plugin for plugin in found.plugins if plugin.name == name)


def placed(found: Profile) -> str:
    state = State()
    for name in ("n0", "n1", "n2"):
        state.nodes.put_node(node(name))
    (placement,) = Decider(state, found.plugins).decide(Unit(pods=(pod("p"),))).placements
    return placement.node


def test_what_nobody_names_is_not_even_loaded() -> None:
    names = {plugin.name for plugin in profile().plugins}
    assert names.isdisjoint(("Prefer", "Avoid"))
    everything = {"multiPoint": {"enabled": [{"name": "NodeName"}]}}
    profile(plugins=everything)
    assert "stranger_plugins" not in sys.modules


def test_a_factory_is_given_the_args_of_the_profile() -> None:
    plugins = named("Prefer", weight=50)
    found = profile(plugins=plugins)
    assert plugin(found, "Prefer").weight == 50
    assert placed(found) == "n1"
    args = [{"name": "Prefer", "args": {"ending": "2"}}]
    assert placed(profile(plugins=plugins, pluginConfig=args)) == "n2"


def test_a_plugin_as_it_is() -> None:
    found = profile(plugins=named("Avoid", "filter"))
    assert placed(found) in ("n0", "n2")
    state = State()
    state.nodes.put_node(node("n1"))
    decision = Decider(state, found.plugins).decide(Unit(pods=(pod("p"),)))
    assert "1 node(s) end in 1" in decision.refusals[0].message


def test_our_own_plugins_are_not_replaced() -> None:
    found = profile(plugins=named("NodeResourcesFit"))
    assert plugin(found, "NodeResourcesFit").usage


REFUSED = [
    ("Broken", "loading plugin Broken: RuntimeError: no licence"),
    (
        "Missing",
        "loading plugin Missing: AttributeError: module 'stranger_plugins' has no attribute "
        "'missing'",
    ),
    (
        "NoModule",
        "loading plugin NoModule: ModuleNotFoundError: No module named 'stranger_nowhere'",
    ),
    ("Nothing", "loading plugin Nothing: TypeError: 'int' object is not callable"),
]


@pytest.mark.parametrize(("name", "told"), REFUSED)
def test_what_cant_be_loaded_is_told(name: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        profile(plugins=named(name))
    assert str(caught.value) == f"profiles[0].plugins: {told}"


def test_a_plugin_that_takes_no_args() -> None:
    args = [{"name": "Avoid", "args": {"a": 1}}]
    with pytest.raises(ConfigError) as caught:
        profile(plugins=named("Avoid"), pluginConfig=args)
    assert str(caught.value) == (
        "profiles[0].pluginConfig[0].args: loading plugin Avoid: it takes no args"
    )


def test_a_plugin_at_a_point_that_it_has_nothing_for() -> None:
    with pytest.raises(ConfigError) as caught:
        profile(plugins=named("Avoid", "score"))
    assert str(caught.value) == (
        'profiles[0].plugins.score.enabled[0]: Invalid value: "Avoid": plugin does not extend score'
    )


def test_of_two_with_one_name_the_first_on_the_path_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = [EntryPoint("Twice", f"{where}:PLUGIN", entrypoints.GROUP) for where in ("a", "b")]
    monkeypatch.setattr(entrypoints, "entry_points", lambda group: both)
    assert entrypoints.offered() == {"Twice": both[0]}
