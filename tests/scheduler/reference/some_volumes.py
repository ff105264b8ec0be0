"""Random claims, volumes and classes, and pods that use them.

No two claims ask for the same size and no two volumes have it, so that which volume a claim gets is
never a matter of order.
"""

from random import Random

from tests.scheduler.reference.kit import HOSTNAME, ZONE, Cluster, Object, name_of, namespace_of
from tests.scheduler.reference.some_pods import often, some

DRIVER = "csi.example.com"
_CLAIMS, _FREE = 6, 4
_MODES = ["ReadWriteOnce", "ReadWriteMany"]


def add_volumes(random: Random, cluster: Cluster, pod: Object) -> None:
    """Give the cluster storage, and its pods and this one some of it."""
    cluster["storageclasses"] = _classes(random)
    cluster["csinodes"] = [
        _csi_node(random, node) for node in cluster["nodes"] if often(random, 0.7)
    ]
    cluster["pvcs"], cluster["pvs"] = [], []
    for i in range(_CLAIMS):
        namespace = random.choice([namespace_of(pod), "default"])
        cluster["pvcs"].append(_claim(random, cluster, i, namespace))
    for i in range(random.randint(0, _FREE)):
        cluster["pvs"].append(_free_volume(random, i, cluster))
    for other in cluster["pods"]:
        if often(random, 0.45):
            other["spec"]["volumes"] = _volumes(random, cluster, other)
    if often(random, 0.65):
        pod["spec"]["volumes"] = _volumes(random, cluster, pod)
    _add_attachments(random, cluster)
    _add_capacities(random, cluster)


def _classes(random: Random) -> list[Object]:
    late, now = "WaitForFirstConsumer", "Immediate"
    classes = [("fast", DRIVER, late), ("zonal", DRIVER, late), ("now", DRIVER, now)]
    classes += [("local", "kubernetes.io/no-provisioner", late)]
    made: list[Object] = [
        {"metadata": {"name": name}, "provisioner": provisioner, "volumeBindingMode": mode}
        for name, provisioner, mode in classes
    ]
    zones = some(random, ["z1", "z2", "z3"], least=1)
    line = {"key": ZONE, "values": zones}
    made[1]["allowedTopologies"] = [{"matchLabelExpressions": [line]}]
    return made


def _add_attachments(random: Random, cluster: Cluster) -> None:
    """What is attached where, whether a pod uses it or not."""
    cluster["volumeattachments"] = [
        {
            "metadata": {"name": f"attached-{name_of(volume)}"},
            "spec": {
                "attacher": DRIVER,
                "nodeName": name_of(random.choice(cluster["nodes"])),
                "source": {"persistentVolumeName": name_of(volume)},
            },
        }
        for volume in cluster["pvs"]
        if often(random, 0.2)
    ]


def _add_capacities(random: Random, cluster: Cluster) -> None:
    """At times the driver tells how much it has in each zone."""
    cluster["csidrivers"], cluster["csistoragecapacities"] = [], []
    if often(random, 0.7):
        return
    spec = {"storageCapacity": often(random, 0.8)}
    cluster["csidrivers"].append({"metadata": {"name": DRIVER}, "spec": spec})
    for zone in some(random, ["z1", "z2", "z3"], least=1, most=3):
        capacity: Object = {
            "metadata": {"name": f"capacity-{zone}", "namespace": "default"},
            "storageClassName": random.choice(["fast", "fast", "zonal"]),
            "nodeTopology": {"matchLabels": {ZONE: zone}},
            "capacity": random.choice(["4Gi", "100Gi"]),
        }
        if often(random, 0.3):
            capacity["maximumVolumeSize"] = "6Gi"
        cluster["csistoragecapacities"].append(capacity)


def _csi_node(random: Random, node: Object) -> Object:
    driver: Object = {"name": DRIVER, "nodeID": name_of(node)}
    if often(random, 0.8):
        driver["allocatable"] = {"count": random.choice([0, 1, 1, 2, 3])}
    return {"metadata": {"name": name_of(node)}, "spec": {"drivers": [driver]}}


