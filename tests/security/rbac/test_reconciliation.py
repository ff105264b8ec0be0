"""What a start makes of a default role or binding that is there already."""

import copy
from typing import Any

import pytest

from argosy.security.rbac.defaults import AUTO_UPDATE, defaults
from argosy.security.rbac.reconciliation import reconciled

Json = dict[str, Any]


def wanted(kind: str, name: str) -> Json:
    return next(
        item
        for item in defaults(lambda gate: False)
        if (item["kind"], item["metadata"]["name"]) == (kind, name)
    )


def stored(kind: str, name: str) -> Json:
    made = copy.deepcopy(wanted(kind, name))
    made["metadata"] |= {"uid": "u", "resourceVersion": "7"}
    return made


@pytest.mark.parametrize("item", defaults(lambda gate: True))
def test_what_is_whole_is_left_alone(item: Json) -> None:
    now = {**item, "metadata": {**item["metadata"], "resourceVersion": "7"}}
    assert reconciled(now, item) is now


def test_rules_that_are_missing_are_added_and_what_is_more_stays() -> None:
    now = stored("ClusterRole", "system:discovery")
    mine = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
    now["rules"] = [mine]
    now["metadata"]["labels"] = {"mine": "yes"}
    new = reconciled(now, wanted("ClusterRole", "system:discovery"))
    assert new["rules"][0] == mine
    paths = {rule["nonResourceURLs"][0] for rule in new["rules"][1:]}
    assert "/apis/*" in paths
    assert new["metadata"]["labels"].keys() == {"mine", "kubernetes.io/bootstrapping"}
    assert new["metadata"]["resourceVersion"] == "7"
    assert reconciled(new, wanted("ClusterRole", "system:discovery")) is new


def test_subjects_that_are_missing_are_added() -> None:
    now = stored("ClusterRoleBinding", "system:public-info-viewer")
    other = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob"}
    now["subjects"] = [now["subjects"][0], other]
    new = reconciled(now, wanted("ClusterRoleBinding", "system:public-info-viewer"))
    names = [subject["name"] for subject in new["subjects"]]
    assert names == ["system:authenticated", "bob", "system:unauthenticated"]


def test_a_binding_to_another_role_is_made_anew() -> None:
    now = stored("ClusterRoleBinding", "system:discovery")
    now["roleRef"] = {**now["roleRef"], "name": "cluster-admin"}
    new = reconciled(now, wanted("ClusterRoleBinding", "system:discovery"))
    assert new["roleRef"]["name"] == "system:discovery"
    assert "resourceVersion" not in new["metadata"]


@pytest.mark.parametrize("kind", ["ClusterRole", "ClusterRoleBinding"])
def test_who_does_not_want_it_is_left_alone(kind: str) -> None:
    now = stored(kind, "system:discovery")
    now["metadata"]["annotations"] = {AUTO_UPDATE: "false"}
    now["rules"] = now["subjects"] = []
    now["roleRef"] = {"name": "other"}
    assert reconciled(now, wanted(kind, "system:discovery")) is now


def test_aggregation_is_mended_and_its_rules_are_not_looked_at() -> None:
    now = stored("ClusterRole", "view")
    mine = {"matchLabels": {"mine": "yes"}}
    now["aggregationRule"] = {"clusterRoleSelectors": [mine]}
    now["rules"] = [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]
    new = reconciled(now, wanted("ClusterRole", "view"))
    assert new["aggregationRule"]["clusterRoleSelectors"][0] == mine
    assert len(new["aggregationRule"]["clusterRoleSelectors"]) == 2
    assert new["rules"] == now["rules"]
    odd = stored("ClusterRole", "system:discovery")
    odd["aggregationRule"] = {"clusterRoleSelectors": [mine]}
    assert "aggregationRule" not in reconciled(odd, wanted("ClusterRole", "system:discovery"))
