"""Volumes of every kind, in pods and as persistent volumes.

Most kinds have only fields that must not be empty: those are in `NEEDED`. The others have a check
in `CHECKS` as well. Where a path in an error differs from the field's name, it does so upstream.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from argosy.api import names
from argosy.api.validation import projections, values
from argosy.api.validation.claims import claim_template
from argosy.api.validation.formats import driver
from argosy.api.validation.rule import Errors, Json, one_of
from argosy.base import quantity
from argosy.base.errors import (
    duplicate,
    forbidden_field,
    invalid_value,
    required,
)

NEEDED: Mapping[str, tuple[str, ...]] = {
    "awsElasticBlockStore": ("volumeID",),
    "azureDisk": ("diskName", "diskURI"),
    "azureFile": ("secretName", "shareName"),
    "cephfs": ("monitors",),
    "cinder": ("volumeID",),
    "configMap": ("name",),
    "csi": ("driver",),
    "ephemeral": ("volumeClaimTemplate",),
    "flexVolume": ("driver",),
    "gcePersistentDisk": ("pdName",),
    "gitRepo": ("repository",),
    "glusterfs": ("endpoints", "path"),
    "hostPath": ("path",),
    "iscsi": ("targetPortal", "iqn"),
    "local": ("path",),
    "nfs": ("server", "path"),
    "persistentVolumeClaim": ("claimName",),
    "photonPersistentDisk": ("pdID",),
    "portworxVolume": ("volumeID",),
    "rbd": ("monitors", "image"),
    "scaleIO": ("gateway", "system", "volumeName"),
    "secret": ("secretName",),
    "storageos": ("volumeName",),
    "vsphereVolume": ("volumePath",),
}
ORDER = (
    "emptyDir hostPath gitRepo gcePersistentDisk awsElasticBlockStore secret nfs iscsi glusterfs "
    "flocker persistentVolumeClaim rbd cinder cephfs quobyte downwardAPI fc flexVolume configMap "
    "azureFile vsphereVolume photonPersistentDisk portworxVolume azureDisk storageos projected "
    "scaleIO local csi ephemeral image"
).split()
"""The first of a volume's sources in this order counts; the others are too many."""
SHOWN = {"gcePersistentDisk": "persistentDisk"}
SECOND = {"cephfs": "cephFS", "downwardAPI": "downwarAPI"}
TOO_MANY = "may not specify more than 1 volume type"
HOST_PATH_TYPES = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
INITIATORS: Mapping[str, re.Pattern[str]] = {
    "iqn": re.compile(r"iqn\.\d{4}-\d{2}\.([A-Za-z0-9.-]+)(:[^,;*&$|\s]+)$"),
    "eui": re.compile(r"^eui.[A-Za-z0-9]{16}$"),
    "naa": re.compile(r"^naa.[A-Za-z0-9]{32}$"),
}


def volumes(items: Sequence[Json], path: str, pod: str) -> Errors:
    """`volumes` of a pod called `pod`; of a template that is ''."""
    seen: set[str] = set()
    created = {f"{pod}-{item['name']}" for item in items if pod and "ephemeral" in item}
    for i, volume in enumerate(items):
        field, name = f"{path}[{i}]", volume["name"]
        yield from source(volume, field)
        if "ephemeral" in volume and pod and name:
            claim = f"{pod}-{name}"
            for fault in names.subdomain_faults(claim):
                yield invalid_value(f"{field}.name", name, f'PVC name "{claim}": {fault}')
        if not name:
            yield required(f"{field}.name")
        else:
            yield from names.label(name, f"{field}.name")
        if name in seen:
            yield duplicate(f"{field}.name", name)
        seen.add(name)
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName", "")
        if claim in created:
            detail = "must not reference a PVC that gets created for an ephemeral volume"
            yield invalid_value(f"{field}.persistentVolumeClaim.claimName", claim, detail)


