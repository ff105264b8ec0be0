"""What small rules fill in, or refuse."""

import pytest

from argosy.apiserver.admission.pod_group_workload import workload_exists
from argosy.apiserver.admission.pod_resize import fits_its_node
from argosy.apiserver.admission.tolerations import merged
from argosy.base.errors import StatusError
from tests.apiserver.admission.kit import asked
from tests.apiserver.kit import MERGE, Api, Json, binding, body, path

KEYS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


@pytest.mark.parametrize(
    ("given", "added"),
    [
        ([], [*KEYS]),
        ([{"key": KEYS[0], "operator": "Exists"}], [KEYS[1]]),
        ([{"operator": "Exists"}], []),
        ([{"operator": "Exists", "effect": "NoSchedule"}], [*KEYS]),
    ],
)
async def test_a_pod_stays_a_while_on_a_broken_node(
    api: Api, given: list[Json], added: list[str]
) -> None:
    pod = body("Pod")
    pod["spec"]["tolerations"] = given
    found = (await api.create("Pod", pod)).body["spec"].get("tolerations") or []
    assert found[: len(given)] == given
    assert [one["key"] for one in found[len(given) :]] == added
    assert {one["tolerationSeconds"] for one in found[len(given) :]} <= {300}


def test_of_tolerations_those_stay_that_say_more() -> None:
    wide, one = {"key": "a", "operator": "Exists"}, {"key": "a", "value": "1"}
    brief = {**wide, "effect": "NoExecute", "tolerationSeconds": 5}
    longer = {**wide, "effect": "NoExecute", "tolerationSeconds": 9}
    assert merged([one, wide, one]) == [wide]
    assert merged([brief, longer]) == [longer]
    assert merged([one, {"key": "b"}]) == [one, {"key": "b"}]
    assert merged([one, one]) == [one]


async def test_an_ingress_gets_the_default_class(api: Api) -> None:
    classes = "/apis/networking.k8s.io/v1/ingressclasses"
    ingresses = "/apis/networking.k8s.io/v1/namespaces/default/ingresses"
    backend = {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}

    async def named(name: str, **meta: object) -> str | None:
        sent = {"metadata": {"name": name, **meta}, "spec": backend}
        answer = await api.ask("POST", ingresses, sent)
        assert answer.status == 201, answer.body
        found: str | None = answer.body["spec"].get("ingressClassName")
        return found

    assert await named("early") is None
    mark = {"annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}}
    for name in ("b", "a"):
        sent = {"metadata": {"name": name, **mark}, "spec": {"controller": "example.com/x"}}
        assert (await api.ask("POST", classes, sent)).status == 201
    assert await named("one") == "a"
    assert await named("old", annotations={"kubernetes.io/ingress.class": "x"}) is None


async def test_a_pod_gets_the_zone_of_its_node(api: Api) -> None:
    zone = {"topology.kubernetes.io/zone": "a"}
    labels = {**zone, "kubernetes.io/hostname": "here"}
    await api.ask("POST", "/api/v1/nodes", {"metadata": {"name": "here", "labels": labels}})
    await api.create("Pod")
    await api.ask("POST", path("Pod", "it", "binding"), binding())
    assert (await api.get(path("Pod", "it"))).meta["labels"] == zone
    placed = body("Pod", "placed")
    placed["spec"]["nodeName"] = "here"
    assert (await api.create("Pod", placed)).meta["labels"] == zone


async def test_a_pod_group_of_a_workload_needs_it(api: Api) -> None:
    reference = {"workload": {"workloadName": "w", "podGroupTemplateName": "t"}}
    group = {"metadata": {"name": "g"}, "spec": {"podGroupTemplateRef": reference}}
    known = next(
        one.resource
        for one in api.cluster.plane.server._catalog.built_in
        if one.resource.kind == "PodGroup"
    )
    attributes = asked(api, "podgroups", group, group=known.group, version=known.version)
    with pytest.raises(StatusError, match='Workload "w" not found'):
        workload_exists(attributes)
    attributes.new["spec"] = {}
    workload_exists(attributes)


@pytest.mark.parametrize(
    ("labels", "cpu", "why"),
    [
        ({}, "1", ""),
        ({}, "3", "cpu, requested: 3000, allocatable: 2000"),
        ({"kubernetes.io/os": "windows"}, "1", "only supported on linux nodes"),
    ],
)
async def test_a_pod_grows_as_far_as_its_node(api: Api, labels: Json, cpu: str, why: str) -> None:
    status = {"allocatable": {"cpu": "2", "memory": "1Gi"}}
    node = {"metadata": {"name": "here", "labels": labels}}
    await api.ask("POST", "/api/v1/nodes", node)
    await api.ask("PATCH", "/api/v1/nodes/here/status", {"status": status}, kind=MERGE)
    container = {"name": "a", "resources": {"requests": {"cpu": cpu}}}
    new = {"metadata": {"name": "it"}, "spec": {"nodeName": "here", "containers": [container]}}
    old = {**new, "spec": {"nodeName": "here", "containers": [{"name": "a"}]}}
    attributes = asked(api, "pods", new, old, subresource="resize")
    if not why:
        fits_its_node(attributes)
        return
    with pytest.raises(StatusError, match=why):
        fits_its_node(attributes)
