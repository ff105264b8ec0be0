"""The reference's rules of one node, on cases worked out by hand."""

from fractions import Fraction
from typing import Any

import pytest

from tests.scheduler.reference import resources
from tests.scheduler.reference.kit import Object, requirement_matches
from tests.scheduler.reference.rules import PLUGINS, default_weights, scores
from tests.scheduler.reference.things import cluster, crowd, let_in, node, pod

_HARD = "requiredDuringSchedulingIgnoredDuringExecution"
_SOFT = "preferredDuringSchedulingIgnoredDuringExecution"
MIB = 1024 * 1024


def line(key: str, operator: str, *values: str) -> Object:
    return {"key": key, "operator": operator, "values": list(values)}


def affinity(*terms: Object) -> Object:
    return {"nodeAffinity": {_HARD: {"nodeSelectorTerms": list(terms)}}}


def test_weights_are_those_of_the_default_profile() -> None:
    assert default_weights() == {
        "TaintToleration": 3,
        "NodeAffinity": 2,
        "NodeResourcesFit": 1,
        "PodTopologySpread": 2,
        "InterPodAffinity": 2,
        "NodeResourcesBalancedAllocation": 1,
        "ImageLocality": 1,
    }


@pytest.mark.parametrize(
    ("requirement", "labels", "matches"),
    [
        (line("a", "In", "1", "2"), {"a": "2"}, True),
        (line("a", "In", "1"), {}, False),
        (line("a", "NotIn", "1"), {"a": "1"}, False),
        (line("a", "NotIn", "1"), {}, True),
        (line("a", "Exists"), {"a": ""}, True),
        (line("a", "DoesNotExist"), {"a": ""}, False),
        (line("a", "Gt", "3"), {"a": "4"}, True),
        (line("a", "Gt", "3"), {"a": "3"}, False),
        (line("a", "Lt", "3"), {"a": "-9"}, True),
        (line("a", "Lt", "3"), {"a": "two"}, False),
        (line("a", "Gt", "3"), {}, False),
        (line("a", "Gt", "3"), {"a": str(2**63 - 1)}, True),
        (line("a", "Gt", "3"), {"a": str(2**63)}, False),
    ],
)
def test_a_requirement_matches(requirement: Object, labels: dict[str, str], matches: bool) -> None:
    assert requirement_matches(requirement, labels) is matches


@pytest.mark.parametrize(
    ("spec", "nodes"),
    [
        ({}, ["n0", "n1", "n2"]),
        ({"nodeSelector": {"disk": "ssd"}}, ["n0"]),
        ({"affinity": affinity({"matchExpressions": [line("disk", "Exists")]})}, ["n0", "n1"]),
        ({"affinity": affinity({})}, []),
        ({"affinity": affinity({"matchFields": [line("metadata.name", "In", "n2")]})}, ["n2"]),
        (
            {
                "affinity": affinity(
                    {"matchExpressions": [line("disk", "In", "hdd"), line("size", "Gt", "4")]},
                    {"matchExpressions": [line("size", "Lt", "2")]},
                )
            },
            ["n1", "n2"],
        ),
        (
            {
                "nodeSelector": {"disk": "ssd"},
                "affinity": affinity({"matchExpressions": [line("size", "In", "5")]}),
            },
            [],
        ),
    ],
)
def test_node_affinity_lets_in(spec: Object, nodes: list[str]) -> None:
    where = cluster(
        [
            node("n0", labels={"disk": "ssd", "size": "3"}),
            node("n1", labels={"disk": "hdd", "size": "5"}),
            node("n2", labels={"size": "1"}),
        ]
    )
    assert let_in("NodeAffinity", where, pod(**spec)) == nodes