def source(volume: Json, path: str) -> Errors:
    """Exactly one source, and that one sound."""
    found = [name for name in ORDER if name in volume]
    if not found:
        yield required(path, "must specify a volume type")
        return
    first, *others = found
    field = f"{path}.{SHOWN.get(first, first)}"
    yield from values.present(field, volume[first], *NEEDED.get(first, ()))
    if first in CHECKS:
        yield from CHECKS[first](volume[first], field)
    for name in others:
        yield forbidden_field(f"{path}.{SECOND.get(name, name)}", TOO_MANY)


def _empty_dir(volume: Json, path: str) -> Errors:
    if quantity.parse(volume.get("sizeLimit", 0)) < 0:
        detail = "SizeLimit field must be a valid resource quantity"
        yield forbidden_field(f"{path}.sizeLimit", detail)


def _host_path(volume: Json, path: str) -> Errors:
    yield from values.no_backsteps(f"{path}.path", volume["path"])
    yield from one_of(f"{path}.type", volume.get("type"), HOST_PATH_TYPES)


def _local(volume: Json, path: str) -> Errors:
    yield from values.no_backsteps(f"{path}.path", volume["path"])


def _git(volume: Json, path: str) -> Errors:
    yield from values.descending(f"{path}.directory", volume.get("directory") or "")


def _disk(volume: Json, path: str) -> Errors:
    if not 0 <= volume.get("partition", 0) <= 255:
        detail = "must be between 1 and 255, inclusive"
        yield invalid_value(f"{path}.partition", volume["partition"], detail)


def _keys(volume: Json, path: str) -> Errors:
    yield from values.file_mode(f"{path}.defaultMode", volume.get("defaultMode"))
    for i, item in enumerate(volume.get("items") or ()):
        yield from projections.key_to_path(item, f"{path}.items[{i}]")


def _nfs(volume: Json, path: str) -> Errors:
    if not volume["path"].startswith("/"):
        yield invalid_value(f"{path}.path", volume["path"], "must be an absolute path")


def _iscsi(volume: Json, path: str) -> Errors:
    if volume["iqn"]:
        yield from _initiator(volume["iqn"], f"{path}.iqn")
    if not 0 <= volume.get("lun", 0) <= 255:
        detail = "must be between 0 and 255, inclusive"
        yield invalid_value(f"{path}.lun", volume["lun"], detail)
    chap = volume.get("chapAuthDiscovery") or volume.get("chapAuthSession")
    if chap and "secretRef" not in volume:
        yield required(f"{path}.secretRef")
    if "initiatorName" in volume:
        yield from _initiator(volume["initiatorName"], f"{path}.initiatorname")


def _initiator(name: str, path: str) -> Errors:
    pattern = INITIATORS.get(name[:3])
    if pattern is None:
        yield invalid_value(path, name, "must be valid format starting with iqn, eui, or naa")
    elif not pattern.search(name):
        yield invalid_value(path, name, "must be valid format")


def _flocker(volume: Json, path: str) -> Errors:
    name, uid = volume.get("datasetName"), volume.get("datasetUUID")
    if not name and not uid:
        yield required(path, "one of datasetName and datasetUUID is required")
    if name and uid:
        detail = "datasetName and datasetUUID can not be specified simultaneously"
        yield invalid_value(path, "resource", detail)
    if "/" in (name or ""):
        yield invalid_value(f"{path}.datasetName", name, "must not contain '/'")


def _quobyte(volume: Json, path: str) -> Errors:
    pairs = "must be a host:port pair or multiple pairs separated by commas"
    if not volume["registry"]:
        yield required(f"{path}.registry", pairs)
    elif len(volume.get("tenant") or "") > 64:
        detail = "must be a UUID and may not exceed a length of 64 characters"
        yield required(f"{path}.tenant", detail)
    else:
        for pair in volume["registry"].split(","):
            if pair.count(":") != 1:
                yield invalid_value(f"{path}.registry", volume["registry"], pairs)
    yield from values.present(path, volume, "volume")


