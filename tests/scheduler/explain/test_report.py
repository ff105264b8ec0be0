"""Reports of small clusters, word by word; gangs, waiting, and what is hostile."""

from datetime import UTC, datetime
from typing import Any

import pytest

from argosy.api.core import Pod
from argosy.api.meta import Object
from argosy.scheduler.explain.report import Report, explain, plain
from argosy.scheduler.explain.snapshot import snapshot_of, state_of
from argosy.scheduler.plugins.table import PLUGINS
from tests.scheduler.builders import (
    allocated,
    claim,
    device_class,
    group,
    node,
    pod,
    resource_slice,
)

NOW = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
GPU = "nvidia.com/gpu"
STARTED = {"startTime": "2026-01-01T00:00:00Z", "phase": "Running"}


def report(wanted: Pod, *objects: Object) -> Report:
    return explain(snapshot_of((wanted, *objects)), wanted, PLUGINS, NOW)


def texts(told: Report) -> list[str]:
    return [fix.text for fix in told.fixes]


def gpu_node(name: str, **options: Any) -> Object:
    return node(name, allocatable={GPU: "4"}, **options)


def test_a_full_cluster_names_what_is_short_who_holds_it_and_when_it_ends() -> None:
    training = pod(
        "train-0",
        requests={GPU: "3"},
        node="gpu-1",
        spec={"activeDeadlineSeconds": 600, "restartPolicy": "Never"},
        status=STARTED,
        metadata={"ownerReferences": [{"kind": "Job", "name": "train", "controller": True}]},
    )
    serving = pod("web", requests={GPU: "2"}, node="gpu-2")
    told = report(
        pod("wanted", requests={GPU: "3"}), gpu_node("gpu-1"), gpu_node("gpu-2"), training, serving
    )
    assert told.headline == (
        "Not enough nvidia.com/gpu: the pod asks for 3; gpu-2 has most free, 2 of 4, "
        "held by default/web (2)."
    )
    assert [(one.filter, one.nodes, one.alone) for one in told.removed] == [
        ("NodeResourcesFit", 2, 2)
    ]
    assert [(near.node, near.lacks) for near in told.closest] == [
        ("gpu-2", ("2 of 4 nvidia.com/gpu free, 3 needed; held by default/web (2)",)),
        ("gpu-1", ("1 of 4 nvidia.com/gpu free, 3 needed; held by default/train-0 (3)",)),
    ]
    assert texts(told) == [
        "ask for 2 nvidia.com/gpu instead of 3",
        "wait for job default/train (pod train-0) to end (estimated start 2026-01-01T00:10:00Z)",
        "delete pod default/web (priority 0)",
        "delete pod default/train-0 (priority 0)",
        "add one more node like gpu-2",
    ]


def test_a_simulated_run_tells_when_it_ends_and_a_job_without_deadline_does_not() -> None:
    run = {"annotations": {"argosy.dev/simulated-run-seconds": "5m"}}
    full = {"requests": {"cpu": "4"}, "node": "n1", "status": STARTED}
    never = {"restartPolicy": "Never", "priority": 9}
    timed = report(pod("w", requests={"cpu": "1"}), node(), pod("a", metadata=run, **full))
    assert "wait for pod default/a to end (estimated start 2026-01-01T00:05:00Z)" in texts(timed)
    opened = report(pod("w", requests={"cpu": "1"}), node(), pod("a", spec=never, **full))
    assert texts(opened) == ["wait for pod default/a to end", "add one more node like n1"]


def test_who_is_dearer_stays_and_as_few_as_possible_go() -> None:
    dear = pod("dear", requests={"cpu": "2"}, node="n1", spec={"priority": 10})
    small = [pod(f"small-{n}", requests={"cpu": "500m"}, node="n1") for n in range(4)]
    wanted = pod("w", requests={"cpu": "1"}, spec={"priority": 5})
    told = report(wanted, node(), dear, *small)
    assert "delete pods default/small-0 (priority 0), default/small-1 (priority 0)" in texts(told)
    lower = pod("w", requests={"cpu": "3"}, spec={"priority": 5})
    assert not any("delete" in text for text in texts(report(lower, node(), dear, *small)))


