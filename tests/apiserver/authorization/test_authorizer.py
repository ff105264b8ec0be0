"""Who may do what: by group, by the default roles, by what is bound while the server runs."""

from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from argosy.api.resources.access import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE_BINDING
from argosy.apiserver.authorization.attributes import Attributes
from argosy.apiserver.authorization.authorizer import (
    ALLOWED,
    MASTERS,
    Authorizer,
    demand,
    is_master,
)
from argosy.apiserver.request import User
from argosy.base.errors import StatusError
from argosy.store.interface import DELETE
from argosy.store.memory import MemoryStore

AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
SELF = ("selfsubjectaccessreviews", "selfsubjectrulesreviews")
BOB = User("bob", (AUTHENTICATED,))
PODS = Attributes(user=BOB, verb="get", resource="pods", namespace="default", name="web")
TO_BOB = {
    "roleRef": {"kind": "ClusterRole", "name": "view"},
    "subjects": [{"kind": "User", "name": "bob"}],
}


@pytest_asyncio.fixture
async def store() -> AsyncIterator[MemoryStore]:
    made = MemoryStore()
    yield made
    await made.close()


@pytest.fixture
def authorizer(store: MemoryStore) -> Authorizer:
    return Authorizer(store, lambda gate: True)


async def put(store: MemoryStore, key: str, obj: object | None) -> None:
    """Store an object, or delete it."""
    await store.write(
        key, lambda record, revision: DELETE if obj is None else msgspec.json.encode(obj)
    )


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("/healthz", UNAUTHENTICATED),
        ("/livez", UNAUTHENTICATED),
        ("/readyz", UNAUTHENTICATED),
        ("/version", UNAUTHENTICATED),
        ("/api", AUTHENTICATED),
        ("/api/v1", AUTHENTICATED),
        ("/apis/apps/v1", AUTHENTICATED),
        ("/openapi/v3/api/v1", AUTHENTICATED),
        ("/readyz", AUTHENTICATED),
        ("/metrics", "system:monitoring"),
        ("/livez/ping", "system:monitoring"),
        ("/openid/v1/jwks", "system:serviceaccounts"),
        ("/anything", MASTERS),
    ],
)
async def test_paths_are_for_groups(authorizer: Authorizer, path: str, group: str) -> None:
    def may(group: str, verb: str) -> bool:
        asked = Attributes(user=User("someone", (group,)), verb=verb, path=path)
        return authorizer.authorize(asked).allowed

    assert may(group, "get")
    assert not may("nobody", "get")
    assert may(group, "post") is (group == MASTERS)


@pytest.mark.parametrize("path", ["/", "/metrics", "/apix", "/healthz/", "/openid/v1/jwks", ""])
async def test_other_paths_are_for_nobody(authorizer: Authorizer, path: str) -> None:
    user = User("someone", (AUTHENTICATED, UNAUTHENTICATED))
    assert not authorizer.authorize(Attributes(user=user, verb="get", path=path)).allowed


@pytest.mark.parametrize("resource", SELF)
async def test_everybody_may_ask_about_themselves(authorizer: Authorizer, resource: str) -> None:
    asked = Attributes(user=BOB, verb="create", group="authorization.k8s.io", resource=resource)
    assert authorizer.authorize(asked).reason == (
        'RBAC: allowed by ClusterRoleBinding "system:basic-user" of ClusterRole '
        '"system:basic-user" to Group "system:authenticated"'
    )
    demand(authorizer.authorize, asked)
    for verb, group, name, below in (
        ("get", "authorization.k8s.io", resource, ""),
        ("create", "", resource, ""),
        ("create", "authorization.k8s.io", "subjectaccessreviews", ""),
        ("create", "authorization.k8s.io", resource, "status"),
        ("*", "*", "*", ""),
    ):
        other = Attributes(user=BOB, verb=verb, group=group, resource=name, subresource=below)
        assert not authorizer.authorize(other).allowed
        with pytest.raises(StatusError, match="forbidden"):
            demand(authorizer.authorize, other)


async def test_masters_may_do_all_and_only_by_that_name(authorizer: Authorizer) -> None:
    asked = Attributes(user=User("a", (MASTERS,)), verb="delete", resource="nodes", name="n")
    assert authorizer.authorize(asked) is ALLOWED
    for user in (User(MASTERS), User("admin", ("system:masters ",)), User("", ("*",))):
        assert not is_master(user)
        other = Attributes(user=user, verb="delete", resource="nodes", name="n")
        assert not authorizer.authorize(other).allowed


