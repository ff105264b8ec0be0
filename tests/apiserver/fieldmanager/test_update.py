"""managedFields after creates, updates and patches."""

from typing import Any

import pytest

from argosy.apiserver.fieldmanager.entries import MAX_UPDATERS
from argosy.base.errors import StatusError
from tests.apiserver.fieldmanager.writers import Writers, deployment


def test_a_create_owns_all_but_identity() -> None:
    cluster = Writers()
    cluster.put(
        "kubectl-create",
        deployment({"replicas": 1, "config": {}}, labels={"app": "web"}, uid="u", generation=1),
    )
    assert cluster.entries() == [
        {
            "manager": "kubectl-create",
            "operation": "Update",
            "apiVersion": "apps/v1",
            "time": "2026-01-01T00:00:01Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                "f:spec": {".": {}, "f:config": {}, "f:replicas": {}},
            },
        }
    ]


def test_fields_stand_in_order() -> None:
    cluster = Writers()
    cluster.put("a", deployment({"replicas": 1, "paused": True}, labels={"z": "", "b": ""}))
    fields = cluster.entries()[0]["fieldsV1"]
    assert list(fields["f:spec"]) == [".", "f:paused", "f:replicas"]
    assert list(fields["f:metadata"]["f:labels"]) == [".", "f:b", "f:z"]
    cluster.edit("a", lambda live: live["spec"].update(config={}))
    assert list(cluster.entries()[0]["fieldsV1"]["f:spec"]) == [
        *(".", "f:config", "f:paused", "f:replicas")
    ]


def test_a_changed_field_changes_hands() -> None:
    cluster = Writers()
    cluster.put("a", deployment({"replicas": 1, "paused": True}))
    cluster.edit("b", lambda live: live["spec"].update(replicas=2))
    assert cluster.owners(".spec.replicas") == {"b"}
    assert cluster.owners(".spec.paused") == {"a"}
    assert [entry["time"][-3:] for entry in cluster.entries()] == ["01Z", "02Z"]


def test_an_update_that_changes_nothing_owns_nothing() -> None:
    cluster = Writers()
    first = cluster.put("a", deployment({"replicas": 1}))
    assert cluster.edit("b", lambda live: live["metadata"].update(resourceVersion="7"))[
        "metadata"
    ] == {**first["metadata"], "resourceVersion": "7"}


def test_a_removed_field_belongs_to_nobody() -> None:
    cluster = Writers()
    cluster.apply("a", deployment({"replicas": 1, "paused": True}))
    cluster.apply("b", deployment({"replicas": 1}))
    cluster.edit("c", lambda live: live["spec"].pop("replicas"))
    assert [entry["manager"] for entry in cluster.entries()] == ["a"]
    assert cluster.owned("a") == [".spec.paused"]


def test_one_name_updates_and_applies_as_two_managers() -> None:
    cluster = Writers()
    cluster.apply("a", deployment({"replicas": 1}))
    cluster.edit("a", lambda live: live["spec"].update(paused=True))
    cluster.edit("a", lambda live: live.update(status={"readyReplicas": 1}), subresource="status")
    found = [(entry["operation"], entry.get("subresource")) for entry in cluster.entries()]
    assert found == [("Apply", None), ("Update", None), ("Update", "status")]


def test_a_writer_that_sends_none_keeps_them() -> None:
    cluster = Writers()
    cluster.put("a", deployment({"replicas": 1}))
    cluster.put("b", deployment({"replicas": 1, "paused": True}))
    assert cluster.owned("a") == [".spec", ".spec.replicas"]
    assert cluster.owned("b") == [".spec.paused"]


@pytest.mark.parametrize("reset", [[], [{}]])
def test_resetting(reset: list[Any]) -> None:
    cluster = Writers()
    cluster.put("a", deployment({"replicas": 1}))
    cluster.edit("b", lambda live: live["metadata"].update(managedFields=reset))
    assert "managedFields" not in (cluster.live or {})["metadata"]
    cluster.edit("b", lambda live: live["spec"].update(replicas=2))
    assert cluster.entries() == []
    with pytest.raises(StatusError, match="before-first-apply"):
        cluster.apply("c", deployment({"replicas": 3}))


@pytest.mark.parametrize("sent", [None, "x", [1], [{"manager": "m"}], [{"operation": "Apply"}]])
def test_unreadable_managed_fields_are_ignored(sent: Any) -> None:
    cluster = Writers()
    first = cluster.put("a", deployment({"replicas": 1}))
    cluster.edit("b", lambda live: live["metadata"].update(managedFields=sent))
    assert cluster.live == first


def entry(manager: str, fields: Any, **more: str) -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": "Apply",
        "apiVersion": "apps/v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    } | more


def test_a_writer_may_hand_fields_over() -> None:
    cluster = Writers()
    cluster.put("a", deployment({"replicas": 1}))
    sent = [entry("ci", {"f:spec": {"f:replicas": {}}})]
    cluster.edit("b", lambda live: live["metadata"].update(managedFields=sent))
    assert cluster.entries() == sent


def test_a_subresource_has_no_say_in_them() -> None:
    cluster = Writers()
    first = cluster.put("a", deployment({"replicas": 1}))
    cluster.edit("b", lambda live: live["metadata"].update(managedFields=[]), subresource="status")
    assert cluster.live == first


def test_stripped_fields_are_not_owned() -> None:
    cluster = Writers()
    body = deployment({"replicas": 1}) | {"status": {"readyReplicas": 1}}
    cluster.put("a", body, strip=("status",))
    assert list(cluster.entries()[0]["fieldsV1"]) == ["f:spec"]


def test_an_empty_name_is_unknown() -> None:
    cluster = Writers()
    cluster.put("", deployment({"replicas": 1}))
    assert cluster.entries()[0]["manager"] == "unknown"


def test_the_oldest_of_many_updaters_are_put_together() -> None:
    cluster = Writers()
    cluster.put("m00", deployment({"replicas": 0}))
    many = [f"m{number:02}" for number in range(1, MAX_UPDATERS + 3)]
    config: dict[str, int] = {}
    for name in many:
        config = {**config, name: 1}
        cluster.put(name, deployment({"replicas": 0, "config": config}))
    assert [entry["manager"] for entry in cluster.entries()] == ["ancient-changes", *many[3:]]
    assert cluster.owned("ancient-changes") == [
        ".spec",
        ".spec.config",
        ".spec.replicas",
        *(f".spec.config.{name}" for name in many[:3]),
    ]
