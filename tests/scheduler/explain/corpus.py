"""Causes to put into a cluster in which a pod would fit: each case knows why the pod is pending."""

from collections.abc import Callable

import msgspec

from argosy.api.core import Node, Pod
from argosy.api.meta import Object
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from argosy.scheduler.explain.snapshot import snapshot_of
from tests.scheduler.builders import claim, group, node, pod, resource_slice
from tests.scheduler.explain.ground import (
    CORDONED,
    GPU,
    HOST,
    NAME,
    ZONE,
    Case,
    Ground,
    ground,
    near,
    node_with,
    with_spec,
)


def hogs(base: Ground, resource: str, amount: Callable[[Node], str], priority: int = 0) -> Case:
    """Every fitting node is filled with one more pod."""
    added = [
        pod(
            f"hog-{one.metadata.name}",
            requests={resource: amount(one)},
            node=one.metadata.name,
            spec={"priority": priority},
        )
        for one in base.fitting
    ]
    return base.case("NodeResourcesFit", *added, word=resource)


def cpu_full(seed: int) -> Case:
    base = ground(seed)
    return hogs(base, "cpu", lambda one: f"{int(one.status.allocatable['cpu']) * 1000 - 400}m")


def memory_full(seed: int) -> Case:
    return hogs(ground(seed), "memory", lambda one: str(one.status.allocatable["memory"]))


def gpus_full(seed: int) -> Case:
    base = ground(seed, gpus=2)
    return hogs(base, GPU, lambda one: str(int(one.status.allocatable[GPU]) - 1))


def held_by_dearer_pods(seed: int) -> Case:
    base = ground(seed)
    return hogs(base, "cpu", lambda one: str(one.status.allocatable["cpu"]), priority=1000)


def pods_full(seed: int) -> Case:
    base = ground(seed)
    names = [one.metadata.name for one in base.fitting]
    added = [pod(f"one-{name}", node=name) for name in names]

    def full(one: Node) -> Node:
        used = sum(
            isinstance(item, Pod) and item.spec.node_name == one.metadata.name
            for item in (*base.objects, *added)
        )
        status = msgspec.structs.replace(
            one.status, allocatable={**one.status.allocatable, "pods": str(used)}
        )
        return msgspec.structs.replace(one, status=status)

    return base.case("NodeResourcesFit", *added, word="pod", nodes=full)


def too_large(seed: int) -> Case:
    base = ground(seed)
    large = pod(NAME, requests={"cpu": "100", "memory": "1Gi"})
    return base.case("NodeResourcesFit", instead=large, word="Too large")


def unheard_of_resource(seed: int) -> Case:
    base = ground(seed)
    asking = pod(NAME, requests={"cpu": "1", "example.com/tpu": "1"})
    return base.case("NodeResourcesFit", instead=asking, word="example.com/tpu")


def tainted(seed: int) -> Case:
    base = ground(seed)
    taint = {
        "key": "dedicated",
        "value": "ml",
        "effect": base.random.choice(("NoSchedule", "NoExecute")),
    }
    return base.case(
        "TaintToleration", word="dedicated", nodes=lambda one: node_with(one, taints=[taint])
    )


def cordoned(seed: int) -> Case:
    base = ground(seed)
    told = base.random.random() < 0.5  # the controller may have added its taint, or not yet
    spec = {"unschedulable": True, "taints": [CORDONED] if told else []}
    return base.case("NodeUnschedulable", word="ordoned", nodes=lambda one: node_with(one, **spec))


def selector(seed: int) -> Case:
    base = ground(seed)
    wanting = with_spec(base.pod, nodeSelector={"pool": "nowhere"})
    return base.case("NodeSelector|NodeAffinity", instead=wanting, word="pool=nowhere")


def node_affinity(seed: int) -> Case:
    base = ground(seed)
    term = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    wanting = with_spec(base.pod, affinity={"nodeAffinity": required})
    return base.case("NodeAffinity", instead=wanting, word="affinity")


