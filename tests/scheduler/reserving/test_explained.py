"""What `argosy explain` says of pods that leave room for a gang, and of gangs of others."""

from typing import Any

import msgspec
import pytest

from argosy.api.podgroups import VolcanoPodGroup
from argosy.scheduler.explain.report import explain
from argosy.scheduler.explain.snapshot import snapshot_of
from argosy.scheduler.foreigngroups import KUEUE, TOTAL, VOLCANO
from argosy.scheduler.plugins.table import PLUGINS
from argosy.testing.clock import EPOCH
from tests.scheduler.builders import node, pod
from tests.scheduler.reserving.kit import Ground


def said(message: str) -> dict[str, Any]:
    return {"conditions": [{"type": "PodScheduled", "status": "False", "message": message}]}


def test_room_that_is_reserved_is_told() -> None:
    ground = Ground()
    for number in range(2):
        ground.come(f"busy-{number}", 3, length=300, told=True)
    ground.pass_time()
    ground.gang("a.b", 2)
    ground.come("small", 1)
    ground.pass_time()
    waiting = pod("small", status=said(ground.told["small"].message))
    report = explain(snapshot_of((waiting, node())), waiting, PLUGINS, EPOCH)
    assert report.reason == "GangReservation"
    assert report.headline == "The room that it would have is reserved for gang default/a.b."


@pytest.mark.parametrize("message", ["", "0/2 nodes are available: 2 Insufficient cpu."])
def test_nothing_is_made_up(message: str) -> None:
    waiting = pod("small", status=said(message))
    report = explain(snapshot_of((waiting, node())), waiting, PLUGINS, EPOCH)
    assert report.reason == "Schedulable"


def test_a_gang_of_others_is_told_of_by_what_it_waits_for() -> None:
    waiting = pod("p", metadata={"annotations": {VOLCANO: "g"}})
    report = explain(snapshot_of((waiting, node())), waiting, PLUGINS, EPOCH)
    assert (report.reason, report.headline) == (
        "GangIncomplete",
        'Gang "g": waiting for podgroups.scheduling.volcano.sh "g" to be created.',
    )
    body = {"metadata": {"name": "g", "namespace": "default"}, "spec": {"minMember": 2}}
    there = snapshot_of((waiting, node(), msgspec.convert(body, VolcanoPodGroup)))
    report = explain(there, waiting, PLUGINS, EPOCH)
    assert report.headline == 'Gang "g" is incomplete: 1 of 2 pods are there.'
    # Its minimum is another's to change.
    assert report.fixes == ()


def test_a_gang_that_nobody_can_count_is_told_of() -> None:
    words = {"labels": {KUEUE: "g"}, "annotations": {TOTAL: "0"}}
    waiting = pod("p", metadata=words)
    report = explain(snapshot_of((waiting, node())), waiting, PLUGINS, EPOCH)
    assert report.reason == "GangIncomplete"
    assert report.headline.startswith(f'Gang "g": metadata.annotations[{TOTAL}]: Invalid value')
