"""Defaults of pods and of their templates."""

from typing import Any

import pytest

from argosy.api.podresources import aggregate, qos_class
from tests.api.kit import Json, defaulted, made, put

POD = made("v1", "Pod", spec={"containers": [{"name": "main", "image": "python"}]})


def test_a_bare_pod() -> None:
    pod = defaulted(POD)
    assert pod["spec"] == {
        "containers": [
            {
                "name": "main",
                "image": "python",
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
                "imagePullPolicy": "Always",
            }
        ],
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
        "terminationGracePeriodSeconds": 30,
        "securityContext": {},
        "enableServiceLinks": True,
    }
    assert pod["status"] == {"phase": "Pending", "qosClass": "BestEffort"}


def test_defaults_are_there_once() -> None:
    once = defaulted(put(POD, "spec.volumes", [{"name": "v"}]))
    assert defaulted(once) == once


def test_what_is_said_stays() -> None:
    said = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "dnsPolicy": "Default"}
    pod = made("v1", "Pod", spec={**POD["spec"], **said, "enableServiceLinks": False})
    assert said.items() <= defaulted(pod)["spec"].items()
    assert defaulted(pod)["spec"]["enableServiceLinks"] is False


@pytest.mark.parametrize(
    "image, policy",
    [
        ("python", "Always"),
        ("python:latest", "Always"),
        ("host:5000/python", "Always"),
        ("python:3.12", "IfNotPresent"),
        ("host:5000/python:3.12", "IfNotPresent"),
        ("python@sha256:" + "a" * 64, "IfNotPresent"),
    ],
)
def test_images_without_a_version_are_always_pulled(image: str, policy: str) -> None:
    pod = defaulted(put(POD, "spec.containers.0.image", image))
    assert pod["spec"]["containers"][0]["imagePullPolicy"] == policy


@pytest.mark.parametrize(
    "path, value, expected",
    [
        ("containers.0.ports", [{"containerPort": 1}], [{"containerPort": 1, "protocol": "TCP"}]),
        (
            "containers.0.livenessProbe",
            {"httpGet": {"port": 1}, "timeoutSeconds": 0},
            {
                "httpGet": {"port": 1, "path": "/", "scheme": "HTTP"},
                "timeoutSeconds": 1,
                "periodSeconds": 10,
                "successThreshold": 1,
                "failureThreshold": 3,
            },
        ),
        (
            "containers.0.lifecycle",
            {"preStop": {"httpGet": {"port": 1}}, "stopSignal": "SIGTERM"},
            {
                "preStop": {"httpGet": {"port": 1, "path": "/", "scheme": "HTTP"}},
                "stopSignal": "SIGTERM",
            },
        ),
        (
            "containers.0.env",
            [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}],
            [
                {
                    "name": "A",
                    "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid", "apiVersion": "v1"}},
                }
            ],
        ),
        ("volumes", [{"name": "v"}], [{"name": "v", "emptyDir": {}}]),
        (
            "volumes",
            [{"name": "v", "configMap": {"name": "c"}}],
            [{"name": "v", "configMap": {"name": "c", "defaultMode": 420}}],
        ),
        (
            "volumes",
            [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}],
            [
                {
                    "name": "v",
                    "projected": {
                        "sources": [
                            {"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}
                        ],
                        "defaultMode": 420,
                    },
                }
            ],
        ),
        ("tolerations", [{"key": "a", "value": "b"}], [{"key": "a", "value": "b"}]),
        (
            "containers.0.resources",
            {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "1"}},
            {
                "limits": {"cpu": "2", "memory": "1Gi"},
                "requests": {"cpu": "1", "memory": "1Gi"},
            },
        ),
    ],
)
def test_parts(path: str, value: Any, expected: Any) -> None:
    spec: Any = defaulted(put(POD, f"spec.{path}", value))["spec"]
    for step in path.split("."):
        spec = spec[int(step) if step.isdecimal() else step]
    assert spec == expected


def test_accounts_have_two_names() -> None:
    for name in ("serviceAccountName", "serviceAccount"):
        spec = defaulted(put(POD, f"spec.{name}", "robot"))["spec"]
        assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("robot", "robot")


def test_a_pod_in_its_hosts_network_has_its_ports() -> None:
    pod = put(
        put(POD, "spec.hostNetwork", True), "spec.containers.0.ports", [{"containerPort": 80}]
    )
    assert defaulted(pod)["spec"]["containers"][0]["ports"] == [
        {"containerPort": 80, "protocol": "TCP", "hostPort": 80}
    ]


def test_a_pod_that_limits_itself_asks_for_what_its_containers_do() -> None:
    pod = put(POD, "spec.containers.0.resources", {"requests": {"cpu": "500m"}})
    pod = put(pod, "spec.resources", {"limits": {"cpu": "2", "memory": "1Gi"}})
    assert defaulted(pod)["spec"]["resources"] == {
        "limits": {"cpu": "2", "memory": "1Gi"},
        "requests": {"cpu": "500m", "memory": "1Gi"},
    }


def test_templates_leave_to_their_pods_what_is_theirs() -> None:
    limited = {"name": "main", "image": "i", "resources": {"limits": {"cpu": "1"}}}
    template = defaulted(made("v1", "PodTemplate", template={"spec": {"containers": [limited]}}))
    spec = template["template"]["spec"]
    assert "enableServiceLinks" not in spec
    assert spec["containers"][0]["resources"] == {"limits": {"cpu": "1"}}


def asking(**groups: list[Json]) -> Json:
    """A pod whose containers ask for that."""
    return {
        group: [
            {"resources": {"requests": item}, "restartPolicy": item.pop("policy", None)}
            for item in items
        ]
        for group, items in groups.items()
    }


@pytest.mark.parametrize(
    "spec, cpu",
    [
        (asking(containers=[{"cpu": "1"}, {"cpu": "500m"}]), "1.5"),
        (asking(containers=[{"cpu": "1"}], initContainers=[{"cpu": "3"}]), "3"),
        (asking(containers=[{"cpu": "1"}], initContainers=[{"cpu": "3", "policy": "Always"}]), "4"),
        (
            asking(
                containers=[{"cpu": "1"}],
                initContainers=[{"cpu": "2", "policy": "Always"}, {"cpu": "3"}],
            ),
            "5",
        ),
    ],
)
def test_sums(spec: Json, cpu: str) -> None:
    assert str(aggregate(spec, "requests")["cpu"].normalize()) == cpu


BOTH = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    "containers, expected",
    [
        ([{}], "BestEffort"),
        ([{"requests": {"cpu": "0"}}], "BestEffort"),
        ([{"requests": {"example.com/gpu": "1"}}], "BestEffort"),
        ([{"requests": {"cpu": "1"}}], "Burstable"),
        ([{"limits": BOTH, "requests": BOTH}], "Guaranteed"),
        ([{"limits": BOTH, "requests": {"cpu": "1000m", "memory": "1024Mi"}}], "Guaranteed"),
        ([{"limits": BOTH, "requests": BOTH}, {}], "Burstable"),
        ([{"limits": BOTH, "requests": {"cpu": "500m", "memory": "1Gi"}}], "Burstable"),
    ],
)
def test_classes_of_service(containers: list[Json], expected: str) -> None:
    assert qos_class({"containers": [{"resources": item} for item in containers]}) == expected
    if len(containers) == 1:
        assert qos_class({"resources": containers[0], "containers": [{}]}) == expected
