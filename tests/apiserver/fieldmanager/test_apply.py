"""Server-side apply: what Kubernetes' documentation and KEP-555 promise of it."""

from typing import Any

import pytest

from argosy.base.errors import StatusError
from tests.apiserver.fieldmanager.writers import Writers, deployment, with_containers

CONTAINERS = ".spec.template.spec.containers"


def test_the_first_apply_creates() -> None:
    cluster = Writers()
    live = cluster.apply("ci", deployment({"replicas": 3}, labels={"app": "web"}))
    assert live == deployment(
        {"replicas": 3},
        labels={"app": "web"},
        managedFields=[
            {
                "manager": "ci",
                "operation": "Apply",
                "apiVersion": "apps/v1",
                "time": "2026-01-01T00:00:01Z",
                "fieldsType": "FieldsV1",
                "fieldsV1": {
                    "f:metadata": {"f:labels": {"f:app": {}}},
                    "f:spec": {"f:replicas": {}},
                },
            }
        ],
    )


def test_appliers_share_a_field_of_one_value() -> None:
    cluster = Writers()
    cluster.apply("one", deployment({"replicas": 3}))
    cluster.apply("two", deployment({"replicas": 3, "paused": True}))
    assert cluster.owners(".spec.replicas") == {"one", "two"}
    cluster.apply("one", deployment({}))
    assert cluster.spec == {"replicas": 3, "paused": True}
    assert cluster.owners(".spec.replicas") == {"two"}
    cluster.apply("two", deployment({"paused": True}))
    assert cluster.spec == {"paused": True}


def test_a_conflict_names_manager_and_field() -> None:
    cluster = Writers()
    cluster.put("kubectl-client-side-apply", deployment({"replicas": 1}))
    with pytest.raises(StatusError) as caught:
        cluster.apply("ci", deployment({"replicas": 2}))
    assert caught.value.status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "Apply failed with 1 conflict: conflict with "
        '"kubectl-client-side-apply" using apps/v1: .spec.replicas',
        "reason": "Conflict",
        "details": {
            "causes": [
                {
                    "reason": "FieldManagerConflict",
                    "message": 'conflict with "kubectl-client-side-apply" using apps/v1',
                    "field": ".spec.replicas",
                }
            ]
        },
        "code": 409,
    }


def test_several_conflicts_are_listed_by_manager() -> None:
    cluster = Writers()
    cluster.apply("b", deployment({"replicas": 1, "paused": True}))
    cluster.apply("a", with_containers({"name": "x", "image": "1"}))
    cluster.put("a", {**(cluster.live or {}), "status": {"readyReplicas": 1}}, subresource="status")
    patch = with_containers({"name": "x", "image": "2"})
    patch["spec"] |= {"replicas": 2, "paused": False}
    with pytest.raises(StatusError) as caught:
        cluster.apply("c", {**patch, "status": {"readyReplicas": 2}})
    assert caught.value.message == (
        "Apply failed with 4 conflicts: "
        'conflicts with "a":\n'
        f'- {CONTAINERS}[name="x"].image\n'
        'conflicts with "a" with subresource "status" using apps/v1:\n'
        "- .status.readyReplicas\n"
        'conflicts with "b":\n'
        "- .spec.paused\n"
        "- .spec.replicas"
    )
    assert len(caught.value.details["causes"]) == 4


def test_force_takes_the_field() -> None:
    cluster = Writers()
    cluster.apply("one", deployment({"replicas": 1, "paused": True}))
    cluster.apply("two", deployment({"replicas": 2}), force=True)
    assert cluster.spec == {"replicas": 2, "paused": True}
    assert cluster.owned("one") == [".spec.paused"]
    assert cluster.owned("two") == [".spec.replicas"]


def test_a_manager_that_loses_all_is_gone() -> None:
    cluster = Writers()
    cluster.apply("one", deployment({"replicas": 1}))
    cluster.apply("two", deployment({"replicas": 2}), force=True)
    assert [entry["manager"] for entry in cluster.entries()] == ["two"]


def test_a_field_of_another_is_left_by_not_mentioning_it() -> None:
    """The documented hand-over of replicas to an autoscaler."""
    cluster = Writers()
    cluster.apply("ci", deployment({"replicas": 1, "paused": True}))
    cluster.edit("autoscaler", lambda live: live["spec"].update(replicas=5))
    with pytest.raises(StatusError):
        cluster.apply("ci", deployment({"replicas": 1, "paused": True}))
    cluster.apply("ci", deployment({"paused": True}))
    assert cluster.spec == {"replicas": 5, "paused": True}
    assert cluster.owners(".spec.replicas") == {"autoscaler"}


