"""What the node refuses, by the names of the fields."""

from typing import Any

import pytest

from argosy.node.admit import admit
from argosy.node.refusal import Refusal
from argosy.node.volumes import KINDS
from tests.node.builders import container, pod_view

PROBE = {"periodSeconds": 1}


def field(path: str) -> dict[str, Any]:
    return {"path": "x", "fieldRef": {"fieldPath": path}}


def projected(*sources: dict[str, Any]) -> dict[str, Any]:
    return {"volumes": [{"name": "v", "projected": {"sources": list(sources)}}]}


def env(**source: Any) -> dict[str, Any]:
    return {"env": [{"name": "A", "valueFrom": source}]}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"lifecycle": {"preStop": {}}}, "spec.containers[0].lifecycle"),
        (env(resourceFieldRef={}), "spec.containers[0].env[0].valueFrom.resourceFieldRef"),
        (env(fileKeyRef={}), "spec.containers[0].env[0].valueFrom.fileKeyRef"),
        (
            env(fieldRef={"fieldPath": "spec.hostname"}),
            'fieldRef.fieldPath: Unsupported value: "spec.hostname"',
        ),
        ({"readinessProbe": {**PROBE, "exec": {}}}, "spec.containers[0].readinessProbe.exec"),
        ({"livenessProbe": {**PROBE, "grpc": {}}}, "spec.containers[0].livenessProbe.grpc"),
        ({"startupProbe": {**PROBE, "exec": {}}}, "spec.containers[0].startupProbe.exec"),
        ({"name": "../x"}, "spec.containers[0].name"),
        ({"securityContext": {"privileged": True}}, "spec.containers[0].securityContext"),
        ({"tty": True}, "spec.containers[0].tty"),
        ({"stdin": True}, "spec.containers[0].stdin"),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/v", "subPathExpr": "$(A)"}]},
            "spec.containers[0].volumeMounts[0].subPathExpr",
        ),
        (
            {"livenessProbe": {"httpGet": {"port": 1, "httpHeaders": [{"name": "a"}]}}},
            "spec.containers[0].livenessProbe.httpGet.httpHeaders",
        ),
    ],
)
def test_containers(fields: dict[str, Any], path: str) -> None:
    refuse(path, container("true", **fields))


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"initContainers": [{"name": "i"}]}, "spec.initContainers"),
        ({"hostPID": True}, "spec.hostPID"),
        ({"hostIPC": True}, "spec.hostIPC"),
        ({"shareProcessNamespace": True}, "spec.shareProcessNamespace"),
        ({"securityContext": {"runAsNonRoot": True}}, "spec.securityContext"),
        ({"hostAliases": [{"ip": "127.0.0.1"}]}, "spec.hostAliases"),
        ({"dnsConfig": {"nameservers": ["127.0.0.1"]}}, "spec.dnsConfig"),
        ({"readinessGates": [{"conditionType": "x"}]}, "spec.readinessGates"),
        ({"volumes": [{"name": "v", "nfs": {}}]}, "spec.volumes[0].nfs"),
        (
            {"volumes": [{"name": "v", "downwardAPI": {"items": [field("spec.nodeName")]}}]},
            'downwardAPI.items[0].fieldRef.fieldPath: Unsupported value: "spec.nodeName"',
        ),
        (
            {"volumes": [{"name": "v", "downwardAPI": {"items": [{"resourceFieldRef": {}}]}}]},
            "spec.volumes[0].downwardAPI.items[0].resourceFieldRef",
        ),
        (
            projected({"clusterTrustBundle": {"path": "x"}}),
            "spec.volumes[0].projected.sources[0].clusterTrustBundle",
        ),
        (projected({"podCertificate": {}}), "projected.sources[0].podCertificate"),
        (
            projected({"configMap": {}}, {"downwardAPI": {"items": [field("status.podIP")]}}),
            "spec.volumes[0].projected.sources[1].downwardAPI.items[0].fieldRef.fieldPath",
        ),
        ({"volumes": [{"name": "../v", "emptyDir": {}}]}, "spec.volumes[0].name"),
    ],
)
def test_pods(spec: dict[str, Any], path: str) -> None:
    refuse(path, container("true"), **spec)


def refuse(path: str, body: dict[str, Any], **spec: Any) -> None:
    with pytest.raises(Refusal) as refused:
        admit(pod_view(body, **spec), KINDS)
    assert path in refused.value.message
    assert refused.value.reason == "CreateContainerConfigError"


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(Refusal) as refused:
        admit(pod_view(container("true", stdin=True, lifecycle={})), KINDS)
    assert "stdin" in refused.value.message and "lifecycle" in refused.value.message


def test_what_the_node_does_is_let_in() -> None:
    probe = {"httpGet": {"port": 80}}
    body = container(
        "true",
        readinessProbe=probe,
        livenessProbe={"tcpSocket": {"port": 80}},
        startupProbe=probe,
        env=[
            {"name": "A", "value": "x"},
            {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['x']"}}},
            {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}},
        ],
    )
    volumes = [{"name": f"v{i}", kind: {}} for i, kind in enumerate(KINDS)]
    admit(pod_view(body, volumes=[*volumes, {"name": "plain"}]), KINDS)