def _claim(random: Random, cluster: Cluster, index: int, namespace: str) -> Object:
    name = f"claim{index}"
    claim: Object = {
        "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}"},
        "spec": {
            "accessModes": [random.choice([*_MODES, "ReadWriteOncePod"])],
            "resources": {"requests": {"storage": f"{2 * index + 1}Gi"}},
            "storageClassName": random.choice(["fast", "fast", "zonal", "local", "local", "now"]),
            "volumeMode": "Filesystem",
        },
        "status": {"phase": "Pending"},
    }
    if often(random, 0.5) or (claim["spec"]["storageClassName"] == "now" and often(random, 0.7)):
        _bind(random, cluster, claim, index)
    elif often(random, 0.1):
        chosen = name_of(random.choice(cluster["nodes"]))
        claim["metadata"]["annotations"] = {"volume.kubernetes.io/selected-node": chosen}
    if often(random, 0.03):
        claim["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        claim["metadata"]["deletionGracePeriodSeconds"] = 0
    return claim


def _bind(random: Random, cluster: Cluster, claim: Object, index: int) -> None:
    volume = _volume(random, f"bound{index}", f"{2 * index + 1}Gi", cluster)
    owner = {"name": name_of(claim), "namespace": namespace_of(claim)}
    volume["spec"]["claimRef"] = {**owner, "uid": claim["metadata"]["uid"]}
    volume["spec"]["storageClassName"] = claim["spec"]["storageClassName"]
    volume["status"] = {"phase": "Bound"}
    if often(random, 0.95):
        cluster["pvs"].append(volume)
    claim["spec"]["volumeName"] = name_of(volume)
    claim["status"] = {"phase": "Lost" if often(random, 0.04) else "Bound"}
    if often(random, 0.95):
        claim["metadata"]["annotations"] = {"pv.kubernetes.io/bind-completed": "yes"}


def _free_volume(random: Random, index: int, cluster: Cluster) -> Object:
    """At times meant for one of the claims."""
    volume = _volume(random, f"free{index}", f"{3 * index + 2}Gi", cluster)
    if often(random, 0.2):
        claim = random.choice(cluster["pvcs"])
        volume["spec"]["claimRef"] = {"name": name_of(claim), "namespace": namespace_of(claim)}
    return volume


def _volume(random: Random, name: str, size: str, cluster: Cluster) -> Object:
    volume: Object = {
        "metadata": {"name": name, "uid": f"uid-{name}", "labels": {}},
        "spec": {
            "capacity": {"storage": size},
            "accessModes": _MODES,
            "storageClassName": random.choice(["local", "local", "fast"]),
            "volumeMode": "Filesystem" if often(random, 0.9) else "Block",
            "csi": {"driver": DRIVER, "volumeHandle": f"handle-{name}"},
        },
        "status": {"phase": "Available" if often(random, 0.9) else "Released"},
    }
    if often(random, 0.5):
        volume["spec"]["nodeAffinity"] = {
            "required": {"nodeSelectorTerms": [_place(random, cluster)]}
        }
    if often(random, 0.3):
        label = random.choice([ZONE, ZONE, "failure-domain.beta.kubernetes.io/zone"])
        volume["metadata"]["labels"] = {
            label: random.choice(["z1", "z2", "z1__z2", "z3__z1", "z1__"])
        }
    return volume


def _place(random: Random, cluster: Cluster) -> Object:
    if often(random, 0.5):
        zones = some(random, ["z1", "z2", "z3"], least=1)
        return {"matchExpressions": [{"key": ZONE, "operator": "In", "values": zones}]}
    node = name_of(random.choice(cluster["nodes"]))
    return {"matchExpressions": [{"key": HOSTNAME, "operator": "In", "values": [node]}]}


def _volumes(random: Random, cluster: Cluster, pod: Object) -> list[Object]:
    """Claims of the pod's namespace, rarely one that is missing, and disks named in the pod."""
    own = [name_of(c) for c in cluster["pvcs"] if namespace_of(c) == namespace_of(pod)]
    names = some(random, own, most=2) + (["missing"] if often(random, 0.03) else [])
    volumes: list[Object] = [
        {"name": f"v{i}", "persistentVolumeClaim": {"claimName": name}}
        for i, name in enumerate(names)
    ]
    if often(random, 0.4):
        volumes.append({"name": "disk", **_disk(random)})
    if often(random, 0.1):
        volumes.append({"name": "own", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}})
        _add_own_claim(random, cluster, pod)
    if often(random, 0.2):
        volumes.append({"name": "tmp", "emptyDir": {}})
    if often(random, 0.15):
        reference = random.choice(["registry/big:2", "registry/db"])
        volumes.append({"name": "data", "image": {"reference": reference}})
    return volumes


def _add_own_claim(random: Random, cluster: Cluster, pod: Object) -> None:
    """The claim of a volume that comes and goes with the pod; rarely it is not there, or another's.

    The scheduler gives up on a node with a pod whose claim is another's; only the new pod has that.
    """
    if pod["spec"].get("nodeName") is None and often(random, 0.1):
        return
    claim = _claim(random, cluster, len(cluster["pvcs"]), namespace_of(pod))
    claim["metadata"]["name"] = f"{name_of(pod)}-own"
    owned = pod["spec"].get("nodeName") is not None or often(random, 0.9)
    uid = pod["metadata"]["uid"] if owned else "another"
    owner = {"apiVersion": "v1", "kind": "Pod", "name": name_of(pod), "uid": uid}
    claim["metadata"]["ownerReferences"] = [{**owner, "controller": True}]
    cluster["pvcs"].append(claim)


def _disk(random: Random) -> Object:
    read = {"readOnly": True} if often(random, 0.5) else {}
    name = random.choice(["d1", "d1", "d2"])
    monitors = random.choice([["m1"], ["m1", "m2"], ["m3"]])
    target = {"targetPortal": "10.0.0.9", "lun": 0}
    return random.choice(
        [
            {"gcePersistentDisk": {"pdName": name, **read}},
            {"awsElasticBlockStore": {"volumeID": name, **read}},
            {"iscsi": {"iqn": f"iqn.2026-01.com.example:{name}", **target, **read}},
            {"rbd": {"monitors": monitors, "pool": "rbd", "image": name, **read}},
        ]
    )
