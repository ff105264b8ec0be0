"""Attempts to be allowed one thing and be given another, by how a path is written.

Authorization reads a path before anybody has looked it up, and what answers reads it again: these
two must never differ, whatever the path is.
"""

from collections.abc import AsyncGenerator, Mapping

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.builtin import load
from argosy.api.kinds import OWN, RESOURCES
from argosy.apiserver.authorization.attributes import attributes_of
from argosy.apiserver.catalog import Catalog
from argosy.apiserver.request import User, parse_target
from argosy.base.errors import StatusError
from argosy.http.message import Request
from tests.apiserver.kit import APPLY, Api, answered, serving
from tests.attacks.authorization_kit import (
    CORE,
    MEMBER,
    Attack,
    as_user,
    hold,
    rule,
)

PODS = (rule("get,list,watch", "pods,pods/log,pods/proxy"),)
SECRET = "s3cr3t"
PATHS: Mapping[str, str] = {
    "a slash that is escaped": f"{CORE}/pods%2F..%2Fsecrets/it",
    "a step up": f"{CORE}/pods/../secrets/it",
    "a step up that is escaped": f"{CORE}/pods/%2e%2e/secrets/it",
    "a step up behind a proxy": f"{CORE}/pods/it/proxy/../../../secrets/it",
    "a step up that is escaped twice": f"{CORE}/pods/%252e%252e/secrets/it",
    "an escaped letter": f"{CORE}/%73ecrets/it",
    "capitals": f"{CORE}/Secrets/it",
    "an escaped namespace with another behind it": "/api/v1/namespaces/a%2Fdefault/secrets/it",
    "a namespace that is a part of one": "/api/v1/namespaces/default/status/secrets/it",
    "namespaces twice": "/api/v1/namespaces/default/namespaces/default/secrets/it",
    "an empty group": "/apis//v1/namespaces/default/secrets/it",
    "an empty segment": f"{CORE}//secrets/it",
    "an empty name": f"{CORE}/pods//secrets/it",
    "two slashes at the begin": f"/{CORE}/secrets/it",
    "a slash at the end": f"{CORE}/secrets/it/",
    "a null byte": f"{CORE}/pods%00/../secrets/it",
    "a semicolon": f"{CORE}/pods;/../secrets/it",
    "a backslash": f"{CORE}/pods\\..\\secrets\\it",
    "the old path of watches": "/api/v1/watch/namespaces/default/secrets/it",
    "the old path of proxies": "/api/v1/proxy/namespaces/default/secrets/it",
    "an escaped root": "/%61pi/v1/namespaces/default/secrets/it",
    "a root above it": "/healthz/../api/v1/namespaces/default/secrets/it",
    "a subresource of a subresource": f"{CORE}/pods/it/log/../../secrets/it",
    "metrics with a slash": "/metrics/",
    "metrics with two": "//metrics",
    "metrics by an escaped letter": "/%6detrics",
    "metrics behind what is open": "/healthz/..%2fmetrics",
}


@pytest_asyncio.fixture
async def api() -> AsyncGenerator[Api, None]:
    async with serving() as running:
        body = {"metadata": {"name": "it"}, "stringData": {"key": SECRET}}
        made = await running.ask("POST", f"{CORE}/secrets", body)
        assert made.status == 201, made.body
        yield running


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
async def test_who_may_see_pods_sees_no_secret(api: Api, path: str) -> None:
    await hold(api, Attack(name="", path="", refusal="", held_here=PODS))
    answer = await api.ask("GET", path, headers=as_user(MEMBER))
    assert answer.status in (400, 403, 404), answer.body
    assert answer.body["reason"] in ("BadRequest", "Forbidden", "NotFound")


async def test_who_may_see_them_does(api: Api) -> None:
    """What the attacks are measured by."""
    await hold(api, Attack(name="", path="", refusal="", held_here=(rule("get", "secrets"),)))
    answer = await api.ask("GET", f"{CORE}/%73ecrets/i%74", headers=as_user(MEMBER))
    assert answer.status == 200


