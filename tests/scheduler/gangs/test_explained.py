"""What is said of gangs that must be in one domain, and of groups of groups, when they wait."""

from datetime import UTC, datetime
from typing import Any

from argosy.scheduler.explain.report import explain
from argosy.scheduler.explain.snapshot import snapshot_of
from argosy.scheduler.plugins.table import PLUGINS
from tests.scheduler.builders import node, pod
from tests.scheduler.gangs.kit import RACK, above, below, near, ranks

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def told(*objects: Any) -> tuple[str, str]:
    """Of the first of the objects, a pod."""
    racks = [
        node(f"{rack}-{i}", allocatable={"cpu": 2}, labels={RACK: rack})
        for rack, count in (("a", 2), ("b", 1))
        for i in range(count)
    ]
    report = explain(snapshot_of((*objects, *racks)), objects[0], PLUGINS, NOW)
    return report.reason, report.headline


def test_a_gang_without_a_domain() -> None:
    text = f'Gang "g": 4 of 5 pods can be placed in the best of 2 domains of "{RACK}".'
    assert told(*ranks(5), near(least=5)) == ("TopologyPlacement", text)
    assert told(*ranks(5), near(least=5, key=None))[0] == "Schedulable"


def test_the_domain_of_pods_on_nodes() -> None:
    there = pod("old", gang="g", node="b-0", requests={"cpu": 1})
    text = f'Gang "g": 2 of 3 pods can be placed in domain "b" of "{RACK}".'
    assert told(*ranks(2), there, near(least=3)) == ("TopologyPlacement", text)


def test_groups_of_groups() -> None:
    pods = [*ranks(2, 2, "one"), *ranks(2, 2, "two")]
    groups = [near(name, 2, RACK, **below("all")) for name in ("one", "two")]
    reason, text = told(*pods, *groups, above("all", 2))
    assert reason == "TopologyPlacement"
    assert text.startswith('Group of groups "all": 1 of 2 groups can be placed: gang "two": 1 of 2')
    assert told(*pods, *groups, above("all", 1))[0] == "Schedulable"
    waiting = 'Gang "all": waiting for the composite pod group to be created.'
    assert told(*pods, *groups) == ("GangIncomplete", waiting)
