"""Controllers of pods."""

from typing import Any

import pytest

from argosy.api.validation.values import PERCENT_RULE
from argosy.api.validation.workloads import STATEFUL_FIXED
from tests.api.kit import errors, made, put

LABELS = {"app": "web"}
TEMPLATE = {
    "metadata": {"labels": LABELS},
    "spec": {"containers": [{"name": "main", "image": "python"}]},
}
SPEC = {"selector": {"matchLabels": LABELS}, "template": TEMPLATE}
DEPLOYMENT = made("apps/v1", "Deployment", spec=SPEC)
REPLICAS = made("apps/v1", "ReplicaSet", spec=SPEC)
DAEMONS = made("apps/v1", "DaemonSet", spec=SPEC)
CLAIM = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
STATEFUL = made(
    "apps/v1",
    "StatefulSet",
    spec={
        **SPEC,
        "serviceName": "web",
        "volumeClaimTemplates": [CLAIM],
        "template": {
            **TEMPLATE,
            "spec": {
                "containers": [
                    {
                        "name": "main",
                        "image": "python",
                        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                    }
                ]
            },
        },
    },
)
CONTROLLER = made("v1", "ReplicationController", spec={"selector": LABELS, "template": TEMPLATE})
REVISION = made("apps/v1", "ControllerRevision", revision=1, data={"a": 1})
ALL = [DEPLOYMENT, REPLICAS, DAEMONS, STATEFUL]


@pytest.mark.parametrize(
    "obj",
    [
        *ALL,
        CONTROLLER,
        REVISION,
        put(DEPLOYMENT, "spec.strategy", {"type": "Recreate"}),
        put(DEPLOYMENT, "spec.strategy", {"rollingUpdate": {"maxSurge": "150%"}}),
        put(DAEMONS, "spec.updateStrategy", {"type": "OnDelete"}),
        put(STATEFUL, "spec.podManagementPolicy", "Parallel"),
    ],
)
def test_what_is_taken(obj: dict[str, Any]) -> None:
    assert errors(obj) == []
    assert errors(obj, obj) == []


@pytest.mark.parametrize("obj", ALL)
def test_a_controller_selects_its_own_pods(obj: dict[str, Any]) -> None:
    wrong = put(obj, "spec.template.metadata.labels", {"app": "x"})
    assert errors(wrong) == [
        'spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match '
        "template `labels`"
    ]
    other = put(put(obj, "spec.selector.matchLabels", {}), "spec.template.metadata", {})
    kind = obj["kind"].lower() if obj["kind"] != "ReplicaSet" else "deployment"
    assert errors(other) == [
        'spec.selector: Invalid value: {"matchLabels":{}}: empty selector is invalid for ' + kind
    ]


@pytest.mark.parametrize("obj", ALL)
def test_pods_of_controllers_run_for_ever(obj: dict[str, Any]) -> None:
    wrong = put(obj, "spec.template.spec.restartPolicy", "Never")
    wrong = put(wrong, "spec.template.spec.activeDeadlineSeconds", 5)
    owner = "ReplicaSet" if obj["kind"] == "Deployment" else obj["kind"]
    assert errors(wrong) == [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in "
        f"{owner} is not Supported",
    ]


@pytest.mark.parametrize("obj", [DEPLOYMENT, REPLICAS, DAEMONS])
def test_selectors_stay(obj: dict[str, Any]) -> None:
    labels = {"app": "web", "tier": "a"}
    new = put(
        put(obj, "spec.selector.matchLabels", labels), "spec.template.metadata.labels", labels
    )
    assert errors(new, obj) == [
        'spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"a"}}: field is immutable'
    ]


