"""Where autoscalers get metrics and scales from, and what they say where there are none."""

import json
from typing import Any
from urllib.parse import unquote

import pytest

from argosy.api.resources.extensions import CUSTOM_RESOURCE_DEFINITION
from argosy.client.client import MERGE
from argosy.http.message import Response
from tests.controllers.autoscaling.measured import staged, told

Json = dict[str, Any]
NOW = "2026-01-01T00:00:00Z"
EXTERNAL = "/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue"


def kind_of(kind: str, name: str, target: Json, **parts: Any) -> Json:
    field = kind[0].lower() + kind[1:]
    return {"type": kind, field: {"metric": {"name": name}, "target": target, **parts}}


AVERAGE, VALUE = {"type": "AverageValue", "averageValue": "10"}, {"type": "Value", "value": "10"}
ROOT = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default"


async def test_no_metrics() -> None:
    async with staged() as stage:
        await stage.deploy(2)
        await stage.scale()
        told = (
            "failed to get cpu utilization: unable to get metrics for resource cpu: unable to "
            "fetch metrics from resource metrics API: the server could not find the requested "
            "resource (get pods.metrics.k8s.io)"
        )
        text = f"the HPA was unable to compute the replica count: {told}"
        assert await stage.said("ScalingActive") == ("False", "FailedGetResourceMetric", text)
        whole = (
            "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource "
            f"metric value: {told}"
        )
        assert sorted(await stage.told()) == [
            ("FailedComputeMetricsReplicas", whole),
            ("FailedGetResourceMetric", told),
        ]
        status = (await stage.scaler()).status
        assert (status.current_replicas, status.current_metrics) == (2, ({"type": ""},))
        assert await stage.replicas() == 2


async def test_no_target() -> None:
    async with staged() as stage:
        await stage.scale("nothing")
        assert await stage.said("AbleToScale", "nothing") == (
            "False",
            "FailedGetScale",
            "the HPA controller was unable to get the target's current scale: "
            'deployments.apps "nothing" not found',
        )
        assert await stage.told() == [
            ("FailedGetScale", 'deployments.apps "nothing" not found'),
        ]


@pytest.mark.parametrize(
    "target, expected",
    [
        (
            {"apiVersion": "nobody.example.com/v1", "kind": "Thing", "name": "a"},
            'no matches for kind "Thing" in group "nobody.example.com"',
        ),
        (
            {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "a"},
            "the server could not find the requested resource",
        ),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "name": ".."}, None),
    ],
)
async def test_targets_that_have_no_scale(target: Json, expected: str | None) -> None:
    async with staged() as stage:
        if expected is None:
            with pytest.raises(Exception, match="scaleTargetRef.name"):
                await stage.scale(scaleTargetRef=target)
            return
        await stage.scale(scaleTargetRef=target)
        assert await stage.told() == [("FailedGetScale", expected)]


INGRESS = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "main"}
LABELS = {"matchLabels": {"tier": "gold"}}


