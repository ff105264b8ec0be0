"""What is scheduled in each case: the shapes of Kubernetes' scheduler_perf, written anew.

`targets` are pods a second; `kubernetes` is what kube-scheduler does with its API server on such a
machine (2 cores), where it was measured.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
SPACES = ("sched-0", "sched-1")
DRIVER = "gpu.example.com"
UNIQUE = "UNIQUE"
"""In a template: one of so many numbers as its batch has, in turn."""
SHAPES, GANGS = 100, 20


@dataclass(frozen=True, slots=True)
class Batch:
    """So many pods of one template, and whether they can run."""

    template: Json
    count: int
    space: str = "sched-0"
    fits: bool = True
    numbers: int = SHAPES


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Nodes, what is there before, and what is measured. `also` is made first: plain objects.

    `probed`: while it is measured, how long others wait is measured too. `sized`: the case with
    so many measured pods, where more than their count follows from it.
    """

    name: str
    target: float = 0.0
    kubernetes: str = ""
    nodes: int = 5_000
    node: Callable[[int], Json]
    before: Sequence[Batch] = ()
    measured: Batch
    also: Sequence[tuple[str, Json]] = ()
    churn: bool = False
    slices: int = 0
    probed: bool = False
    sized: Callable[[int], "Case"] | None = None


def node(i: int, *, cpu: str = "4", labels: Mapping[str, str] | None = None, **spec: Any) -> Json:
    """A node as scheduler_perf makes them."""
    name = f"node-{i:05}"
    has = {"cpu": cpu, "memory": "32Gi", "pods": "110"}
    ready = {"type": "Ready", "status": "True", "reason": "Bench", "message": ""}
    return {
        "metadata": {"name": name, "labels": {HOST: name, **(labels or {})}},
        "spec": spec,
        "status": {"capacity": has, "allocatable": has, "conditions": [ready]},
    }


def zoned(*zones: str) -> Callable[[int], Json]:
    """Nodes in turn in each of the zones."""
    return lambda i: node(i, labels={ZONE: zones[i % len(zones)]})


def pod(
    *, cpu: str = "100m", memory: str = "500Mi", labels: Json | None = None, **spec: Any
) -> Json:
    """A pod as scheduler_perf makes them; `spec` comes on top."""
    asked = {"cpu": cpu, "memory": memory}
    container = {
        "name": "pause",
        "image": "registry.example/pause",
        "ports": [{"containerPort": 80}],
        "resources": {"requests": asked, "limits": asked},
    }
    meta = {"generateName": "pod-", "labels": labels or {}}
    return {"metadata": meta, "spec": {"containers": [container], **spec}}


def _affinity(kind: str, color: str, key: str) -> Json:
    term = {
        "labelSelector": {"matchLabels": {"color": color}},
        "topologyKey": key,
        "namespaces": list(SPACES),
    }
    required = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    return {"labels": {"color": color}, "affinity": {kind: required}}


def _zones(*zones: str) -> Json:
    expression = {"key": ZONE, "operator": "In", "values": list(zones)}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def _spread() -> Json:
    constraint = {
        "maxSkew": 5,
        "topologyKey": ZONE,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"color": "blue"}},
    }
    return pod(labels={"color": "blue"}, topologySpreadConstraints=[constraint])


def _tainted(i: int) -> Json:
    taint = {"key": "for", "value": "some", "effect": "NoSchedule"}
    soft = {"key": "soft", "value": str(i % 3), "effect": "PreferNoSchedule"}
    return node(i, taints=[taint, soft][i % 2 :])


def _tolerating() -> Json:
    return pod(tolerations=[{"key": "for", "operator": "Equal", "value": "some"}])


def _claimed() -> tuple[tuple[str, Json], ...]:
    selector = {"cel": {"expression": f'device.driver == "{DRIVER}"'}}
    request = {"name": "r", "exactly": {"deviceClassName": "bench"}}
    template = {"spec": {"devices": {"requests": [request]}}}
    return (
        ("DeviceClass", {"metadata": {"name": "bench"}, "spec": {"selectors": [selector]}}),
        (
            "ResourceClaimTemplate",
            {"metadata": {"name": "one", "namespace": "sched-0"}, "spec": template},
        ),
    )


