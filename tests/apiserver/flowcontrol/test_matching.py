"""Which schema a request belongs to."""

from typing import Any

import msgspec
import pytest

from argosy.apiserver.authorization.attributes import Attributes, attributes_of
from argosy.apiserver.flowcontrol.defaults import defaults
from argosy.apiserver.flowcontrol.matching import MOST_REMEMBERED, Classifier, Schema
from argosy.apiserver.flowcontrol.objects import FlowSchema
from argosy.apiserver.request import User
from argosy.http.message import Request

Json = dict[str, Any]
EVERYBODY: Json = {"kind": "Group", "group": {"name": "*"}}
ALL: Json = {
    "verbs": ["*"],
    "apiGroups": ["*"],
    "resources": ["*"],
    "namespaces": ["*"],
    "clusterScope": True,
}
BOB = User("bob", ("dev", "system:authenticated"))
ROBOT = User("system:serviceaccount:ci:robot", ("system:serviceaccounts",))


def schema(name: str = "s", precedence: int = 1000, *rules: Json, method: str = "") -> Schema:
    spec: Json = {
        "priorityLevelConfiguration": {"name": "l"},
        "matchingPrecedence": precedence,
        "rules": list(rules),
    }
    if method:
        spec["distinguisherMethod"] = {"type": method}
    return Schema(msgspec.convert({"metadata": {"name": name}, "spec": spec}, FlowSchema))


def rule(*subjects: Json, resources: Json | None = None, paths: Json | None = None) -> Json:
    made: Json = {"subjects": list(subjects)}
    if resources is not None:
        made["resourceRules"] = [resources]
    if paths is not None:
        made["nonResourceRules"] = [paths]
    return made


def asked(user: User = BOB, method: str = "GET", path: str = "/api/v1/pods") -> Attributes:
    return attributes_of(Request(method, path), user)


@pytest.mark.parametrize(
    ("subject", "user", "matches"),
    [
        ({"kind": "User", "user": {"name": "bob"}}, BOB, True),
        ({"kind": "User", "user": {"name": "*"}}, BOB, True),
        ({"kind": "User", "user": {"name": "eve"}}, BOB, False),
        ({"kind": "Group", "group": {"name": "dev"}}, BOB, True),
        ({"kind": "Group", "group": {"name": "bob"}}, BOB, False),
        ({"kind": "Group", "group": {"name": "*"}}, User("nobody"), True),
        (
            {"kind": "ServiceAccount", "serviceAccount": {"namespace": "ci", "name": "robot"}},
            ROBOT,
            True,
        ),
        (
            {"kind": "ServiceAccount", "serviceAccount": {"namespace": "ci", "name": "*"}},
            ROBOT,
            True,
        ),
        (
            {"kind": "ServiceAccount", "serviceAccount": {"namespace": "c", "name": "*"}},
            ROBOT,
            False,
        ),
        (
            {"kind": "ServiceAccount", "serviceAccount": {"namespace": "ci", "name": "*"}},
            BOB,
            False,
        ),
    ],
)
def test_subjects(subject: Json, user: User, matches: bool) -> None:
    found = Classifier([schema("yes", 1, rule(subject, resources=ALL)), schema("no", 2)])
    assert (found.schema(asked(user)).name == "yes") is matches


@pytest.mark.parametrize(
    ("change", "method", "path", "matches"),
    [
        ({}, "GET", "/api/v1/pods", True),
        ({"verbs": ["list"]}, "GET", "/api/v1/pods", True),
        ({"verbs": ["list"]}, "GET", "/api/v1/namespaces/a/pods/p", False),
        ({"verbs": ["get"]}, "GET", "/api/v1/namespaces/a/pods/p", True),
        ({"apiGroups": [""]}, "GET", "/apis/apps/v1/deployments", False),
        ({"apiGroups": ["apps"]}, "GET", "/apis/apps/v1/deployments", True),
        ({"resources": ["pods"]}, "PUT", "/api/v1/namespaces/a/pods/p/status", False),
        ({"resources": ["pods/status"]}, "PUT", "/api/v1/namespaces/a/pods/p/status", True),
        ({"namespaces": ["a"]}, "GET", "/api/v1/namespaces/a/pods", True),
        ({"namespaces": ["a"]}, "GET", "/api/v1/namespaces/b/pods", False),
        ({"namespaces": ["a"]}, "GET", "/api/v1/pods", True),
        ({"clusterScope": False}, "GET", "/api/v1/pods", False),
        ({"clusterScope": False}, "GET", "/api/v1/namespaces/b/pods", True),
        ({}, "GET", "/version", False),
    ],
)
def test_resources(change: Json, method: str, path: str, matches: bool) -> None:
    chosen = rule(EVERYBODY, resources={**ALL, **change})
    found = Classifier([schema("yes", 1, chosen), schema("no", 2)])
    assert (found.schema(asked(method=method, path=path)).name == "yes") is matches