@pytest.mark.parametrize(
    "metric, path, values, expected, status",
    [
        (
            kind_of("Pods", "hits", AVERAGE),
            f"{ROOT}/pods/*/hits",
            [
                {"describedObject": {"name": f"web-{i}"}, "timestamp": NOW, "value": "20"}
                for i in (0, 1)
            ],
            4,
            {"metric": {"name": "hits"}, "current": {"averageValue": "20"}},
        ),
        (
            kind_of("Object", "hits", VALUE, describedObject=INGRESS),
            f"{ROOT}/ingresses.networking.k8s.io/main/hits",
            [{"describedObject": {"name": "main"}, "timestamp": NOW, "value": "15"}],
            3,
            {"metric": {"name": "hits"}, "describedObject": INGRESS, "current": {"value": "15"}},
        ),
        (
            kind_of("Object", "hits", AVERAGE, describedObject=INGRESS),
            f"{ROOT}/ingresses.networking.k8s.io/main/hits",
            [{"describedObject": {"name": "main"}, "timestamp": NOW, "value": "40"}],
            4,
            {
                "metric": {"name": "hits"},
                "describedObject": INGRESS,
                "current": {"averageValue": "20"},
            },
        ),
        (
            kind_of(
                "Object", "hits", VALUE, describedObject={"kind": "Namespace", "name": "other"}
            ),
            f"{ROOT}/metrics/hits",
            [{"timestamp": NOW, "value": "20"}],
            4,
            {
                "metric": {"name": "hits"},
                "describedObject": {"kind": "Namespace", "name": "other"},
                "current": {"value": "20"},
            },
        ),
        (
            kind_of("External", "queue", AVERAGE, metric={"name": "queue", "selector": LABELS}),
            EXTERNAL,
            [{"timestamp": NOW, "value": "20500m"}, {"timestamp": NOW, "value": "9500m"}],
            3,
            {"metric": {"name": "queue", "selector": LABELS}, "current": {"averageValue": "15"}},
        ),
        (
            kind_of("External", "queue", VALUE),
            EXTERNAL,
            [{"timestamp": NOW, "value": "17500m"}],
            4,
            {"metric": {"name": "queue"}, "current": {"value": "17500m"}},
        ),
        (
            {
                "type": "Resource",
                "resource": {
                    "name": "memory",
                    "target": {"type": "AverageValue", "averageValue": "32Mi"},
                },
            },
            "",
            [],
            4,
            {"name": "memory", "current": {"averageValue": "64Mi"}},
        ),
        (
            {
                "type": "ContainerResource",
                "containerResource": {
                    "name": "cpu",
                    "container": "c",
                    "target": {"type": "Utilization", "averageUtilization": 50},
                },
            },
            "",
            [],
            4,
            {
                "name": "cpu",
                "container": "c",
                "current": {"averageUtilization": 100, "averageValue": "100m"},
            },
        ),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) and "type" in value else "",
)  # fmt: skip
async def test_metrics(
    metric: Json, path: str, values: list[Json], expected: int, status: Json
) -> None:
    async with staged() as stage:
        await stage.deploy(2)
        stage.use("100m", 2)
        stage.metered.values = {path: values}
        await stage.scale(metrics=[metric])
        kind = metric["type"]
        field = kind[0].lower() + kind[1:]
        current = (await stage.scaler()).status.current_metrics
        assert current == ({"type": kind, field: status},), await stage.told()
        assert await stage.replicas() == expected


@pytest.mark.parametrize(
    "kind, target, value, expected",
    [
        ("Value", "1e900", "1e900", 2),
        ("Value", "1e900", "1", 1),
        ("Value", "1e-900", "1e900", 6),
        ("Value", "1", "-1e900", 1),
        ("AverageValue", "1e900", "1e900", 1),
        ("AverageValue", "1e900", "1", 1),
        ("AverageValue", "1e-900", "1e900", 6),
        ("AverageValue", "1", "-1e900", 1),
    ],
)
async def test_amounts_beyond_all_measure(
    kind: str, target: str, value: str, expected: int
) -> None:
    """Six is what the default policies allow at once."""
    async with staged() as stage:
        await stage.deploy(2)
        stage.metered.values = {EXTERNAL: [{"timestamp": NOW, "value": value}]}
        wanted = {"type": kind, kind[0].lower() + kind[1:]: target}
        quick = {"scaleDown": {"stabilizationWindowSeconds": 0}}
        await stage.scale(metrics=[kind_of("External", "queue", wanted)], behavior=quick)
        assert await stage.replicas() == expected


async def test_selectors_of_metrics_are_asked_for() -> None:
    async with staged() as stage:
        await stage.deploy(2)
        hits = kind_of("Pods", "hits", AVERAGE, metric={"name": "hits", "selector": LABELS})
        queue = kind_of("External", "queue", VALUE, metric={"name": "queue", "selector": LABELS})
        await stage.scale(metrics=[hits, queue])
        asked = {unquote(request.path): request.parameters() for request in stage.metered.asked}
        assert asked[f"{ROOT}/pods/*/hits"] == {
            "labelSelector": "app=web",
            "metricLabelSelector": "tier=gold",
        }
        assert asked[EXTERNAL] == {"labelSelector": "tier=gold"}
        reasons = sorted(reason for reason, _ in await stage.told())
        assert reasons == [
            "FailedComputeMetricsReplicas",
            "FailedGetExternalMetric",
            "FailedGetPodsMetric",
        ]


ONE = {"metadata": {"name": "web-0"}, "containers": [{"name": "c", "usage": {"cpu": "1"}}]}