def test_node_affinity_prefers_by_weight_and_by_the_profile() -> None:
    where = cluster([node("n0", labels={"a": "1", "b": "1"}), node("n1", labels={"b": "1"})])
    soft = [
        {"weight": weight, "preference": {"matchExpressions": [line(key, "Exists")]}}
        for weight, key in [(1, "a"), (50, "b")]
    ]
    one = pod(affinity={"nodeAffinity": {_SOFT: soft}})
    assert scores("NodeAffinity", where, one, ["n0", "n1"]) == {"n0": 100, "n1": 98}
    added = {
        "addedAffinity": {
            _HARD: {"nodeSelectorTerms": [{"matchExpressions": [line("a", "Exists")]}]}
        }
    }
    assert let_in("NodeAffinity", where, one, **added) == ["n0"]
    plain = {"addedAffinity": {_SOFT: soft[:1]}}
    assert scores("NodeAffinity", where, pod(), ["n0", "n1"], plain) == {"n0": 100, "n1": 0}


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"}, True),
        ({"key": "k", "value": "v"}, True),
        ({"key": "k", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "k", "value": "other"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "k", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "k", "operator": "Gt", "value": "0"}, False),
    ],
)
def test_a_toleration_tolerates(toleration: Object, tolerated: bool) -> None:
    tainted = node("n0", taints=[{"key": "k", "value": "v", "effect": "NoSchedule"}])
    one = pod(tolerations=[toleration])
    assert let_in("TaintToleration", cluster([tainted]), one) == (["n0"] if tolerated else [])


def test_taints_that_are_not_tolerated_count_against_a_node() -> None:
    taints = [{"key": key, "effect": "PreferNoSchedule"} for key in "ab"]
    where = cluster([node("n0"), node("n1", taints=taints[:1]), node("n2", taints=taints)])
    every = ["n0", "n1", "n2"]
    assert let_in("TaintToleration", where, pod()) == every
    assert scores("TaintToleration", where, pod(), every) == {"n0": 100, "n1": 50, "n2": 0}
    calm = pod(tolerations=[{"operator": "Exists"}])
    assert scores("TaintToleration", where, calm, every) == dict.fromkeys(every, 100)


def test_a_node_by_name_and_one_that_is_cordoned() -> None:
    where = cluster([node("n0"), node("n1", unschedulable=True)])
    assert let_in("NodeName", where, pod(at="n1")) == ["n1"]
    assert let_in("NodeUnschedulable", where, pod()) == ["n0"]
    key = "node.kubernetes.io/unschedulable"
    daemon = pod(tolerations=[{"key": key, "operator": "Exists"}])
    assert let_in("NodeUnschedulable", where, daemon) == ["n0", "n1"]


def ports(*wanted: Object) -> list[Object]:
    return [{"name": "c", "ports": [{"containerPort": 1, **port} for port in wanted]}]


@pytest.mark.parametrize(
    ("port", "free"),
    [
        ({"hostPort": 80}, False),
        ({"hostPort": 81}, True),
        ({}, True),
        ({"hostPort": 80, "protocol": "UDP"}, True),
        ({"hostPort": 80, "hostIP": "10.0.0.1"}, False),
        ({"hostPort": 80, "hostIP": "10.0.0.2"}, True),
        ({"hostPort": 80, "hostIP": "0.0.0.0"}, False),
    ],
)
def test_a_host_port_is_free(port: Object, free: bool) -> None:
    holder = pod("p", "n0", containers=ports({"hostPort": 80, "hostIP": "10.0.0.1"}))
    where = cluster([node("n0")], [holder])
    assert bool(let_in("NodePorts", where, pod(containers=ports(port)))) is free


def test_sidecars_hold_ports_and_other_init_containers_do_not() -> None:
    init = ports({"hostPort": 80})[0]
    once, always = pod("a", "n0", initContainers=[init]), pod("b", "n0")
    always["spec"]["initContainers"] = [{**init, "restartPolicy": "Always"}]
    one = pod(containers=ports({"hostPort": 80}))
    assert let_in("NodePorts", cluster([node("n0")], [once]), one) == ["n0"]
    assert let_in("NodePorts", cluster([node("n0")], [always]), one) == []


