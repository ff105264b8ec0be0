"""Short ways to write claims, volumes and classes, and a scheduler's state of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from argosy.api.core import Pod
from argosy.api.meta import Object, View
from argosy.api.storage import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from argosy.api.volumebinding import BIND_COMPLETED, SELECTED_NODE, WAIT
from argosy.scheduler.occupants import occupant_of
from argosy.scheduler.state import State
from tests.scheduler.builders import node, pod

Json = dict[str, Any]
T = TypeVar("T", bound=View)
HOST = "kubernetes.io/hostname"
DRIVER = "csi.example.com"


def near(*values: str, key: str = HOST) -> Json:
    """A volume's node affinity: one of these values of a label."""
    line = {"key": key, "operator": "In", "values": list(values)}
    return {"required": {"nodeSelectorTerms": [{"matchExpressions": [line]}]}}


def claim_body(
    name: str = "c",
    size: str = "1Gi",
    *,
    storage: str = "local",
    on: str = "",
    selected: str = "",
    phase: str = "",
    meta: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Json:
    """A claim; one that is bound `on` a volume, or waits for one made for the `selected` node."""
    notes = {BIND_COMPLETED: "yes"} if on else {}
    if selected:
        notes[SELECTED_NODE] = selected
    about = {"name": name, "namespace": "default", "uid": f"uid-{name}", "annotations": notes}
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    return {
        "metadata": {**about, "resourceVersion": "1", **(meta or {})},
        "spec": {
            **asked,
            "storageClassName": storage,
            **({"volumeName": on} if on else {}),
            **spec,
        },
        "status": {"phase": phase or ("Bound" if on else "Pending")},
    }


def claim(name: str = "c", size: str = "1Gi", **more: Any) -> PersistentVolumeClaim:
    """Such a claim."""
    return decoded(claim_body(name, size, **more), PersistentVolumeClaim)


def volume_body(
    name: str = "v",
    size: str = "1Gi",
    *,
    at: Sequence[str] = (),
    storage: str = "local",
    phase: str = "Available",
    owner: str = "",
    labels: Mapping[str, str] | None = None,
    meta: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Json:
    """A volume that can be had `at` some nodes (or all), kept for the claim that is its `owner`."""
    if at:
        spec = {"nodeAffinity": near(*at), **spec}
    if owner:
        spec = {"claimRef": {"namespace": "default", "name": owner}, **spec}
    about = {"name": name, "labels": dict(labels or {}), "resourceVersion": "1", **(meta or {})}
    offered = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}}
    return {
        "metadata": about,
        "spec": {**offered, "storageClassName": storage, **spec},
        "status": {"phase": phase},
    }


def volume(name: str = "v", size: str = "1Gi", **more: Any) -> PersistentVolume:
    """Such a volume."""
    return decoded(volume_body(name, size, **more), PersistentVolume)


def storage(
    name: str = "local", provisioner: str = "", mode: str = WAIT, **more: Any
) -> StorageClass:
    """A class whose claims wait for a pod, without a provisioner, unless told otherwise."""
    made_by = provisioner or "kubernetes.io/no-provisioner"
    body = {"metadata": {"name": name}, "provisioner": made_by, "volumeBindingMode": mode}
    return decoded({**body, **more}, StorageClass)


def csi(handle: str) -> Json:
    """A volume's source."""
    return {"csi": {"driver": DRIVER, "volumeHandle": handle}}


def csi_node(name: str, count: int | None, driver: str = DRIVER) -> CSINode:
    """How many volumes of the driver the node can have."""
    allocatable = {} if count is None else {"allocatable": {"count": count}}
    body = {"metadata": {"name": name}, "spec": {"drivers": [{"name": driver, **allocatable}]}}
    return decoded(body, CSINode)


def capacity(
    name: str, zone: str, size: str, *, storage: str = "made", **more: Any
) -> CSIStorageCapacity:
    """So much is left of a class for the nodes of a zone."""
    topology = {"matchLabels": {"zone": zone}}
    about = {"name": name, "namespace": "default"}
    body = {"metadata": about, "storageClassName": storage, "nodeTopology": topology}
    return decoded({**body, "capacity": size, **more}, CSIStorageCapacity)


def driver(capacity: bool = True, name: str = DRIVER) -> CSIDriver:
    """A driver that publishes what is left, or doesn't."""
    body = {"metadata": {"name": name}, "spec": {"storageCapacity": capacity}}
    return decoded(body, CSIDriver)


def attachment(volume: str, node: str) -> VolumeAttachment:
    """The volume is attached to the node."""
    spec = {"attacher": DRIVER, "nodeName": node, "source": {"persistentVolumeName": volume}}
    return decoded({"metadata": {"name": f"{volume}-{node}"}, "spec": spec}, VolumeAttachment)


def user(name: str, *claims: str, node: str = "", **more: Any) -> Pod:
    """A pod with these claims."""
    mounted = [
        {"name": f"v{i}", "persistentVolumeClaim": {"claimName": claim}}
        for i, claim in enumerate(claims)
    ]
    return pod(name, node=node, spec={"volumes": mounted}, **more)


def decoded(body: Json, kind: type[T]) -> T:
    """As it comes from a server."""
    return msgspec.json.decode(msgspec.json.encode(body), type=kind)


def state_of(*objects: Object, nodes: int | Sequence[Any] = 3) -> State:
    """A state with these objects; `nodes` n1, n2, … have their names as hostnames."""
    made = [host(f"n{i + 1}") for i in range(nodes)] if isinstance(nodes, int) else nodes
    state = State()
    for each in made:
        state.nodes.put_node(each)
    for obj in objects:
        put(state, None, obj)
    return state


def host(name: str, **labels: str) -> Any:
    """A node that has its name as hostname."""
    return node(name, labels={HOST: name, **labels})


def put(state: State, old: Any, new: Any) -> bool:
    """Tell the state of a change; whether it may help a pod."""
    volumes = state.volumes
    puts: dict[type[Any], Callable[[Any, Any], bool]] = {
        StorageClass: volumes.put_class,
        CSIDriver: volumes.put_driver,
        CSINode: volumes.limits.put_node,
        CSIStorageCapacity: volumes.room.put,
        VolumeAttachment: volumes.limits.put_attachment,
        PersistentVolume: volumes.put_volume,
        PersistentVolumeClaim: volumes.put_claim,
    }
    seen = new if new is not None else old
    if isinstance(seen, Pod):
        state.nodes.put_pod(seen.spec.node_name, occupant_of(seen))
        return False
    return bool(puts[type(seen)](old, new))


_FED: tuple[tuple[str, type[Object]], ...] = (
    ("storageclasses", StorageClass),
    ("csidrivers", CSIDriver),
    ("csinodes", CSINode),
    ("csistoragecapacities", CSIStorageCapacity),
    ("volumeattachments", VolumeAttachment),
    ("pvs", PersistentVolume),
    ("pvcs", PersistentVolumeClaim),
)


def put_volumes(state: State, cluster: Mapping[str, Sequence[Json]]) -> None:
    """Tell the state of all that a reference cluster has of volumes."""
    for plural, kind in _FED:
        for body in cluster[plural]:
            put(state, None, decoded(body, kind))


def names(state: State, mask: Any) -> list[str]:
    """The nodes of a survey's mask; None stands for all."""
    rows = state.nodes.row_of
    return sorted(name for name, row in rows.items() if mask is None or mask[row])
