"""StorageObjectInUseProtection and PodGroupProtection: what is in use does not go.

A finalizer holds it from its creation on; a controller takes that off once the object is being
deleted and nobody uses it any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from argosy.apiserver.admission.rule import Attributes


@dataclass(frozen=True, slots=True)
class Protection:
    """A kind's finalizer; it is given while the feature `gate` is open, where there is one."""

    finalizer: str
    gate: str = ""

    def __call__(self, attributes: Attributes) -> None:
        """Hold a new object."""
        gates = attributes.target.served.gates
        if self.gate and gates is not None and not gates.open(self.gate):
            return
        meta = attributes.new["metadata"]
        known = meta.get("finalizers") or []
        if self.finalizer not in known:
            meta["finalizers"] = [*known, self.finalizer]


STORAGE: Mapping[str, Protection] = {
    "persistentvolumes": Protection("kubernetes.io/pv-protection"),
    "persistentvolumeclaims": Protection("kubernetes.io/pvc-protection"),
    "volumeattributesclasses.storage.k8s.io": Protection(
        "kubernetes.io/vac-protection", "VolumeAttributesClass"
    ),
}
POD_GROUPS = Protection("scheduling.k8s.io/podgroup-protection", "GenericWorkload")
