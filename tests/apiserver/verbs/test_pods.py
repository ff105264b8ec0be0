"""The subresources of pods: binding, and the log, which the node has."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from argosy.http.message import Request, Response
from tests.apiserver.kit import MERGE, Answer, Api, binding, body, path, serving

Json = dict[str, Any]

POD = path("Pod", "it")
BINDING = path("Pod", "it", "binding")
LOG = path("Pod", "it", "log")
NAMED = {"metadata": {"name": "it"}}


async def bind(api: Api, node: str = "here", *, meta: Json | None = None, **query: str) -> Answer:
    sent = binding(node=node, **(meta or {}))
    return await api.ask("POST", BINDING, sent, headers=None, **query)


async def test_a_pod_is_put_on_a_node(api: Api) -> None:
    created = await api.create("Pod")
    answer = await bind(api)
    bound = await api.get(POD)

    assert answer.status == 201
    assert answer.body["status"] == "Success"
    assert bound.body["spec"] == {**created.body["spec"], "nodeName": "here"}
    (condition,) = bound.body["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("PodScheduled", "True")


async def test_a_pod_is_put_on_a_node_once(api: Api) -> None:
    await api.create("Pod")
    await bind(api)
    again = await bind(api, "there")

    assert (again.status, again.body["reason"]) == (409, "Conflict")
    assert 'pod it is already assigned to node "here"' in again.message
    assert (await api.get(POD)).body["spec"]["nodeName"] == "here"


async def test_no_update_moves_a_pod(api: Api) -> None:
    await api.create("Pod")
    await bind(api)
    answer = await api.ask("PATCH", POD, {"spec": {"nodeName": "there"}}, kind=MERGE)

    assert answer.status == 422


async def test_a_condition_of_before_makes_way(api: Api) -> None:
    await api.create("Pod")
    gated = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]
    initialized = [{"type": "Initialized", "status": "True"}]
    status = {"status": {"conditions": [*gated, *initialized]}}
    await api.ask("PATCH", f"{POD}/status", status, kind=MERGE)
    await bind(api)

    conditions = (await api.get(POD)).body["status"]["conditions"]
    found = {item["type"]: item["status"] for item in conditions}
    assert found == {"PodScheduled": "True", "Initialized": "True"}
    assert len(conditions) == 2


async def test_a_pod_that_is_going_is_not_bound(api: Api) -> None:
    await api.create("Pod", {**body("Pod"), "metadata": {"name": "it", "finalizers": ["a.b/c"]}})
    await api.ask("DELETE", POD)
    answer = await bind(api)

    assert answer.status == 409
    assert "is being deleted, cannot be assigned to a host" in answer.message


async def test_a_gate_keeps_a_pod_from_nodes(api: Api) -> None:
    gated = body("Pod")
    gated["spec"]["schedulingGates"] = [{"name": "example.com/wait"}]
    await api.create("Pod", gated)
    held = await bind(api)
    await api.ask("PATCH", POD, {"spec": {"schedulingGates": None}}, kind=MERGE)

    assert held.status == 409
    assert "has non-empty .spec.schedulingGates" in held.message
    assert (await bind(api)).status == 201


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({**NAMED, "target": {"name": "", "kind": "Node"}}, 422),
        ({**NAMED, "target": {"name": 5}}, 422),
        ({**NAMED, "target": {}}, 422),
        ({**NAMED, "target": []}, 422),
        ({**NAMED, "target": None}, 422),
        (NAMED, 422),
        ({**NAMED, "target": {"name": "here", "kind": "Rack"}}, 422),
        ({"metadata": {"name": "it", "labels": []}, "target": {"name": "here"}}, 422),
        ({"metadata": {"name": "other"}, "target": {"name": "here"}}, 400),
        ({"metadata": {"name": "it", "namespace": "b"}, "target": {"name": "here"}}, 400),
        ({**NAMED, "kind": "Pod", "target": {"name": "here"}}, 400),
        ({"metadata": None, "target": {"name": "here"}}, 400),
        ({"target": {"name": "here"}}, 400),
        (b"", 400),
        (b"[]", 400),
    ],
)
async def test_a_binding_names_a_node(api: Api, sent: Any, code: int) -> None:
    await api.create("Pod")

    assert (await api.ask("POST", BINDING, sent)).status == code
    assert "nodeName" not in (await api.get(POD)).body["spec"]


async def test_a_binding_says_what_is_wrong_with_it(api: Api) -> None:
    await api.create("Pod")
    answer = await api.ask("POST", BINDING, {**NAMED, "target": {"kind": "Rack"}})

    assert answer.causes == {
        ("target.kind", 'Unsupported value: "Rack": supported values: "Node", "<empty>"'),
        ("target.name", "Required value"),
    }


@pytest.mark.parametrize("name", ["uid", "resourceVersion"])
async def test_a_binding_may_mean_one_state_of_the_pod(api: Api, name: str) -> None:
    created = await api.create("Pod")
    other = await bind(api, meta={name: "77"})
    right = await bind(api, meta={name: created.meta[name]})

    assert (other.status, other.body["reason"], right.status) == (409, "Conflict", 201)


async def test_a_binding_brings_labels_and_annotations(api: Api) -> None:
    meta = {"labels": {"a": "old", "b": "kept"}, "annotations": {"c": "kept"}}
    created = await api.create("Pod", {**body("Pod"), "metadata": {"name": "it", **meta}})
    await bind(api, meta={"labels": {"a": "new"}, "annotations": {"d": "new"}})
    bound = await api.get(POD)

    assert bound.meta["labels"] == {"a": "new", "b": "kept"}
    assert bound.meta["annotations"] == {"c": "kept", "d": "new"}
    assert bound.meta["managedFields"] == created.meta["managedFields"]


async def test_a_hint_at_a_node_goes_with_the_binding(api: Api) -> None:
    await api.create("Pod")
    hint = {"status": {"nominatedNodeName": "there"}}
    await api.ask("PATCH", f"{POD}/status", hint, kind=MERGE)
    await bind(api)

    assert "nominatedNodeName" not in (await api.get(POD)).body["status"]


async def test_what_is_not_there_cannot_be_bound(api: Api) -> None:
    assert (await bind(api)).status == 404


async def test_a_binding_may_be_tried(api: Api) -> None:
    await api.create("Pod")

    assert (await bind(api, dryRun="All")).status == 201
    assert "nodeName" not in (await api.get(POD)).body["spec"]


async def test_only_pods_are_bound(api: Api) -> None:
    await api.create("ConfigMap")
    where = path("ConfigMap", "it", "binding")

    assert (await api.ask("POST", where, {"target": {"name": "here"}})).status == 404


async def test_a_binding_may_be_sent_as_an_object_of_its_own(api: Api) -> None:
    await api.create("Pod")
    bindings = "/api/v1/namespaces/default/bindings"
    answer = await api.ask("POST", bindings, binding())
    again = await api.ask("POST", bindings, binding())
    other = await api.ask("POST", bindings, binding("other"))

    assert (answer.status, answer.body["status"]) == (201, "Success")
    assert (await api.get(POD)).body["spec"]["nodeName"] == "here"
    assert (again.status, other.status) == (409, 404)
    assert other.message == 'pods "other" not found'
    nameless: list[Any] = [{}, {"metadata": []}, {"metadata": {"name": 5}}, []]
    for sent in nameless:
        assert (await api.ask("POST", bindings, sent)).status == 400
    assert (await api.get(bindings)).status == 405
    assert (await api.get(f"{bindings}/it")).status == 404


# logs


class Node:
    """A node's own API that remembers what it was asked."""

    def __init__(self, response: Response) -> None:
        self.response = response
        self.asked: list[Request] = []

    async def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        return self.response


