"""Who may grant what: by holding it, by `escalate`, by `bind`."""

from typing import Any

import pytest

from tests.apiserver.kit import MERGE, Answer, Api

Json = dict[str, Any]
GROUP = "rbac.authorization.k8s.io"
RBAC = f"/apis/{GROUP}/v1"
HERE = f"{RBAC}/namespaces/default"
EVE = {"impersonate-user": "eve"}
STRONG: Json = {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}
ALL: list[Json] = [
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
]


def may(*verbs: str, names: list[str] | None = None) -> Json:
    """A rule about roles and bindings."""
    rule = {
        "verbs": list(verbs),
        "apiGroups": [GROUP],
        "resources": ["roles", "rolebindings", "clusterroles", "clusterrolebindings"],
    }
    return {**rule, "resourceNames": names} if names else rule


def role(name: str, *rules: Json, **more: Any) -> Json:
    return {"metadata": {"name": name}, "rules": list(rules), **more}


def binding(to: str, kind: str = "ClusterRole") -> Json:
    return {
        "metadata": {"name": "it"},
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": to},
        "subjects": [{"apiGroup": GROUP, "kind": "User", "name": "friend"}],
    }


async def hold(api: Api, *rules: Json) -> None:
    """Give Eve rules in the whole cluster, and the right to write what is asked about."""
    rules = (may("create", "patch", "update"), *rules)
    await api.ask("POST", f"{RBAC}/clusterroles", role("held", *rules))
    given = binding("held")
    given["metadata"]["name"] = "held"
    given["subjects"][0]["name"] = "eve"
    assert (await api.ask("POST", f"{RBAC}/clusterrolebindings", given)).status == 201


async def tries(api: Api, method: str, path: str, body: Json) -> Answer:
    kind = MERGE if method == "PATCH" else "application/json"
    return await api.ask(method, path, body, kind=kind, headers=EVE)


@pytest.mark.parametrize(
    ("held", "status"),
    [
        ((), 403),
        ((STRONG,), 201),
        ((may("escalate"),), 201),
        ((may("escalate", names=["new"]),), 403),  # a create has no name yet
        ((may("bind"),), 403),
    ],
)
async def test_making_a_role(api: Api, held: tuple[Json, ...], status: int) -> None:
    await hold(api, *held)
    for where in (f"{RBAC}/clusterroles", f"{HERE}/roles"):
        answer = await tries(api, "POST", where, role("new", STRONG))
        assert answer.status == status, answer.body


@pytest.mark.parametrize(
    ("held", "status"),
    [
        ((), 403),
        ((STRONG,), 201),
        ((may("bind"),), 201),
        ((may("bind", names=["strong"]),), 201),
        ((may("bind", names=["other"]),), 403),
        ((may("escalate"),), 403),
    ],
)
async def test_binding_a_role(api: Api, held: tuple[Json, ...], status: int) -> None:
    await hold(api, *held)
    await api.ask("POST", f"{RBAC}/clusterroles", role("strong", STRONG))
    await api.ask("POST", f"{HERE}/roles", role("strong", STRONG))
    for where, kind in (
        (f"{RBAC}/clusterrolebindings", "ClusterRole"),
        (f"{HERE}/rolebindings", "Role"),
    ):
        answer = await tries(api, "POST", where, binding("strong", kind))
        assert answer.status == status, answer.body


async def test_the_refusal_tells_what_is_lacking_and_what_is_missing(api: Api) -> None:
    await hold(api)
    lost = binding("gone")
    lost["subjects"][0]["name"] = "eve"
    await api.ask("POST", f"{RBAC}/clusterrolebindings", lost)
    more = {"verbs": ["list", "get"], "apiGroups": ["", "apps"], "resources": ["x"]}
    answer = await tries(api, "POST", f"{RBAC}/clusterroles", role("new", more))
    assert answer.message == (
        'clusterroles.rbac.authorization.k8s.io "new" is forbidden: user "eve" '
        '(groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently '
        "held:\n"
        '{APIGroups:[""], Resources:["x"], Verbs:["list" "get"]}\n'
        '{APIGroups:["apps"], Resources:["x"], Verbs:["list" "get"]}; resolution errors: '
        '[clusterrole.rbac.authorization.k8s.io "gone" not found]'
    )


async def test_what_only_leads_to_a_deletion_is_anybodys(api: Api) -> None:
    await hold(api)
    strong = role("strong", STRONG)
    strong["metadata"]["finalizers"] = ["example.com/wait"]
    await api.ask("POST", f"{RBAC}/clusterroles", strong)
    where = f"{RBAC}/clusterroles/strong"
    released = await tries(api, "PATCH", where, {"metadata": {"finalizers": None}})
    assert released.status == 200, released.body
    labelled = await tries(api, "PATCH", where, {"metadata": {"labels": {"a": "b"}}})
    assert labelled.status == 403


async def test_aggregated_roles_need_all_rights(api: Api) -> None:
    rule = {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}}
    await hold(api, STRONG)
    made = await tries(api, "POST", f"{RBAC}/clusterroles", role("new", STRONG, **rule))
    assert made.message.endswith("must have cluster-admin privileges to use the aggregationRule")
    await api.ask("POST", f"{RBAC}/clusterroles", role("new", STRONG, **rule))
    patch = {"aggregationRule": None}
    taken = await tries(api, "PATCH", f"{RBAC}/clusterroles/new", patch)
    assert taken.message.endswith("must have cluster-admin privileges to use the aggregationRule")
    await api.ask("PATCH", f"{RBAC}/clusterroles/held", {"rules": ALL}, kind=MERGE)
    assert (await tries(api, "PATCH", f"{RBAC}/clusterroles/new", patch)).status == 200


async def test_a_role_of_very_many_permissions_is_refused_soon(api: Api) -> None:
    many = [f"r{i}" for i in range(500)]
    await hold(api, {"verbs": many, "apiGroups": ["*"], "resources": ["*"]})
    huge = {"verbs": many, "apiGroups": many, "resources": many}
    answer = await tries(api, "POST", f"{RBAC}/clusterroles", role("huge", huge))
    assert (answer.status, "too many permissions" in answer.message) == (403, True)