def test_a_structure_goes_with_its_last_field() -> None:
    cluster = Writers()
    cluster.apply("ci", deployment({"strategy": {"rollingUpdate": {"maxSurge": 1}}}))
    cluster.apply("ci", deployment({"replicas": 1}))
    assert cluster.spec == {"replicas": 1}


def test_metadata_stays_when_a_configuration_no_longer_mentions_any() -> None:
    cluster = Writers()
    cluster.apply("ci", deployment({"replicas": 1}, labels={"a": "b"}))
    patch = deployment({"replicas": 1})
    del patch["metadata"]
    live = cluster.apply("ci", patch)
    assert live["metadata"]["name"] == "web"
    assert "labels" not in live["metadata"]


def test_containers_of_two_appliers() -> None:
    cluster = Writers()
    cluster.apply("app", with_containers({"name": "web", "image": "web:1"}))
    cluster.apply(
        "mesh",
        with_containers({"name": "proxy", "image": "p:1"}, {"name": "web", "command": ["run"]}),
    )
    assert cluster.spec["template"]["spec"]["containers"] == [
        {"name": "proxy", "image": "p:1"},
        {"name": "web", "image": "web:1", "command": ["run"]},
    ]
    cluster.apply("app", with_containers({"name": "web", "image": "web:2"}))
    cluster.apply("mesh", deployment({}))
    assert cluster.spec["template"]["spec"]["containers"] == [{"name": "web", "image": "web:2"}]


def test_a_port_without_protocol_is_the_port_with_the_default_one() -> None:
    cluster = Writers()
    cluster.apply("a", with_containers({"name": "x", "ports": [{"containerPort": 53}]}))
    named = [{"containerPort": 53, "protocol": "TCP", "name": "dns"}]
    cluster.apply("b", with_containers({"name": "x", "ports": named}))
    cluster.apply("c", with_containers({"name": "x", "ports": [{**named[0], "protocol": "UDP"}]}))
    ports = cluster.spec["template"]["spec"]["containers"][0]["ports"]
    assert ports == [
        {"containerPort": 53, "protocol": "TCP", "name": "dns"},
        {"containerPort": 53, "protocol": "UDP", "name": "dns"},
    ]


@pytest.mark.parametrize("field", ["env", "volumeMounts"])
def test_items_of_list_maps_are_removed_one_by_one(field: str) -> None:
    key = {"env": "name", "volumeMounts": "mountPath"}[field]
    cluster = Writers()
    cluster.apply("a", with_containers({"name": "x", field: [{key: "one"}, {key: "two"}]}))
    cluster.apply("b", with_containers({"name": "x", field: [{key: "two"}, {key: "three"}]}))
    cluster.apply("a", with_containers({"name": "x", field: [{key: "one"}]}))
    assert cluster.spec["template"]["spec"]["containers"][0][field] == [
        {key: "one"},
        {key: "two"},
        {key: "three"},
    ]
    cluster.apply("b", with_containers({"name": "x"}))
    assert cluster.spec["template"]["spec"]["containers"][0][field] == [{key: "one"}]


def test_conditions_of_two_controllers() -> None:
    def status(kind: str, value: str) -> dict[str, Any]:
        return deployment() | {"status": {"conditions": [{"type": kind, "status": value}]}}

    cluster = Writers()
    cluster.put("user", deployment({}))
    for kind, value in (("Ready", "False"), ("Synced", "True"), ("Ready", "True")):
        cluster.apply(kind, status(kind, value), subresource="status", strip=("spec",))
    assert (cluster.live or {})["status"]["conditions"] == [
        {"type": "Ready", "status": "True"},
        {"type": "Synced", "status": "True"},
    ]


def test_finalizers_are_a_set() -> None:
    cluster = Writers()
    cluster.apply("a", deployment(finalizers=["x/a", "x/shared"]))
    cluster.apply("b", deployment(finalizers=["x/b", "x/shared"]))
    cluster.apply("a", deployment())
    assert (cluster.live or {})["metadata"]["finalizers"] == ["x/b", "x/shared"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"selector": {"matchLabels": {"a": "b"}}}, {"selector": {"matchLabels": {"c": "d"}}}),
        ({"config": {"list": [1]}}, {"config": {"list": [2]}}),
        (
            {"template": {"spec": {"tolerations": [{"key": "a"}]}}},
            {"template": {"spec": {"tolerations": [{"key": "b"}]}}},
        ),
    ],
)
def test_atomic_fields_have_one_value(first: dict[str, Any], second: dict[str, Any]) -> None:
    cluster = Writers()
    cluster.apply("a", deployment(first))
    with pytest.raises(StatusError, match="1 conflict"):
        cluster.apply("b", deployment(second))
    cluster.apply("b", deployment(second), force=True)
    assert cluster.spec == second
    assert [entry["manager"] for entry in cluster.entries()] == ["b"]


