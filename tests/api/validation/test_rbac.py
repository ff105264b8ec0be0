"""What roles and bindings may say."""

from typing import Any

import pytest

from tests.api.kit import GONE, errors, made, put

V1 = "rbac.authorization.k8s.io/v1"
READ = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
ROLE = made(V1, "Role", rules=[READ])
CLUSTER_ROLE = made(V1, "ClusterRole", rules=[READ])
BINDING = made(
    V1,
    "RoleBinding",
    roleRef={"kind": "Role", "name": "reader"},
    subjects=[{"kind": "User", "name": "jane"}, {"kind": "ServiceAccount", "name": "bot"}],
)
CLUSTER_BINDING = made(V1, "ClusterRoleBinding", roleRef={"kind": "ClusterRole", "name": "r"})
URLS = {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}


@pytest.mark.parametrize(
    "obj",
    [
        ROLE,
        CLUSTER_ROLE,
        BINDING,
        CLUSTER_BINDING,
        put(ROLE, "metadata.name", "system:node:Anything_goes"),
        put(CLUSTER_ROLE, "rules.1", URLS),
        put(CLUSTER_ROLE, "aggregationRule.clusterRoleSelectors", [{"matchLabels": {"a": "b"}}]),
        put(BINDING, "roleRef.kind", "ClusterRole"),
        put(BINDING, "subjects", GONE),
    ],
)
def test_what_is_taken(obj: dict[str, Any]) -> None:
    assert errors(obj) == []


@pytest.mark.parametrize(
    ("obj", "path", "value", "error"),
    [
        (
            ROLE,
            "metadata.name",
            "a/b",
            """metadata.name: Invalid value: "a/b": may not contain '/'""",
        ),
        (ROLE, "metadata.name", "..", """metadata.name: Invalid value: "..": may not be '..'"""),
        (
            ROLE,
            "rules.0.verbs",
            [],
            "rules[0].verbs: Required value: verbs must contain at least one value",
        ),
        (
            ROLE,
            "rules.0.apiGroups",
            GONE,
            "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
        ),
        (
            ROLE,
            "rules.0.resources",
            [],
            "rules[0].resources: Required value: resource rules must supply at least one resource",
        ),
        (
            ROLE,
            "rules.0",
            URLS,
            'rules[0].nonResourceURLs: Invalid value: ["/metrics"]: '
            "namespaced rules cannot apply to non-resource URLs",
        ),
        (
            CLUSTER_ROLE,
            "rules.0.nonResourceURLs",
            ["/a"],
            'rules[0].nonResourceURLs: Invalid value: ["/a"]: '
            "rules cannot apply to both regular resources and non-resource URLs",
        ),
        (
            CLUSTER_ROLE,
            "aggregationRule",
            {},
            "aggregationRule.clusterRoleSelectors: Required value: "
            "at least one clusterRoleSelector required if aggregationRule is non-nil",
        ),
        (
            BINDING,
            "roleRef.kind",
            "Group",
            'roleRef.kind: Unsupported value: "Group": supported values: "Role", "ClusterRole"',
        ),
        (
            CLUSTER_BINDING,
            "roleRef.kind",
            "Role",
            'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
        ),
        (BINDING, "roleRef.name", "", "roleRef.name: Required value"),
        (
            BINDING,
            "roleRef.apiGroup",
            "apps",
            'roleRef.apiGroup: Unsupported value: "apps": supported values: '
            '"rbac.authorization.k8s.io"',
        ),
        (
            BINDING,
            "subjects.0.kind",
            "Robot",
            'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", '
            '"User", "Group"',
        ),
        (
            BINDING,
            "subjects.1.apiGroup",
            "x",
            'subjects[1].apiGroup: Unsupported value: "x": supported values: ""',
        ),
        (
            CLUSTER_BINDING,
            "subjects",
            [{"kind": "ServiceAccount", "name": "bot"}],
            "subjects[0].namespace: Required value",
        ),
        (BINDING, "subjects.0.name", "", "subjects[0].name: Required value"),
    ],
)
def test_what_is_refused(obj: dict[str, Any], path: str, value: Any, error: str) -> None:
    assert errors(put(obj, path, value)) == [error]


def test_a_binding_is_to_one_role_for_good() -> None:
    assert errors(put(BINDING, "subjects", []), BINDING) == []
    assert errors(put(BINDING, "roleRef.name", "writer"), BINDING) == [
        'roleRef: Invalid value: {"kind":"Role","name":"writer",'
        '"apiGroup":"rbac.authorization.k8s.io"}: cannot change roleRef'
    ]
