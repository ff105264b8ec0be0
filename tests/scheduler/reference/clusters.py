"""Small random clusters with one pod to place, made so that the rules meet.

`cluster(seed)` for counted runs, `clusters()` for Hypothesis, which can shrink them: both draw all
from one `Random`. Few values of each kind, small nodes, one to eight of them, and up to 25 pods.
"""

from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st

from tests.scheduler.reference.kit import HOSTNAME, ZONE, Args, Cluster, Object, name_of
from tests.scheduler.reference.some_pods import (
    GPU,
    IMAGES,
    NAMESPACES,
    PAGES,
    RACK,
    often,
    some,
    some_pod,
)
from tests.scheduler.reference.some_volumes import add_volumes

MOST_NODES, MOST_PODS = 8, 25
_MIB = 1024 * 1024
_SIZES = dict(zip(IMAGES, [60 * _MIB, 250 * _MIB, 700 * _MIB, 2500 * _MIB], strict=True))


@dataclass(frozen=True)
class Case:
    """A cluster and a pod that is not placed yet, and is not among the cluster's."""

    cluster: Cluster
    pod: Object


def cluster(seed: int) -> Case:
    """Always the same for a seed."""
    return random_case(Random(seed))


def clusters() -> st.SearchStrategy[Case]:
    return st.randoms(use_true_random=False).map(random_case)


def random_case(random: Random) -> Case:
    nodes = [_node(random, f"n{i}") for i in range(random.randint(1, MOST_NODES))]
    most = min(MOST_PODS, 4 * len(nodes))
    pods = [_placed(random, i, nodes) for i in range(random.randint(0, most))]
    namespaces = [
        {"metadata": {"name": name, "labels": dict(labels)}} for name, labels in NAMESPACES.items()
    ]
    made: Cluster = {"nodes": nodes, "pods": pods, "namespaces": namespaces}
    pod = some_pod(random, "pod", share=random.choice([0.15, 0.4, 0.4]))
    if often(random, 0.04):
        pod["spec"]["nodeName"] = name_of(random.choice(nodes))
    add_volumes(random, made, pod)
    return Case(made, pod)


def _node(random: Random, name: str) -> Object:
    spec: Object = {}
    if often(random, 0.1):
        spec["unschedulable"] = True
    if often(random, 0.35):
        spec["taints"] = [_taint(random) for _ in range(random.randint(1, 3))]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "uid": f"uid-{name}", "labels": _labels(random, name)},
        "spec": spec,
        "status": {
            "allocatable": _allocatable(random),
            "images": [_image(name) for name in some(random, IMAGES, most=4)],
            "declaredFeatures": some(
                random,
                ["RestartAllContainersOnContainerExits", "UserNamespacesHostNetworkSupport"],
            ),
        },
    }


def _labels(random: Random, name: str) -> dict[str, str]:
    """Now and then a node lacks even its hostname, or has no label at all."""
    if often(random, 0.03):
        return {}
    return {
        **({HOSTNAME: name} if often(random, 0.93) else {}),
        **({ZONE: random.choice(["z1", "z2", "z3"])} if often(random, 0.85) else {}),
        **({RACK: random.choice(["r1", "r2"])} if often(random, 0.75) else {}),
        **({"disk": random.choice(["ssd", "hdd", ""])} if often(random, 0.7) else {}),
        **({"size": random.choice(["1", "3", "5", "big"])} if often(random, 0.6) else {}),
    }


def _taint(random: Random) -> Object:
    taint: Object = {
        "key": random.choice(["dedicated", "slow"]),
        "effect": random.choice(
            ["NoSchedule", "NoExecute", "PreferNoSchedule", "PreferNoSchedule"]
        ),
    }
    if often(random, 0.7):
        taint["value"] = random.choice(["1", "2"])
    return taint


def _allocatable(random: Random) -> Object:
    room: Object = {
        "cpu": random.choice(["1", "2", "3500m", "4", "8"]),
        "memory": random.choice(["1Gi", "2Gi", "3900Mi", "8Gi"]),
        "pods": random.choice(["3", "5", "8", "110", "110"]),
    }
    if often(random, 0.7):
        room["ephemeral-storage"] = random.choice(["4Gi", "20Gi"])
    if often(random, 0.5):
        room[GPU] = random.choice(["0", "1", "2", "4"])
    if often(random, 0.4):
        room[PAGES] = "16Mi"
    return room


def _image(name: str) -> Object:
    """A name without a tag has the tag `latest` on nodes."""
    tagged = name if ":" in name else f"{name}:latest"
    digest = f"{tagged.split(':')[0]}@sha256:{'0' * 64}"
    return {"names": [digest, tagged], "sizeBytes": _SIZES[name]}


def _placed(random: Random, index: int, nodes: list[Object]) -> Object:
    """Most run; some are done, on their way out, being resized, or of a node that is gone."""
    pod = some_pod(random, f"p{index}", share=0.25)
    gone = often(random, 0.03)
    pod["spec"]["nodeName"] = "gone" if gone else name_of(random.choice(nodes))
    pod["status"] = {"phase": "Running"}
    if often(random, 0.08):
        pod["status"]["phase"] = random.choice(["Succeeded", "Failed"])
    if often(random, 0.1):
        pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        pod["metadata"]["deletionGracePeriodSeconds"] = 30
    if often(random, 0.08):
        _resize(random, pod)
    return pod


def _resize(random: Random, pod: Object) -> None:
    """The resources of the first container, at times of the pod, are not yet as asked for."""
    actual = {"cpu": random.choice(["100m", "2"]), "memory": random.choice(["64Mi", "1Gi"])}
    name = pod["spec"]["containers"][0]["name"]
    report = {"name": name, "allocatedResources": actual, "resources": {"requests": actual}}
    pod["status"]["containerStatuses"] = [report]
    if "resources" in pod["spec"] and often(random, 0.5):
        pod["status"] |= {"resources": {"requests": actual}, "allocatedResources": actual}
    if often(random, 0.3):
        reason = random.choice(["Infeasible", "Deferred"])
        pod["status"]["conditions"] = [
            {"type": "PodResizePending", "status": "True", "reason": reason}
        ]


def some_args(random: Random) -> dict[str, Args]:
    """Arguments of plugins, as in a KubeSchedulerConfiguration, other than the default ones."""
    names = [("cpu", 3), ("memory", 1), (GPU, 5), ("ephemeral-storage", 1)]
    listed = [{"name": name, "weight": weight} for name, weight in some(random, names, 1, 4)]
    kind = random.choice(["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"])
    strategy: Object = {"type": kind, "resources": listed}
    if kind == "RequestedToCapacityRatio":
        points = [(0, random.randint(0, 10)), (40, random.randint(0, 10)), (100, 3)]
        shape = [{"utilization": used, "score": score} for used, score in points]
        strategy["requestedToCapacityRatio"] = {"shape": shape}
    zones = {"key": ZONE, "operator": "In", "values": ["z1", "z2"]}
    term = {"matchExpressions": [zones]}
    return {
        "NodeResourcesFit": {
            "scoringStrategy": strategy,
            "ignoredResources": some(random, [GPU], most=1),
        },
        "NodeResourcesBalancedAllocation": {
            "resources": [{**each, "weight": 1} for each in listed]
        },
        "InterPodAffinity": {
            "hardPodAffinityWeight": random.choice([0, 1, 7, 100]),
            "ignorePreferredTermsOfExistingPods": often(random, 0.5),
        },
        "NodeAffinity": {
            "addedAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]},
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 20,
                        "preference": {"matchExpressions": [{**zones, "values": ["z1"]}]},
                    }
                ],
            }
        },
    }
