"""Proxies: whom a request reaches, and on which path."""

from typing import Any

import pytest

from argosy.http.message import Request, Response
from tests.apiserver.kit import MERGE, Answer, Api, answered, body, path, serving

Json = dict[str, Any]
POD, SERVICE, NODE = path("Pod", "it"), path("Service", "it"), path("Node", "it")


class Node:
    """A node's own API that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        return Response(200, {"content-type": "text/plain"}, b"hello")


async def ask(
    api: Api, where: str, query: str = "", *, method: str = "GET", sent: bytes = b""
) -> Answer:
    headers = {"authorization": f"Bearer {api.cluster.plane.token}", "x-other": "kept"}
    request = Request(method, where, query, headers, sent)
    return await answered(api.cluster.plane.server.handle, request)


async def pod(
    api: Api, name: str = "it", *, ready: str = "True", labels: Json | None = None
) -> None:
    whole = body("Pod", name, metadata={"name": name, "labels": labels or {"app": "web"}})
    ports = [{"containerPort": 8080, "name": "web"}]
    whole["spec"] = {"containers": [{"name": "main", "image": "i", "ports": ports}]}
    whole["spec"]["nodeName"] = "here"
    await api.create("Pod", whole)
    conditions = [{"type": "Ready", "status": ready}]
    address = "10.1.0.2"
    status = {"podIP": address, "podIPs": [{"ip": address}], "conditions": conditions}
    where = path("Pod", name, "status")
    answer = await api.ask("PATCH", where, {"status": status}, kind=MERGE)
    assert answer.status == 200, answer.body


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_a_pod_is_reached_by_any_method(method: str) -> None:
    node = Node()
    async with serving(node=node) as api:
        await pod(api)
        answer = await ask(api, f"{POD}/proxy/a/b", "c=d&c=e", method=method, sent=b"body")

    assert answer.status == 200
    (seen,) = node.asked
    assert seen == Request(
        method, "/podProxy/default/it/http/8080/a/b", "c=d&c=e", {"x-other": "kept"}, b"body"
    )


@pytest.mark.parametrize(
    ("name", "below", "asked"),
    [
        ("it", "/", "http/8080/"),
        ("it:1", "/", "http/1/"),
        ("http:it:1", "/", "http/1/"),
        ("https:it:1", "/", "https/1/"),
        ("http:it:", "/", "http/8080/"),
        (":it:", "/", "http/8080/"),
        ("it%3A1", "/", "http/1/"),
        ("it", "//a/../b%2Fc/", "http/8080//a/../b%2Fc/"),
        ("it", "/proxy/proxy", "http/8080/proxy/proxy"),
    ],
)
async def test_a_name_may_say_more(name: str, below: str, asked: str) -> None:
    node = Node()
    async with serving(node=node) as api:
        await pod(api)
        answer = await ask(api, f"/api/v1/namespaces/default/pods/{name}/proxy{below}")

    assert answer.status == 200, answer.body
    assert [seen.path for seen in node.asked] == [f"/podProxy/default/it/{asked}"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a:b:c:d", 'invalid pod request "a:b:c:d"'),
        ("ftp:it:1", 'invalid pod request "ftp:it:1"'),
        (":1", 'invalid pod request ":1"'),
        ("it:web", 'invalid pod request "it:web": "web" is no port'),
        ("it:0", 'invalid pod request "it:0": "0" is no port'),
        ("it:65536", 'invalid pod request "it:65536": "65536" is no port'),
    ],
)
async def test_a_name_that_says_nonsense_is_refused(name: str, message: str) -> None:
    node = Node()
    async with serving(node=node) as api:
        await pod(api)
        answer = await ask(api, f"/api/v1/namespaces/default/pods/{name}/proxy/")

    assert (answer.status, answer.message) == (400, message)
    assert not node.asked


async def test_a_page_is_sent_to_where_its_links_work() -> None:
    async with serving(node=Node()) as api:
        await pod(api)
        answer = await ask(api, f"{POD}/proxy", "a=b")
        posted = await ask(api, f"{POD}/proxy", method="POST")

    assert (answer.status, answer.headers["location"]) == (301, f"{POD}/proxy/?a=b")
    assert posted.status == 200


async def test_a_pod_without_an_address_is_not_reached() -> None:
    async with serving(node=Node()) as api:
        await api.create("Pod")
        answer = await ask(api, f"{POD}/proxy/")

    assert (answer.status, answer.message) == (400, "address not allowed")


async def test_a_proxy_needs_something_behind_it_and_a_way_there(api: Api) -> None:
    for where in (POD, SERVICE, NODE):
        assert (await ask(api, f"{where}/proxy/")).status == 404
    await pod(api)
    assert (await ask(api, f"{POD}/proxy/")).status == 503


@pytest.mark.parametrize("below", ["", "/"])
async def test_below_other_subresources_there_is_nothing(api: Api, below: str) -> None:
    await pod(api)
    assert (await ask(api, f"{POD}/log{below}/x")).status in (400, 404)


# services


async def service(api: Api, *ports: Json, selector: Json | None = None) -> None:
    spec = {"selector": selector or {"app": "web"}, "ports": list(ports)}
    await api.create("Service", body("Service", spec=spec))


@pytest.mark.parametrize(
    ("name", "ports", "asked"),
    [
        ("it", [{"port": 80, "targetPort": "web"}], "http/8080/x"),
        ("it", [{"port": 80}], "http/80/x"),
        ("it:80", [{"port": 80, "targetPort": 81}], "http/81/x"),
        ("https:it:b", [{"name": "a", "port": 1}, {"name": "b", "port": 2}], "https/2/x"),
    ],
)
async def test_a_service_leads_to_a_pod(name: str, ports: list[Json], asked: str) -> None:
    node = Node()
    async with serving(node=node) as api:
        await service(api, *ports)
        await pod(api, "other", labels={"app": "db"})
        await pod(api, "waits", ready="False")
        await pod(api)
        answer = await ask(api, f"/api/v1/namespaces/default/services/{name}/proxy/x")

    assert answer.status == 200, answer.body
    assert [seen.path for seen in node.asked] == [f"/podProxy/default/it/{asked}"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("it", 'no endpoints available for service "it"'),
        ("it:81", 'no service port 81 found for service "it"'),
        ("it:nope", 'no endpoints available for service "it:nope"'),
    ],
)
async def test_a_service_without_endpoints_is_unavailable(name: str, message: str) -> None:
    async with serving(node=Node()) as api:
        await service(api, {"port": 80})
        await pod(api, ready="False")
        answer = await ask(api, f"/api/v1/namespaces/default/services/{name}/proxy/x")

    assert (answer.status, answer.body["reason"], answer.message) == (
        503,
        "ServiceUnavailable",
        message,
    )


@pytest.mark.parametrize(("ip", "status"), [("10.1.0.2", 200), ("10.0.0.1", 503)])
async def test_endpoints_count_where_there_are_some(ip: str, status: int) -> None:
    node = Node()
    async with serving(node=node) as api:
        await service(api, {"port": 80}, selector={"app": "nobody"})
        await pod(api)
        address = {"ip": ip, "targetRef": {"kind": "Pod", "name": "it", "namespace": "default"}}
        subset = {"addresses": [{"ip": "10.9.9.9"}, address], "ports": [{"port": 7}]}
        endpoints = {"metadata": {"name": "it"}, "subsets": [subset]}
        created = await api.ask("POST", "/api/v1/namespaces/default/endpoints", endpoints)
        assert created.status == 201, created.body
        answer = await ask(api, f"{SERVICE}/proxy/x")

    assert answer.status == status
    expected = ["/podProxy/default/it/http/7/x"] if status == 200 else []
    assert [seen.path for seen in node.asked] == expected


@pytest.mark.parametrize(("kept", "status"), [(True, 200), (False, 503)])
async def test_who_keeps_endpoints_may_be_behind(kept: bool, status: int) -> None:
    """A pod that is ready is found before the controller has seen it."""
    async with serving(node=Node()) as api:
        await service(api, {"port": 80})
        await pod(api)
        labels = {"endpoints.kubernetes.io/managed-by": "endpoint-controller"} if kept else {}
        endpoints = {"metadata": {"name": "it", "labels": labels}}
        await api.ask("POST", "/api/v1/namespaces/default/endpoints", endpoints)
        assert (await ask(api, f"{SERVICE}/proxy/x")).status == status


# nodes


@pytest.mark.parametrize(
    ("below", "asked"), [("", "/"), ("/", "/"), ("/logs/a", "/logs/a"), ("/a%20b", "/a%20b")]
)
async def test_a_node_answers_itself(below: str, asked: str) -> None:
    node = Node()
    async with serving(node=node) as api:
        await api.create("Node")
        answer = await ask(api, f"{NODE}/proxy{below}", "x=1", method="POST", sent=b"body")

    assert answer.status == 200
    (seen,) = node.asked
    assert seen == Request("POST", asked, "x=1", {"x-other": "kept"}, b"body")


async def test_no_other_port_of_a_node_is_reached() -> None:
    async with serving(node=Node()) as api:
        await api.create("Node")
        refused = await ask(api, f"{NODE}:22/proxy/")
        own = await ask(api, f"{NODE}:10250/proxy/")

    assert (refused.status, own.status) == (400, 200)
