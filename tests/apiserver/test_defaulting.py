"""What an object says where its writer said nothing: in place, and never over what is there."""

import copy
from typing import Any

import pytest

from tests.apiserver.kit import CONTAINER, MERGE, NODE_JOB, Api, body, path

Json = dict[str, Any]


def laid(target: Any, patch: Any) -> Any:
    """`target` with `patch` over it."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    return result | {name: laid(result.get(name), value) for name, value in patch.items()}


def within(part: Any, whole: Any) -> bool:
    """Whether `whole` says all that `part` says."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and within(value, whole[name]) for name, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) == len(whole) and all(map(within, part, whole))
    return bool(part == whole)


def one(**container: Any) -> Json:
    return {"spec": {"containers": [{**CONTAINER, **container}]}}


PROBE = {"httpGet": {"port": 80}}
PROBED = {
    "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
    "timeoutSeconds": 1,
    "periodSeconds": 10,
    "successThreshold": 1,
    "failureThreshold": 3,
}


@pytest.mark.parametrize(
    ("kind", "sent", "found"),
    [
        (
            "Pod",
            {},
            {
                "spec": {
                    "restartPolicy": "Always",
                    "dnsPolicy": "ClusterFirst",
                    "schedulerName": "default-scheduler",
                    "terminationGracePeriodSeconds": 30,
                    "enableServiceLinks": True,
                    "securityContext": {},
                },
                "status": {"phase": "Pending", "qosClass": "BestEffort"},
            },
        ),
        (
            "Pod",
            {},
            one(
                resources={},
                terminationMessagePath="/dev/termination-log",
                terminationMessagePolicy="File",
            ),
        ),
        (
            "Pod",
            {"spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0}},
            {"spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0}},
        ),
        (
            "Pod",
            one(ports=[{"containerPort": 80}]),
            one(ports=[{"containerPort": 80, "protocol": "TCP"}]),
        ),
        ("Pod", one(readinessProbe=PROBE), one(readinessProbe=PROBED)),
        (
            "Pod",
            one(livenessProbe={"httpGet": {"port": "a"}, "periodSeconds": 3}),
            one(livenessProbe={"periodSeconds": 3}),
        ),
        (
            "Pod",
            one(resources={"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}),
            one(resources={"requests": {"cpu": "500m", "memory": "1Gi"}}),
        ),
        (
            "Pod",
            one(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]),
            one(
                env=[
                    {
                        "name": "A",
                        "valueFrom": {
                            "fieldRef": {"fieldPath": "metadata.name", "apiVersion": "v1"}
                        },
                    }
                ]
            ),
        ),
        (
            "Pod",
            {
                "spec": {
                    "volumes": [{"name": "v", "configMap": {"name": "c"}}],
                    "automountServiceAccountToken": False,
                }
            },
            {"spec": {"volumes": [{"name": "v", "configMap": {"defaultMode": 420}}]}},
        ),
        (
            "PersistentVolumeClaim",
            {},
            {"spec": {"volumeMode": "Filesystem"}, "status": {"phase": "Pending"}},
        ),
        (
            "PersistentVolume",
            {},
            {"spec": {"volumeMode": "Filesystem", "persistentVolumeReclaimPolicy": "Retain"}},
        ),
        (
            "Service",
            {"spec": {"ports": [{"port": 80}]}},
            {
                "spec": {
                    "type": "ClusterIP",
                    "sessionAffinity": "None",
                    "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
                }
            },
        ),
        ("StorageClass", {}, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}),
        (
            "Namespace",
            {},
            {
                "metadata": {"labels": {"kubernetes.io/metadata.name": "it"}},
                "spec": {"finalizers": ["kubernetes"]},
                "status": {"phase": "Active"},
            },
        ),
        (
            "ResourceClaim",
            {},
            {
                "spec": {
                    "devices": {
                        "requests": [{"exactly": {"allocationMode": "ExactCount", "count": 1}}]
                    }
                }
            },
        ),
        (
            "ResourceClaimTemplate",
            {},
            {
                "spec": {
                    "spec": {
                        "devices": {
                            "requests": [{"exactly": {"allocationMode": "ExactCount", "count": 1}}]
                        }
                    }
                }
            },
        ),
        (
            "TrainJob",
            {},
            {
                "spec": {
                    "suspend": False,
                    "runtimeRef": {
                        "name": "digits",
                        "apiGroup": "trainer.kubeflow.org",
                        "kind": "ClusterTrainingRuntime",
                    },
                }
            },
        ),
        ("TrainJob", {"spec": {"suspend": True}}, {"spec": {"suspend": True}}),
        (
            "TrainingRuntime",
            {"spec": {"mlPolicy": {}}},
            {
                "spec": {
                    "mlPolicy": {"numNodes": 1},
                    "template": {"spec": {"replicatedJobs": [{**NODE_JOB, "replicas": 1}]}},
                }
            },
        ),
        (
            "InferenceService",
            {},
            {"spec": {"predictor": {"minReplicas": 1, "model": {"protocolVersion": "v2"}}}},
        ),
        (
            "InferenceService",
            {"spec": {"predictor": {"minReplicas": 3}}},
            {"spec": {"predictor": {"minReplicas": 3}}},
        ),
    ],
)
async def test_what_is_not_said_is_filled_in(api: Api, kind: str, sent: Json, found: Json) -> None:
    await api.create("ClusterTrainingRuntime", body("ClusterTrainingRuntime", "digits"))
    whole = laid(body(kind), sent)
    created = await api.create(kind, whole)

    assert within(found, created.body), created.body
    assert within(whole, created.body), "something was overwritten"
    stored = await api.get(path(kind, "it"))
    assert stored.body == created.body


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("python", "Always"),
        ("python:latest", "Always"),
        ("python:3.12", "IfNotPresent"),
        ("registry.example:5000/python", "Always"),
        ("registry.example:5000/python:3.12", "IfNotPresent"),
        ("python@sha256:" + "a" * 64, "IfNotPresent"),
        ("python:latest@sha256:" + "a" * 64, "IfNotPresent"),
    ],
)
async def test_the_newest_image_is_always_pulled(api: Api, image: str, policy: str) -> None:
    created = await api.create("Pod", laid(body("Pod"), one(image=image)))

    assert created.body["spec"]["containers"][0]["imagePullPolicy"] == policy


