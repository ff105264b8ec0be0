"""Volumes of every kind."""

from typing import Any

import pytest

from argosy.api.names import LABEL_RULE
from argosy.api.validation.volumes import NEEDED, ORDER, source
from tests.api.kit import errors, made, put

V = "spec.volumes[0]"
POD = made("v1", "Pod", spec={"containers": [{"name": "main", "image": "python"}]})
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


@pytest.mark.parametrize(
    "volume",
    [
        {},
        {"emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
        {"hostPath": {"path": "/data", "type": "Directory"}},
        {"configMap": {"name": "c", "items": [{"key": "k", "path": "a/b", "mode": 0o400}]}},
        {"secret": {"secretName": "s"}},
        {"persistentVolumeClaim": {"claimName": "c"}},
        {"nfs": {"server": "s", "path": "/p"}},
        {"csi": {"driver": "a.b"}},
        {"ephemeral": {"volumeClaimTemplate": {"spec": CLAIM}}},
        {"iscsi": {"targetPortal": "1.2.3.4", "iqn": "iqn.2001-04.com.example:a", "lun": 0}},
        {"fc": {"targetWWNs": ["a"], "lun": 1}},
        {"image": {"reference": "i"}},
        {"scaleIO": {"gateway": "g", "system": "s", "volumeName": "v", "secretRef": None}},
        {"downwardAPI": {"items": [{"path": "a", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    ],
)
def test_what_is_taken(volume: dict[str, Any]) -> None:
    assert errors(put(POD, "spec.volumes", [{"name": "v", **volume}])) == []


@pytest.mark.parametrize(
    "volume, expected",
    [
        (
            {"emptyDir": {}, "hostPath": {"path": "/"}},
            f"{V}.hostPath: Forbidden: may not specify more than 1 volume type",
        ),
        (
            {"emptyDir": {"sizeLimit": "-1"}},
            f"{V}.emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity",
        ),
        (
            {"hostPath": {"path": "/a/../b"}},
            f"{V}.hostPath.path: Invalid value: \"/a/../b\": must not contain '..'",
        ),
        (
            {"hostPath": {"path": "/a", "type": "Pipe"}},
            f'{V}.hostPath.type: Unsupported value: "Pipe": supported values: "", "BlockDevice", '
            '"CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
        ),
        ({"configMap": {}}, f"{V}.configMap.name: Required value"),
        (
            {"configMap": {"name": "c", "defaultMode": 0o1000}},
            f"{V}.configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 "
            "(octal), both inclusive",
        ),
        (
            {"secret": {"secretName": "s", "items": [{"key": "k", "path": "..a"}]}},
            f"{V}.secret.items[0].path: Invalid value: \"..a\": must not start with '..'",
        ),
        (
            {"nfs": {"server": "s", "path": "p"}},
            f'{V}.nfs.path: Invalid value: "p": must be an absolute path',
        ),
        (
            {"iscsi": {"targetPortal": "t", "iqn": "x", "lun": 256}},
            f'{V}.iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or '
            "naa",
        ),
        (
            {"fc": {"targetWWNs": ["a"]}},
            f"{V}.fc.lun: Required value: lun is required if targetWWNs is specified",
        ),
        (
            {"flexVolume": {"driver": "d", "options": {"kubernetes.io/x": "y"}}},
            f'{V}.flexVolume.options[kubernetes.io/x]: Invalid value: "kubernetes.io/x": '
            "kubernetes.io and k8s.io namespaces are reserved",
        ),
        (
            {"azureDisk": {"diskName": "d", "diskURI": "u", "kind": "Managed"}},
            f'{V}.azureDisk.diskURI: Unsupported value: "u": supported values: '
            '"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/'
            'disks/{disk-id}"',
        ),
        ({"image": {}}, f"{V}.image.reference: Required value"),
        (
            {"gcePersistentDisk": {"pdName": ""}},
            f"{V}.persistentDisk.pdName: Required value",
        ),
        (
            {"downwardAPI": {"items": [{"path": "a"}]}},
            f"{V}.downwardAPI: Required value: one of fieldRef and resourceFieldRef is required",
        ),
        (
            {"quobyte": {"registry": "a", "volume": "v"}},
            f'{V}.quobyte.registry: Invalid value: "a": must be a host:port pair or multiple '
            "pairs separated by commas",
        ),
        (
            {"flocker": {}},
            f"{V}.flocker: Required value: one of datasetName and datasetUUID is required",
        ),
        (
            {"ephemeral": {}},
            f"{V}.ephemeral.volumeClaimTemplate: Required value",
        ),
        (
            {"ephemeral": {"volumeClaimTemplate": {"metadata": {"name": "n"}, "spec": CLAIM}}},
            f"{V}.ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set",
        ),
    ],
)
def test_what_is_refused(volume: dict[str, Any], expected: str) -> None:
    assert expected in errors(put(POD, "spec.volumes", [{"name": "v", **volume}]))


@pytest.mark.parametrize("kind", sorted(NEEDED))
def test_what_is_needed_is_asked_for(kind: str) -> None:
    empty = {name: "" for name in NEEDED[kind]}
    shown = "persistentDisk" if kind == "gcePersistentDisk" else kind
    found = {str(error) for error in source({"name": "v", kind: empty}, "v")}
    assert {f"v.{shown}.{name}: Required value" for name in NEEDED[kind]} <= found


def test_a_volume_without_a_source_is_none() -> None:
    assert [str(error) for error in source({"name": "v"}, "v")] == [
        "v: Required value: must specify a volume type"
    ]
    assert len(ORDER) == len(set(ORDER)) and NEEDED.keys() <= set(ORDER)


def test_names_of_volumes() -> None:
    volumes = [{"name": "A"}, {"name": ""}, {"name": "v"}, {"name": "v"}]
    assert errors(put(POD, "spec.volumes", volumes)) == [
        f'{V}.name: Invalid value: "A": {LABEL_RULE}',
        "spec.volumes[1].name: Required value",
        'spec.volumes[3].name: Duplicate value: "v"',
    ]


def test_a_pod_does_not_name_a_claim_that_it_makes() -> None:
    made_by_it = {"name": "e", "ephemeral": {"volumeClaimTemplate": {"spec": CLAIM}}}
    volumes = [made_by_it, {"name": "c", "persistentVolumeClaim": {"claimName": "some-e"}}]
    assert errors(put(POD, "spec.volumes", volumes)) == [
        'spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "some-e": must not '
        "reference a PVC that gets created for an ephemeral volume"
    ]
