"""Operators: what is planned is there, what came of it is told, and who goes is let go in time."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from argosy.api.core import ConfigMap, Event
from argosy.api.meta import Object, PartialObject, View
from argosy.api.resource import Resource
from argosy.base.errors import StatusError
from argosy.runtime.commit import Plan
from argosy.runtime.controller import DONE, Result
from argosy.runtime.operator import Operator, Seen, child
from argosy.testing.builders import body, seen, view
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import Cluster, cluster


class BoxSpec(View, frozen=True, kw_only=True):
    """What is wanted."""

    sheets: int = 1
    name: str = "sheet"


class BoxStatus(View, frozen=True, kw_only=True):
    """What is there."""

    sheets: int | None = None
    trouble: str = ""


class Box(Object, frozen=True, kw_only=True):
    """A box of ConfigMaps."""

    resource: ClassVar[Resource] = Resource(
        group="example.com", version="v1", kind="Box", plural="boxes", status=True
    )

    spec: BoxSpec = BoxSpec()
    status: BoxStatus = BoxStatus()


def plan(box: Box, seen: Seen) -> Plan:
    sheets = [
        child(box, ConfigMap, f"{box.metadata.name}-{box.spec.name}-{number}", data={"n": "1"})
        for number in range(box.spec.sheets)
    ]
    return Plan(apply=sheets, prune={ConfigMap.resource})


def status(box: Box, seen: Seen) -> BoxStatus:
    return BoxStatus(sheets=len(seen.all(ConfigMap)))


BOXES = Operator(name="example.com/box", kind=Box, plan=plan, status=status, owns=(ConfigMap,))


@asynccontextmanager
async def scene(operator: Operator[Box] = BOXES) -> AsyncGenerator[Cluster, None]:
    async with cluster(clock=FakeClock()) as running:
        await running.define(Box)
        running.manager.add(operator.controller(running.manager))
        running.start()
        yield running


async def box(running: Cluster) -> Box:
    await running.calm()
    return await running.client.get(Box, "box", "default")


async def sheets(running: Cluster) -> list[str]:
    await running.calm()
    return [sheet.metadata.name for sheet in (await running.client.list(ConfigMap)).items]


async def test_what_is_planned_is_there_and_told() -> None:
    async with scene() as running:
        made = await running.make(Box, body("box", spec={"sheets": 2}))
        assert await sheets(running) == ["box-sheet-0", "box-sheet-1"]
        assert (await box(running)).status == BoxStatus(sheets=2)
        sheet = await running.client.get(ConfigMap, "box-sheet-0", "default")
        assert sheet.controller is not None and sheet.controller.uid == made.metadata.uid


async def test_the_status_sees_what_the_plan_has_done() -> None:
    told: list[BoxStatus] = []

    def counted(box: Box, seen: Seen) -> BoxStatus:
        told.append(status(box, seen))
        return told[-1]

    async with scene(replace(BOXES, status=counted)) as running:
        await running.make(Box, body("box", spec={"sheets": 3}))
        await running.calm()
        assert {item.sheets for item in told} == {3}


async def test_changes_and_drift_are_seen_to() -> None:
    async with scene() as running:
        await running.make(Box, body("box", spec={"sheets": 2}))
        await running.calm()
        await running.client.merge(Box.resource, "box", "default", {"spec": {"sheets": 1}})
        assert await sheets(running) == ["box-sheet-0"]
        await running.client.merge(
            ConfigMap.resource, "box-sheet-0", "default", {"data": {"n": "9"}}
        )
        await running.calm()
        assert (await running.client.get(ConfigMap, "box-sheet-0", "default")).data == {"n": "1"}


@pytest.mark.parametrize(
    "given", [Plan(apply=[child(view(Box, body("box")), Event, "e")]), Plan(prune={Event.resource})]
)
async def test_a_plan_of_a_kind_that_it_does_not_own_is_a_fault(
    given: Plan, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(replace(BOXES, plan=lambda box, seen: given)) as running:
        await running.make(Box, body("box"))
        await running.calm()
    assert "example.com/box: Event is planned, and not among its `owns`" in caplog.text


async def test_what_is_refused_is_an_event() -> None:
    async with scene() as running:
        await running.make(Box, body("box", spec={"name": "Not_A_Name"}))
        await running.calm()
        (event,) = (await running.client.list(Event)).items
        assert (event.reason, event.type) == ("Refused", "Warning")
        assert 'metadata.name: Invalid value: "box-Not_A_Name-0"' in event.message


async def test_what_is_refused_may_be_told_otherwise() -> None:
    def refused(box: Box, error: StatusError) -> Plan:
        return Plan(status=BoxStatus(trouble=error.reason))

    async with scene(replace(BOXES, refused=refused)) as running:
        await running.make(Box, body("box", spec={"name": "Not_A_Name"}))
        assert (await box(running)).status == BoxStatus(trouble="Invalid")
        assert (await running.client.list(Event)).items == []


async def test_it_looks_again_when_the_plan_says_so() -> None:
    looks: list[float] = []
    clock = FakeClock()

    def again(box: Box, seen: Seen) -> Plan:
        looks.append(clock.monotonic())
        return Plan(after=60.0)

    async with cluster(clock=clock) as running:
        await running.define(Box)
        manager = running.manager
        manager.add(Operator(name="box", kind=Box, plan=again).controller(manager))
        running.start()
        await running.make(Box, body("box"))
        await clock.advance(130)
        assert looks == [0.0, 60.0, 120.0]


async def test_who_goes_is_held_until_all_is_finished() -> None:
    steps = [Result(5.0), Result(5.0), DONE]
    clock = FakeClock()

    async def finish(box: Box) -> Result:
        return steps.pop(0)

    async with cluster(clock=clock) as running:
        await running.define(Box)
        manager = running.manager
        manager.add(replace(BOXES, finish=finish).controller(manager))
        running.start()
        await running.make(Box, body("box"))
        assert (await box(running)).metadata.finalizers == ("example.com/box",)
        theirs = {"metadata": {"finalizers": ["example.com/box", "example.com/theirs"]}}
        await running.client.merge(Box.resource, "box", "default", theirs)
        await running.client.delete(Box.resource, "box", "default")
        await clock.advance(9)
        assert len((await box(running)).metadata.finalizers) == 2
        await clock.advance(2)
        assert steps == []
        assert (await box(running)).metadata.finalizers == ("example.com/theirs",)


async def test_who_was_let_go_is_not_finished_again_by_a_cache_that_lags() -> None:
    finished: list[str] = []

    async def finish(box: Box) -> Result:
        finished.append(box.metadata.name)
        return DONE

    async with cluster(clock=FakeClock()) as running:
        await running.define(Box)
        informer = running.manager.informer(Box)
        controller = replace(BOXES, finish=finish).controller(running.manager)
        running.start()
        await running.make(Box, body("box"))
        await running.calm()
        seen = informer.get("default", "box")
        assert seen is not None
        await controller.reconcile(seen)
        held = informer.get("default", "box")
        assert held is not None and held.metadata.finalizers == ("example.com/box",)
        theirs = {"metadata": {"finalizers": ["example.com/box", "example.com/theirs"]}}
        await running.client.merge(Box.resource, "box", "default", theirs)
        await running.client.delete(Box.resource, "box", "default")
        await running.calm()
        for _ in range(2):
            going = informer.get("default", "box")
            assert going is not None
            await controller.reconcile(going)
        assert finished == ["box"]


async def test_nothing_is_made_for_who_goes() -> None:
    async with scene() as running:
        held = body("box")
        held["metadata"]["finalizers"] = ["example.com/theirs"]
        await running.make(Box, held)
        await running.calm()
        await running.client.delete(Box.resource, "box", "default")
        await running.client.delete(ConfigMap.resource, "box-sheet-0", "default")
        assert await sheets(running) == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, {}),
        ({"labels": {"a": "b"}}, {"labels": {"a": "b"}}),
        ({"annotations": {"a": "b"}}, {"annotations": {"a": "b"}}),
    ],
)
def test_a_child(more: dict[str, Any], expected: dict[str, Any]) -> None:
    made = child(view(Box, body("box")), ConfigMap, "it", data={"a": "b"}, **more)
    meta = dict(made.body["metadata"])
    (reference,) = meta.pop("ownerReferences")
    assert (reference["kind"], reference["uid"], reference["controller"]) == (
        "Box",
        "uid-box",
        True,
    )
    assert meta == {"name": "it", "namespace": "default", **expected}
    assert (made.resource, made.body["data"]) == (ConfigMap.resource, {"a": "b"})


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"name": "My Boxes"}, "'My Boxes' is no name like example.com/database"),
        ({"name": "example.com/"}, "is no name like"),
        ({"kind": ConfigMap}, "example.com/box: its kind has no status"),
    ],
)
def test_what_could_never_run_is_told_at_once(more: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        replace(BOXES, **more)


def test_a_plan_is_tested_without_a_cluster() -> None:
    made = view(Box, body("box", spec={"sheets": 2}))
    assert len(plan(made, seen()).apply) == 2
    assert (
        status(made, seen(view(ConfigMap, body("a")), view(PartialObject, body("b")))).sheets == 1
    )