CPU, BOTH = {"cpu": "1"}, {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ([{}], "BestEffort"),
        ([{"limits": BOTH}], "Guaranteed"),
        ([{"limits": BOTH, "requests": BOTH}], "Guaranteed"),
        ([{"limits": BOTH, "requests": CPU}], "Guaranteed"),
        ([{"limits": BOTH}, {"limits": BOTH}], "Guaranteed"),
        ([{"requests": BOTH}], "Burstable"),
        ([{"limits": CPU}], "Burstable"),
        ([{"limits": BOTH, "requests": {"cpu": "500m"}}], "Burstable"),
        ([{"limits": BOTH}, {}], "Burstable"),
        ([{"limits": BOTH, "requests": {"cpu": "1000m", "memory": "1024Mi"}}], "Guaranteed"),
        ([{"limits": {"example.com/gpu": "1"}}], "BestEffort"),
        ([{"requests": {"cpu": "0"}}], "BestEffort"),
        ([{"limits": {**BOTH, "example.com/gpu": "1"}}], "Guaranteed"),
    ],
)
async def test_a_pod_has_a_quality_of_service(
    api: Api, resources: list[Json], quality: str
) -> None:
    pod = body("Pod")
    pod["spec"]["containers"] = [
        {"name": f"c{i}", "image": "i", "resources": item} for i, item in enumerate(resources)
    ]

    assert (await api.create("Pod", pod)).body["status"]["qosClass"] == quality


async def test_init_containers_have_defaults_too(api: Api) -> None:
    pod = body("Pod")
    pod["spec"]["initContainers"] = [{"name": "first", "image": "i:1"}]
    created = await api.create("Pod", pod)

    assert created.body["spec"]["initContainers"][0]["imagePullPolicy"] == "IfNotPresent"


async def test_defaults_come_back_where_they_were_taken_away(api: Api) -> None:
    await api.create("Service")
    patch = {"spec": {"sessionAffinity": None}}
    answer = await api.ask("PATCH", path("Service", "it"), patch, kind=MERGE)

    assert answer.body["spec"]["sessionAffinity"] == "None"


async def test_two_objects_share_no_defaults(api: Api) -> None:
    a = await api.create("Pod", body("Pod", "a"))
    patch = {"spec": {"activeDeadlineSeconds": 5}}
    await api.ask("PATCH", path("Pod", "a"), patch, kind=MERGE)
    b = await api.create("Pod", body("Pod", "b"))

    assert b.body["spec"] == a.body["spec"]
