"""What objects take of quotas."""

from decimal import Decimal

import pytest

from argosy.api.amounts import canonical, shown
from argosy.api.quotas import counted, counting, covers, lacking, usage
from tests.api.kit import Json

ASKING = {"requests": {"cpu": "100m", "memory": "64Mi", "nvidia.com/gpu": "1"}}


def pod(**spec: object) -> Json:
    return {"metadata": {}, "spec": {"containers": [{"name": "a", "resources": ASKING}], **spec}}


def test_a_pod_takes_what_it_asks_for() -> None:
    sidecar = {"name": "b", "restartPolicy": "Always", "resources": {"limits": {"cpu": "1"}}}
    taken = usage("pods", pod(initContainers=[sidecar], overhead={"cpu": "50m"}))
    assert {name: shown(name, amount) for name, amount in taken.items()} == {
        "count/pods": "1",
        "pods": "1",
        "cpu": "150m",
        "requests.cpu": "150m",
        "limits.cpu": "1050m",
        "memory": "64Mi",
        "requests.memory": "64Mi",
        "requests.nvidia.com/gpu": "1",
    }


def test_a_pod_that_has_ended_takes_its_place_alone() -> None:
    assert usage("pods", {**pod(), "status": {"phase": "Failed"}}) == {"count/pods": Decimal(1)}


def test_claims_take_devices() -> None:
    several = [{"deviceClassName": "a", "count": 2}, {"deviceClassName": "a", "count": 3}]
    every = {"deviceClassName": "b", "allocationMode": "All"}
    requests = [{"exactly": {"deviceClassName": "a"}}, {"firstAvailable": several}]
    spec = {"devices": {"requests": [*requests, {"exactly": every}]}}
    taken = usage("resourceclaims.resource.k8s.io", {"metadata": {}, "spec": spec})
    ending = ".deviceclass.resource.k8s.io/devices"
    assert (int(taken[f"a{ending}"]), int(taken[f"b{ending}"])) == (4, 32)


@pytest.mark.parametrize(
    ("name", "resources"),
    [
        ("pods", ["pods"]),
        ("requests.nvidia.com/gpu", ["pods"]),
        ("services.nodeports", ["services"]),
        ("secrets", ["secrets"]),
        ("count/secrets", ["secrets"]),
        ("count/deployments.apps", ["deployments.apps"]),
        ("count/events", []),
        ("fast.storageclass.storage.k8s.io/requests.storage", ["persistentvolumeclaims"]),
        ("gpu.deviceclass.resource.k8s.io/devices", ["resourceclaims.resource.k8s.io"]),
    ],
)
def test_what_a_limit_is_about(name: str, resources: list[str]) -> None:
    assert counting([name]) == resources
    assert all(counted(resource, [name]) == [name] for resource in resources)


@pytest.mark.parametrize(
    ("operator", "values", "named", "expected"),
    [
        ("In", ["a"], "a", True),
        ("In", ["a"], "b", False),
        ("In", ["a"], None, False),
        ("NotIn", ["a"], "b", True),
        ("NotIn", ["a"], None, True),
        ("Exists", None, "a", True),
        ("Exists", None, None, False),
        ("DoesNotExist", None, None, True),
        ("DoesNotExist", None, "a", False),
    ],
)
def test_scopes_of_classes(
    operator: str, values: list[str] | None, named: str | None, expected: bool
) -> None:
    for scope, resource, field in (
        ("PriorityClass", "pods", "priorityClassName"),
        ("VolumeAttributesClass", "persistentvolumeclaims", "volumeAttributesClassName"),
    ):
        term = {"scopeName": scope, "operator": operator, "values": values}
        spec = {"scopeSelector": {"matchExpressions": [term]}}
        obj = {"metadata": {}, "spec": {field: named} if named else {}}
        assert covers(spec, resource, obj) is expected
        assert not covers(spec, "services", obj)


@pytest.mark.parametrize(
    ("term", "expected"),
    [({}, False), ({"namespaces": ["a"]}, True), ({"namespaceSelector": {}}, True)],
)
def test_pods_that_look_beyond_their_namespace(term: Json, expected: bool) -> None:
    spec = {"scopes": ["CrossNamespacePodAffinity"]}
    hard = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    soft = {"preferredDuringSchedulingIgnoredDuringExecution": [{"podAffinityTerm": term}]}
    for kind, terms in (("podAffinity", hard), ("podAntiAffinity", soft)):
        assert covers(spec, "pods", pod(affinity={kind: terms})) is expected


def test_what_containers_say_nothing_of() -> None:
    bare = pod(initContainers=[{"name": "b"}])
    assert lacking(["cpu", "pods", "limits.cpu"], bare) == (
        "must specify cpu for: b; limits.cpu for: a,b"
    )
    assert lacking(["cpu"], {**bare, "spec": {**bare["spec"], "resources": ASKING}}) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1024Mi", "1Gi"),
        ("1000", "1k"),
        ("1500000", "1500k"),
        ("0", "0"),
        ("1e3", "1k"),
        ("0.5Ki", "512"),
        ("0.1Ki", "102400m"),
    ],
)
def test_amounts_are_shown_in_one_way(text: str, expected: str) -> None:
    assert canonical(text) == expected
