"""Rules of volumes: who may share one, zones, and how many a node can attach.

Volumes that a driver took over from Kubernetes' own code (migrated ones) are not counted here.
"""

from collections.abc import Iterator

from tests.scheduler.reference.kit import (
    Args,
    Cluster,
    Object,
    labels_of,
    name_of,
    named,
    namespace_of,
    placed,
    pods_on,
)

_GROUP = "topology.kubernetes.io"
_OLD = {f"failure-domain.beta.kubernetes.io/{x}": f"{_GROUP}/{x}" for x in ("zone", "region")}
_TOPOLOGY = [*_OLD, *_OLD.values()]
_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"


def volumes_of(pod: Object) -> list[Object]:
    volumes: list[Object] = pod["spec"].get("volumes") or []
    return volumes


def named_claims(pod: Object) -> list[str]:
    """Of volumes that name a claim."""
    return [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in volumes_of(pod)
        if volume.get("persistentVolumeClaim") is not None
    ]


def all_claims(pod: Object) -> Iterator[tuple[str, bool]]:
    """Those, and those made for one pod; of each, whether it is of the latter kind."""
    for volume in volumes_of(pod):
        if volume.get("persistentVolumeClaim") is not None:
            yield volume["persistentVolumeClaim"]["claimName"], False
        elif volume.get("ephemeral") is not None:
            yield f"{name_of(pod)}-{volume['name']}", True


def made_for(claim: Object, pod: Object) -> bool:
    """Is the pod the claim's controller?"""
    return any(
        owner.get("controller") and owner["uid"] == pod["metadata"].get("uid")
        for owner in claim["metadata"].get("ownerReferences") or []
    )


def class_of(claim_or_volume: Object) -> str:
    annotations = claim_or_volume["metadata"].get("annotations") or {}
    name: str = (
        annotations.get(_BETA_CLASS) or claim_or_volume["spec"].get("storageClassName") or ""
    )
    return name


def may_share(cluster: Cluster, pod: Object, node: Object, args: Args) -> bool:
    """VolumeRestrictions: disks that only one may write, and claims that only one pod may use."""
    for name in named_claims(pod):
        claim = named(cluster, "pvcs", name, namespace_of(pod))
        if claim is None:
            return False
        alone = "ReadWriteOncePod" in (claim["spec"].get("accessModes") or [])
        if alone and any(
            namespace_of(other) == namespace_of(pod) and name in named_claims(other)
            for other, _ in placed(cluster)
        ):
            return False
    return not any(
        _conflict(mine, theirs)
        for mine in volumes_of(pod)
        for other in pods_on(cluster, name_of(node))
        for theirs in volumes_of(other)
    )


def _conflict(one: Object, other: Object) -> bool:
    """The same disk, written by one of them; of Amazon's, the same disk."""
    kinds = ("gcePersistentDisk", "awsElasticBlockStore", "iscsi", "rbd")
    for kind in kinds:
        mine, theirs = one.get(kind), other.get(kind)
        if mine is None or theirs is None or not _same_disk(kind, mine, theirs):
            continue
        reading = mine.get("readOnly", False) and theirs.get("readOnly", False)
        if kind == "awsElasticBlockStore" or not reading:
            return True
    return False


def _same_disk(kind: str, one: Object, other: Object) -> bool:
    fields = {
        "gcePersistentDisk": ["pdName"],
        "awsElasticBlockStore": ["volumeID"],
        "iscsi": ["iqn"],
        "rbd": ["pool", "image"],
    }[kind]
    if any(one.get(field) != other.get(field) for field in fields):
        return False
    return kind != "rbd" or bool(set(one["monitors"]) & set(other["monitors"]))


def in_zone(cluster: Cluster, pod: Object, node: Object, args: Args) -> bool:
    """VolumeZone: a volume's zone and region labels, where the node has any."""
    wanted: list[tuple[str, set[str]]] = []
    for name in named_claims(pod):
        claim = named(cluster, "pvcs", name, namespace_of(pod))
        if claim is None:
            return False
        if not claim["spec"].get("volumeName"):
            found = named(cluster, "storageclasses", class_of(claim))
            if found is None or found.get("volumeBindingMode") != "WaitForFirstConsumer":
                return False
            continue
        volume = named(cluster, "pvs", claim["spec"]["volumeName"])
        if volume is None:
            return False
        wanted += _places_of(volume)
    labels = labels_of(node)
    if not any(key in labels for key in _TOPOLOGY):
        return True
    return all(labels.get(key, labels.get(_OLD.get(key, key))) in values for key, values in wanted)


def _places_of(volume: Object) -> list[tuple[str, set[str]]]:
    """Several zones stand in one label, between two underscores; a malformed one says nothing."""
    places = []
    for key in _TOPOLOGY:
        if key in labels_of(volume):
            values = [value.strip() for value in labels_of(volume)[key].split("__")]
            if all(values):
                places.append((key, set(values)))
    return places


def attachable(cluster: Cluster, pod: Object, node: Object, args: Args) -> bool:
    """NodeVolumeLimits: each driver attaches as many volumes to a node as it says."""
    wanted: set[tuple[str, str]] = set()
    for name, ephemeral in all_claims(pod):
        claim = named(cluster, "pvcs", name, namespace_of(pod))
        if claim is None or (ephemeral and not made_for(claim, pod)):
            return False
        wanted |= _attachment(cluster, claim)
    limits = _limits_of(cluster, node)
    if not wanted or not limits:
        return True
    used: set[tuple[str, str]] = set()
    for other in pods_on(cluster, name_of(node)):
        for name, _ in all_claims(other):
            claim = named(cluster, "pvcs", name, namespace_of(other))
            used |= _attachment(cluster, claim) if claim else set()
    new = wanted - used
    attached = used | _still_attached(cluster, node)
    return all(
        _of(driver, attached) + _of(driver, new) <= limits[driver]
        for driver in {driver for driver, _ in new}
        if driver in limits
    )


def _of(driver: str, volumes: set[tuple[str, str]]) -> int:
    return sum(each == driver for each, _ in volumes)


def _limits_of(cluster: Cluster, node: Object) -> dict[str, int]:
    found = named(cluster, "csinodes", name_of(node))
    drivers = found["spec"].get("drivers") or [] if found else []
    return {
        driver["name"]: driver["allocatable"]["count"]
        for driver in drivers
        if (driver.get("allocatable") or {}).get("count") is not None
    }


def _attachment(cluster: Cluster, claim: Object) -> set[tuple[str, str]]:
    """The driver and the volume of a claim; while it has none, one that its class will give."""
    volume = named(cluster, "pvs", claim["spec"].get("volumeName") or "")
    if volume is not None:
        source = volume["spec"].get("csi")
        return {(source["driver"], source["volumeHandle"])} if source else set()
    found = named(cluster, "storageclasses", class_of(claim))
    if found is None or not found.get("provisioner"):
        return set()
    return {(found["provisioner"], f"new {namespace_of(claim)}/{name_of(claim)}")}


def _still_attached(cluster: Cluster, node: Object) -> set[tuple[str, str]]:
    """Also what no pod uses any more."""
    attached = set()
    for each in cluster.get("volumeattachments", []):
        spec = each["spec"]
        volume = named(cluster, "pvs", spec["source"].get("persistentVolumeName") or "")
        if spec["nodeName"] == name_of(node) and volume and volume["spec"].get("csi"):
            attached.add((spec["attacher"], volume["spec"]["csi"]["volumeHandle"]))
    return attached
