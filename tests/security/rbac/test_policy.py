"""Decisions over roles and bindings: what a rule covers, who is bound, and the reasons."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.security.rbac.objects import PolicyRule, RoleObject
from argosy.security.rbac.policy import Policy
from tests.security.rbac.kit import Asked, Who, bind, paths, policy_of, rule

PODS = Asked(verb="get", resource="pods", namespace="default", name="web")
LOGS = replace(PODS, subresource="log")


@pytest.mark.parametrize(
    ("given", "asked", "allowed"),
    [
        (rule("get", "pods"), PODS, True),
        (rule("list,get", "nodes,pods"), PODS, True),
        (rule("list", "pods"), PODS, False),
        (rule("get", "pods", "apps"), PODS, False),
        (rule("get", "pods", "apps,"), PODS, True),
        (rule("get", "pods", "*"), PODS, True),
        (rule("*", "*", "*"), PODS, True),
        (rule("*", "*", "*"), LOGS, True),
        (rule("get", "pods"), LOGS, False),
        (rule("get", "pods/log"), LOGS, True),
        (rule("get", "pods/log"), PODS, False),
        (rule("get", "*/log"), LOGS, True),
        (rule("get", "*/log"), PODS, False),
        (rule("get", "pods/*"), LOGS, False),
        (rule("get", "pods", names="web"), PODS, True),
        (rule("get", "pods", names="db,web"), PODS, True),
        (rule("get", "pods", names="db"), PODS, False),
        (rule("get", "pods", names="*"), PODS, False),
        (rule("list", "pods", names="web"), replace(PODS, verb="list", name=""), False),
        (rule("create", "pods", names="web"), replace(PODS, verb="create", name=""), False),
        (rule("get", "Pods"), PODS, False),
        (paths("get", "*"), PODS, False),
        (PolicyRule(), PODS, False),
        (PolicyRule(None, None, None, None, None), PODS, False),
    ],
)
def test_rules_of_resources(given: PolicyRule, asked: Asked, allowed: bool) -> None:
    policy = policy_of(it=given)
    bind(policy, "ClusterRole/it", "User/bob")
    assert policy.decide(asked).allowed is allowed


@pytest.mark.parametrize(
    ("urls", "path", "allowed"),
    [
        ("/healthz", "/healthz", True),
        ("/healthz", "/healthz/", False),
        ("/healthz/*", "/healthz/ping", True),
        ("/healthz/*", "/healthz", False),
        ("*", "/anything", True),
        ("/api*", "/apis", True),
        ("/*/x", "/a/x", False),
        ("/a,/b", "/b", True),
    ],
)
def test_rules_of_paths(urls: str, path: str, allowed: bool) -> None:
    policy = policy_of(it=paths("get", urls))
    bind(policy, "ClusterRole/it", "User/bob")
    assert policy.decide(Asked(path=path)).allowed is allowed
    assert not policy.decide(Asked(path=path, verb="post")).allowed
    assert not policy.decide(Asked(resource="healthz")).allowed


def test_a_binding_in_a_namespace_grants_nothing_elsewhere() -> None:
    policy = policy_of(it=rule("*", "*", "*"), open=paths("*", "*"))
    bind(policy, "ClusterRole/it", "User/bob", namespace="default")
    bind(policy, "ClusterRole/open", "User/bob", namespace="default", name="open")
    assert policy.decide(PODS).allowed
    assert not policy.decide(replace(PODS, namespace="other")).allowed
    assert not policy.decide(replace(PODS, namespace="")).allowed
    assert not policy.decide(Asked(path="/api", namespace="default")).allowed


def test_a_role_is_its_namespaces_own() -> None:
    policy = Policy()
    policy.set_role(("other", "it"), RoleObject((rule("*", "*", "*"),)))
    bind(policy, "Role/it", "User/bob", namespace="default")
    assert not policy.decide(PODS).allowed
    policy.set_role(("default", "it"), RoleObject((rule("get", "pods"),)))
    assert policy.decide(PODS).allowed


ACCOUNT = Who("system:serviceaccount:ci:bot", ("system:serviceaccounts",))


@pytest.mark.parametrize(
    ("subject", "namespace", "who", "reason"),
    [
        ("User/bob", "", Who(), 'ClusterRoleBinding "b" of ClusterRole "it" to User "bob"'),
        (
            "Group/devs",
            "",
            Who("x", ("a", "devs")),
            'ClusterRoleBinding "b" of ClusterRole "it" to Group "devs"',
        ),
        (
            "ServiceAccount/ci/bot",
            "",
            ACCOUNT,
            'ClusterRoleBinding "b" of ClusterRole "it" to ServiceAccount "bot/ci"',
        ),
        (
            "ServiceAccount/bot",
            "ci",
            ACCOUNT,
            'RoleBinding "b/ci" of ClusterRole "it" to ServiceAccount "bot/ci"',
        ),
        ("ServiceAccount/bot", "", ACCOUNT, ""),
        ("ServiceAccount/bot", "default", ACCOUNT, ""),
        ("User/devs", "", Who("x", ("devs",)), ""),
        ("Group/bob", "", Who(), ""),
        ("Robot/bob", "", Who(), ""),
        ("User/*", "", Who(), ""),
    ],
)
def test_subjects_and_the_reason(subject: str, namespace: str, who: Who, reason: str) -> None:
    policy = policy_of(it=rule("get", "pods"))
    bind(policy, "ClusterRole/it", subject, namespace=namespace)
    verdict = policy.decide(replace(PODS, user=who, namespace=namespace or "default"))
    assert verdict.allowed is bool(reason)
    assert verdict.reason == (f"RBAC: allowed by {reason}" if reason else "")


def test_what_is_bound_and_not_there_is_told_where_nothing_allows() -> None:
    policy = policy_of(it=rule("get", "pods"))
    bind(policy, "ClusterRole/gone", "User/bob", name="a")
    bind(policy, "Role/lost", "User/bob", namespace="default")
    one = policy.decide(replace(PODS, namespace="x"))
    assert one.reason == 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found'
    both = policy.decide(PODS)
    assert both.reason == (
        'RBAC: [clusterrole.rbac.authorization.k8s.io "gone" not found, '
        'role.rbac.authorization.k8s.io "lost" not found]'
    )
    bind(policy, "ClusterRole/it", "User/bob")
    assert policy.decide(PODS).allowed


def test_one_binding_less_leaves_the_others() -> None:
    policy = policy_of(it=rule("get", "pods"))
    for name in ("a", "b"):
        bind(policy, "ClusterRole/it", "User/bob", "User/bob", "Group/g", name=name)
    policy.drop_binding(("", "a"))
    assert '"b"' in policy.decide(PODS).reason
    bind(policy, "ClusterRole/it", "User/eve", name="b")
    assert not policy.decide(PODS).allowed
    policy.drop_binding(("", "b"))
    policy.drop_binding(("", "b"))
    assert not policy._scopes
    policy.drop_role(("", "it"))
    policy.drop_role(("", "it"))
    assert policy.role_rules(("", "it")) is None


def test_bindings_of_nobody_come_and_go() -> None:
    policy = policy_of(it=rule("get", "pods"))
    for namespace in ("", "default"):
        bind(policy, "ClusterRole/it", name="a", namespace=namespace)
        bind(policy, "ClusterRole/it", name="b", namespace=namespace)
        policy.drop_binding((namespace, "a"))
        policy.drop_binding((namespace, "b"))
    bind(policy, "ClusterRole/it", name="a")
    bind(policy, "ClusterRole/it", "User/bob", name="b")
    policy.drop_binding(("", "a"))
    assert policy.decide(PODS).allowed


def test_the_rules_of_somebody() -> None:
    policy = policy_of(it=rule("get", "pods"), too=rule("get", "nodes"))
    bind(policy, "ClusterRole/it", "Group/g")
    bind(policy, "ClusterRole/too", "User/bob", namespace="default")
    bind(policy, "ClusterRole/gone", "User/bob", name="c", namespace="default")
    who = Who("bob", ("g",))
    assert policy.rules_for(who, "default") == (
        [rule("get", "pods"), rule("get", "nodes")],
        [("", "gone")],
    )
    assert policy.rules_for(who, "") == ([rule("get", "pods")], [])


NAMES = st.sampled_from(["a", "b", "c"])
SPACES = st.sampled_from(["", "x", "y"])
STEP = st.tuples(SPACES, NAMES, NAMES, st.lists(NAMES, max_size=3), st.booleans())


@given(st.lists(STEP, max_size=20))
@settings(max_examples=50, deadline=None)
def test_changes_lead_to_what_building_anew_leads_to(
    steps: list[tuple[str, str, str, list[str], bool]],
) -> None:
    """Named safety property: a revoked grant never counts, and a standing one always does."""
    roles = {name: rule("get", name) for name in "abc"}
    changed = policy_of(**roles)
    standing: dict[tuple[str, str], tuple[str, list[str]]] = {}
    for namespace, name, role, users, gone in steps:
        if gone:
            changed.drop_binding((namespace, name))
            standing.pop((namespace, name), None)
        else:
            subjects = [f"User/{user}" for user in users]
            bind(changed, f"ClusterRole/{role}", *subjects, name=name, namespace=namespace)
            standing[namespace, name] = (role, users)
    for namespace in ("", "x", "y"):
        for user in "abc":
            for resource in "abc":
                asked = Asked(user=Who(user), resource=resource, namespace=namespace)
                expected = any(
                    where in ("", namespace) and role == resource and user in users
                    for (where, _), (role, users) in standing.items()
                )
                assert changed.decide(asked).allowed is expected
