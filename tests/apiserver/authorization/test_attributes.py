"""What a request asks for: read as upstream reads it, and never other than it is then served."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.builtin import load
from argosy.api.kinds import OWN, RESOURCES
from argosy.apiserver.authorization.attributes import Attributes, attributes_of, refusal
from argosy.apiserver.catalog import Catalog
from argosy.apiserver.request import User, parse_target
from argosy.base.errors import StatusError
from argosy.base.selectors import EVERYTHING, FieldSelector, parse_fields, parse_labels
from argosy.http.message import Request

BOB = User("bob")
CATALOG = Catalog(RESOURCES, OWN, load())
PODS = "/api/v1/namespaces/here/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/here/deployments"


def asked(method: str, path: str, query: str = "") -> Attributes:
    return attributes_of(Request(method, path, query), BOB)


@pytest.mark.parametrize(
    ("method", "path", "query", "verb", "resource", "namespace", "name"),
    [
        ("GET", "/api/v1/pods", "", "list", "pods", "", ""),
        ("GET", PODS, "", "list", "pods", "here", ""),
        ("GET", PODS, "watch=1", "watch", "pods", "here", ""),
        ("GET", PODS, "watch", "watch", "pods", "here", ""),
        ("GET", PODS, "watch=false", "list", "pods", "here", ""),
        ("GET", PODS, "watch=0", "list", "pods", "here", ""),
        ("GET", PODS, "fieldSelector=metadata.name%3Da", "list", "pods", "here", "a"),
        ("GET", PODS, "watch=1&fieldSelector=metadata.name%3Da", "watch", "pods", "here", "a"),
        ("GET", PODS, "fieldSelector=metadata.name!%3Da", "list", "pods", "here", ""),
        ("GET", PODS, "fieldSelector=metadata.name%3Da/b", "list", "pods", "here", ""),
        ("GET", f"{PODS}/a", "", "get", "pods", "here", "a"),
        ("HEAD", f"{PODS}/a", "", "get", "pods", "here", "a"),
        ("GET", f"{PODS}/a/log", "", "get", "pods/log", "here", "a"),
        ("POST", f"{PODS}/a/exec", "", "create", "pods/exec", "here", "a"),
        ("GET", f"{PODS}/a/proxy/x/y", "", "get", "pods/proxy", "here", "a"),
        ("POST", PODS, "", "create", "pods", "here", ""),
        ("PUT", f"{PODS}/a", "", "update", "pods", "here", "a"),
        ("PATCH", f"{PODS}/a/status", "", "patch", "pods/status", "here", "a"),
        ("DELETE", f"{PODS}/a", "", "delete", "pods", "here", "a"),
        ("DELETE", PODS, "", "deletecollection", "pods", "here", ""),
        ("DELETE", PODS, "fieldSelector=metadata.name%3Da", "deletecollection", "pods", "here", ""),
        ("BREW", PODS, "", "", "pods", "here", ""),
        ("GET", "/api/v1/namespaces", "", "list", "namespaces", "", ""),
        ("GET", "/api/v1/namespaces/here", "", "get", "namespaces", "here", "here"),
        ("PUT", "/api/v1/namespaces/a/finalize", "", "update", "namespaces/finalize", "a", "a"),
        ("GET", "/api/v1/nodes/n", "", "get", "nodes", "", "n"),
        ("GET", "//api/v1/pods/", "", "list", "pods", "", ""),
        ("GET", "/api/v1/%70ods", "", "list", "pods", "", ""),
        ("GET", "/api/v1/nothing", "", "list", "nothing", "", ""),
    ],
)
def test_a_path_is_a_resource(
    method: str, path: str, query: str, verb: str, resource: str, namespace: str, name: str
) -> None:
    found = asked(method, path, query)
    assert (found.verb, found.whole_resource) == (verb, resource)
    assert (found.namespace, found.name, found.path) == (namespace, name, None)
    assert (found.group, found.version) == ("", "v1")


def test_groups_have_versions() -> None:
    found = asked("GET", DEPLOYMENTS)
    assert (found.group, found.version, found.resource) == ("apps", "v1", "deployments")


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/", "/api/v1", "/apis/apps/v1", "/healthz", "/a/b/c/d", "/apis/x"]
)
def test_other_paths_are_no_resources(path: str) -> None:
    assert asked("GET", path) == Attributes(user=BOB, verb="get", path=path)
    assert asked("POST", path).verb == "post"


def test_selectors_are_told_where_they_can_be_read() -> None:
    query = "labelSelector=a%3Db&fieldSelector=spec.nodeName%3Dn"
    found = asked("GET", PODS, query)
    assert found.labels == parse_labels("a=b")
    assert found.fields == parse_fields("spec.nodeName=n")
    assert asked("DELETE", PODS, query).labels == parse_labels("a=b")
    for method, path in (("GET", f"{PODS}/a"), ("POST", PODS)):
        assert asked(method, path, query).labels == EVERYTHING
    broken = asked("GET", PODS, "labelSelector=((&fieldSelector=((")
    assert (broken.labels, broken.fields) == (EVERYTHING, FieldSelector())


SEGMENTS = st.sampled_from(
    ["api", "apis", "v1", "apps", "namespaces", "pods", "nodes", "deployments", "status", "a"]
    + ["finalize", "log", "%70ods", "p%6fds", "%2F", "..", ".", "", "namespace%73", "a%2Fb"]
)


@settings(max_examples=300)
@given(st.lists(SEGMENTS, min_size=1, max_size=8))
def test_what_is_served_is_what_was_asked_for(segments: list[str]) -> None:
    path = "/" + "/".join(segments)
    try:
        target = parse_target(CATALOG, path)
    except StatusError:
        return
    found = asked("GET", path)
    if target is None:
        assert found.path == path
        return
    resource = target.served.resource
    assert (found.group, found.version) == (resource.group, resource.version)
    assert (found.resource, found.name) == (resource.plural, target.name)
    assert found.subresource == target.subresource.partition("/")[0]
    assert target.namespace in ("", found.namespace)


@pytest.mark.parametrize(
    ("attributes", "message", "details"),
    [
        (
            Attributes(user=BOB, verb="list", resource="pods", namespace="here"),
            'pods is forbidden: User "bob" cannot list resource "pods" in API group "" '
            'in the namespace "here"',
            {"kind": "pods"},
        ),
        (
            Attributes(user=BOB, verb="get", group="apps", resource="deployments", name="web"),
            'deployments.apps "web" is forbidden: User "bob" cannot get resource "deployments" '
            'in API group "apps" at the cluster scope',
            {"kind": "deployments", "group": "apps", "name": "web"},
        ),
        (
            Attributes(user=BOB, verb="create", resource="pods", subresource="exec", name="a"),
            'pods "a" is forbidden: User "bob" cannot create resource "pods/exec" '
            'in API group "" at the cluster scope',
            {"kind": "pods", "name": "a"},
        ),
        (
            Attributes(user=User("<b>&"), verb="get", path="/metrics"),
            'forbidden: User "&lt;b&gt;&amp;" cannot get path "/metrics"',
            {},
        ),
    ],
)
def test_a_refusal_speaks_as_upstream(
    attributes: Attributes, message: str, details: dict[str, str]
) -> None:
    error = refusal(attributes, "")
    assert (error.code, error.reason) == (403, "Forbidden")
    assert (error.message, error.details) == (message, details)
    assert refusal(attributes, "it rains").message == f"{message}: it rains"