def asking(cpu: str, *, sidecar: bool = False) -> Object:
    more = {"restartPolicy": "Always"} if sidecar else {}
    return {"name": cpu, "resources": {"requests": {"cpu": cpu}}, **more}


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        ({"containers": [asking("1"), asking("500m")]}, "1.5"),
        ({"containers": [asking("1")], "initContainers": [asking("3"), asking("2")]}, "3"),
        ({"containers": [asking("1")], "initContainers": [asking("1", sidecar=True)]}, "2"),
        (
            {
                "containers": [asking("1")],
                "initContainers": [asking("2"), asking("1", sidecar=True), asking("2")],
            },
            "3",
        ),
        ({"containers": [asking("1")], "overhead": {"cpu": "250m"}}, "1.25"),
        ({"containers": [asking("1")], "resources": {"requests": {"cpu": "4"}}}, "4"),
        ({"containers": [], "resources": {"requests": {"memory": "4"}}}, "0"),
    ],
)
def test_a_pod_asks_for_its_peak(spec: Object, cpu: str) -> None:
    asked = resources.pod_requests({"metadata": {}, "spec": spec})
    assert Fraction(asked.get("cpu", 0)) == Fraction(cpu)


@pytest.mark.parametrize(
    ("actual", "reason", "cpu"),
    [("2", "", 2000), ("500m", "", 1000), ("500m", "Deferred", 1000), ("500m", "Infeasible", 500)],
)
def test_a_resize_holds_both_ends_until_it_is_done(actual: str, reason: str, cpu: int) -> None:
    one = pod("p", "n0", requests={"cpu": "1"})
    one["spec"]["containers"].append(asking("0"))
    report = {"name": "c", "resources": {"requests": {"cpu": actual}}}
    one["status"] |= {"containerStatuses": [report]}
    if reason:
        one["status"]["conditions"] = [{"type": "PodResizePending", "reason": reason}]
    assert resources.taken(cluster([node("n0")], [one]), node("n0"), "cpu") == cpu
    assert resources.amount(resources.pod_requests(one), "cpu") == 1000


def test_a_resize_of_a_whole_pod_counts_too() -> None:
    one = pod("p", "n0", resources={"requests": {"cpu": "1"}})
    one["status"] |= {"resources": {"requests": {"cpu": "3"}}, "allocatedResources": {"cpu": "2"}}
    assert resources.taken(cluster([node("n0")], [one]), node("n0"), "cpu") == 3000


@pytest.mark.parametrize(
    ("requests", "fits"),
    [
        ({}, True),
        ({"cpu": "1"}, True),
        ({"cpu": "1001m"}, False),
        ({"memory": "1Gi"}, True),
        ({"memory": "1073741825"}, False),
        ({"example.com/gpu": "1"}, True),
        ({"example.com/gpu": "2"}, False),
        ({"example.com/none": "0"}, True),
        ({"example.com/none": "1"}, False),
        ({"ephemeral-storage": "1"}, False),
    ],
)
def test_a_pod_fits_beside_another(requests: dict[str, str], fits: bool) -> None:
    room = {"cpu": "2", "memory": "2Gi", "example.com/gpu": "2", "pods": "2"}
    half = {"cpu": "1", "memory": "1Gi", "example.com/gpu": "1"}
    where = cluster([node("n0", room=room)], [pod("p", "n0", requests=half)])
    assert bool(let_in("NodeResourcesFit", where, pod(requests=requests))) is fits


def test_finished_pods_leave_room_and_terminating_ones_do_not() -> None:
    room = {"cpu": "2", "pods": "1"}
    done, leaving = pod("p", "n0"), pod("p", "n0")
    done["status"]["phase"] = "Succeeded"
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert let_in("NodeResourcesFit", cluster([node("n0", room=room)], [done]), pod()) == ["n0"]
    assert let_in("NodeResourcesFit", cluster([node("n0", room=room)], [leaving]), pod()) == []


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("LeastAllocated", {"n0": 37, "n1": 50}), ("MostAllocated", {"n0": 62, "n1": 50})],
)
def test_fit_scores_by_what_is_used(kind: str, expected: dict[str, int]) -> None:
    """3 of 4 and 3 of 6 processors, half of the memory of both."""
    where = cluster([node(f"n{i}", room={"cpu": c, "memory": "10000"}) for i, c in enumerate("46")])
    one = pod(requests={"cpu": "3", "memory": "5000"})
    args: Any = {"scoringStrategy": {"type": kind}}
    assert scores("NodeResourcesFit", where, one, ["n0", "n1"], args) == expected