def test_a_wish_that_some_nodes_meet_is_not_the_reason_why_those_are_full() -> None:
    plain_nodes = [node(f"cpu-{n}") for n in range(5)]
    labelled = node("gpu", labels={"kind": "gpu"})
    wanted = pod("w", requests={"cpu": "3"}, spec={"nodeSelector": {"kind": "gpu"}})
    told = report(wanted, *plain_nodes, labelled, pod("a", requests={"cpu": "2"}, node="gpu"))
    assert told.reason == "NodeResourcesFit"
    assert told.closest[0].node == "gpu"


def test_nodes_kept_for_others_are_not_the_reason_either() -> None:
    taint = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    control = [node(f"control-{n}", spec={"taints": [taint]}) for n in range(3)]
    wanted = pod("w", requests={"cpu": "3"})
    told = report(wanted, *control, node("worker"), pod("a", requests={"cpu": "2"}, node="worker"))
    assert told.reason == "NodeResourcesFit"
    assert "ask for 2 cpu instead of 3" in texts(told)
    assert report(wanted, *control).reason == "TaintToleration"


def test_several_lacks_of_one_node_are_told_and_fixed_together() -> None:
    spec = {"unschedulable": True, "taints": [{"key": "a", "effect": "NoSchedule"}]}
    told = report(pod("w"), node(spec=spec))
    assert told.closest[0].lacks == ("is cordoned", "taint a:NoSchedule")
    assert texts(told) == ["uncordon node n1 and tolerate taint a:NoSchedule"]
    assert [(one.filter, one.nodes, one.alone) for one in told.removed] == [
        ("NodeUnschedulable", 1, 0),
        ("TaintToleration", 1, 0),
    ]


def test_nobody_is_told_to_tolerate_a_broken_node() -> None:
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    told = report(pod("w"), node(spec={"taints": [taint]}))
    assert told.reason == "TaintToleration"
    assert told.fixes == ()


def test_a_gang_that_fits_in_part_says_how_much_of_it_does() -> None:
    members = [pod(f"m-{n}", requests={"cpu": "3"}, gang="g") for n in range(3)]
    snapshot = snapshot_of((*members, group("g", 3), node("n1"), node("n2")))
    told = explain(snapshot, members[0], PLUGINS, NOW)
    assert told.pod == "default/m-0"
    assert told.headline.startswith('Gang "g": 2 of 3 pods fit. Not enough cpu: the pod asks for 3')
    assert texts(told) == [
        "add one more node like n1",
        "lower gang.minCount of PodGroup default/g to 2",
    ]


def test_devices_in_use_are_told_with_their_users() -> None:
    user = {"resource": "pods", "name": "user", "uid": "uid-user"}
    taken = claim("taken", status={**allocated(), "reservedFor": [user]})
    told = report(
        pod("w", claims={"gpu": "mine"}),
        pod("user", claims={"gpu": "taken"}, node="n1"),
        *(taken, claim("mine"), device_class(), resource_slice([{"name": "gpu-0"}]), node()),
    )
    needed = "gpu.argosy.dev: 1 device requested, 0 of 1 free"
    assert told.closest[0].lacks == (f"{needed}; held by default/user",)
    assert texts(told) == ["delete pod default/user (priority 0)"]


@pytest.mark.parametrize(
    ("wanted", "reason", "headline"),
    [
        (
            pod("w", node="n1", status={"phase": "Running"}),
            "Scheduled",
            "Not pending: the pod is on node n1 (Running).",
        ),
        (pod("w", status={"phase": "Failed"}), "Finished", "The pod has ended: Failed."),
        (
            pod("w", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}),
            "Deleting",
            "The pod is being deleted.",
        ),
        (
            pod("w", spec={"schedulingGates": [{"name": "kueue.x-k8s.io/admission"}]}),
            "SchedulingGated",
            'Held back by scheduling gate "kueue.x-k8s.io/admission": '
            "Kueue removes it when it admits the workload.",
        ),
        (
            pod("w", requests={"cpu": "9"}, status={"nominatedNodeName": "n1"}),
            "Preempting",
            "Room is being made on node n1: it waits for the pods evicted there to end.",
        ),
        (
            pod("w"),
            "Schedulable",
            "Nothing stands in its way: it fits as things are now, and should be placed shortly.",
        ),
    ],
)
def test_pods_that_no_filter_holds_back(wanted: Pod, reason: str, headline: str) -> None:
    told = report(wanted, node())
    assert (told.reason, told.headline) == (reason, headline)


