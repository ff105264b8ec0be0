"""autoscaling/v1 beside v2: one stored object of two shapes, by every way that leads to it."""

import json
from typing import Any

from argosy.api.autoscaling_notes import BEHAVIOR, METRICS
from tests.apiserver.kit import MERGE, Api

Json = dict[str, Any]
OLD, NEW = (
    f"/apis/autoscaling/{version}/namespaces/default/horizontalpodautoscalers"
    for version in ("v1", "v2")
)
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


def share(percent: int) -> Json:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def scaler(version: str, **spec: Any) -> Json:
    return {
        "apiVersion": f"autoscaling/{version}",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": TARGET, "maxReplicas": 3, **spec},
    }


async def test_what_is_made_in_one_version_is_seen_in_the_other(api: Api) -> None:
    made = await api.ask("POST", OLD, scaler("v1", targetCPUUtilizationPercentage=50))
    assert made.status == 201
    assert made.body["apiVersion"] == "autoscaling/v1"
    assert made.body["spec"]["targetCPUUtilizationPercentage"] == 50
    new = (await api.get(f"{NEW}/web")).body
    assert (new["apiVersion"], new["spec"]["metrics"]) == ("autoscaling/v2", [share(50)])
    listed = (await api.get(OLD)).body
    assert listed["kind"] == "HorizontalPodAutoscalerList"
    assert listed["items"][0]["spec"] == made.body["spec"]
    row = (await api.table(OLD)).body["rows"][0]["cells"]
    assert row[:3] == ["web", "Deployment/web", "cpu: <unknown>/50%"]


async def test_a_patch_in_one_version_keeps_what_only_the_other_says(api: Api) -> None:
    queue = {
        "type": "External",
        "external": {"metric": {"name": "q"}, "target": {"type": "Value", "value": "5"}},
    }
    rules = {"scaleDown": {"stabilizationWindowSeconds": 7}}
    made = scaler("v2", metrics=[queue, share(50)], behavior=rules)
    assert (await api.ask("POST", NEW, made)).status == 201
    patched = await api.ask("PATCH", f"{OLD}/web", {"spec": {"maxReplicas": 9}}, kind=MERGE)
    assert patched.status == 200
    assert set(patched.body["metadata"]["annotations"]) == {METRICS, BEHAVIOR}
    new = (await api.get(f"{NEW}/web")).body
    assert new["spec"]["maxReplicas"] == 9
    assert new["spec"]["metrics"] == [queue, share(50)]
    assert new["spec"]["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 7
    assert "annotations" not in new["metadata"]


async def test_rules_hold_in_both(api: Api) -> None:
    wrong = await api.ask("POST", OLD, scaler("v1", targetCPUUtilizationPercentage=0))
    assert wrong.status == 422
    field = "spec.metrics[0].resource.target.averageUtilization"
    assert f"{field}: Invalid value: 0: must be greater than 0" in wrong.body["message"]
    hidden = scaler("v1")
    metric = {"type": "Pods", "pods": {"metricName": "", "targetAverageValue": "1"}}
    hidden["metadata"]["annotations"] = {METRICS: json.dumps([metric])}
    wrong = await api.ask("POST", OLD, hidden)
    assert wrong.status == 422
    assert "spec.metrics[0].pods.metric.name" in wrong.body["message"]
    wrong = await api.ask("POST", OLD, scaler("v1", metrics=[]), fieldValidation="Strict")
    assert 'unknown field "spec.metrics"' in wrong.body["message"]


async def test_owners_are_known_across_versions(api: Api) -> None:
    first = scaler("v2", metrics=[share(50)])
    assert (await api.apply(f"{NEW}/web", first, "one")).status == 201
    second = scaler("v1", targetCPUUtilizationPercentage=60)
    conflict = await api.apply(f"{OLD}/web", second, "two")
    assert conflict.status == 409
    assert 'conflict with "one": .spec.metrics' in conflict.body["message"]
    forced = await api.apply(f"{OLD}/web", second, "two", force="true")
    assert forced.body["spec"]["targetCPUUtilizationPercentage"] == 60
    new = (await api.get(f"{NEW}/web")).body
    assert new["spec"]["metrics"] == [share(60)]
    # What its only owner does not apply any more goes, in whichever version it was applied.
    await api.apply(f"{NEW}/web", scaler("v2"), "one")
    await api.apply(f"{OLD}/web", scaler("v1"), "two")
    new = (await api.get(f"{NEW}/web")).body
    assert new["spec"]["metrics"] == [share(80)]


async def test_watches_speak_their_version(api: Api) -> None:
    await api.ask("POST", NEW, scaler("v2", metrics=[share(50)]))
    stream = api.watch(OLD, resourceVersion="0")
    event = await anext(stream)
    await stream.aclose()
    assert event["object"]["apiVersion"] == "autoscaling/v1"
    assert event["object"]["spec"]["targetCPUUtilizationPercentage"] == 50


async def test_the_status_is_written_in_both(api: Api) -> None:
    await api.ask("POST", NEW, scaler("v2", metrics=[share(50)]))
    used = {"averageUtilization": 40, "averageValue": "40m"}
    status = {
        "currentReplicas": 2,
        "desiredReplicas": 2,
        "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": used}}],
    }
    await api.ask("PATCH", f"{NEW}/web/status", {"status": status}, kind=MERGE)
    old = (await api.get(f"{OLD}/web")).body
    assert old["status"]["currentCPUUtilizationPercentage"] == 40
    body = {"status": {"desiredReplicas": 3}}
    assert (await api.ask("PATCH", f"{OLD}/web/status", body, kind=MERGE)).status == 200
    new = (await api.get(f"{NEW}/web")).body
    assert new["status"] == {**status, "desiredReplicas": 3}
    assert new["spec"]["metrics"] == [share(50)]
    await api.ask("DELETE", f"{OLD}/web")
    assert (await api.get(f"{NEW}/web")).status == 404
