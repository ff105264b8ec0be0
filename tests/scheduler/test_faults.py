"""What a pod is told of a fault: short, on one line, with a name where there is one."""

from typing import Any

import pytest

from argosy.scheduler.faults import LONGEST, PluginError, shown, told
from argosy.scheduler.plugins import taint_toleration
from argosy.scheduler.state import State
from tests.scheduler.builders import node


class Mute(Exception):
    """Its text can't be had."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PluginError("X", "failed: KeyError"), "plugin X failed: KeyError"),
        (ValueError("a\n b"), "deciding failed: ValueError: a b"),
        (Mute(), "deciding failed: Mute"),
    ],
)
def test_errors(error: Exception, text: str) -> None:
    assert told(error) == text


def test_it_is_never_long() -> None:
    text = told(PluginError("X", "y" * 1000))
    assert len(text) == LONGEST and text.endswith("y…")
    assert len(shown(ValueError("y" * 1000))) > LONGEST


def test_our_own_plugins_are_named_by_where_the_error_was() -> None:
    """With a shape that can't be, as a fault of ours might make it."""
    nodes = State().nodes
    broken: Any = None
    with pytest.raises(AttributeError) as caught:
        assert taint_toleration.PLUGIN.filter is not None
        nodes.put_node(node(spec={"taints": [{"key": "a", "effect": "NoSchedule"}]}))
        taint_toleration.PLUGIN.filter(nodes, broken, nodes.everything)
    assert told(caught.value).startswith("plugin TaintToleration failed: AttributeError: ")