def test_a_waiting_image_is_told_of_a_placed_pod() -> None:
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}
    statuses = [{"name": "c", "state": waiting}]
    told = report(pod("w", node="n1", status={"containerStatuses": statuses}), node())
    assert told.headline == (
        "Placed on node n1, not running yet; its container waits: ErrImagePull no such image."
    )


def test_explaining_changes_nothing() -> None:
    holder = pod("a", requests={"cpu": "3"}, node="n1", status=STARTED)
    wanted = pod("w", requests={"cpu": "2"}, spec={"nodeSelector": {"a": "b"}})
    snapshot = snapshot_of((wanted, holder, node(), node("n2")))
    before = state_of(snapshot).nodes.requested.tolist()
    first = explain(snapshot, wanted, PLUGINS, NOW)
    assert explain(snapshot, wanted, PLUGINS, NOW) == first
    assert state_of(snapshot).nodes.requested.tolist() == before


def test_a_report_as_json_leaves_out_what_is_empty() -> None:
    told = plain(report(pod("w"), node(spec={"unschedulable": True})))
    assert told == {
        "pod": "default/w",
        "reason": "NodeUnschedulable",
        "headline": "Cordoned: the only node that could take it is marked unschedulable (n1).",
        "nodes": 1,
        "feasible": 0,
        "filters": [
            {
                "filter": "NodeUnschedulable",
                "nodes": 1,
                "alone": 1,
                "reasons": {"node(s) were unschedulable": 1},
            }
        ],
        "closest": [{"node": "n1", "lacks": ["is cordoned"]}],
        "fixes": [
            {
                "kind": "Uncordon",
                "text": "uncordon node n1",
                "node": "n1",
                "command": "kubectl uncordon n1",
            }
        ],
    }


# hostile


def test_nonsense_is_explained_too() -> None:
    broken = {"cpu": "-5", "memory": "lots", "pods": "1e400"}
    many = {f"label-{n}": "x" * 63 for n in range(5_000)}
    nodes = [node("bad", allocatable=broken), node("many", labels=many, allocatable={"cpu": "0"})]
    wanted = pod("w", requests={"cpu": "999999999999999999999999"})
    told = report(wanted, *nodes, pod("odd", requests={"cpu": "zzz"}, node="many"))
    assert told.headline == "The pod asks for cpu, which no node has."
    bad = report(pod("w", requests={"cpu": "zzz"}), node())
    assert bad.reason == "BrokenPod"
    assert bad.headline.startswith("Spec.containers[0].resources.requests[cpu]: quantities must")
    gates = [{"name": f"gate-{'x' * 300}-{n}"} for n in range(500)]
    held = report(pod("w", spec={"schedulingGates": gates}), node())
    assert len(held.headline) <= 200


def test_thousands_of_pods_like_it_make_no_difference() -> None:
    pending = [pod(f"p-{n}", requests={"cpu": "2"}) for n in range(2_000)]
    told = report(pending[0], node(allocatable={"cpu": "1"}), *pending[1:])
    assert told.headline == "Too large: the pod asks for 2 cpu, no node has more than 1."


def test_a_large_gang_has_a_budget_of_dry_runs() -> None:
    members = [pod(f"m-{n}", requests={"cpu": "1"}, gang="g") for n in range(300)]
    wanted, *others = members
    told = report(wanted, *others, group("g", 300), *(node(f"n{n}") for n in range(10)))
    assert told.headline.startswith('Gang "g": 40 of 300 pods fit.')
    assert "lower gang.minCount of PodGroup default/g to 40" in texts(told)


def test_pods_that_wait_for_one_another_are_explained() -> None:
    def near(app: str) -> dict[str, Any]:
        term = {"topologyKey": "host", "labelSelector": {"matchLabels": {"app": app}}}
        return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}

    first = pod("a", metadata={"labels": {"app": "a"}}, spec={"affinity": near("b")})
    second = pod("b", metadata={"labels": {"app": "b"}}, spec={"affinity": near("a")})
    told = report(first, second, node(labels={"host": "n1"}))
    assert told.reason == "InterPodAffinity"
    assert texts(told) == ["drop the pod's required pod affinity"]
