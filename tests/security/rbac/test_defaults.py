"""The roles and bindings that every cluster has."""

from typing import Any

from argosy.security.rbac.aggregation import complete
from argosy.security.rbac.defaults import AUTO_UPDATE, defaults

Json = dict[str, Any]


def found(*gates: str) -> dict[tuple[str, str], Json]:
    return {
        (item["kind"], item["metadata"]["name"]): item
        for item in defaults(lambda gate: gate in gates)
    }


def test_all_are_marked_and_every_binding_has_its_role() -> None:
    items = defaults(lambda gate: True)
    roles = {
        (item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"])
        for item in items
        if "Role" == item["kind"][-4:]
    }
    assert len(items) > 130
    for item in items:
        meta = item["metadata"]
        assert meta["annotations"] == {AUTO_UPDATE: "true"}
        assert meta["labels"]["kubernetes.io/bootstrapping"] == "rbac-defaults"
        if item["kind"].endswith("Binding"):
            role = item["roleRef"]
            where = meta.get("namespace") if role["kind"] == "Role" else None
            assert (role["kind"], where, role["name"]) in roles, item
    assert len({(item["kind"], str(item["metadata"])) for item in items}) == len(items)


def test_some_that_are_well_known() -> None:
    known = found()
    assert known["ClusterRole", "cluster-admin"]["rules"] == [
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
        {"verbs": ["*"], "nonResourceURLs": ["*"]},
    ]
    binding = known["ClusterRoleBinding", "system:public-info-viewer"]
    assert [subject["name"] for subject in binding["subjects"]] == [
        "system:authenticated",
        "system:unauthenticated",
    ]
    assert known["ClusterRoleBinding", "system:kube-dns"]["subjects"] == [
        {"kind": "ServiceAccount", "name": "kube-dns", "namespace": "kube-system"}
    ]
    signer = known["RoleBinding", "system:controller:token-cleaner"]
    assert signer["metadata"]["namespace"] == "kube-system"
    assert known["ClusterRoleBinding", "system:node"]["subjects"] == []
    view = known["ClusterRole", "view"]
    assert view["aggregationRule"]["clusterRoleSelectors"] == [
        {"matchLabels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}}
    ]


def test_gates_open_roles_and_rules() -> None:
    trust = ("ClusterRole", "system:cluster-trust-bundle-discovery")
    assert trust not in found()
    assert found("ClusterTrustBundle")[trust]["rules"]
    node = ("ClusterRole", "system:node")
    assert len(found("ClusterTrustBundle")[node]["rules"]) == len(found()[node]["rules"]) + 1


def test_the_aggregated_ones_are_complete() -> None:
    known = complete(defaults(lambda gate: False))
    items = {item["metadata"]["name"]: item for item in known if item["kind"] == "ClusterRole"}
    names = ("view", "edit", "admin")
    view, edit, admin = ([str(rule) for rule in items[name]["rules"]] for name in names)
    assert set(view) < set(edit) < set(admin)
    secrets = [rule for rule in items["view"]["rules"] if "secrets" in rule.get("resources", ())]
    assert not secrets
    assert items["cluster-admin"]["rules"]
