"""What is dropped of which kind, under which gates, in which minor."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from argosy.api.builtin import load
from argosy.api.gated.pods import SPEC, TEMPLATES
from argosy.api.gated.table import GATED, dropper, nothing
from argosy.api.gates import Gates, known
from argosy.api.kinds import PREFERRED
from argosy.api.schema import Schema

Json = dict[str, Any]
ROWS = [(kind, row) for kind, rows in GATED.items() for row in rows]
ROWS += [("Pod", row.below("spec")) for row in SPEC]
GONE = ("nodeAllocatableResourceMappings",)
"""Fields of an older minor."""


def left(
    kind: str,
    new: Json,
    old: Json | None = None,
    *,
    minor: str = "1.37",
    asked: Mapping[str, bool] | None = None,
) -> Json:
    found = deepcopy(new)
    dropper(kind, Gates(minor, asked or {}))(found, old)
    return found


@pytest.mark.parametrize("kind, path", [(kind, path) for kind, row in ROWS for path in row.paths])
def test_each_path_leads_to_a_field(kind: str, path: str) -> None:
    if path.endswith(GONE):
        definitions = load("1.36")
    else:
        definitions = load("1.37")
    schema: Schema | None = definitions(PREFERRED[kind].definition)
    for word in path.split("."):
        assert schema is not None
        name = word.partition("=")[0].rstrip("!?").removesuffix("[]").removesuffix("{}")
        assert name in schema.properties, (path, name)
        schema = schema.properties[name]
        if "[]" in word:
            schema = schema.items
        elif "{}" in word:
            schema = schema.values
    assert schema is not None


def test_each_gate_is_known() -> None:
    for _, row in ROWS:
        assert all(known(name) for name in row.gates.replace("|", ",").split(",")), row.gates


def pod(**container: Any) -> Json:
    return {"spec": {"containers": [{"name": "main", **container}]}}


STOP = pod(lifecycle={"stopSignal": "SIGUSR1"})
SLEEP = pod(lifecycle={"preStop": {"sleep": {"seconds": 1}}, "postStart": {"exec": {}}})
ALWAYS: Json = {"spec": {"initContainers": [{"name": "a", "restartPolicy": "Always"}]}}
NEVER: Json = {"spec": {"initContainers": [{"name": "a", "restartPolicy": "Never"}]}}
PLAIN: Json = {"spec": {"initContainers": [{"name": "a"}]}}
IMAGES: Json = {
    "spec": {
        "volumes": [{"name": "a", "image": {"reference": "x"}}, {"name": "b", "emptyDir": {}}],
        "containers": [{"volumeMounts": [{"name": "a"}, {"name": "b"}]}],
        "initContainers": [{"volumeMounts": [{"name": "a"}]}],
    }
}
NO_IMAGES: Json = {
    "spec": {
        "volumes": [{"name": "b", "emptyDir": {}}],
        "containers": [{"volumeMounts": [{"name": "b"}]}],
        "initContainers": [{}],
    }
}
TLS = pod(livenessProbe={"grpc": {"port": 1, "mode": "TLS"}})


@pytest.mark.parametrize(
    "minor, asked, new, wanted",
    [
        ("1.37", {}, STOP, pod()),
        ("1.37", {"ContainerStopSignals": True}, STOP, STOP),
        ("1.30", {}, STOP, STOP),  # the field is not there yet: pruning is for that
        ("1.37", {}, TLS, pod(livenessProbe={"grpc": {"port": 1}})),
        ("1.37", {}, SLEEP, SLEEP),
        ("1.29", {}, SLEEP, pod(lifecycle={"postStart": {"exec": {}}})),
        ("1.37", {}, IMAGES, IMAGES),
        ("1.34", {}, IMAGES, NO_IMAGES),
        ("1.34", {"ImageVolume": True}, IMAGES, IMAGES),
        ("1.28", {}, ALWAYS, PLAIN),
        ("1.34", {}, ALWAYS, ALWAYS),
        ("1.34", {}, NEVER, PLAIN),
        ("1.35", {}, NEVER, NEVER),
        ("1.32", {}, pod(securityContext={"procMount": "Unmasked"}), pod(securityContext={})),
        ("1.37", {}, {"spec": {"schedulingGroup": {}}}, {"spec": {"schedulingGroup": {}}}),
        ("1.37", {"GenericWorkload": False}, {"spec": {"schedulingGroup": {}}}, {"spec": {}}),
        ("1.31", {}, {"spec": {"resourceClaims": [{}]}}, {"spec": {}}),
        ("1.34", {}, {"spec": {"resourceClaims": [{}]}}, {"spec": {"resourceClaims": [{}]}}),
    ],
)
def test_pods(minor: str, asked: dict[str, bool], new: Json, wanted: Json) -> None:
    assert left("Pod", new, minor=minor, asked=asked) == wanted


@pytest.mark.parametrize("kind, prefix", TEMPLATES.items())
def test_wherever_a_pods_spec_stands(kind: str, prefix: str) -> None:
    def wrapped(spec: Json) -> Json:
        for name in reversed(prefix.split(".")):
            spec = {name: spec}
        return spec

    stop, none = wrapped(deepcopy(STOP["spec"])), wrapped(pod()["spec"])
    assert left(kind, stop) == none
    assert left(kind, stop, none) == none
    assert left(kind, stop, stop) == stop
    images, rest = wrapped(deepcopy(IMAGES["spec"])), wrapped(deepcopy(NO_IMAGES["spec"]))
    assert left(kind, images, minor="1.34") == rest


CROSS: Json = {"spec": {"dataSourceRef": {"kind": "A", "name": "a", "namespace": "there"}}}
HERE: Json = {"spec": {"dataSourceRef": {"kind": "A", "name": "a"}}}
SLICE: Json = {
    "spec": {
        "devices": [
            {
                "allowMultipleAllocations": True,
                "attributes": {"a": {"ints": [1]}, "b": {"int": 1}},
                "capacity": {"memory": {"value": "1Gi", "requestPolicy": {"default": "1Gi"}}},
                "taints": [{"key": "a"}],
            }
        ]
    }
}


@pytest.mark.parametrize(
    "kind, minor, asked, new, old, wanted",
    [
        ("PersistentVolumeClaim", "1.37", {}, CROSS, None, {"spec": {}}),
        ("PersistentVolumeClaim", "1.37", {}, CROSS, HERE, CROSS),
        ("PersistentVolumeClaim", "1.37", {}, HERE, None, HERE),
        ("Lease", "1.37", {}, {"spec": {"strategy": "x"}}, None, {"spec": {}}),
        (
            "Lease",
            "1.37",
            {"CoordinatedLeaderElection": True},
            {"spec": {"strategy": "x"}},
            None,
            {"spec": {"strategy": "x"}},
        ),
        ("Job", "1.37", {}, {"spec": {"scheduling": {}}}, None, {"spec": {}}),
        ("Job", "1.31", {}, {"spec": {"managedBy": "me"}}, None, {"spec": {}}),
        ("Job", "1.32", {}, {"spec": {"managedBy": "me"}}, None, {"spec": {"managedBy": "me"}}),
        ("Node", "1.30", {}, {"status": {"runtimeHandlers": [{}]}}, None, {"status": {}}),
        (
            "Node",
            "1.30",
            {"UserNamespacesSupport": True},
            {"status": {"runtimeHandlers": [{}]}},
            None,
            {"status": {"runtimeHandlers": [{}]}},
        ),
        (
            "ResourceSlice",
            "1.37",
            {},
            SLICE,
            None,
            {
                "spec": {
                    "devices": [
                        {**SLICE["spec"]["devices"][0], "attributes": {"a": {}, "b": {"int": 1}}}
                    ]
                }
            },
        ),
        (
            "ResourceSlice",
            "1.35",
            {"DRAConsumableCapacity": False},
            SLICE,
            None,
            {
                "spec": {
                    "devices": [
                        {
                            "attributes": {"a": {"ints": [1]}, "b": {"int": 1}},
                            "capacity": {"memory": {"value": "1Gi"}},
                        }
                    ]
                }
            },
        ),
        (
            "PodGroup",
            "1.37",
            {"TopologyAwareWorkloadScheduling": False},
            {"spec": {"schedulingConstraints": {}, "priority": 1}},
            None,
            {"spec": {"priority": 1}},
        ),
    ],
)
def test_other_kinds(
    kind: str, minor: str, asked: dict[str, bool], new: Json, old: Json | None, wanted: Json
) -> None:
    assert left(kind, new, old, minor=minor, asked=asked) == wanted


def test_what_has_no_gated_field_costs_nothing() -> None:
    assert dropper("ConfigMap", Gates("1.37")) is nothing
    assert dropper("CSIDriver", Gates("1.37")) is nothing
