"""What an attack on authorization is: who tries what, holding what, and the refusal."""

from dataclasses import dataclass, field
from typing import Any

from tests.apiserver.kit import Api

Json = dict[str, Any]
GROUP = "rbac.authorization.k8s.io"
RBAC = f"/apis/{GROUP}/v1"
HERE = f"{RBAC}/namespaces/default"
CORE = "/api/v1/namespaces/default"
REVIEWS = "/apis/authorization.k8s.io/v1"
MEMBER = ("eve", "system:authenticated")
NODE = ("system:node:n1", "system:nodes", "system:authenticated")
EVERYTHING = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}


def rule(verbs: str, resources: str, group: str = "", **more: list[str]) -> Json:
    return {
        "verbs": verbs.split(","),
        "apiGroups": [group],
        "resources": resources.split(","),
        **more,
    }


def role(name: str, *rules: Json, **more: Any) -> Json:
    return {"metadata": {"name": name}, "rules": list(rules), **more}


def bound(to: str, kind: str = "ClusterRole", who: str = "eve", name: str = "more") -> Json:
    return {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": to},
        "subjects": [{"apiGroup": GROUP, "kind": "User", "name": who}],
    }


@dataclass(frozen=True, kw_only=True)
class Attack:
    """What is tried by whom, holding which rules in the cluster and in the namespace."""

    name: str
    method: str = "POST"
    path: str
    body: Json = field(default_factory=dict)
    kind: str = "application/json"
    who: tuple[str, ...] = MEMBER
    held: tuple[Json, ...] = ()
    held_here: tuple[Json, ...] = ()
    before: tuple[tuple[str, Json], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    status: int = 403
    refusal: str


def as_user(who: tuple[str, ...]) -> dict[str, str]:
    name, *groups = who
    return {"impersonate-user": name, "impersonate-group": ", ".join(groups)}


async def hold(api: Api, attack: Attack) -> None:
    """Give the attacker what they hold, and make what they find."""
    user = attack.who[0]
    for rules, where, kind in (
        (attack.held, RBAC, "cluster"),
        (attack.held_here, HERE, ""),
    ):
        if rules:
            of = "ClusterRole" if kind else "Role"
            made = await api.ask("POST", f"{where}/{kind}roles", role("held", *rules))
            assert made.status == 201, made.body
            made = await api.ask(
                "POST", f"{where}/{kind}rolebindings", bound("held", of, user, "held")
            )
            assert made.status == 201, made.body
    for path, body in attack.before:
        made = await api.ask("POST", path, body)
        assert made.status == 201, made.body


WRITES = rule(
    "create,update,patch,get", "roles,rolebindings,clusterroles,clusterrolebindings", GROUP
)
GRANT = "is attempting to grant RBAC permissions not currently held"
UNRELATED = "no relationship found between node 'n1' and this object"
