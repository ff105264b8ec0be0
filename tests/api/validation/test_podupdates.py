"""What may change of a pod."""

from typing import Any

import pytest

from argosy.api.validation.podupdates import FIXED
from tests.api.kit import GONE, errors, made, put

POD = made(
    "v1",
    "Pod",
    spec={
        "containers": [
            {"name": "main", "image": "a", "resources": {"requests": {"cpu": "1"}}},
        ],
        "tolerations": [{"key": "a", "effect": "NoExecute", "tolerationSeconds": 5}],
        "activeDeadlineSeconds": 60,
        "nodeSelector": {"zone": "a"},
    },
)
GATED = put(POD, "spec.schedulingGates", [{"name": "wait"}])
TERMS = "requiredDuringSchedulingIgnoredDuringExecution"
CONDITION = {"key": "zone", "operator": "In", "values": ["a"]}
CHOOSY = put(
    GATED,
    "spec.affinity",
    {"nodeAffinity": {TERMS: {"nodeSelectorTerms": [{"matchExpressions": [CONDITION]}]}}},
)
MORE = {"key": "disk", "operator": "Exists"}
PLACE = f"spec.affinity.nodeAffinity.{TERMS}.nodeSelectorTerms"
MIRROR = "kubernetes.io/config.mirror"


@pytest.mark.parametrize(
    "old, path, value",
    [
        (POD, "spec.containers.0.image", "b"),
        (POD, "spec.activeDeadlineSeconds", 30),
        (POD, "spec.tolerations.1", {"operator": "Exists"}),
        (POD, "spec.tolerations.0.tolerationSeconds", 9),
        (POD, "metadata.labels", {"a": "b"}),
        (GATED, "spec.schedulingGates", []),
        (GATED, "spec.nodeSelector.disk", "ssd"),
        (
            CHOOSY,
            f"spec.affinity.nodeAffinity.{TERMS}.nodeSelectorTerms.0.matchExpressions.1",
            MORE,
        ),
    ],
)
def test_what_may_change(old: dict[str, Any], path: str, value: Any) -> None:
    assert errors(put(old, path, value), old) == []


@pytest.mark.parametrize(
    "old, path, value, expected",
    [
        (POD, "spec.hostname", "x", f"spec: Forbidden: {FIXED}"),
        (POD, "spec.nodeSelector.disk", "ssd", f"spec: Forbidden: {FIXED}"),
        (POD, "spec.containers.0.resources.requests.cpu", "2", f"spec: Forbidden: {FIXED}"),
        (
            POD,
            "spec.containers.1",
            {"name": "b", "image": "b"},
            "spec.containers: Forbidden: pod updates may not add or remove containers",
        ),
        (
            POD,
            "spec.activeDeadlineSeconds",
            61,
            "spec.activeDeadlineSeconds: Invalid value: 61: must be less than or equal to "
            "previous value",
        ),
        (
            POD,
            "spec.activeDeadlineSeconds",
            GONE,
            "spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive "
            "integer to nil value",
        ),
        (
            POD,
            "spec.tolerations",
            [],
            "spec.tolerations: Forbidden: existing toleration can not be modified except its "
            "tolerationSeconds",
        ),
        (
            GATED,
            "spec.schedulingGates.1",
            {"name": "more"},
            "spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new "
            "scheduling gate 'more'",
        ),
        (
            GATED,
            "spec.nodeSelector",
            {"zone": "b"},
            'spec.nodeSelector: Invalid value: {"zone":"b"}: only additions to spec.nodeSelector '
            "are allowed (no mutations or deletions)",
        ),
        (
            CHOOSY,
            f"spec.affinity.nodeAffinity.{TERMS}.nodeSelectorTerms.0.matchExpressions",
            [MORE],
            f'{PLACE}[0]: Invalid value: {{"matchExpressions":[{{"key":"disk",'
            '"operator":"Exists"}]}: only additions are allowed (no mutations or deletions)',
        ),
        (
            CHOOSY,
            f"spec.affinity.nodeAffinity.{TERMS}.nodeSelectorTerms.1",
            {"matchExpressions": [MORE]},
            None,
        ),
        (
            POD,
            "metadata.annotations",
            {MIRROR: "x"},
            f"metadata.annotations[{MIRROR}]: Forbidden: may not add mirror pod annotation",
        ),
    ],
)
def test_what_may_not(old: dict[str, Any], path: str, value: Any, expected: str | None) -> None:
    found = errors(put(old, path, value), old)
    if expected is None:
        expected = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        assert len(found) == 1 and found[0].endswith(expected)
    else:
        assert expected in found


def test_a_resize_changes_cpu_and_memory_alone() -> None:
    burst = put(POD, "spec.containers.0.resources.limits", {"cpu": "2"})
    more = put(burst, "spec.containers.0.resources.requests.cpu", "1500m")
    assert errors(more, burst, subresource="resize") == []
    renamed = put(burst, "spec.containers.0.name", "x")
    assert errors(renamed, burst, subresource="resize") == [
        "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize"
    ]
    other = put(burst, "spec.containers.0.image", "b")
    assert errors(other, burst, subresource="resize") == [
        "spec: Forbidden: only cpu and memory resources are mutable"
    ]
    less = put(burst, "spec.containers.0.resources.limits", GONE)
    assert errors(less, burst, subresource="resize") == [
        "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed"
    ]


def test_a_resize_keeps_the_class_of_service() -> None:
    sizes = {"cpu": "1", "memory": "1Gi"}
    old = put(POD, "spec.containers.0.resources", {"limits": sizes})
    new = put(old, "spec.containers.0.resources.requests", {"cpu": "500m", "memory": "1Gi"})
    assert errors(new, old, subresource="resize") == [
        'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing'
    ]


def test_ephemeral_containers_stay() -> None:
    old = put(POD, "spec.ephemeralContainers", [{"name": "d", "image": "i"}])
    gone = put(old, "spec.ephemeralContainers", [])
    assert errors(gone, old, subresource="ephemeralcontainers") == [
        'spec.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be '
        "removed\n"
    ]
    changed = put(old, "spec.ephemeralContainers.0.image", "j")
    assert errors(changed, old, subresource="ephemeralcontainers") == [
        'spec.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be '
        "changed\n"
    ]
