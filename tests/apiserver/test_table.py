"""What `kubectl get` shows of each kind, as the server says it."""

from datetime import timedelta
from typing import Any

import pytest

from argosy.testing.clock import EPOCH, FakeClock
from tests.apiserver.kit import BODIES, MERGE, Api, body, path, serving

Json = dict[str, Any]

POD = path("Pod", "it")


async def shown(api: Api, kind: str, name: str = "it") -> Json:
    """The row of one object, by the names of its columns."""
    table = (await api.table(path(kind, name))).body
    names = [column["name"] for column in table["columnDefinitions"]]
    (row,) = table["rows"]
    assert len(names) == len(row["cells"])
    return dict(zip(names, row["cells"], strict=True))


async def status(api: Api, kind: str, sent: Json) -> None:
    answer = await api.ask("PATCH", path(kind, "it", "status"), {"status": sent}, kind=MERGE)
    assert answer.status == 200, answer.body


@pytest.mark.parametrize("kind", BODIES)
async def test_every_kind_has_a_table(api: Api, kind: str) -> None:
    await api.create("ClusterTrainingRuntime", body("ClusterTrainingRuntime", "digits"))
    await api.create(kind)
    table = (await api.table(path(kind))).body

    assert len(table["rows"]) >= 1
    for column in table["columnDefinitions"]:
        assert column["name"]
        assert column["type"] in ("string", "integer", "number", "boolean", "date")
    for row in table["rows"]:
        assert len(row["cells"]) == len(table["columnDefinitions"])


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (200, "3m20s"),
        (600, "10m"),
        (659, "10m"),
        (3 * 3600 - 1, "179m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (8 * 3600 + 60, "8h"),
        (47 * 3600, "47h"),
        (48 * 3600, "2d"),
        (50 * 3600, "2d2h"),
        (8 * 86400 + 3600, "8d"),
        (729 * 86400, "729d"),
        (730 * 86400, "2y"),
        (735 * 86400, "2y5d"),
        (8 * 365 * 86400 + 86400, "8y"),
    ],
)
async def test_ages_have_fewer_units_as_they_grow(seconds: int, age: str) -> None:
    clock = FakeClock()
    async with serving(clock=clock) as api:
        await api.create("ConfigMap")
        await clock.advance(seconds)

        assert (await shown(api, "ConfigMap"))["Age"] == age


async def test_a_clock_that_went_back_makes_nothing_younger_than_new() -> None:
    clock = FakeClock()
    async with serving(clock=clock) as api:
        await api.create("Event", body("Event", lastTimestamp=later(clock, 1)))

        assert (await shown(api, "Event"))["Last Seen"] == "0s"


