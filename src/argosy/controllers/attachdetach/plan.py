"""What attaching goes by: names, who may share a volume, and when one may be taken from a node.

Pure functions. Source: Kubernetes' attach-detach controller, and its volume plugin for CSI.
"""

import hashlib
from collections.abc import Iterable, Sequence

from argosy.api.core import Node, Pod
from argosy.api.storage import CSIDriver, CSISource, PersistentVolume, VolumeAttachment
from argosy.controllers.nodelifecycle.health import ready_of
from argosy.controllers.podgc import OUT_OF_SERVICE
from argosy.runtime.events import Note

PATIENCE = 360.0
"""Seconds after which a volume is taken from a node that is not ready and has it mounted still."""
FAILED = "FailedAttachVolume"
_PREFIX = "kubernetes.io/csi/"
_SHARED = frozenset({"ReadWriteMany", "ReadOnlyMany"})


def unique_name(source: CSISource) -> str:
    """What nodes call the volume."""
    return f"{_PREFIX}{source.driver}^{source.volume_handle}"


def source_of(name: str) -> CSISource | None:
    """The volume that nodes call so; None where it is none of a storage driver."""
    driver, between, handle = name.removeprefix(_PREFIX).partition("^")
    if not name.startswith(_PREFIX) or not between:
        return None
    return CSISource(driver=driver, volume_handle=handle)


def attachment_name(source: CSISource, node: str) -> str:
    """The name of the object that says that the volume is to be at the node."""
    told = f"{source.volume_handle}{source.driver}{node}"
    return f"csi-{hashlib.sha256(told.encode()).hexdigest()}"


def ours(attachment: VolumeAttachment, source: CSISource) -> bool:
    """Whether it was made here, and not by somebody else."""
    return attachment.metadata.name == attachment_name(source, attachment.spec.node_name)


def stands(attachment: VolumeAttachment) -> bool:
    """Whether the node has the volume, and nobody wants it away."""
    return attachment.status.attached and attachment.metadata.deletion_timestamp is None


def shared(volume: PersistentVolume) -> bool:
    """Whether it may be at several nodes at once."""
    modes = volume.spec.access_modes
    return not modes or not _SHARED.isdisjoint(modes)


def required(driver: CSIDriver | None) -> bool:
    """Whether the driver's volumes are attached; one that says nothing wants it."""
    return driver is None or driver.spec.attach_required


def mounted(node: Node, name: str) -> bool:
    """Whether a node that is in service has it mounted."""
    out = any(taint.key == OUT_OF_SERVICE for taint in node.spec.taints)
    return name in node.status.volumes_in_use and not out


def is_ready(node: Node) -> bool:
    """Whether the node answers, and may be waited for."""
    ready = ready_of(node)
    return ready is not None and ready.status == "True"


def has(node: Node, name: str) -> bool:
    """Whether the node was told that it has the volume."""
    return any(volume.name == name for volume in node.status.volumes_attached)


def refusal(volume: str, pod: Pod, users: Sequence[Pod]) -> Note:
    """Why the pod has to wait: `users` have the volume at another node.

    Who may see one namespace is not told of pods in others.
    """
    why = "Volume is already exclusively attached to one node and can't be attached to another"
    near = [user.metadata.name for user in users if _near(user, pod)]
    far = len(users) - len(near)
    if near:
        why = f"Volume is already used by pod(s) {', '.join(near)}"
        why += f" and {far} pod(s) in different namespaces" if far else ""
    elif far:
        why = f"Volume is already used by {far} pod(s) in different namespaces"
    return Note(FAILED, f'Multi-Attach error for volume "{volume}" {why}', "Warning")


def _near(one: Pod, other: Pod) -> bool:
    return one.metadata.namespace == other.metadata.namespace


def first(places: Iterable[tuple[str, Sequence[Pod]]]) -> list[tuple[str, Sequence[Pod]]]:
    """The nodes in the order in which their pods were made: who came first is served first."""
    return sorted(
        places,
        key=lambda place: (
            min(pod.metadata.creation_timestamp or "" for pod in place[1]),
            place[0],
        ),
    )