def pinned(seed: int) -> Case:
    base = ground(seed)
    field = {"key": "metadata.name", "operator": "In", "values": ["gone"]}
    terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": terms}
    wanting = with_spec(base.pod, affinity={"nodeAffinity": required})
    return base.case("NodeNameAffinity|NodeAffinity", instead=wanting)


def gated(seed: int) -> Case:
    base = ground(seed)
    wanting = with_spec(base.pod, schedulingGates=[{"name": "example.com/quota"}])
    return base.case("SchedulingGated", instead=wanting, word="example.com/quota")


def unserved(seed: int) -> Case:
    base = ground(seed)
    wanting = with_spec(base.pod, schedulerName="volcano")
    return base.case("NoScheduler", instead=wanting, word="volcano")


def no_nodes(seed: int) -> Case:
    wanted = ground(seed).pod
    return Case(snapshot_of((wanted,)), wanted, ("NoNodes",), "no nodes")


def groupless(seed: int) -> Case:
    base = ground(seed)
    wanting = with_spec(base.pod, schedulingGroup={"podGroupName": "team"})
    return base.case("GangIncomplete", instead=wanting, word="does not exist")


def gang_incomplete(seed: int) -> Case:
    base = ground(seed)
    wanting = with_spec(base.pod, schedulingGroup={"podGroupName": "team"})
    least = base.random.randint(2, 9)
    return base.case("GangIncomplete", group("team", least), instead=wanting, word=f"1 of {least}")


