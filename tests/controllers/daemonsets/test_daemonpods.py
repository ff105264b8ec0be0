"""Pods of daemons: what they look like, and how they are told apart."""

from typing import Any

import msgspec

from argosy.api.core import Pod
from argosy.api.daemonsets import DaemonSet
from argosy.controllers.daemonsets import daemonpods
from argosy.controllers.daemonsets.daemonpods import tolerations

Json = dict[str, Any]


def pod(name: str, **rest: Any) -> Pod:
    return msgspec.convert({"metadata": {"name": name, **rest.pop("meta", {})}, **rest}, Pod)


def test_tolerations_of_the_template_stay_and_daemons_win() -> None:
    own = {"key": "k", "operator": "Exists"}
    short = {
        "key": "node.kubernetes.io/not-ready",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 5,
    }
    found = tolerations({"tolerations": [own, short], "hostNetwork": True})
    assert found[0] == own and short not in found
    assert [item["key"] for item in found].count("node.kubernetes.io/not-ready") == 1
    assert found[-1]["key"] == "node.kubernetes.io/network-unavailable"
    assert len(tolerations({})) == 6


def test_affinity_other_than_to_nodes_is_kept() -> None:
    apart = {"podAntiAffinity": {"x": 1}, "nodeAffinity": {"preferred": [1]}}
    spec = {"containers": [], "affinity": apart}
    owner = msgspec.convert(
        {"metadata": {"name": "a"}, "spec": {"template": {"spec": spec}}}, DaemonSet
    )
    affinity = daemonpods.pod(owner, "h", "n1")["spec"]["affinity"]
    assert affinity["podAntiAffinity"] == {"x": 1}
    assert affinity["nodeAffinity"]["preferred"] == [1]
    assert apart == {"podAntiAffinity": {"x": 1}, "nodeAffinity": {"preferred": [1]}}


def test_the_template_of_old_is_told_by_its_count() -> None:
    counted = {"annotations": {"deprecated.daemonset.template.generation": "2"}}
    owner = msgspec.convert({"metadata": {"name": "a", **counted}}, DaemonSet)
    by_hash = pod("p", meta={"labels": {"controller-revision-hash": "h"}})
    by_count = pod("p", meta={"labels": {"pod-template-generation": "2"}})
    assert daemonpods.updated(owner, by_hash, "h") and daemonpods.updated(owner, by_count, "h")
    assert not daemonpods.updated(owner, by_hash, "other")
    assert not daemonpods.updated(owner, pod("p"), "h")


def test_by_node_has_placed_and_old_pods_first() -> None:
    ended: Json = {"status": {"phase": "Failed"}}
    going = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    found = daemonpods.by_node(
        [
            pod(
                "young", spec={"nodeName": "a"}, meta={"creationTimestamp": "2026-01-02T00:00:00Z"}
            ),
            pod("old", spec={"nodeName": "a"}, meta={"creationTimestamp": "2026-01-01T00:00:00Z"}),
            pod("gone", spec={"nodeName": "a"}, meta=going, **ended),
            pod("nowhere"),
        ]
    )
    assert {node: [item.metadata.name for item in pods] for node, pods in found.items()} == {
        "a": ["old", "young"]
    }
