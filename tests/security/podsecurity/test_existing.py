"""What a stricter namespace is told of its pods."""

import json
from typing import Any

import msgspec
import pytest

from argosy.security.podsecurity import existing
from argosy.security.podsecurity.existing import ExistingPod, told
from argosy.security.podsecurity.levels import Standard
from tests.security.podsecurity.pods import hardened

BASELINE = Standard("baseline", 30)
HEAD = (
    'existing pods in namespace "shop" violate the new PodSecurity enforce level "baseline:v1.30"'
)


def pod(name: str, owner: str = "", **spec: Any) -> ExistingPod:
    owners = [{"uid": "other"}, {"uid": owner, "controller": True}] if owner else []
    obj = {"metadata": {"name": name, "ownerReferences": owners}, "spec": hardened(**spec)}
    return msgspec.json.decode(json.dumps(obj), type=ExistingPod)


def warnings(*pods: ExistingPod, total: int = 0) -> list[str]:
    return told("shop", BASELINE, pods, total=total or len(pods))


def test_nothing_is_said_of_pods_that_fit() -> None:
    assert warnings(pod("a"), pod("b")) == []


def test_pods_with_the_same_findings_are_told_together() -> None:
    assert warnings(
        pod("d", hostPID=True),
        pod("c", hostPID=True),
        pod("b", hostPID=True),
        pod("f", volumes=[{"name": "a", "hostPath": {}}]),
        pod("e", volumes=[{"name": "a", "hostPath": {}}]),
        pod("a", hostIPC=True, volumes=[{"name": "a", "hostPath": {}}]),
    ) == [
        HEAD,
        "a: host namespaces, hostPath volumes",
        "b (and 2 other pods): host namespaces",
        "e (and 1 other pod): hostPath volumes",
    ]


def test_one_pod_of_each_controller_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(existing, "MOST", 3)
    replicas = [pod(f"a{number}", "one", hostPID=True) for number in range(5)]
    found = warnings(*replicas, pod("b", "two", hostPID=True), pod("c", hostPID=True))

    assert found == [
        "new PodSecurity enforce level only checked against the first 3 of 7 existing pods",
        HEAD,
        "a0 (and 2 other pods): host namespaces",
    ]


def test_what_was_not_read_counts() -> None:
    assert warnings(pod("a"), total=9) == [
        "new PodSecurity enforce level only checked against the first 1 of 9 existing pods"
    ]