def test_what_is_not_asked_for_counts_for_a_little_in_the_fit_score() -> None:
    """100m and 200Mi: of 1 and 1000Mi, 90 and 80 of a hundred are left, then 80 and 60."""
    room = {"cpu": "1", "memory": "1000Mi", "pods": "9"}
    empty, shared = cluster([node("n0", room=room)]), cluster([node("n0", room=room)], crowd(1))
    assert scores("NodeResourcesFit", empty, pod(), ["n0"]) == {"n0": 85}
    assert scores("NodeResourcesFit", shared, pod(), ["n0"]) == {"n0": 70}


def test_bin_packing_as_in_the_documentation() -> None:
    """Of the guide to bin packing: (75·5 + 50·1 + 37·3) / 9 and (50·5 + 75·1 + 100·3) / 9."""
    foo = "example.com/foo"
    rooms = [{"cpu": "8", "memory": "1024Mi", foo: foos} for foos in ("4", "8")]
    used = [{"cpu": "1", "memory": "256Mi", foo: "1"}, {"cpu": "6", "memory": "512Mi", foo: "2"}]
    where = cluster(
        [node(f"n{i}", room=room) for i, room in enumerate(rooms)],
        [pod(f"p{i}", f"n{i}", requests=each) for i, each in enumerate(used)],
    )
    weighed = [{"name": n, "weight": w} for n, w in [(foo, 5), ("memory", 1), ("cpu", 3)]]
    shape = [{"utilization": 0, "score": 0}, {"utilization": 100, "score": 10}]
    strategy = {"type": "RequestedToCapacityRatio", "resources": weighed}
    args: Any = {"scoringStrategy": {**strategy, "requestedToCapacityRatio": {"shape": shape}}}
    one = pod(requests={"cpu": "2", "memory": "256Mi", foo: "2"})
    assert scores("NodeResourcesFit", where, one, ["n0", "n1"], args) == {"n0": 60, "n1": 69}


def test_balance_is_what_the_pod_makes_better_or_worse() -> None:
    """A quarter and a half are 12.5 from their mean: an empty node's 100 becomes 87."""
    room = {"cpu": "4", "memory": "2Gi"}
    one = pod(requests={"cpu": "1", "memory": "1Gi"})
    lopsided = [pod("p", "n1", requests={"cpu": "2"})]
    where = cluster([node("n0", room=room), node("n1", room=room)], lopsided)
    balance = scores("NodeResourcesBalancedAllocation", where, one, ["n0", "n1"])
    assert balance == {"n0": 50 + 37 // 2, "n1": 50 + (50 + 87 - 75) // 2}
    assert scores("NodeResourcesBalancedAllocation", where, pod(), ["n0"]) == {"n0": 0}


def test_images_count_by_size_and_by_how_many_nodes_have_them() -> None:
    """250 MiB on one of two nodes are 125: (125 - 23) / (1000 - 23) of 100."""
    held = [{"names": ["registry/a:latest"], "sizeBytes": 250 * MIB}]
    where = cluster([node("n0", images=held), node("n1")])
    one = pod(image="registry/a")
    assert scores("ImageLocality", where, one, ["n0", "n1"]) == {"n0": 10, "n1": 0}


def test_nodes_must_declare_the_features_that_a_pod_needs() -> None:
    where = cluster([node("n0", features=["UserNamespacesHostNetworkSupport"]), node("n1")])
    assert let_in("NodeDeclaredFeatures", where, pod(hostNetwork=True)) == ["n0", "n1"]
    own = pod(hostNetwork=True, hostUsers=False)
    assert let_in("NodeDeclaredFeatures", where, own) == ["n0"]
    restarting = pod()
    rule = {"action": "Restart"}
    restarting["spec"]["containers"][0]["restartPolicyRules"] = [rule]
    assert let_in("NodeDeclaredFeatures", where, restarting) == ["n0", "n1"]
    rule["action"] = "RestartAllContainers"
    assert let_in("NodeDeclaredFeatures", where, restarting) == []


def test_every_plugin_lets_a_plain_pod_onto_a_plain_node() -> None:
    where = cluster([node("n0", "z0")])
    assert all(let_in(plugin, where, pod()) == ["n0"] for plugin in PLUGINS)
