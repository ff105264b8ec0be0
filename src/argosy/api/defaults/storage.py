"""Defaults of `storage.k8s.io`."""

from collections.abc import Callable, Mapping

from argosy.api.defaults.fill import Json, fill

DRIVER = {
    "attachRequired": True,
    "podInfoOnMount": False,
    "storageCapacity": False,
    "fsGroupPolicy": "ReadWriteOnceWithFSType",
    "requiresRepublish": False,
    "seLinuxMount": False,
}


def _storage_class(storage: Json) -> None:
    fill(storage, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"})


def _driver(driver: Json) -> None:
    spec = driver["spec"]
    fill(spec, DRIVER)
    spec["volumeLifecycleModes"] = spec.get("volumeLifecycleModes") or ["Persistent"]


DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "CSIDriver": _driver,
    "StorageClass": _storage_class,
}
