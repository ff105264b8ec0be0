"""What is proposed: only what helps, only what can be done, and never without a bound."""

from datetime import UTC, datetime
from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.api.meta import Object
from argosy.scheduler.explain import looking, trials
from argosy.scheduler.explain.report import Report, explain
from argosy.scheduler.explain.snapshot import snapshot_of
from argosy.scheduler.framework import Plugin
from argosy.scheduler.plugins.table import PLUGINS
from tests.scheduler.builders import (
    allocated,
    claim,
    device_class,
    group,
    node,
    pod,
    resource_slice,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def report(wanted: Pod, *objects: Object) -> Report:
    return explain(snapshot_of((wanted, *objects)), wanted, PLUGINS, NOW)


def texts(told: Report) -> list[str]:
    return [fix.text for fix in told.fixes]


def test_nobody_of_the_gang_is_to_go_for_another_of_it() -> None:
    there = [pod(f"m-{n}", requests={"cpu": "2"}, gang="g", node="n1") for n in range(2)]
    wanted = pod("m-2", requests={"cpu": "2"}, gang="g")
    told = report(wanted, *there, group("g", 2), node())
    assert told.reason == "NodeResourcesFit"
    assert not any("delete" in text for text in texts(told))
    stranger = pod("s", requests={"cpu": "2"}, node="n2")
    again = report(wanted, *there, group("g", 2), node(), node("n2"), stranger, *full("n2"))
    assert "delete pod default/s (priority 0)" in texts(again)


def full(name: str) -> list[Pod]:
    return [pod("rest", requests={"cpu": "2"}, node=name, spec={"priority": 9})]


def test_pods_that_come_back_at_once_are_not_to_go() -> None:
    meta = {"ownerReferences": [{"kind": "DaemonSet", "name": "d", "uid": "u"}]}
    daemon = pod("d", requests={"cpu": "3"}, node="n1", metadata=meta)
    other = pod("o", requests={"cpu": "1"}, node="n1")
    wanted = pod("w", requests={"cpu": "2"})
    assert not any("delete" in text for text in texts(report(wanted, node(), daemon, other)))
    free = pod("d", requests={"cpu": "3"}, node="n1")
    assert "delete pod default/d (priority 0)" in texts(report(wanted, node(), free, other))


def test_a_node_that_only_has_the_taint_of_cordoned_ones_is_cordoned() -> None:
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    told = report(pod("w"), node(spec={"taints": [taint]}))
    assert (told.reason, texts(told)) == ("NodeUnschedulable", ["uncordon node n1"])


def test_a_pod_may_ask_for_more_resources_than_a_number_has_bits() -> None:
    asked = {f"example.com/r{number}": "1" for number in range(70)}
    some = dict.fromkeys(list(asked)[1:], "1")
    told = report(pod("w", requests=asked), node("n1"), node("n2", allocatable=some))
    assert told.headline == "The pod asks for example.com/r0, which no node has."
    assert told.removed[0].nodes == 2
    enough = {**some, "example.com/r0": "2"}
    held = pod("a", requests={"example.com/r0": "2"}, node="n2")
    most = report(pod("w", requests=asked), held, node("n1"), node("n2", allocatable=enough))
    assert "delete pod default/a (priority 0)" in texts(most)


def needs(key: str, value: str) -> dict[str, Any]:
    term = {"matchExpressions": [{"key": key, "operator": "In", "values": [value]}]}
    required = {"nodeSelectorTerms": [term]}
    return {
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    }


@pytest.mark.parametrize(
    ("value", "told"),
    [("b", ["label node n1 a=b"]), ("b; reboot", []), ("$(reboot)", []), ("x" * 64, [])],
)
def test_no_label_is_proposed_that_a_node_can_not_have(value: str, told: list[str]) -> None:
    found = report(pod("w", spec=needs("a", value)), node())
    assert texts(found) == [*told, "drop the pod's required node affinity"]


def test_a_plugin_that_gives_no_reasons_is_named() -> None:
    def nowhere(nodes: Any, shape: Any, rows: Any) -> Any:
        return nodes.live[rows] & False

    silent = Plugin(name="Silent", filter=nowhere, explain=lambda nodes, shape, rows: {})
    wanted = pod("w")
    told = explain(snapshot_of((wanted, node())), wanted, (silent,), NOW)
    assert (told.reason, told.headline) == ("Silent", "No node will do: Silent.")


def test_of_very_many_nodes_some_are_asked_for_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """What those say counts for the others."""
    monkeypatch.setattr(looking, "MOST_ASKED", 2)
    names = [f"n{number}" for number in range(6)]
    slices = [resource_slice([{"name": "gpu-0"}], node=name) for name in names]
    taken = [claim(f"of-{name}", status=allocated(node=name)) for name in names]
    wanted = pod("w", claims={"gpu": "mine"})
    there = [*map(node, names), *slices, *taken, claim("mine"), device_class()]
    assert [(one.filter, one.nodes) for one in report(wanted, *there).removed] == [
        ("DynamicResources", 6)
    ]


def test_dry_runs_have_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    held = [pod(f"p{number}", requests={"cpu": "1"}, node="n1") for number in range(4)]
    wanted = pod("w", requests={"cpu": "1"})
    assert texts(report(wanted, *held, node()))
    monkeypatch.setattr(trials, "MOST_DECIDED", 1)
    assert texts(report(wanted, *held, node())) == []
