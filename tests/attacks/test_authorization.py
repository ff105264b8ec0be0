"""Attempts to do, or to grant, what nobody allowed: each with the refusal that it must get."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from tests.apiserver.kit import MERGE, Api, serving
from tests.attacks.authorization_kit import (
    CORE,
    EVERYTHING,
    GRANT,
    GROUP,
    HERE,
    MEMBER,
    RBAC,
    REVIEWS,
    WRITES,
    Attack,
    as_user,
    bound,
    hold,
    role,
    rule,
)

ATTACKS = [
    Attack(
        name="read secrets with no rights",
        method="GET",
        path=f"{CORE}/secrets",
        refusal='User "eve" cannot list resource "secrets" in API group "" in the namespace '
        '"default"',
    ),
    Attack(
        name="read all namespaces with rights in one",
        method="GET",
        path="/api/v1/secrets",
        held_here=(rule("list", "secrets"),),
        refusal='cannot list resource "secrets" in API group "" at the cluster scope',
    ),
    Attack(
        name="watch with the right to get",
        method="GET",
        path=f"{CORE}/secrets",
        query=(("watch", "1"),),
        held_here=(rule("get,list", "secrets"),),
        refusal='cannot watch resource "secrets"',
    ),
    Attack(
        name="watch one object with the right to get it",
        method="GET",
        path=f"{CORE}/secrets/mine",
        query=(("watch", "1"),),
        held_here=(rule("get", "secrets", resourceNames=["mine"]),),
        refusal='secrets "mine" is forbidden: User "eve" cannot watch resource "secrets"',
    ),
    Attack(
        name="read another object than the one that is named",
        method="GET",
        path=f"{CORE}/secrets/root",
        held_here=(rule("get", "secrets", resourceNames=["mine"]),),
        refusal='secrets "root" is forbidden: User "eve" cannot get resource "secrets"',
    ),
    Attack(
        name="list with the right to one name",
        method="GET",
        path=f"{CORE}/secrets",
        held_here=(rule("get,list", "secrets", resourceNames=["mine"]),),
        refusal='cannot list resource "secrets"',
    ),
    Attack(
        name="list one name and select another",
        method="GET",
        path=f"{CORE}/secrets",
        query=(("fieldSelector", "metadata.name!=mine"),),
        held_here=(rule("list", "secrets", resourceNames=["mine"]),),
        refusal='cannot list resource "secrets"',
    ),
    Attack(
        name="delete all with the right to delete one",
        method="DELETE",
        path=f"{CORE}/pods",
        held_here=(rule("delete", "pods"),),
        refusal='cannot deletecollection resource "pods"',
    ),
    Attack(
        name="enter a pod with the right to read it",
        path=f"{CORE}/pods/web/exec",
        held_here=(rule("get,list,create", "pods"),),
        refusal='cannot create resource "pods/exec"',
    ),
    Attack(
        name="enter a pod by WebSocket with the right to look",
        method="GET",
        path=f"{CORE}/pods/web/exec",
        query=(("command", "sh"),),
        held_here=(rule("get", "pods,pods/exec"),),
        refusal='pods "web" is forbidden: ',
    ),
    Attack(
        name="attach to a pod by WebSocket with the right to look",
        method="GET",
        path=f"{CORE}/pods/web/attach",
        held_here=(rule("get", "pods,pods/attach"),),
        refusal='pods "web" is forbidden: ',
    ),
    Attack(
        name="reach a pod's ports by WebSocket with the right to look",
        method="GET",
        path=f"{CORE}/pods/web/portforward",
        held_here=(rule("get", "pods,pods/portforward"),),
        refusal='pods "web" is forbidden: ',
    ),
    Attack(
        name="write through a proxy with the right to read through it",
        path=f"{CORE}/pods/web/proxy/x",
        held_here=(rule("get", "pods,pods/proxy"),),
        refusal='cannot create resource "pods/proxy"',
    ),
    Attack(
        name="reach a node's own API with all rights on pods",
        method="GET",
        path="/api/v1/nodes/n1/proxy/exec/default/web/main",
        held=(rule("*", "pods,pods/exec,pods/proxy,nodes"),),
        refusal='cannot get resource "nodes/proxy"',
    ),
    Attack(
        name="reach a pod behind a service with the right to the service",
        method="GET",
        path=f"{CORE}/services/https:web:443/proxy/x",
        held_here=(rule("*", "services"),),
        refusal='cannot get resource "services/proxy"',
    ),
    Attack(
        name="make a pod by apply in a dry run",
        method="PATCH",
        kind="application/apply-patch+yaml",
        path=f"{CORE}/pods/new",
        body={"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "new"}},
        query=(("fieldManager", "eve"), ("dryRun", "All")),
        held_here=(rule("patch", "pods"),),
        refusal='cannot create resource "pods"',
    ),
    Attack(
        name="write a status with the right to write the object",
        method="PUT",
        path=f"{CORE}/pods/web/status",
        held_here=(rule("update", "pods"),),
        refusal='cannot update resource "pods/status"',
    ),
    Attack(
        name="take a token of a service account",
        path=f"{CORE}/serviceaccounts/default/token",
        held_here=(rule("get,create", "serviceaccounts"),),
        refusal='cannot create resource "serviceaccounts/token"',
    ),
    Attack(
        name="reach a path by a rule for resources",
        method="GET",
        path="/metrics",
        held=(EVERYTHING,),
        refusal='User "eve" cannot get path "/metrics"',
    ),
    Attack(
        name="reach a path by a binding in a namespace",
        method="GET",
        path="/metrics",
        before=((f"{HERE}/rolebindings", bound("cluster-admin")),),
        refusal='User "eve" cannot get path "/metrics"',
    ),
    Attack(
        name="ask what others may do",
        path=f"{REVIEWS}/subjectaccessreviews",
        body={"spec": {"user": "kubernetes-admin", "resourceAttributes": {"verb": "get"}}},
        refusal='cannot create resource "subjectaccessreviews"',
    ),
    Attack(
        name="make a role of more than is held",
        path=f"{HERE}/roles",
        body=role("more", rule("get,delete", "secrets")),
        held_here=(WRITES, rule("get", "secrets")),
        refusal=f'{GRANT}:\n{{APIGroups:[""], Resources:["secrets"], Verbs:["delete"]}}',
    ),
    Attack(
        name="make a cluster role of what is held in a namespace",
        path=f"{RBAC}/clusterroles",
        body=role("more", rule("get", "secrets")),
        held=(WRITES,),
        held_here=(rule("get", "secrets"),),
        refusal=GRANT,
    ),
    Attack(
        name="make a role of all verbs by a star",
        path=f"{HERE}/roles",
        body=role("more", rule("*", "secrets")),
        held_here=(WRITES, rule("get,list,watch,create,update,patch,delete", "secrets")),
        refusal='Verbs:["*"]',
    ),
    Attack(
        name="make a role of all objects with the right to one",
        path=f"{HERE}/roles",
        body=role("more", rule("get", "secrets")),
        held_here=(WRITES, rule("get", "secrets", resourceNames=["mine"])),
        refusal=GRANT,
    ),
    Attack(
        name="make a role of paths",
        path=f"{RBAC}/clusterroles",
        body=role("more", {"verbs": ["get"], "nonResourceURLs": ["*"]}),
        held=(WRITES, {"verbs": ["get"], "nonResourceURLs": ["/logs/*"]}),
        refusal='{NonResourceURLs:["*"], Verbs:["get"]}',
    ),
    Attack(
        name="widen a role by a patch",
        method="PATCH",
        kind=MERGE,
        path=f"{HERE}/roles/weak",
        body={"rules": [EVERYTHING]},
        held_here=(WRITES,),
        before=((f"{HERE}/roles", role("weak")),),
        refusal='{APIGroups:["*"], Resources:["*"], Verbs:["*"]}',
    ),
    Attack(
        name="widen a role by server-side apply",
        method="PATCH",
        kind="application/apply-patch+yaml",
        path=f"{HERE}/roles/weak",
        body={
            "apiVersion": f"{GROUP}/v1",
            "kind": "Role",
            "metadata": {"name": "weak"},
            "rules": [EVERYTHING],
        },
        query=(("fieldManager", "eve"), ("force", "true")),
        held_here=(WRITES,),
        before=((f"{HERE}/roles", role("weak")),),
        refusal=GRANT,
    ),
    Attack(
        name="widen a role in a dry run",
        method="PATCH",
        kind=MERGE,
        path=f"{HERE}/roles/weak",
        body={"rules": [EVERYTHING]},
        query=(("dryRun", "All"),),
        held_here=(WRITES,),
        before=((f"{HERE}/roles", role("weak")),),
        refusal=GRANT,
    ),
    Attack(
        name="gather rules by an aggregated role",
        path=f"{RBAC}/clusterroles",
        body=role("more", aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}),
        held=(WRITES,),
        refusal="must have cluster-admin privileges to use the aggregationRule",
    ),
    Attack(
        name="let a strong role be gathered by a label",
        method="PATCH",
        kind=MERGE,
        path=f"{RBAC}/clusterroles/cluster-root",
        body={"metadata": {"labels": {f"{GROUP}/aggregate-to-view": "true"}}},
        held=(WRITES,),
        before=((f"{RBAC}/clusterroles", role("cluster-root", EVERYTHING)),),
        refusal=GRANT,
    ),
    Attack(
        name="add rules to a role that is gathered",
        path=f"{RBAC}/clusterroles",
        body={
            **role("more", rule("get", "secrets")),
            "metadata": {"name": "more", "labels": {f"{GROUP}/aggregate-to-view": "true"}},
        },
        held=(WRITES,),
        refusal=GRANT,
    ),
    Attack(
        name="bind oneself to cluster-admin",
        path=f"{RBAC}/clusterrolebindings",
        body=bound("cluster-admin"),
        held=(WRITES,),
        refusal='user "eve" (groups=["system:authenticated"]) is attempting to grant RBAC '
        "permissions not currently held",
    ),
    Attack(
        name="bind in a namespace what is held in another",
        path=f"{HERE}/rolebindings",
        body=bound("admin"),
        held_here=(WRITES,),
        refusal=GRANT,
    ),
    Attack(
        name="bind another role than the one that may be bound",
        path=f"{HERE}/rolebindings",
        body=bound("edit"),
        held_here=(WRITES, rule("bind", "clusterroles", GROUP, resourceNames=["view"])),
        refusal=GRANT,
    ),
    Attack(
        name="bind in the cluster what may be bound in a namespace",
        path=f"{RBAC}/clusterrolebindings",
        body=bound("view"),
        held=(WRITES,),
        held_here=(rule("bind", "clusterroles", GROUP),),
        refusal=GRANT,
    ),
    Attack(
        name="bind a role before it is there",
        path=f"{HERE}/rolebindings",
        body=bound("later"),
        held_here=(WRITES,),
        status=404,
        refusal='clusterroles.rbac.authorization.k8s.io "later" not found',
    ),
    Attack(
        name="add oneself to a binding",
        method="PATCH",
        kind=MERGE,
        path=f"{RBAC}/clusterrolebindings/admins",
        body={"subjects": bound("cluster-admin")["subjects"]},
        held=(WRITES,),
        before=((f"{RBAC}/clusterrolebindings", bound("cluster-admin", who="a", name="admins")),),
        refusal=GRANT,
    ),
    Attack(
        name="point a binding to another role",
        method="PATCH",
        kind=MERGE,
        path=f"{HERE}/rolebindings/mine",
        body={"roleRef": {"name": "other"}},
        held_here=(WRITES,),
        before=(
            (f"{HERE}/roles", role("none")),
            (f"{HERE}/roles", role("other")),
            (f"{HERE}/rolebindings", bound("none", "Role", name="mine")),
        ),
        status=422,
        refusal="cannot change roleRef",
    ),
    Attack(
        name="be system:masters by name",
        method="GET",
        path=f"{CORE}/secrets",
        who=("system:masters", "system:authenticated"),
        refusal='User "system:masters" cannot list resource "secrets"',
    ),
    Attack(
        name="be a service account of the same name elsewhere",
        method="GET",
        path=f"{CORE}/secrets",
        who=("system:serviceaccount:default:bot", "system:authenticated"),
        before=(
            (
                f"{HERE}/rolebindings",
                {
                    **bound("cluster-admin"),
                    "subjects": [{"kind": "ServiceAccount", "name": "bot", "namespace": "ci"}],
                },
            ),
        ),
        refusal='cannot list resource "secrets"',
    ),
]


@pytest_asyncio.fixture
async def api() -> AsyncGenerator[Api, None]:
    async with serving() as running:
        yield running


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_it_is_refused(api: Api, attack: Attack) -> None:
    await hold(api, attack)
    before = api.cluster.plane.server._objects.store.revision
    answer = await api.ask(
        attack.method,
        attack.path,
        attack.body,
        kind=attack.kind,
        headers=as_user(attack.who),
        **dict(attack.query),
    )
    assert answer.status == attack.status, answer.body
    assert attack.refusal in answer.message.replace("&amp;", "&")
    assert api.cluster.plane.server._objects.store.revision == before


async def test_what_was_taken_away_is_gone_at_the_next_request(api: Api) -> None:
    eve = as_user(MEMBER)
    await api.ask("POST", f"{HERE}/rolebindings", bound("view"))
    assert (await api.ask("GET", f"{CORE}/pods", headers=eve)).status == 200
    await api.ask("DELETE", f"{HERE}/rolebindings/more")
    assert (await api.ask("GET", f"{CORE}/pods", headers=eve)).status == 403