def devices(i: int, count: int) -> Json:
    """The slice of a node with so many devices."""
    name = f"node-{i:05}"
    pool = {"name": name, "generation": 1, "resourceSliceCount": 1}
    found = [{"name": f"device-{at}"} for at in range(count)]
    spec = {"driver": DRIVER, "nodeName": name, "pool": pool, "devices": found}
    return {"metadata": {"name": name}, "spec": spec}


def _gang(number: int, pods: int) -> tuple[str, Json]:
    """A PodGroup of which no pod runs before all have room."""
    spec = {"schedulingPolicy": {"gang": {"minCount": pods}}}
    return "PodGroup", {
        "metadata": {"name": f"gang-{number}", "namespace": "sched-0"},
        "spec": spec,
    }


def gangs(pods: int) -> Case:
    """So many pods in twenty gangs, which come mixed: each gang is whole only at the end."""
    each = max(pods // GANGS, 1)
    template = pod(schedulingGroup={"podGroupName": f"gang-{UNIQUE}"})
    return Case(
        name="gangs",
        nodes=1_000,
        node=node,
        measured=Batch(template, each * GANGS, numbers=GANGS),
        also=tuple(_gang(number + 1, each) for number in range(GANGS)),
        probed=True,
        sized=gangs,
    )


_PLAIN = Batch(pod(), 1_000)
_ANTI = _affinity("podAntiAffinity", "green", HOST)
_NEAR = _affinity("podAffinity", "blue", ZONE)

CASES: tuple[Case, ...] = (
    Case(
        name="basic",
        target=1_200,
        kubernetes="296",
        node=node,
        before=(_PLAIN,),
        measured=Batch(pod(), 10_000),
    ),
    Case(
        name="unique",
        target=700,
        node=node,
        before=(_PLAIN,),
        measured=Batch(pod(memory=f"{UNIQUE}Mi"), 10_000),
    ),
    Case(
        name="node-affinity",
        target=600,
        node=zoned("zone1"),
        before=(_PLAIN,),
        measured=Batch(pod(affinity=_zones("zone1", "zone2")), 10_000),
    ),
    Case(
        name="taints",
        target=600,
        node=_tainted,
        before=(Batch(_tolerating(), 1_000),),
        measured=Batch(_tolerating(), 10_000),
    ),
    Case(
        name="spread",
        target=600,
        node=zoned("moon-1", "moon-2", "moon-3"),
        before=(Batch(pod(), 5_000),),
        measured=Batch(_spread(), 5_000),
    ),
    Case(
        name="pod-affinity",
        target=300,
        node=zoned("zone1"),
        before=(Batch(pod(**_NEAR), 5_000),),
        measured=Batch(pod(**_NEAR), 5_000, "sched-1"),
    ),
    Case(
        name="pod-anti-affinity",
        target=300,
        node=node,
        before=(Batch(pod(**_ANTI), 1_000),),
        measured=Batch(pod(**_ANTI), 2_000, "sched-1"),
    ),
    Case(
        name="preemption",
        target=500,
        node=node,
        before=(Batch(pod(cpu="900m", terminationGracePeriodSeconds=0), 20_000),),
        measured=Batch(pod(cpu="3", priorityClassName="bench-high"), 5_000),
        also=(("PriorityClass", {"metadata": {"name": "bench-high"}, "value": 10}),),
    ),
    Case(
        name="churn",
        target=900,
        node=node,
        measured=Batch(pod(), 10_000),
        churn=True,
    ),
    Case(
        name="unschedulable",
        target=800,
        node=node,
        before=(Batch(pod(cpu="9"), 200, fits=False),),
        measured=Batch(pod(), 10_000),
    ),
    Case(
        name="dra",
        target=300,
        kubernetes="43",
        nodes=200,
        node=node,
        measured=Batch(
            pod(
                cpu="10m",
                memory="10Mi",
                resourceClaims=[{"name": "c", "resourceClaimTemplateName": "one"}],
            ),
            1_000,
        ),
        also=_claimed(),
        slices=10,
    ),
    gangs(10_000),
)
