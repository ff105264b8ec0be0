"""Autoscalers from scale to scale, in virtual time."""

import json
from typing import Any

import pytest

from argosy.api.autoscaling import HorizontalPodAutoscaler
from argosy.api.replicas import Deployment
from argosy.base.clock import timestamp
from argosy.http.message import Request, Response
from tests.controllers.autoscaling.measured import SPACE, staged

Json = dict[str, Any]
NOW = "2026-01-01T00:00:00Z"
EXTERNAL = "/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue"


async def test_load_goes_up_and_down() -> None:
    async with staged() as stage:
        await stage.deploy(2)
        stage.use("100m", 2)
        await stage.scale()
        assert await stage.replicas() == 4
        told = await stage.told()
        text = "New size: 4; reason: cpu resource utilization (percentage of request) above target"
        assert ("SuccessfulRescale", text) in told
        events = await stage.client.call("GET", f"/api/v1/namespaces/{SPACE}/events")
        sources = [event["source"]["component"] for event in json.loads(events)["items"]]
        assert set(sources) == {"horizontal-pod-autoscaler"}
        scaler = (await stage.scaler()).status
        assert (scaler.current_replicas, scaler.desired_replicas) == (2, 4)
        assert scaler.last_scale_time == NOW
        current = {"averageUtilization": 100, "averageValue": "100m"}
        assert scaler.current_metrics == (
            {"type": "Resource", "resource": {"name": "cpu", "current": current}},
        )
        await stage.pods("web", range(2, 4))
        stage.use("10m", 4)
        await stage.clock.advance(14.0)
        assert (await stage.scaler()).status.current_replicas == 2
        for _ in range(20):  # five minutes from the recommendation of four, when it was made
            await stage.clock.advance(15.0)
            assert await stage.replicas() == 4
        assert (await stage.said("AbleToScale"))[1] == "ScaleDownStabilized"
        await stage.clock.advance(15.0)
        assert await stage.replicas() == 1
        assert ("SuccessfulRescale", "New size: 1; reason: All metrics below target") in (
            await stage.told()
        )


async def test_it_looks_every_fifteen_seconds_whatever_changes() -> None:
    async with staged() as stage:
        await stage.deploy(2)
        stage.use("50m", 2)
        await stage.scale()
        first = len(stage.metered.asked)
        patch = {"metadata": {"labels": {"a": "b"}}}
        await stage.client.merge(HorizontalPodAutoscaler.resource, "web", SPACE, patch)
        await stage.clock.advance(14.9)
        assert len(stage.metered.asked) == first == 1
        await stage.clock.advance(0.2)
        assert len(stage.metered.asked) == 2
        await stage.clock.advance(60.0)
        assert len(stage.metered.asked) == 6


async def test_what_does_not_change_is_not_written() -> None:
    async with staged() as stage:
        await stage.deploy(2)
        stage.use("50m", 2)
        await stage.scale()
        before = await stage.scaler()
        await stage.clock.advance(60.0)
        assert (await stage.scaler()).metadata.resource_version == before.metadata.resource_version
        assert await stage.told() == []
        marks = {one.type: (one.status, one.reason) for one in before.status.conditions}
        assert marks == {
            "AbleToScale": ("True", "ReadyForNewScale"),
            "ScalingActive": ("True", "ValidMetricFound"),
            "ScalingLimited": ("False", "DesiredWithinRange"),
        }
        assert {one.last_transition_time for one in before.status.conditions} == {NOW}


@pytest.mark.parametrize(
    "replicas, expected, why",
    [
        (12, 10, "Current number of replicas above Spec.MaxReplicas"),
        (1, 2, "Current number of replicas below Spec.MinReplicas"),
    ],
)
async def test_bounds_hold_without_metrics(replicas: int, expected: int, why: str) -> None:
    async with staged() as stage:
        await stage.deploy(replicas)
        await stage.scale(minReplicas=2)
        assert await stage.replicas() == expected
        text = f"New size: {expected}; reason: {why}"
        assert await stage.told() == [("SuccessfulRescale", text)]
        status, reason, message = await stage.said("AbleToScale")
        assert (status, reason) == ("True", "SucceededRescale")
        assert message == (f"the HPA controller was able to update the target scale to {expected}")
        assert stage.metered.asked == []


