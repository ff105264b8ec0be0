"""Defaults of the core group's kinds, pods apart, and of storage classes."""

from collections.abc import Callable, Mapping

from argosy.api.defaults.fill import Json, fill


def _service(service: Json) -> None:
    spec = service.setdefault("spec", {})
    fill(spec, {"type": "ClusterIP", "sessionAffinity": "None"})
    for port in spec.get("ports") or ():
        fill(port, {"protocol": "TCP", "targetPort": port.get("port")})


def _claim(claim: Json) -> None:
    fill(claim.setdefault("spec", {}), {"volumeMode": "Filesystem", "storageClassName": "standard"})
    claim.setdefault("status", {}).setdefault("phase", "Pending")


def _volume(volume: Json) -> None:
    spec = volume.setdefault("spec", {})
    fill(spec, {"volumeMode": "Filesystem", "persistentVolumeReclaimPolicy": "Retain"})
    volume.setdefault("status", {}).setdefault("phase", "Pending")


def _storage_class(storage: Json) -> None:
    fill(storage, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"})


def _namespace(namespace: Json) -> None:
    namespace.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    namespace.setdefault("status", {}).setdefault("phase", "Active")
    labels = namespace["metadata"].setdefault("labels", {})
    labels["kubernetes.io/metadata.name"] = namespace["metadata"].get("name", "")


DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "Namespace": _namespace,
    "PersistentVolume": _volume,
    "PersistentVolumeClaim": _claim,
    "Service": _service,
    "StorageClass": _storage_class,
}