@pytest.mark.parametrize(
    "answer",
    [
        told({"items": [{**ONE, "timestamp": "soon"}]}),
        told({"items": [{**ONE, "window": "1d"}]}),
        told({"items": [{**ONE, "containers": [{"name": "c", "usage": {"cpu": "much"}}]}]}),
        told({"items": [{**ONE, "containers": []}]}),
        told({"items": "none"}),
        told({"items": []}),
        Response(200, {}, b"<html>"),
        Response(503, {}, b"service unavailable"),
        Response(500, {}, b"\xff\xfe"),
    ],
)  # fmt: skip
async def test_answers_that_make_no_sense(answer: Response) -> None:
    async with staged() as stage:
        await stage.deploy(2)
        stage.metered.instead = lambda asked: answer if "/metrics.k8s.io/" in asked.path else None
        await stage.scale()
        await stage.clock.advance(30.0)
        assert (await stage.said("ScalingActive"))[1] == "FailedGetResourceMetric"
        assert await stage.replicas() == 2


async def test_many_autoscalers_of_a_namespace_ask_once() -> None:
    async with staged() as stage:
        names = [f"w{i}" for i in range(5)]
        for name in names:
            await stage.deploy(1, name)
        stage.metered.cpu = {f"{name}-0": "100m" for name in names}
        for name in names:
            await stage.scale(name)
        await stage.clock.advance(15.0)
        stage.metered.asked.clear()
        await stage.clock.advance(15.0)
        assert [request.parameters() for request in stage.metered.asked] == [{}]
        assert [await stage.replicas(name) for name in names] == [2] * 5


RIGS = {
    "metadata": {"name": "rigs.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "rigs", "singular": "rig", "kind": "Rig", "listKind": "RigList"},
        "versions": [
            {
                "name": name,
                "served": True,
                "storage": name == "v1",
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                    }
                },
                "subresources": {
                    "status": {},
                    "scale": {
                        "specReplicasPath": ".spec.size",
                        "statusReplicasPath": ".status.size",
                        "labelSelectorPath": ".status.selector",
                    },
                },
            }
            for name in ("v1", "v1beta1")
        ],
    },
}


async def test_a_kind_that_users_define() -> None:
    """It is found by its group, whatever version the autoscaler names."""
    async with staged() as stage:
        await stage.client.create(CUSTOM_RESOURCE_DEFINITION, RIGS)
        await stage.deploy(2)
        stage.use("100m", 2)
        path = "/apis/example.com/v1/namespaces/default/rigs"
        rig = {"apiVersion": "example.com/v1", "kind": "Rig", "metadata": {"name": "it"}}
        await stage.client.call("POST", path, {}, {**rig, "spec": {"size": 2}})
        status = {"size": 2, "selector": "app=web"}
        await stage.client.call(
            "PATCH", f"{path}/it/status", {}, {"status": status}, content_type=MERGE
        )
        target = {"apiVersion": "example.com/v7", "kind": "Rig", "name": "it"}
        await stage.scale("it", scaleTargetRef=target)
        assert (await stage.said("ScalingActive", "it"))[1] == "ValidMetricFound"
        found = json.loads(await stage.client.call("GET", f"{path}/it"))
        assert found["spec"]["size"] == 4


async def test_a_scale_without_a_selector() -> None:
    async with staged() as stage:
        await stage.client.create(CUSTOM_RESOURCE_DEFINITION, RIGS)
        path = "/apis/example.com/v1/namespaces/default/rigs"
        rig = {"apiVersion": "example.com/v1", "kind": "Rig", "metadata": {"name": "it"}}
        await stage.client.call("POST", path, {}, {**rig, "spec": {"size": 2}})
        target = {"apiVersion": "example.com/v1", "kind": "Rig", "name": "it"}
        await stage.scale("it", scaleTargetRef=target)
        assert await stage.said("ScalingActive", "it") == (
            "False",
            "InvalidSelector",
            "the HPA target's scale is missing a selector",
        )
        assert sorted(await stage.told()) == [
            ("FailedComputeMetricsReplicas", "selector is required"),
            ("SelectorRequired", "selector is required"),
        ]


async def test_custom_metrics_of_an_older_version() -> None:
    async with staged() as stage:
        await stage.deploy(2)
        group = "/apis/custom.metrics.k8s.io"
        version = {"version": "v1beta1"}
        group_answer = told({"preferredVersion": version, "versions": [version]})
        stage.metered.instead = lambda asked: group_answer if asked.path == group else None
        values = [
            {"describedObject": {"name": f"web-{i}"}, "window": 30, "timestamp": NOW, "value": "20"}
            for i in (0, 1)
        ]
        stage.metered.values = {f"{group}/v1beta1/namespaces/default/pods/*/hits": values}
        await stage.scale(metrics=[kind_of("Pods", "hits", AVERAGE)])
        assert await stage.replicas() == 4