async def test_who_may_patch_makes_nothing_by_apply(api: Api) -> None:
    await hold(api, Attack(name="", path="", refusal="", held_here=(rule("patch", "configmaps"),)))
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}
    eve, path = as_user(MEMBER), f"{CORE}/configmaps/new"
    answer = await api.ask("PATCH", path, body, kind=APPLY, headers=eve, fieldManager="eve")
    assert answer.status == 403
    assert answer.message == (
        'configmaps "new" is forbidden: User "eve" cannot create resource "configmaps" in API '
        'group "" in the namespace "default"'
    )
    assert (await api.get(path)).status == 404
    await api.apply(path, body)
    answer = await api.ask("PATCH", path, body, kind=APPLY, headers=eve, fieldManager="eve")
    assert answer.status == 200


@pytest.mark.parametrize(
    "query", ["watch=1", "watch", "w%61tch=1", "x=&watch=true", "watch=1&watch=0"]
)
async def test_who_may_get_an_object_does_not_watch_it(api: Api, query: str) -> None:
    """However that is written: a watch tells what it was before."""
    await hold(api, Attack(name="", path="", refusal="", held_here=(rule("get", "secrets"),)))
    headers = {"authorization": f"Bearer {api.cluster.plane.token}", **as_user(MEMBER)}
    request = Request("GET", f"{CORE}/secrets/it", query, headers)
    answer = await answered(api.cluster.plane.server.handle, request)
    assert answer.status == 403
    assert 'cannot watch resource "secrets"' in answer.message


async def test_the_last_of_two_selectors_allows_nothing(api: Api) -> None:
    """Authorization and the list read the same one of two: the first, as Go's servers do."""
    held = (rule("list", "secrets", resourceNames=["mine"]),)
    await hold(api, Attack(name="", path="", refusal="", held_here=held))
    server, token = api.cluster.plane.server, api.cluster.plane.token
    headers = {"authorization": f"Bearer {token}", **as_user(MEMBER)}
    query = "fieldSelector=&fieldSelector=metadata.name%3Dmine"
    answer = await server.handle(Request("GET", f"{CORE}/secrets", query, headers))
    assert answer.status == 403


SEGMENTS = st.sampled_from(
    [
        *("api", "apis", "v1", "apps", "rbac.authorization.k8s.io", "", ".", "..", "x", "it"),
        *("namespaces", "default", "pods", "secrets", "nodes", "deployments", "clusterroles"),
        *("proxy", "status", "finalize", "exec", "log", "scale", "binding", "token", "watch"),
        *("%2e%2e", "%2F", "a%2Fb", "%61pi", "%61pis", "it%00", "proxy%2F..", "Secrets", "%zz"),
        *("pod%73", "%6eamespaces", "pods;x", "pods\\x", "\u00e9", "%ff", "%E2%80%AE"),
    ]
)
STARTS = ["", "/api/v1", "/apis/apps/v1", "/api/v1/namespaces", CORE, "//api//v1"]
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])


CATALOG = Catalog(RESOURCES, OWN, load())
SOMEBODY = User("eve")


@settings(max_examples=500, deadline=None)
@given(
    method=METHODS,
    start=st.sampled_from(STARTS),
    segments=st.lists(SEGMENTS, min_size=1, max_size=9),
    end=st.sampled_from(["", "/", "//"]),
)
def test_what_is_allowed_is_what_is_given(
    method: str, start: str, segments: list[str], end: str
) -> None:
    path = f"{start}/{'/'.join(segments)}{end}"
    asked = attributes_of(Request(method, path), SOMEBODY)
    try:
        target = parse_target(CATALOG, path)
    except StatusError:
        return
    if target is None:
        assert asked.path == path
        return
    resource = target.served.resource
    assert asked.path is None
    assert (asked.group, asked.version, asked.resource, asked.name, asked.subresource) == (
        resource.group,
        resource.version,
        resource.plural,
        target.name,
        target.subresource.partition("/")[0],
    )
    # A namespace is in itself, as upstream has it.
    assert asked.namespace == (target.name if resource.plural == "namespaces" else target.namespace)
