"""What is told to pods that wait, and who is served first."""

import msgspec
import pytest

from argosy.api.core import Node, Pod
from argosy.api.storage import CSIDriver, PersistentVolume
from argosy.controllers.attachdetach.plan import first, mounted, refusal, required, shared


def pod(name: str, namespace: str = "default", made: str = "2026") -> Pod:
    meta = {"name": name, "namespace": namespace, "creationTimestamp": made}
    return msgspec.convert({"metadata": meta}, Pod)


@pytest.mark.parametrize(
    ("users", "why"),
    [
        ([pod("a"), pod("b")], "Volume is already used by pod(s) a, b"),
        (
            [pod("a"), pod("b", "other")],
            "Volume is already used by pod(s) a and 1 pod(s) in different namespaces",
        ),
        ([pod("b", "other")], "Volume is already used by 1 pod(s) in different namespaces"),
        (
            [],
            "Volume is already exclusively attached to one node and can't be attached to another",
        ),
    ],
)
def test_why_a_pod_waits(users: list[Pod], why: str) -> None:
    note = refusal("v", pod("p"), users)
    assert note.message == f'Multi-Attach error for volume "v" {why}'
    assert (note.reason, note.type) == ("FailedAttachVolume", "Warning")


def test_who_came_first_is_served_first() -> None:
    places = {"a": [pod("p", made="2026")], "b": [pod("q", made="2025"), pod("r", made="2027")]}
    assert [node for node, _ in first(places.items())] == ["b", "a"]


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        (["ReadWriteOnce"], False),
        (["ReadWriteOncePod"], False),
        (["ReadWriteOnce", "ReadOnlyMany"], True),
        (["ReadWriteMany"], True),
        ([], True),
    ],
)
def test_who_shares(modes: list[str], expected: bool) -> None:
    assert shared(msgspec.convert({"spec": {"accessModes": modes}}, PersistentVolume)) is expected


def test_a_driver_that_says_nothing_attaches() -> None:
    assert required(None) and required(CSIDriver())
    assert not required(msgspec.convert({"spec": {"attachRequired": False}}, CSIDriver))


def test_a_node_out_of_service_has_nothing_mounted() -> None:
    status = {"volumesInUse": ["v"]}
    assert mounted(msgspec.convert({"status": status}, Node), "v")
    assert not mounted(msgspec.convert({"status": status}, Node), "w")
    taints = [{"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}]
    out = {"status": status, "spec": {"taints": taints}}
    assert not mounted(msgspec.convert(out, Node), "v")
