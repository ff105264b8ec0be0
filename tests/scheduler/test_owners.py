"""Which pods count for a pod, by its services and its owner."""

from typing import Any

import msgspec
import pytest

from argosy.api.core import Pod, Service
from argosy.api.replicas import ReplicaSet, ReplicationController
from argosy.api.statefulsets import StatefulSet
from argosy.scheduler.owners import Owners, Workload
from tests.scheduler.builders import pod


def service(name: str = "s", space: str = "default", **selector: str) -> Service:
    body = {"metadata": {"name": name, "namespace": space}, "spec": {"selector": selector}}
    return msgspec.convert(body, Service)


def workload(kind: type[Workload], selector: Any, name: str = "w") -> Workload:
    body = {"metadata": {"name": name, "namespace": "default"}, "spec": {"selector": selector}}
    return msgspec.json.decode(msgspec.json.encode(body), type=kind)


def owned(
    kind: str = "", version: str = "apps/v1", *, space: str = "default", **labels: str
) -> Pod:
    owner = {"apiVersion": version, "kind": kind, "name": "w", "uid": "u", "controller": True}
    owners = [owner] if kind else []
    return pod(metadata={"namespace": space, "labels": labels, "ownerReferences": owners})


def test_services_that_select_the_pod() -> None:
    owners = Owners()
    for one in (service("a", app="a"), service("b", tier="x", app="a"), service("c", app="b")):
        owners.put_service(None, one)
    owners.put_service(None, service("all"))
    owners.put_service(None, service("d", "other", app="a", rev="1"))
    found = owners.selected(owned(app="a", tier="x", rev="1"))
    assert found is not None
    assert found.matches({"app": "a", "tier": "x"})
    assert not found.matches({"app": "a"})
    only = owners.selected(owned(app="a"))
    assert only is not None and only.matches({"app": "a"})
    assert owners.selected(owned(app="c")) is None
    assert owners.selected(owned(space="elsewhere", app="a")) is None
    other = owners.selected(owned(space="other", app="a", rev="1"))
    assert other is not None and other != found


def test_services_come_change_and_go() -> None:
    owners, old, new = Owners(), service(app="a"), service(app="b")
    owners.put_service(None, old)
    assert owners.selected(owned(app="a")) is not None
    owners.put_service(old, new)
    assert owners.selected(owned(app="a")) is None
    assert owners.selected(owned(app="b")) is not None
    owners.put_service(new, None)
    owners.put_service(new, None)
    assert owners.selected(owned(app="b")) is None


@pytest.mark.parametrize(
    ("kind", "name", "version", "selector"),
    [
        (ReplicaSet, "ReplicaSet", "apps/v1", {"matchLabels": {"app": "a"}}),
        (StatefulSet, "StatefulSet", "apps/v1", {"matchLabels": {"app": "a"}}),
        (ReplicationController, "ReplicationController", "v1", {"app": "a"}),
    ],
)
def test_owners_select(
    kind: type[Workload], name: str, version: str, selector: dict[str, Any]
) -> None:
    owners, made = Owners(), workload(kind, selector)
    owners.put_workload(None, made)
    found = owners.selected(owned(name, version, app="x"))
    assert found is not None and found.matches({"app": "a"}) and not found.matches({"app": "x"})
    assert owners.selected(owned(name, "example.com/v1")) is None
    assert owners.selected(owned("Job", "batch/v1")) is None
    assert owners.selected(owned(name, version, space="other")) is None
    owners.put_service(None, service(tier="x"))
    both = owners.selected(owned(name, version, tier="x"))
    assert both is not None and both.matches({"app": "a", "tier": "x"})
    assert not both.matches({"app": "a"})
    owners.put_workload(made, None)
    assert owners.selected(owned(name, version)) is None


def test_an_owner_that_selects_everything_says_nothing() -> None:
    owners = Owners()
    owners.put_workload(None, workload(ReplicaSet, {}))
    assert owners.selected(owned("ReplicaSet")) is None
