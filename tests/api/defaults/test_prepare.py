"""What the server itself says in an object."""

import copy
from typing import Any

import pytest

from argosy.api.defaults.prepare import DAEMON_GENERATION, prepare
from tests.api.kit import Json, defaulted, made, put

CONTAINERS = [{"name": "main", "image": "i"}]


def prepared(obj: Json, old: Json | None = None, subresource: str = "") -> Json:
    obj = copy.deepcopy(obj)
    prepare(obj["kind"], subresource, obj, old)
    return obj


@pytest.mark.parametrize(
    "given, expected",
    [([], ["kubernetes"]), (["a.b/c"], ["a.b/c", "kubernetes"]), (["kubernetes"], ["kubernetes"])],
)
def test_a_namespace_is_kept_until_it_is_empty(given: list[str], expected: list[str]) -> None:
    space = made("v1", "Namespace", spec={"finalizers": given})
    assert prepared(space)["spec"] == {"finalizers": expected}


def test_an_update_leaves_the_finalizers_of_a_namespace_alone() -> None:
    old = prepared(made("v1", "Namespace"))
    new = put(old, "spec.finalizers", [])
    assert prepared(new, old)["spec"] == {"finalizers": ["kubernetes"]}
    assert prepared(new, old, "finalize")["spec"] == {"finalizers": []}


def test_a_gated_pod_says_so() -> None:
    pod = defaulted(
        made("v1", "Pod", spec={"containers": CONTAINERS, "schedulingGates": [{"name": "a"}]})
    )
    (condition,) = prepared(pod)["status"]["conditions"]
    assert (condition["type"], condition["reason"]) == ("PodScheduled", "SchedulingGated")
    assert "conditions" not in prepared(pod, pod)["status"]


def test_keys_of_labels_become_conditions() -> None:
    term = {"topologyKey": "z", "matchLabelKeys": ["a", "gone"]}
    required = {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {**term, "labelSelector": {}, "mismatchLabelKeys": ["b"]}
        ]
    }
    pod = made(
        "v1",
        "Pod",
        spec={
            "containers": CONTAINERS,
            "affinity": {"podAntiAffinity": required},
            "topologySpreadConstraints": [
                {**term, "labelSelector": {}, "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
            ],
        },
    )
    pod["metadata"]["labels"] = {"a": "1", "b": "2"}
    spec = prepared(defaulted(pod))["spec"]
    (constraint,) = spec["topologySpreadConstraints"]
    one = {"key": "a", "operator": "In", "values": ["1"]}
    assert constraint["labelSelector"] == {"matchExpressions": [one]}
    (found,) = spec["affinity"]["podAntiAffinity"].popitem()[1]
    other = {"key": "b", "operator": "NotIn", "values": ["2"]}
    assert found["labelSelector"] == {"matchExpressions": [one, other]}


def test_a_status_keeps_what_it_does_not_say() -> None:
    old = made("v1", "Pod", status={"qosClass": "Burstable", "observedGeneration": 3})
    new = put(old, "status", {"phase": "Running"})
    assert prepared(new, old, "status")["status"] == {
        "phase": "Running",
        "qosClass": "Burstable",
        "observedGeneration": 3,
    }


def job(**spec: Any) -> Json:
    obj = defaulted(
        made("batch/v1", "Job", spec={"template": {"spec": {"containers": CONTAINERS}}, **spec})
    )
    obj["metadata"]["uid"] = "1-2"
    return obj


def test_a_job_selects_its_own_pods() -> None:
    spec = prepared(job())["spec"]
    assert spec["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "1-2"}}
    assert spec["template"]["metadata"]["labels"] == {
        "job-name": "some",
        "batch.kubernetes.io/job-name": "some",
        "controller-uid": "1-2",
        "batch.kubernetes.io/controller-uid": "1-2",
    }
    assert "selector" not in prepared(job(manualSelector=True))["spec"]
    assert "selector" not in prepared(job(), job())["spec"]


def test_templates_of_daemon_sets_are_counted() -> None:
    template = {"spec": {"containers": CONTAINERS}}
    first = prepared(made("apps/v1", "DaemonSet", spec={"template": template}))
    assert first["metadata"]["annotations"] == {DAEMON_GENERATION: "1"}
    bare = made("apps/v1", "DaemonSet", spec={"template": template, "minReadySeconds": 5})
    assert prepared(bare, first)["metadata"]["annotations"] == {DAEMON_GENERATION: "1"}
    changed = put(first, "spec.template.spec.hostname", "a")
    assert prepared(changed, first)["metadata"]["annotations"] == {DAEMON_GENERATION: "2"}


def test_slices_have_no_topology() -> None:
    endpoint = {"addresses": ["10.0.0.1"], "deprecatedTopology": {"zone": "a"}}
    found = made("discovery.k8s.io/v1", "EndpointSlice", endpoints=[endpoint])
    assert prepared(found)["endpoints"] == [{"addresses": ["10.0.0.1"]}]