def test_unknown_content_is_shared_by_entry() -> None:
    cluster = Writers()
    cluster.apply("a", deployment({"config": {"one": {"x": 1}}}))
    cluster.apply("b", deployment({"config": {"one": {"y": None}, "two": 2}}))
    cluster.apply("a", deployment({}))
    assert cluster.spec == {"config": {"one": {"y": None}, "two": 2}}


@pytest.mark.parametrize(
    "again",
    [
        deployment({"replicas": 1, "config": {}}, labels={}, finalizers=[]),
        with_containers({"name": "a", "ports": [{"containerPort": 1}], "env": []}),
        deployment({"replicas": 1}, creationTimestamp=None, generation=7, finalizers=["x"]),
    ],
)
def test_applying_again_changes_nothing(again: dict[str, Any]) -> None:
    cluster = Writers()
    cluster.put("user", deployment({"paused": True}))
    first = cluster.apply("ci", again)
    assert cluster.apply("ci", again) == first
    assert "creationTimestamp" not in first["metadata"]
    assert "generation" not in first["metadata"]


def test_time_moves_with_the_fields_or_the_object() -> None:
    cluster = Writers()
    cluster.apply("a", deployment({"replicas": 1, "paused": True}))
    cluster.apply("b", deployment({"replicas": 1}))
    assert [entry["time"][-3:] for entry in cluster.entries()] == ["01Z", "02Z"]
    cluster.apply("a", deployment({"replicas": 1, "paused": True}))
    assert [entry["time"][-3:] for entry in cluster.entries()] == ["01Z", "02Z"]
    cluster.apply("a", deployment({"replicas": 1}))
    assert [(e["manager"], e["time"][-3:]) for e in cluster.entries()] == [
        ("b", "02Z"),
        ("a", "04Z"),
    ]


def test_an_order_of_items_is_a_change() -> None:
    cluster = Writers()
    cluster.apply("a", with_containers({"name": "x"}, {"name": "y"}))
    cluster.apply("a", with_containers({"name": "y"}, {"name": "x"}))
    names = [item["name"] for item in cluster.spec["template"]["spec"]["containers"]]
    assert names == ["y", "x"]
    assert cluster.entries()[0]["time"][-3:] == "02Z"


def test_what_nobody_tracked_belongs_to_before_first_apply() -> None:
    cluster = Writers(live=deployment({"replicas": 1, "paused": False}))
    cluster.apply("a", deployment({"replicas": 1}))
    assert [entry["manager"] for entry in cluster.entries()] == ["a", "before-first-apply"]
    with pytest.raises(StatusError, match='"before-first-apply" using apps/v1: .spec.paused'):
        cluster.apply("a", deployment({"paused": True}))


def test_main_resource_and_status_do_not_own_each_other() -> None:
    cluster = Writers()
    both = deployment({"replicas": 1}) | {"status": {"readyReplicas": 9}}
    cluster.apply("a", both, strip=("status",))
    assert "status" not in (cluster.live or {})
    cluster.apply("a", both, subresource="status", strip=("spec", "metadata.labels"))
    assert [(e.get("subresource"), list(e["fieldsV1"])) for e in cluster.entries()] == [
        (None, ["f:spec"]),
        ("status", ["f:status"]),
    ]


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (deployment(managedFields=[]), "metadata.managedFields must be nil"),
        (
            deployment() | {"apiVersion": "apps/v1beta1"},
            "Incorrect version specified in apply patch. "
            "Specified patch version: apps/v1beta1, expected: apps/v1",
        ),
        (
            with_containers({"name": "a"}, {"name": "a"}),
            "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): "
            f'{CONTAINERS}: duplicate entries for key [name="a"]',
        ),
    ],
)
def test_refuses_bad_configurations(patch: dict[str, Any], message: str) -> None:
    with pytest.raises(StatusError) as caught:
        Writers().apply("a", patch)
    assert (caught.value.code, caught.value.message) == (400, message)
