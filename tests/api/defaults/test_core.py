"""Defaults of the core group's kinds."""

import base64
from typing import Any

import pytest

from tests.api.kit import defaulted, made, put

SERVICE = made("v1", "Service", spec={"ports": [{"port": 80}]})


def test_a_bare_service() -> None:
    assert defaulted(SERVICE)["spec"] == {
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
    }


@pytest.mark.parametrize(
    "path, value, expected",
    [
        ("type", "NodePort", {"externalTrafficPolicy": "Cluster"}),
        ("type", "LoadBalancer", {"allocateLoadBalancerNodePorts": True}),
        ("externalIPs", ["192.0.2.1"], {"externalTrafficPolicy": "Cluster"}),
        (
            "sessionAffinity",
            "ClientIP",
            {"sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}}},
        ),
    ],
)
def test_forms_of_services(path: str, value: Any, expected: dict[str, Any]) -> None:
    spec = defaulted(put(SERVICE, f"spec.{path}", value))["spec"]
    assert expected.items() <= spec.items()


def test_a_name_outside_has_no_policies() -> None:
    named = made("v1", "Service", spec={"type": "ExternalName", "externalName": "a.b"})
    assert "internalTrafficPolicy" not in defaulted(named)["spec"]


def test_texts_of_secrets_become_data() -> None:
    secret = made("v1", "Secret", data={"a": "b2xk", "b": "b2xk"}, stringData={"a": "new"})
    assert defaulted(secret) == {
        **{name: secret[name] for name in ("apiVersion", "kind", "metadata")},
        "data": {"a": base64.b64encode(b"new").decode(), "b": "b2xk"},
        "type": "Opaque",
    }


@pytest.mark.parametrize(
    "given, expected",
    [
        (
            {"max": {"cpu": "2"}, "min": {"cpu": "1"}},
            {"default": {"cpu": "2"}, "defaultRequest": {"cpu": "2"}},
        ),
        ({"min": {"cpu": "1"}}, {"defaultRequest": {"cpu": "1"}}),
        (
            {"default": {"cpu": "3"}, "max": {"cpu": "4", "memory": "1Gi"}},
            {
                "default": {"cpu": "3", "memory": "1Gi"},
                "defaultRequest": {"cpu": "3", "memory": "1Gi"},
            },
        ),
    ],
)
def test_limits_of_containers(given: dict[str, Any], expected: dict[str, Any]) -> None:
    limits = made("v1", "LimitRange", spec={"limits": [{"type": "Container", **given}]})
    assert defaulted(limits)["spec"]["limits"] == [{"type": "Container", **given, **expected}]


def test_what_a_node_has_can_be_used() -> None:
    node = made("v1", "Node", status={"capacity": {"cpu": "4"}})
    assert defaulted(node)["status"]["allocatable"] == {"cpu": "4"}


def test_sources_of_claims_are_said_twice() -> None:
    source = {"kind": "PersistentVolumeClaim", "name": "a"}
    for name, other in (("dataSource", "dataSourceRef"), ("dataSourceRef", "dataSource")):
        claim = made("v1", "PersistentVolumeClaim", spec={name: source})
        assert defaulted(claim)["spec"][other] == source
    foreign = made(
        "v1", "PersistentVolumeClaim", spec={"dataSourceRef": {**source, "namespace": "n"}}
    )
    assert "dataSource" not in defaulted(foreign)["spec"]


def test_volumes() -> None:
    volume = defaulted(made("v1", "PersistentVolume", spec={"rbd": {"image": "i", "monitors": []}}))
    assert volume["spec"] == {
        "rbd": {
            "image": "i",
            "monitors": [],
            "pool": "rbd",
            "user": "admin",
            "keyring": "/etc/ceph/keyring",
        },
        "volumeMode": "Filesystem",
        "persistentVolumeReclaimPolicy": "Retain",
    }
    assert volume["status"] == {"phase": "Pending"}


def test_endpoints_and_slices() -> None:
    old = made("v1", "Endpoints", subsets=[{"ports": [{"port": 1}]}])
    assert defaulted(old)["subsets"][0]["ports"] == [{"port": 1, "protocol": "TCP"}]
    new = made("discovery.k8s.io/v1", "EndpointSlice", addressType="IPv4", ports=[{"port": 1}])
    assert defaulted(new)["ports"] == [{"port": 1, "name": "", "protocol": "TCP"}]


def test_a_replication_controller_selects_its_template() -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}
    made_so = defaulted(made("v1", "ReplicationController", spec={"template": template}))
    assert made_so["spec"]["selector"] == made_so["metadata"]["labels"] == {"a": "b"}
    assert made_so["spec"]["replicas"] == 1
