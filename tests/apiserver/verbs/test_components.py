"""ComponentStatus: the parts of the cluster, and what is wrong with them."""

from tests.apiserver.kit import Api

WHERE = "/api/v1/componentstatuses"
OK = [{"type": "Healthy", "status": "True", "message": "ok"}]


async def test_all_parts_are_well(api: Api) -> None:
    answer = await api.get(WHERE)
    assert answer.body["kind"] == "ComponentStatusList"
    found = {item["metadata"]["name"]: item["conditions"] for item in answer.body["items"]}
    assert found == dict.fromkeys(("controller-manager", "etcd-0", "scheduler"), OK)
    assert answer.headers["warning"] == '299 - "v1 ComponentStatus is deprecated in v1.19+"'


async def test_one_part_is_asked_by_name(api: Api) -> None:
    answer = await api.get(f"{WHERE}/scheduler")
    assert (answer.body["kind"], answer.body["conditions"]) == ("ComponentStatus", OK)
    missing = await api.get(f"{WHERE}/kubelet")
    assert (missing.status, missing.message) == (404, 'componentstatus "kubelet" not found')
    selected = await api.get(WHERE, fieldSelector="metadata.name=etcd-0")
    assert [item["metadata"]["name"] for item in selected.body["items"]] == ["etcd-0"]
    assert (await api.get(WHERE, labelSelector="a=b")).body["items"] == []
    assert (await api.get(WHERE, fieldSelector="spec.x=1")).status == 400


async def test_a_failure_is_told(api: Api) -> None:
    server = api.cluster.plane.server
    server.state.ready = False
    server._beside.store.refused("no space left")
    rows = [row["cells"] for row in (await api.table(WHERE)).body["rows"]]
    assert rows == [
        ["controller-manager", "Unhealthy", "", "the cluster is starting"],
        ["etcd-0", "Unhealthy", "", "no space left"],
        ["scheduler", "Unhealthy", "", "the cluster is starting"],
    ]


async def test_parts_are_only_read(api: Api) -> None:
    for method, where in (("POST", WHERE), ("DELETE", f"{WHERE}/etcd-0"), ("PUT", WHERE)):
        assert (await api.ask(method, where, {})).status == 405
    assert (await api.get(f"{WHERE}/etcd-0/status")).status == 404
    listed = (await api.get("/api/v1")).body["resources"]
    found = next(item for item in listed if item["name"] == "componentstatuses")
    assert (found["verbs"], found["shortNames"]) == (["get", "list"], ["cs"])