def said(text: str) -> Response:
    return Response(200, {"content-type": "text/plain"}, text.encode())


async def test_a_log_comes_from_the_node() -> None:
    node = Node(said("hello\n"))
    async with serving(node=node) as api:
        await api.create("Pod")
        await bind(api)
        response = await api.cluster.client.call(
            "GET", LOG, {"tailLines": "5", "timestamps": "true", "pretty": "x"}
        )

    assert response == b"hello\n"
    (asked,) = node.asked
    assert asked.path == "/containerLogs/default/it/main"
    assert parse_qs(asked.query) == {"tailLines": ["5"], "timestamps": ["true"]}


async def test_a_pod_without_a_node_has_no_log() -> None:
    async with serving(node=Node(said(""))) as api:
        await api.create("Pod")
        answer = await api.get(LOG)

    assert (answer.status, answer.message) == (400, "pod it does not have a host assigned")


async def test_a_log_needs_a_way_to_the_node(api: Api) -> None:
    await api.create("Pod")
    await bind(api)

    assert (await api.get(LOG)).status == 503


async def test_a_log_needs_a_pod(api: Api) -> None:
    assert (await api.get(LOG)).status == 404


@pytest.mark.parametrize(
    ("asked", "annotation", "found"),
    [
        ("", "", None),
        ("", "two", "two"),
        ("one", "", "one"),
        ("two", "one", "two"),
        ("three", "", None),
        ("", "three", None),
    ],
)
async def test_a_log_is_of_one_container(asked: str, annotation: str, found: str | None) -> None:
    node = Node(said(""))
    pod = body("Pod")
    pod["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": annotation}
    pod["spec"]["containers"] = [{"name": name, "image": "i"} for name in ("one", "two")]
    async with serving(node=node) as api:
        await api.create("Pod", pod)
        await bind(api)
        answer = await api.get(LOG, container=asked)

    if found is None:
        assert answer.status == 400
        assert not node.asked
    else:
        assert answer.status == 200
        assert node.asked[0].path.endswith(f"/{found}")


@pytest.mark.parametrize(
    ("answered", "message"),
    [
        (b'{"kind":"Status","reason":"BadRequest","message":"no previous log"}', "no previous log"),
        (b"plain words", "plain words"),
    ],
)
async def test_what_the_node_refuses_is_told(answered: bytes, message: str) -> None:
    async with serving(node=Node(Response(400, {}, answered))) as api:
        await api.create("Pod")
        await bind(api)
        answer = await api.get(LOG)

    assert (answer.status, answer.message) == (400, message)
