"""Constrained impersonation: what is demanded in which mode, and whom it makes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from argosy.apiserver.authentication.constrained import ASSOCIATED, NODE_NAME, acting
from argosy.apiserver.authentication.tokens import Tokens, token_hash
from argosy.apiserver.authorization.attributes import Attributes, refusal
from argosy.apiserver.request import User
from argosy.base.clock import SystemClock
from argosy.base.errors import StatusError
from argosy.cluster.server import control_plane, memory_store
from argosy.http.message import Request
from argosy.testing.cluster import Cluster
from tests.apiserver.kit import Api, answered

EVE = User("eve", ("system:authenticated",))
AGENT = User(
    "system:serviceaccount:kube-system:agent",
    ("system:serviceaccounts",),
    extra={NODE_NAME: ("n1",), "a.io/b": ("c",)},
)
LIST = Attributes(user=EVE, verb="list", version="v1", resource="pods", namespace="default")
Asked = tuple[str, str, str, str, str]
Demand = Callable[[Attributes], None]


def told(asked: Attributes) -> Asked:
    where = f"{asked.namespace}/{asked.name}" if asked.namespace else asked.name
    return asked.verb, asked.group, asked.version, asked.whole_resource, where


def demanding(*held: str, seen: list[Attributes]) -> Demand:
    """Who holds these verbs: `VERB`, or `VERB RESOURCE` for one of them."""

    def demand(asked: Attributes) -> None:
        seen.append(asked)
        exact = f"{asked.verb} {asked.whole_resource} {asked.name}"
        if asked.verb not in held and exact not in held:
            raise refusal(asked, "")

    return demand


def tried(
    wanted: User, *held: str, user: User = EVE, asked: Attributes = LIST
) -> tuple[User, list[Asked]]:
    seen: list[Attributes] = []
    found = acting(wanted, replace(asked, user=user), demanding(*held, seen=seen))
    return found, [told(one) for one in seen]


def both(mode: str, verb: str = "list") -> tuple[str, str]:
    return f"impersonate-on:{mode}:{verb}", f"impersonate:{mode}"


ON = ("", "v1", "pods", "default/")


@pytest.mark.parametrize(
    ("wanted", "mode", "made", "asked"),
    [
        (
            User("bob", ("devs",), "u-1", {"a.io/b": ("x", "y")}),
            "user-info",
            User("bob", ("devs", "system:authenticated"), "u-1", {"a.io/b": ("x", "y")}),
            [
                ("users", "bob"),
                ("uids", "u-1"),
                ("groups", "devs"),
                ("userextras/a.io/b", "x"),
                ("userextras/a.io/b", "y"),
            ],
        ),
        (
            User("system:anonymous"),
            "user-info",
            User("system:anonymous", ("system:unauthenticated",)),
            [("users", "system:anonymous")],
        ),
        (
            User("system:serviceaccount:ns:sa"),
            "serviceaccount",
            User(
                "system:serviceaccount:ns:sa",
                ("system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"),
            ),
            [("serviceaccounts", "ns/sa")],
        ),
        (
            User("system:node:n1"),
            "arbitrary-node",
            User("system:node:n1", ("system:nodes", "system:authenticated")),
            [("nodes", "n1")],
        ),
    ],
)
def test_each_mode_demands_what_is_named(
    wanted: User, mode: str, made: User, asked: list[tuple[str, str]]
) -> None:
    user, seen = tried(wanted, *both(mode))
    assert user == made
    assert seen[0] == (f"impersonate-on:{mode}:list", *ON)
    rest = [(verb, group, version) for verb, group, version, _, _ in seen[1:]]
    assert set(rest) == {(f"impersonate:{mode}", "authentication.k8s.io", "v1")}
    assert [(resource, name) for *_, resource, name in seen[1:]] == asked


def test_an_associated_node_is_judged_without_its_name() -> None:
    seen: list[Attributes] = []
    demand = demanding(*both("associated-node"), seen=seen)
    user = acting(User("system:node:n1"), replace(LIST, user=AGENT), demand)
    assert user == User("system:node:n1", ("system:nodes", "system:authenticated"))
    assert [told(one)[3:] for one in seen] == [("pods", "default/"), ("nodes", "*")]
    assert {one.user.name for one in seen} == {AGENT.name}
    assert all(one.user.extra == {ASSOCIATED: ("a.io/b", NODE_NAME)} for one in seen)


@pytest.mark.parametrize(
    ("wanted", "user"),
    [
        (User("system:node:n2"), AGENT),  # another node
        (User("system:node:n1"), replace(AGENT, name="agent")),  # no account
        (User("system:node:n1"), replace(AGENT, extra={NODE_NAME: ("n1", "n2")})),
        (User("system:node:n1", ("system:nodes",)), AGENT),  # more than a name
    ],
)
def test_nobody_else_is_associated(wanted: User, user: User) -> None:
    with pytest.raises(StatusError) as refused:
        tried(wanted, *both("associated-node"), user=user)
    assert refused.value.code == 403


@pytest.mark.parametrize(
    "held",
    [
        ("impersonate:user-info",),  # but nothing may be done
        ("impersonate-on:user-info:list",),  # but of nobody
        both("user-info", "get"),  # but another verb
        both("serviceaccount"),
        both("arbitrary-node"),
        (*both("user-info")[:1], "impersonate:user-info groups devs"),
    ],
)
def test_half_of_it_is_nothing(held: tuple[str, ...]) -> None:
    with pytest.raises(StatusError) as refused:
        tried(User("bob", ("devs",)), *held)
    assert refused.value.code == 403


def test_the_first_refusal_is_told() -> None:
    with pytest.raises(StatusError) as refused:
        tried(User("bob"))
    assert str(refused.value) == (
        'pods is forbidden: User "eve" cannot impersonate-on:user-info:list resource "pods" in '
        'API group "" in the namespace "default"'
    )


def test_what_has_always_been_allowed_still_is() -> None:
    wanted = User("bob", ("system:masters",), "u-1", {"k": ("",)})
    user, seen = tried(wanted, "impersonate")
    assert user == replace(wanted, groups=("system:masters", "system:authenticated"))
    assert seen[0][0] == "impersonate-on:user-info:list"
    assert seen[1:] == [
        ("impersonate", "", "v1", "users", "bob"),
        ("impersonate", "authentication.k8s.io", "v1", "uids", "u-1"),
        ("impersonate", "", "v1", "groups", "system:masters"),
        ("impersonate", "authentication.k8s.io", "v1", "userextras/k", ""),
    ]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (
            User("bob", ("a", "")),
            "impersonating the empty string group is not allowed",
        ),
        (
            User("bob", ("system:masters",)),
            "impersonating the system:masters group is not allowed",
        ),
        (
            User("bob", extra={"": ("a",)}),
            "impersonating the empty string key in extra is not allowed",
        ),
        (
            User("bob", extra={"scopes": ("a",)}),
            "impersonating an invalid key in extra is not allowed: extra.key: Invalid value: "
            '"scopes": must be a domain-prefixed path (such as "acme.io/foo")',
        ),
        (
            User("bob", extra={"a.io/b": ("",)}),
            "impersonating the empty string value in extra is not allowed",
        ),
    ],
)
def test_some_things_are_nobodys(wanted: User, words: str) -> None:
    with pytest.raises(StatusError) as refused:
        tried(wanted, *both("user-info"))
    assert words in str(refused.value)


def test_many_are_asked_about_at_once() -> None:
    groups = ("a", "b", "c", "d")
    _, seen = tried(User("bob", groups), *both("user-info"))
    assert [name for *_, name in seen[2:]] == ["*"]
    extra = {"a.io/b": ("1", "2", "3", "4")}
    _, seen = tried(User("bob", extra=extra), *both("user-info"))
    assert seen[2:][0][3:] == ("userextras/*", "*")
    held = [f"impersonate:user-info groups {name}" for name in groups]
    on, _ = both("user-info")
    user, seen = tried(User("bob", groups), on, "impersonate:user-info users bob", *held)
    assert user.groups[:4] == groups
    assert [name for *_, name in seen[2:]] == ["*", *groups]


def test_nobody_is_named() -> None:
    with pytest.raises(StatusError) as refused:
        tried(User("", ("g",), "u", {"k": ("v", "w")}))
    assert refused.value.code == 400
    assert str(refused.value) == (
        'requested &user.DefaultInfo{Name:"", UID:"u", Groups:[]string{"g"}, '
        'Extra:map[string][]string{"k":[]string{"v", "w"}}} without impersonating a user name'
    )
    with pytest.raises(StatusError, match=r"Groups:\[\]string\(nil\), Extra:map.*\(nil\)\}"):
        tried(User("", uid="u"))


async def test_the_server_honours_it(api: Api) -> None:
    """An account that may list pods as bob, and no more."""
    assert isinstance(api.cluster, Cluster)
    where = "/apis/rbac.authorization.k8s.io/v1"
    group = "authentication.k8s.io"
    rules = [
        {"verbs": ["impersonate-on:user-info:list"], "apiGroups": [""], "resources": ["pods"]},
        {
            "verbs": ["impersonate:user-info"],
            "apiGroups": [group],
            "resources": ["users"],
            "resourceNames": ["bob"],
        },
    ]
    account = {"kind": "ServiceAccount", "name": "default", "namespace": "default"}
    bob = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "bob"}
    for name, subject, held in (("as-bob", account, rules), ("bob", bob, None)):
        if held is not None:
            role = {"metadata": {"name": name}, "rules": held}
            assert (await api.ask("POST", f"{where}/clusterroles", role)).status == 201
        ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole"}
        bound = {
            "metadata": {"name": name},
            "roleRef": {**ref, "name": name if held else "view"},
            "subjects": [subject],
        }
        assert (await api.ask("POST", f"{where}/clusterrolebindings", bound)).status == 201
    path = "/api/v1/namespaces/default/serviceaccounts/default/token"
    token = (await api.ask("POST", path, {})).body["status"]["token"]
    headers = {"authorization": f"Bearer {token}", "impersonate-user": "bob"}
    pods = "/api/v1/namespaces/default/pods"
    assert (await api.ask("GET", pods, headers=headers)).status == 200
    refused = await api.ask("GET", f"{pods}/a", headers=headers)
    assert refused.status == 403
    assert 'cannot impersonate-on:user-info:get resource "pods"' in refused.message
    other = await api.ask("GET", pods, headers={**headers, "impersonate-user": "jane"})
    assert 'cannot impersonate:user-info resource "users"' in other.message


@pytest.mark.parametrize(
    ("minor", "words"),
    [
        ("1.36", 'cannot impersonate-on:user-info:list resource "nodes"'),
        ("1.35", 'users "bob" is forbidden: User "eve" cannot impersonate resource "users"'),
    ],
)
async def test_older_minors_have_it_not(minor: str, words: str) -> None:
    users = {token_hash("eves"): EVE}
    chosen = control_plane(memory_store(), SystemClock(), minor=minor)
    authenticator = chosen.server._authenticator
    object.__setattr__(authenticator, "tokens", Tokens(users))
    headers = {"authorization": "Bearer eves", "impersonate-user": "bob"}
    request = Request("GET", "/api/v1/nodes", "", headers)
    answer = await answered(chosen.server.handle, request)
    assert answer.status == 403
    assert words in answer.message