def later(clock: FakeClock, seconds: int) -> str:
    return (clock.now() + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


# pods


def container(name: str = "main", *, ready: bool = False, restarts: int = 0, **state: Json) -> Json:
    return {
        "name": name,
        "ready": ready,
        "restartCount": restarts,
        "image": "i",
        "imageID": "",
        "state": state,
    }


def up(name: str = "main") -> Json:
    return container(name, ready=True, running={"startedAt": "2026-01-01T00:00:00Z"})


def waiting(reason: str, name: str = "main") -> Json:
    return container(name, waiting={"reason": reason})


def ended(name: str = "main", **how: Any) -> Json:
    return container(name, terminated={"exitCode": 0, **how})


GATED = [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]
READY = [{"type": "Ready", "status": "True"}]


@pytest.mark.parametrize(
    ("sent", "word"),
    [
        ({}, "Pending"),
        ({"phase": "Running", "containerStatuses": [up()]}, "Running"),
        ({"phase": "Pending", "containerStatuses": [waiting("Creating")]}, "Creating"),
        (
            {"phase": "Running", "containerStatuses": [waiting("CrashLoopBackOff")]},
            "CrashLoopBackOff",
        ),
        ({"phase": "Succeeded", "containerStatuses": [ended(reason="Completed")]}, "Completed"),
        ({"phase": "Failed", "containerStatuses": [ended(reason="Error", exitCode=1)]}, "Error"),
        ({"phase": "Failed", "containerStatuses": [ended(exitCode=3)]}, "ExitCode:3"),
        ({"phase": "Failed", "containerStatuses": [ended(exitCode=137, signal=9)]}, "Signal:9"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        ({"phase": "Pending", "conditions": GATED}, "SchedulingGated"),
        (
            {
                "phase": "Running",
                "containerStatuses": [waiting("First"), waiting("Second", "two")],
            },
            "First",
        ),
        (
            {
                "phase": "Running",
                "conditions": READY,
                "containerStatuses": [ended(reason="Completed"), up("two")],
            },
            "Running",
        ),
        (
            {
                "phase": "Running",
                "containerStatuses": [ended(reason="Completed"), up("two")],
            },
            "NotReady",
        ),
    ],
)
async def test_a_pod_says_how_it_is(api: Api, sent: Json, word: str) -> None:
    await api.create("Pod")
    await status(api, "Pod", sent)

    assert (await shown(api, "Pod"))["Status"] == word


@pytest.mark.parametrize(
    ("phase", "word"),
    [("Running", "Terminating"), ("Pending", "Terminating"), ("Failed", "Failed")],
)
async def test_a_pod_that_is_going_says_so(api: Api, phase: str, word: str) -> None:
    held = {**body("Pod"), "metadata": {"name": "it", "finalizers": ["a.b/c"]}}
    await api.create("Pod", held)
    await status(api, "Pod", {"phase": phase})
    await api.ask("DELETE", POD)

    assert (await shown(api, "Pod"))["Status"] == word


async def test_a_pod_counts_its_containers_and_their_restarts(api: Api) -> None:
    pod = body("Pod")
    pod["spec"]["containers"] = [{"name": name, "image": "i"} for name in ("a", "b", "c")]
    await api.create("Pod", pod)
    assert (await shown(api, "Pod"))["Ready"] == "0/3"

    statuses = [{**up("a"), "restartCount": 2}, container("b", restarts=3, running={}), up("c")]
    await status(api, "Pod", {"phase": "Running", "containerStatuses": statuses})
    row = await shown(api, "Pod")
    assert row["Ready"] == "2/3"
    assert str(row["Restarts"]) == "5"


# other kinds


@pytest.mark.parametrize(
    ("ready", "unschedulable", "word"),
    [
        (None, False, "Unknown"),
        ("True", False, "Ready"),
        ("False", False, "NotReady"),
        ("Unknown", False, "NotReady"),
        ("True", True, "Ready,SchedulingDisabled"),
    ],
)
async def test_a_node_says_whether_it_works(
    api: Api, ready: str | None, unschedulable: bool, word: str
) -> None:
    await api.create("Node", body("Node", spec={"unschedulable": unschedulable}))
    if ready:
        await status(api, "Node", {"conditions": [{"type": "Ready", "status": ready}]})

    assert (await shown(api, "Node"))["Status"] == word


@pytest.mark.parametrize(
    ("labels", "roles"),
    [
        ({}, "<none>"),
        ({"node-role.kubernetes.io/worker": ""}, "worker"),
        (
            {"node-role.kubernetes.io/b": "", "node-role.kubernetes.io/a": "true", "c": "d"},
            "a,b",
        ),
    ],
)
async def test_a_node_has_roles(api: Api, labels: Json, roles: str) -> None:
    await api.create("Node", {"metadata": {"name": "it", "labels": labels}})

    assert (await shown(api, "Node"))["Roles"] == roles


@pytest.mark.parametrize(
    ("kind", "sent", "cells"),
    [
        ("ConfigMap", {"data": {"a": "b"}, "binaryData": {"c": "ZA=="}}, {"Data": 2}),
        ("ConfigMap", {"data": {}}, {"Data": 0}),
        (
            "Service",
            {
                "spec": {
                    "clusterIP": "None",
                    "ports": [
                        {"name": "http", "port": 80},
                        {"name": "dns", "port": 53, "protocol": "UDP"},
                    ],
                }
            },
            {"Type": "ClusterIP", "Cluster-IP": "None", "Port(s)": "80/TCP,53/UDP"},
        ),
        ("Service", {"spec": {"clusterIP": "None"}}, {"Port(s)": "<none>"}),
        ("Namespace", {}, {"Status": "Active"}),
        (
            "Event",
            {"type": "Warning", "reason": "Failed", "message": "no luck"},
            {"Type": "Warning", "Reason": "Failed", "Object": "pod/web", "Message": "no luck"},
        ),
        ("ResourceSlice", {}, {"Node": "here", "Driver": "gpu.argosy.dev", "Pool": "here"}),
        ("PersistentVolumeClaim", {}, {"Status": "Pending"}),
        ("PersistentVolume", {}, {"Capacity": "1Gi", "Reclaim Policy": "Retain"}),
        ("ModelVersion", {}, {"Model": "digits", "Version": "1"}),
        ("RuntimeClass", {}, {"Handler": "host"}),
        ("StorageClass", {}, {"Provisioner": "local.argosy.dev"}),
        ("ResourceClaim", {}, {"State": "pending"}),
    ],
)
async def test_kinds_show_what_they_say(api: Api, kind: str, sent: Json, cells: Json) -> None:
    await api.create(kind, body(kind, **sent))
    row = await shown(api, kind)

    assert {name: row[name] for name in cells} == cells


@pytest.mark.parametrize(
    ("sent", "word"),
    [
        ({"allocation": {}}, "allocated"),
        (
            {"allocation": {}, "reservedFor": [{"resource": "pods", "name": "a", "uid": "u"}]},
            "allocated,reserved",
        ),
    ],
)
async def test_a_claim_says_where_it_is(api: Api, sent: Json, word: str) -> None:
    await api.create("ResourceClaim")
    await status(api, "ResourceClaim", sent)

    assert (await shown(api, "ResourceClaim"))["State"] == word


def told(kind: str, value: str) -> Json:
    moment = EPOCH.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "type": kind,
        "status": value,
        "reason": "So",
        "message": "",
        "lastTransitionTime": moment,
    }


@pytest.mark.parametrize(
    ("conditions", "word"),
    [
        ([told("Scheduled", "True")], "Running"),
        ([told("Scheduled", "False")], "Pending"),
        ([told("Scheduled", "True"), told("Complete", "True")], "Complete"),
        ([told("Complete", "False"), told("Failed", "True")], "Failed"),
        ([told("Suspended", "True")], "Suspended"),
    ],
)
async def test_a_train_job_says_how_far_it_is(api: Api, conditions: list[Json], word: str) -> None:
    await api.create("ClusterTrainingRuntime", body("ClusterTrainingRuntime", "digits"))
    await api.create("TrainJob")
    await status(api, "TrainJob", {"conditions": conditions})

    assert (await shown(api, "TrainJob"))["State"] == word


@pytest.mark.parametrize("kind", ["InferenceService", "ModelVersion"])
async def test_what_serves_says_whether_it_is_ready(api: Api, kind: str) -> None:
    await api.create(kind)
    before = (await shown(api, kind))["Ready"]
    await status(api, kind, {"conditions": [told("Ready", "True")]})

    assert before != "True"
    assert (await shown(api, kind))["Ready"] == "True"