@pytest.mark.parametrize(
    ("url", "path", "matches"),
    [
        ("*", "/any/thing", True),
        ("/healthz", "/healthz", True),
        ("/healthz", "/healthz/ping", True),
        ("/healthz", "/healthzz", False),
        ("/debug/*", "/debug/pprof", True),
        ("/debug/*", "/debug", False),
        ("/", "/version", True),
        ("*", "/api/v1/pods", False),
    ],
)
def test_paths(url: str, path: str, matches: bool) -> None:
    chosen = rule(EVERYBODY, paths={"verbs": ["get"], "nonResourceURLs": [url]})
    found = Classifier([schema("yes", 1, chosen), schema("no", 2)])
    assert (found.schema(asked(path=path)).name == "yes") is matches
    assert found.schema(asked(path=path, method="POST")).name == "no"


def test_the_lower_precedence_wins_and_then_the_name() -> None:
    whole = rule(EVERYBODY, resources=ALL)
    found = Classifier([schema("b", 5, whole), schema("c", 4, whole), schema("a", 5, whole)])
    assert found.schema(asked()).name == "c"
    found = Classifier([schema("b", 5, whole), schema("a", 5, whole)])
    assert found.schema(asked()).name == "a"


@pytest.mark.parametrize(("method", "flow"), [("ByUser", "bob"), ("ByNamespace", "blue"), ("", "")])
def test_flows(method: str, flow: str) -> None:
    request = asked(path="/api/v1/namespaces/blue/pods")
    assert schema(method=method).flow(request) == flow


def test_a_schema_of_thousands_of_rules_and_subjects_stays_small_and_quick() -> None:
    subjects = [{"kind": "User", "user": {"name": f"u{i}"}} for i in range(3000)]
    many = [{**ALL, "namespaces": [f"n{i}"]} for i in range(3000)]
    large = {"subjects": subjects, "resourceRules": many}
    found = Classifier([schema("large", 1, large), schema("rest", 2)])
    last = asked(User("u2999"), path="/api/v1/namespaces/n2999/pods")
    assert found.schema(last).name == "large"
    for i in range(MOST_REMEMBERED + 10):  # what is remembered is bounded
        found.schema(asked(User(f"v{i}")))
    assert len(found._known) <= MOST_REMEMBERED


DEFAULTS = Classifier(
    [Schema(msgspec.convert(item, FlowSchema)) for kind, item in defaults() if kind == "FlowSchema"]
)
CONTROLLER = User("system:kube-controller-manager", ("system:authenticated",))


@pytest.mark.parametrize(
    ("user", "method", "path", "name"),
    [
        (BOB, "GET", "/readyz", "probes"),
        (BOB, "GET", "/version", "global-default"),
        (BOB, "GET", "/api/v1/pods", "global-default"),
        (User("x"), "GET", "/api/v1/pods", "catch-all"),
        (ROBOT, "GET", "/api/v1/pods", "service-accounts"),
        (
            User("system:serviceaccount:kube-system:a"),
            "GET",
            "/api",
            "kube-system-service-accounts",
        ),
        (
            User("system:node:n", ("system:nodes",)),
            "PATCH",
            "/api/v1/nodes/n/status",
            "system-node-high",
        ),
        (User("system:node:n", ("system:nodes",)), "GET", "/api/v1/pods", "system-nodes"),
        (CONTROLLER, "GET", "/api/v1/pods", "kube-controller-manager"),
        (
            CONTROLLER,
            "PUT",
            "/apis/coordination.k8s.io/v1/namespaces/a/leases/l",
            "system-leader-election",
        ),
    ],
)
def test_the_defaults(user: User, method: str, path: str, name: str) -> None:
    assert DEFAULTS.schema(asked(user, method, path)).name == name