def _fc(volume: Json, path: str) -> Errors:
    wwns, wwids = volume.get("targetWWNs"), volume.get("wwids")
    if not wwns and not wwids:
        detail = "must specify either targetWWNs or wwids, but not both"
        yield required(f"{path}.targetWWNs", detail)
    if wwns and wwids:
        detail = "targetWWNs and wwids can not be specified simultaneously"
        yield invalid_value(f"{path}.targetWWNs", wwns, detail)
    if wwns and "lun" not in volume:
        yield required(f"{path}.lun", "lun is required if targetWWNs is specified")
    elif wwns and not 0 <= volume["lun"] <= 255:
        detail = "must be between 0 and 255, inclusive"
        yield invalid_value(f"{path}.lun", volume["lun"], detail)


def _flex(volume: Json, path: str) -> Errors:
    for key in volume.get("options") or ():
        domain = f".{key.partition('/')[0].lower()}"
        if domain.endswith((".kubernetes.io", ".k8s.io")):
            detail = "kubernetes.io and k8s.io namespaces are reserved"
            yield invalid_value(f"{path}.options[{key}]", key, detail)


def _azure_disk(volume: Json, path: str) -> Errors:
    modes = ("None", "ReadOnly", "ReadWrite")
    yield from one_of(f"{path}.cachingMode", volume.get("cachingMode"), modes)
    kind, uri = volume.get("kind"), volume["diskURI"]
    yield from one_of(f"{path}.kind", kind, ("Dedicated", "Managed", "Shared"))
    if kind == "Managed" and not uri.startswith("/subscriptions/"):
        managed = (
            "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/"
            "disks/{disk-id}"
        )
        yield from one_of(f"{path}.diskURI", uri, (managed,))
    elif kind not in (None, "Managed") and not uri.startswith("https://"):
        blob = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
        yield from one_of(f"{path}.diskURI", uri, (blob,))


def _storage_os(volume: Json, path: str) -> Errors:
    for name in ("volumeName", "volumeNamespace"):
        if volume.get(name):
            yield from names.label(volume[name], f"{path}.{name}")
    yield from _secret_name(volume, path)


def _secret_name(volume: Json, path: str) -> Errors:
    if "secretRef" in volume:
        yield from values.present(f"{path}.secretRef", volume["secretRef"], "name")


def _csi(volume: Json, path: str) -> Errors:
    if volume["driver"]:
        yield from driver(volume["driver"], f"{path}.driver")
    secret = volume.get("nodePublishSecretRef")
    if secret is not None and not secret.get("name"):
        yield required(f"{path}.nodePublishSecretRef.name")
    elif secret is not None:
        yield from names.subdomain(secret["name"], f"{path}.name")


def _downward(volume: Json, path: str) -> Errors:
    yield from values.file_mode(f"{path}.defaultMode", volume.get("defaultMode"))
    for item in volume.get("items") or ():
        yield from projections.downward_file(item, path)


def _ephemeral(volume: Json, path: str) -> Errors:
    if volume.get("volumeClaimTemplate"):
        yield from claim_template(volume["volumeClaimTemplate"], f"{path}.volumeClaimTemplate")


def _image(volume: Json, path: str) -> Errors:
    if not volume.get("reference"):
        yield required(f"{path}.reference")
    policies = ("Always", "IfNotPresent", "Never")
    yield from one_of(f"{path}.pullPolicy", volume.get("pullPolicy"), policies)


CHECKS: Mapping[str, Callable[[Json, str], Errors]] = {
    "awsElasticBlockStore": _disk,
    "azureDisk": _azure_disk,
    "cinder": _secret_name,
    "configMap": _keys,
    "csi": _csi,
    "downwardAPI": _downward,
    "emptyDir": _empty_dir,
    "ephemeral": _ephemeral,
    "fc": _fc,
    "flexVolume": _flex,
    "flocker": _flocker,
    "gcePersistentDisk": _disk,
    "gitRepo": _git,
    "hostPath": _host_path,
    "image": _image,
    "iscsi": _iscsi,
    "local": _local,
    "nfs": _nfs,
    "projected": projections.projected,
    "quobyte": _quobyte,
    "secret": _keys,
    "storageos": _storage_os,
}