@pytest.mark.parametrize(
    "obj, path, value, expected",
    [
        (
            DEPLOYMENT,
            "replicas",
            -1,
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            DEPLOYMENT,
            "progressDeadlineSeconds",
            0,
            "spec.progressDeadlineSeconds: Invalid value: 0: must be greater than minReadySeconds",
        ),
        (
            DEPLOYMENT,
            "strategy",
            {"type": "Recreate", "rollingUpdate": {}},
            "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is "
            "'Recreate'",
        ),
        (
            DEPLOYMENT,
            "strategy",
            {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "0%"}},
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when "
            "`maxSurge` is 0",
        ),
        (
            DEPLOYMENT,
            "strategy",
            {"rollingUpdate": {"maxUnavailable": "some"}},
            'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "some": ' + PERCENT_RULE,
        ),
        (
            DEPLOYMENT,
            "strategy",
            {"rollingUpdate": {"maxUnavailable": "101%"}},
            'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be '
            "greater than 100%",
        ),
        (
            DAEMONS,
            "updateStrategy",
            {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}},
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when "
            "maxUnavailable is non-zero",
        ),
        (
            DAEMONS,
            "updateStrategy",
            {"rollingUpdate": {"maxUnavailable": 0}},
            "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when "
            "maxSurge is 0",
        ),
        (
            STATEFUL,
            "podManagementPolicy",
            "Random",
            "spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or "
            "'Parallel'",
        ),
        (
            STATEFUL,
            "persistentVolumeClaimRetentionPolicy",
            {"whenScaled": "Burn"},
            'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Burn": '
            'supported values: "Retain", "Delete"',
        ),
        (
            STATEFUL,
            "updateStrategy",
            {"rollingUpdate": {"partition": -1}, "type": "RollingUpdate"},
            "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than "
            "or equal to 0",
        ),
        (
            STATEFUL,
            "updateStrategy",
            {"rollingUpdate": {}, "type": "OnDelete"},
            "spec.updateStrategy.rollingUpdate: Invalid value: {}: only allowed for "
            "updateStrategy 'RollingUpdate'",
        ),
        (
            STATEFUL,
            "volumeClaimTemplates.0.spec.accessModes",
            [],
            "spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode "
            "is required",
        ),
    ],
)
def test_specs(obj: dict[str, Any], path: str, value: Any, expected: str) -> None:
    assert errors(put(obj, f"spec.{path}", value)) == [expected]


def test_little_changes_of_a_stateful_set() -> None:
    assert errors(put(STATEFUL, "spec.replicas", 3), STATEFUL) == []
    assert errors(put(STATEFUL, "spec.serviceName", "x"), STATEFUL) == [
        f"spec: Forbidden: {STATEFUL_FIXED}"
    ]


def test_a_replication_controller_selects_something() -> None:
    bare = put(put(CONTROLLER, "spec.selector", {}), "spec.template.metadata", {})
    assert errors(bare) == ["spec.selector: Required value"]


def test_revisions() -> None:
    assert errors(put(REVISION, "data", {"a": 2}), REVISION) == [
        'data: Invalid value: {"a":2}: field is immutable'
    ]
    assert errors(put(REVISION, "revision", -1)) == [
        "revision: Invalid value: -1: must be greater than or equal to 0"
    ]


@pytest.mark.parametrize("obj", [DEPLOYMENT, REPLICAS, STATEFUL])
def test_counters_of_a_status(obj: dict[str, Any]) -> None:
    old = put(obj, "status", {"replicas": 2, "readyReplicas": 1})
    assert errors(old, obj) == []
    assert errors(put(old, "status.readyReplicas", 3), old) == [
        "status.readyReplicas: Invalid value: 3: cannot be greater than status.replicas"
    ]
    ready = "status.readyReplicas" if obj is STATEFUL else "readyReplicas"
    assert errors(put(old, "status.availableReplicas", 2), old) == [
        f"status.availableReplicas: Invalid value: 2: cannot be greater than {ready}"
    ]


@pytest.mark.parametrize("obj", [DEPLOYMENT, DAEMONS, STATEFUL])
def test_collisions_are_only_counted_up(obj: dict[str, Any]) -> None:
    old = put(obj, "status", {"collisionCount": 2})
    for status, shown in (({"collisionCount": 1}, 1), ({}, 0)):
        assert errors(put(old, "status", status), old) == [
            f"status.collisionCount: Invalid value: {shown}: cannot be decremented"
        ]