async def test_what_was_written_counts_at_once(store: MemoryStore, authorizer: Authorizer) -> None:
    assert not authorizer.authorize(PODS).allowed
    key = ROLE_BINDING.key("default", "it")
    await put(store, key, TO_BOB)
    assert authorizer.authorize(PODS).reason == (
        'RBAC: allowed by RoleBinding "it/default" of ClusterRole "view" to User "bob"'
    )
    await put(store, key, {**TO_BOB, "subjects": None})
    assert not authorizer.authorize(PODS).allowed
    await put(store, key, TO_BOB)
    await put(store, key, None)
    assert not authorizer.authorize(PODS).allowed


async def test_defaults_count_until_they_are_changed(
    store: MemoryStore, authorizer: Authorizer
) -> None:
    await put(store, ROLE_BINDING.key("default", "it"), TO_BOB)
    assert authorizer.authorize(PODS).allowed
    view = CLUSTER_ROLE.key(name="view")
    await put(store, view, {"rules": []})
    assert not authorizer.authorize(PODS).allowed
    await put(store, view, None)
    assert authorizer.authorize(PODS).reason == (
        'RBAC: clusterrole.rbac.authorization.k8s.io "view" not found'
    )


async def test_what_was_deleted_stays_so_when_all_is_read_anew(
    store: MemoryStore, authorizer: Authorizer
) -> None:
    discovery = Attributes(user=BOB, verb="get", path="/api")
    health = Attributes(user=BOB, verb="get", path="/livez")
    assert authorizer.authorize(discovery).allowed
    key = CLUSTER_ROLE_BINDING.key(name="system:discovery")
    await put(store, key, {**TO_BOB, "subjects": []})
    await put(store, key, None)
    assert not authorizer.authorize(discovery).allowed
    await put(store, ROLE_BINDING.key("default", "it"), TO_BOB)
    store.compact(store.revision)
    assert authorizer.authorize(PODS).allowed
    assert not authorizer.authorize(discovery).allowed
    assert authorizer.authorize(health).allowed


async def test_deleted_bindings_of_nobody_hide_no_revocation(
    store: MemoryStore, authorizer: Authorizer
) -> None:
    keys = [ROLE_BINDING.key("default", name) for name in ("a", "b", "bob")]
    for key in keys[:2]:
        await put(store, key, {**TO_BOB, "subjects": []})
    assert not authorizer.authorize(PODS).allowed
    for key in keys[:2]:
        await put(store, key, None)
    await put(store, keys[2], TO_BOB)
    assert authorizer.authorize(PODS).allowed
    await put(store, keys[2], None)
    assert not authorizer.authorize(PODS).allowed


async def test_the_rules_of_somebody(store: MemoryStore, authorizer: Authorizer) -> None:
    nobody = authorizer.rules_of(User("x", ("nobody",)), "default")
    assert (list(nobody.rules), nobody.error, nobody.incomplete) == ([], "", False)
    master = authorizer.rules_of(User("x", (MASTERS,)), "default")
    assert [rule.resources or rule.paths for rule in master.rules] == [("*",), ("*",)]
    await put(store, ROLE_BINDING.key("default", "it"), TO_BOB)
    gone = {**TO_BOB, "roleRef": {"kind": "Role", "name": "gone"}}
    await put(store, ROLE_BINDING.key("default", "lost"), gone)
    here, there = authorizer.rules_of(BOB, "default"), authorizer.rules_of(BOB, "other")
    assert len(here.rules) > len(there.rules) > 0
    assert here.error == 'role.rbac.authorization.k8s.io "gone" not found'
    assert there.error == ""


async def test_nodes_are_asked_first_and_roles_then(
    store: MemoryStore, authorizer: Authorizer
) -> None:
    node = User("system:node:n1", ("system:nodes", AUTHENTICATED))
    own = Attributes(user=node, verb="get", resource="nodes", name="n1")
    assert authorizer.authorize(own) is ALLOWED
    secret = Attributes(user=node, verb="get", resource="secrets", namespace="default", name="s")
    why = "no relationship found between node 'n1' and this object"
    assert authorizer.authorize(secret).reason == why
    gone = {
        "roleRef": {"kind": "ClusterRole", "name": "gone"},
        "subjects": [{"kind": "Group", "name": "system:nodes"}],
    }
    await put(store, CLUSTER_ROLE_BINDING.key(name="lost"), gone)
    assert authorizer.authorize(secret).reason == (
        f'{why}\nRBAC: clusterrole.rbac.authorization.k8s.io "gone" not found'
    )
    admin = {**gone, "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}}
    await put(store, CLUSTER_ROLE_BINDING.key(name="all"), admin)
    assert authorizer.authorize(secret).allowed
    held = authorizer.rules_of(node, "default")
    assert held.incomplete
    assert held.error.startswith("node authorizer does not support user rule resolution")