async def test_none_is_left_alone() -> None:
    async with staged() as stage:
        await stage.deploy(0)
        await stage.scale()
        await stage.clock.advance(30.0)
        assert await stage.replicas() == 0
        assert await stage.said("ScalingActive") == (
            "False",
            "ScalingDisabled",
            "scaling is disabled since the replica count of the target is zero",
        )


async def test_two_autoscalers_for_the_same_pods() -> None:
    async with staged() as stage:
        await stage.deploy(2)
        stage.use("100m", 2)
        await stage.scale(called="one")
        assert await stage.replicas() == 4
        await stage.scale(called="two")
        text = "pods by selector app=web are controlled by multiple HPAs: [default/one default/two]"
        assert await stage.said("ScalingActive", "two") == ("False", "AmbiguousSelector", text)
        await stage.clock.advance(15.0)
        assert await stage.said("ScalingActive", "one") == ("False", "AmbiguousSelector", text)
        assert ("AmbiguousSelector", text) in await stage.told()
        assert await stage.replicas() == 4
        await stage.client.delete(HorizontalPodAutoscaler.resource, "two", SPACE)
        await stage.clock.advance(15.0)
        assert (await stage.said("ScalingActive", "one"))[0] == "True"


def kind_of(kind: str, name: str, target: Json, **parts: Any) -> Json:
    field = kind[0].lower() + kind[1:]
    return {"type": kind, field: {"metric": {"name": name}, "target": target, **parts}}


AVERAGE, VALUE = {"type": "AverageValue", "averageValue": "10"}, {"type": "Value", "value": "10"}


async def test_the_largest_counts_and_one_that_fails_keeps_it_from_shrinking() -> None:
    async with staged() as stage:
        await stage.deploy(4)
        stage.use("100m", 4)
        cpu = {
            "type": "Resource",
            "resource": {
                "name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 50},
            },
        }
        queue = kind_of("External", "queue", VALUE)
        stage.metered.values = {EXTERNAL: [{"timestamp": NOW, "value": "11"}]}
        await stage.scale(metrics=[queue, cpu], maxReplicas=20)
        assert await stage.replicas() == 8
        await stage.pods("web", range(4, 8))
        stage.use("10m", 8)
        stage.metered.values = {}
        await stage.clock.advance(600.0)
        assert await stage.replicas() == 8
        assert (await stage.said("ScalingActive"))[1] == "FailedGetExternalMetric"
        stage.use("100m", 8)
        await stage.clock.advance(15.0)
        assert await stage.replicas() == 16


async def test_policies_hold_it_to_their_pace() -> None:
    behavior = {
        "scaleUp": {
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 30}],
            "stabilizationWindowSeconds": 0,
        },
        "scaleDown": {
            "policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}],
            "stabilizationWindowSeconds": 0,
        },
    }
    async with staged() as stage:
        await stage.deploy(2)
        stage.use("100m", 2)
        await stage.scale(behavior=behavior)
        seen = [await stage.replicas()]
        for _ in range(4):
            await stage.clock.advance(15.0)
            seen.append(await stage.replicas())
        assert seen == [3, 3, 4, 4, 4]
        assert (await stage.said("ScalingLimited"))[1] == "DesiredWithinRange"
        stage.use("50m", 2)
        await stage.clock.advance(60.0)
        stage.use("1m", 2)
        await stage.clock.advance(15.0)
        assert await stage.replicas() == 2
        assert (await stage.said("ScalingLimited"))[1] == "ScaleDownLimit"


async def test_tolerance_of_a_behaviour() -> None:
    async with staged() as stage:
        await stage.deploy(2)
        stage.use("70m", 2)
        await stage.scale(behavior={"scaleUp": {"tolerance": "0.5"}})
        assert await stage.replicas() == 2
        stage.use("80m", 2)
        await stage.clock.advance(15.0)
        assert await stage.replicas() == 4