def gang_too_large(seed: int) -> Case:
    """Each of its pods fits, but not all of them."""
    base = ground(seed)
    requests = {"cpu": "4"}
    fit = sum(int(one.status.allocatable["cpu"]) // 4 for one in base.fitting) + 1
    wanted, *others = (
        pod(NAME if not number else f"other-{number}", requests=requests, gang="team")
        for number in range(fit)
    )
    return base.case("NodeResourcesFit", group("team", fit), *others, instead=wanted, word="cpu")


def claimless(seed: int) -> Case:
    base = ground(seed)
    slices = [resource_slice([{"name": "d"}], node=one.metadata.name) for one in base.fitting]
    wanting = pod(NAME, requests={"cpu": "500m"}, claims={"gpu": "mine"})
    return base.case("DynamicResources", *slices, instead=wanting, word="not found")


def devices_taken(seed: int) -> Case:
    base = ground(seed)
    added: list[Object] = [claim("mine")]
    for one in base.fitting:
        name = one.metadata.name
        added.append(resource_slice([{"name": "d"}], node=name))
        added.append(pod(f"user-{name}", claims={"gpu": f"of-{name}"}, node=name))
        result = {"request": "r", "driver": "gpu.argosy.dev", "pool": name, "device": "d"}
        user = {"resource": "pods", "name": f"user-{name}", "uid": f"uid-user-{name}"}
        status = {"allocation": {"devices": {"results": [result]}}, "reservedFor": [user]}
        added.append(claim(f"of-{name}", status=status))
    wanting = pod(NAME, requests={"cpu": "500m"}, claims={"gpu": "mine"})
    return base.case("DynamicResources", *added, instead=wanting, word="in use")


def no_such_device(seed: int) -> Case:
    base = ground(seed)
    slices = [
        resource_slice([{"name": "d"}], node=one.metadata.name, driver="fpga.example.com")
        for one in base.fitting
    ]
    wanting = pod(NAME, requests={"cpu": "500m"}, claims={"gpu": "mine"})
    return base.case(
        "DynamicResources", claim("mine"), *slices, instead=wanting, word="No node has devices"
    )


def apart(seed: int) -> Case:
    base = ground(seed)
    holders = [
        pod(f"web-{one.metadata.name}", node=one.metadata.name, metadata={"labels": {"app": "web"}})
        for one in base.fitting
    ]
    wanting = with_spec(base.pod, affinity={"podAntiAffinity": near("web")})
    return base.case("InterPodAffinity", *holders, instead=wanting, word="anti-affinity")


def together(seed: int) -> Case:
    base = ground(seed)
    wanting = with_spec(base.pod, affinity={"podAffinity": near("nobody")})
    return base.case("InterPodAffinity", instead=wanting, word="affinity")


def spread(seed: int) -> Case:
    """The zone with fewest of them has only a node that is too small."""
    base = ground(seed)
    far = node("far", allocatable={"cpu": "100m"}, labels={HOST: "far", ZONE: "zone-far"})
    labels = {"labels": {"app": "web"}}
    there = [
        pod(f"web-{one.metadata.name}", node=one.metadata.name, metadata=labels)
        for one in base.fitting
    ]
    constraint = {
        "maxSkew": 1,
        "topologyKey": ZONE,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    wanting = with_spec(base.pod, labels={"app": "web"}, topologySpreadConstraints=[constraint])
    return base.case("PodTopologySpread", far, *there, instead=wanting, word="spread")


def ports_taken(seed: int) -> Case:
    """Each fitting node has a pod on the host port."""
    base = ground(seed)
    body = {
        "name": "c",
        "ports": [{"containerPort": 80, "hostPort": 8080}],
        "resources": {"requests": {"cpu": "500m"}},
    }
    names = [one.metadata.name for one in base.fitting]
    there = [pod(f"web-{name}", node=name, spec={"containers": [body]}) for name in names]
    wanting = pod(NAME, spec={"containers": [body]})
    return base.case("NodePorts", *there, instead=wanting, word="port")


def no_volume_claim(seed: int) -> Case:
    base = ground(seed)
    late = {"provisioner": "p", "volumeBindingMode": "WaitForFirstConsumer"}
    known = msgspec.convert({"metadata": {"name": "late"}, **late}, StorageClass)
    reasons = "VolumeBinding|VolumeRestrictions"
    return base.case(reasons, known, instead=_mounting(base.pod), word="not found")


def unbound_claim(seed: int) -> Case:
    base = ground(seed)
    fast = msgspec.convert(
        {"metadata": {"name": "fast"}, "provisioner": "p", "volumeBindingMode": "Immediate"},
        StorageClass,
    )
    return base.case(
        "VolumeBinding",
        fast,
        _volume_claim("fast", ""),
        instead=_mounting(base.pod),
        word="unbound",
    )


def volume_elsewhere(seed: int) -> Case:
    """The claim's volume is in a zone that has no node."""
    base = ground(seed)
    term = {"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["zone-moon"]}]}
    volume = msgspec.convert(
        {
            "metadata": {"name": "vol", "uid": "uid-vol"},
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
                "claimRef": {"namespace": "default", "name": "data", "uid": "uid-data"},
            },
            "status": {"phase": "Bound"},
        },
        PersistentVolume,
    )
    bound = _volume_claim("", "vol")
    return base.case("VolumeBinding", volume, bound, instead=_mounting(base.pod), word="Volumes")


def _volume_claim(storage_class: str, volume: str) -> PersistentVolumeClaim:
    bound = {"pv.kubernetes.io/bind-completed": "yes"} if volume else {}
    return msgspec.convert(
        {
            "metadata": {
                "name": "data",
                "namespace": "default",
                "uid": "uid-data",
                "annotations": bound,
            },
            "spec": {
                "storageClassName": storage_class,
                "volumeName": volume,
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
            "status": {"phase": "Bound" if volume else "Pending"},
        },
        PersistentVolumeClaim,
    )


def _mounting(one: Pod) -> Pod:
    return with_spec(one, volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}])


CAUSES: tuple[Callable[[int], Case], ...] = (
    cpu_full,
    memory_full,
    gpus_full,
    held_by_dearer_pods,
    pods_full,
    too_large,
    unheard_of_resource,
    tainted,
    cordoned,
    selector,
    node_affinity,
    pinned,
    gated,
    unserved,
    no_nodes,
    groupless,
    gang_incomplete,
    gang_too_large,
    claimless,
    devices_taken,
    no_such_device,
    apart,
    together,
    spread,
    ports_taken,
    no_volume_claim,
    unbound_claim,
    volume_elsewhere,
)