QUEUE = [kind_of("External", "queue", AVERAGE)]


async def test_to_zero_and_back() -> None:
    quick = {"scaleDown": {"stabilizationWindowSeconds": 0}}
    async with staged() as stage:
        await stage.deploy(2)
        stage.metered.values = {EXTERNAL: [{"timestamp": NOW, "value": "0"}]}
        await stage.scale(metrics=QUEUE, minReplicas=0, behavior=quick)
        assert await stage.replicas() == 0
        assert await stage.said("ScaledToZero") == (
            "True",
            "ScaledToZero",
            "the HPA controller scaled the workload to zero",
        )
        await stage.pods("web", range(0))
        await stage.clock.advance(15.0)
        assert await stage.replicas() == 0
        stage.metered.values = {EXTERNAL: [{"timestamp": NOW, "value": "25"}]}
        await stage.clock.advance(15.0)
        assert await stage.replicas() == 3
        assert (await stage.said("ScaledToZero"))[:2] == ("False", "NotScaledToZero")


async def test_who_scales_to_zero_by_hand_switches_it_off() -> None:
    async with staged() as stage:
        await stage.deploy(2)
        stage.metered.values = {EXTERNAL: [{"timestamp": NOW, "value": "50"}]}
        await stage.scale(metrics=QUEUE, minReplicas=0)
        assert await stage.replicas() == 4
        await stage.resize(0)
        await stage.clock.advance(60.0)
        assert await stage.replicas() == 0
        assert (await stage.said("ScalingActive"))[1] == "ScalingDisabled"


async def test_a_closed_gate_says_nothing_of_zero() -> None:
    async with staged(zero=False) as stage:
        await stage.deploy(2)
        stage.use("100m", 2)
        await stage.scale()
        assert await stage.replicas() == 4
        assert await stage.said("ScaledToZero") == ("", "", "")


def scale_put(request: Request) -> bool:
    return request.method == "PUT" and request.path.endswith("/scale")


async def test_a_scale_that_somebody_else_writes() -> None:
    async with staged() as stage:
        await stage.deploy(2)
        stage.use("100m", 2)
        tries = []

        def conflict(request: Request) -> Response | None:
            if not scale_put(request):
                return None
            tries.append(json.loads(request.body)["spec"]["replicas"])
            body = b'{"kind":"Status","code":409,"reason":"Conflict","message":"changed"}'
            return Response(409, {}, body) if len(tries) < 3 else None

        stage.metered.instead = conflict
        await stage.scale()
        assert tries == [4, 4, 4]
        assert await stage.replicas() == 4


async def test_a_scale_that_can_not_be_written() -> None:
    async with staged() as stage:
        await stage.deploy(2)
        stage.use("100m", 2)
        body = b'{"kind":"Status","code":403,"reason":"Forbidden","message":"no"}'
        stage.metered.instead = lambda asked: Response(403, {}, body) if scale_put(asked) else None
        await stage.scale()
        assert await stage.said("AbleToScale") == (
            "False",
            "FailedUpdateScale",
            "the HPA controller was unable to update the target scale: no",
        )
        status = (await stage.scaler()).status
        assert (status.desired_replicas, status.last_scale_time) == (0, None)
        text = (
            "New size: 4; reason: cpu resource utilization (percentage of request) above target; "
            "error: no"
        )
        assert await stage.told() == [("FailedRescale", text)]


async def test_one_that_is_made_anew_begins_anew() -> None:
    async with staged() as stage:
        await stage.deploy(4)
        stage.use("50m", 4)
        await stage.scale()
        await stage.client.delete(HorizontalPodAutoscaler.resource, "web", SPACE)
        await stage.resize(2)
        stage.use("50m", 2)
        await stage.clock.advance(1.0)
        await stage.scale()
        assert (await stage.scaler()).status.desired_replicas == 2
        assert timestamp(stage.clock.now()) == "2026-01-01T00:00:01Z"
        found = await stage.client.get(Deployment, "web", SPACE)
        assert found.spec.replicas == 2
