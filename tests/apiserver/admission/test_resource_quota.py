"""Quotas hold, whatever comes at once, and say what is used."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.base.clock import SystemClock
from argosy.cluster.bootstrap import bootstrap
from argosy.cluster.server import control_plane
from argosy.runtime.manager import Manager
from argosy.store.sqlite import SqliteStore
from argosy.testing.cluster import Cluster
from tests.apiserver.kit import MERGE, Answer, Api, Json, body, path, serving

QUOTAS = "/api/v1/namespaces/default/resourcequotas"
SMALL = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}


async def limited(api: Api, hard: Json, name: str = "q", **spec: object) -> None:
    sent = {"metadata": {"name": name}, "spec": {"hard": hard, **spec}}
    assert (await api.ask("POST", QUOTAS, sent)).status == 201


async def used(api: Api, name: str = "q") -> Json:
    """What the quota says, once what is due is written."""
    for _ in range(3):
        await asyncio.sleep(0)
    found: Json = (await api.get(f"{QUOTAS}/{name}")).body["status"]["used"]
    return found


def pod(name: str, resources: Json | None = None, **spec: object) -> Json:
    container = {"name": "main", "image": "x", "resources": resources or {}}
    return {"metadata": {"name": name}, "spec": {"containers": [container], **spec}}


async def posted(api: Api, name: str, resources: Json | None = None, **spec: object) -> Answer:
    return await api.ask("POST", path("Pod"), pod(name, resources, **spec))


async def test_what_is_used_is_told_and_what_is_too_much_refused(api: Api) -> None:
    await posted(api, "before")
    await limited(api, {"pods": "2", "count/pods": "9"})
    assert await used(api) == {"pods": "1", "count/pods": "1"}

    assert (await posted(api, "a")).status == 201
    assert await used(api) == {"pods": "2", "count/pods": "2"}
    answer = await posted(api, "b")
    assert (answer.status, answer.message) == (
        403,
        'pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, '
        "limited: pods=2",
    )


async def test_what_is_deleted_or_has_ended_is_free_again(api: Api) -> None:
    await limited(api, {"pods": "1"})
    assert (await posted(api, "a")).status == 201
    assert (await posted(api, "b")).status == 403
    assert (await api.ask("DELETE", path("Pod", "a"))).status == 200
    assert (await posted(api, "b")).status == 201
    ended = {"status": {"phase": "Succeeded"}}
    assert (await api.ask("PATCH", path("Pod", "b", "status"), ended, kind=MERGE)).status == 200
    assert await used(api) == {"pods": "0"}
    assert (await posted(api, "c")).status == 201


async def test_of_many_at_once_as_many_as_fit(api: Api) -> None:
    await limited(api, {"pods": "5", "requests.cpu": "450m"})
    answers = await asyncio.gather(*(posted(api, f"p{i}", SMALL) for i in range(20)))
    assert sorted(answer.status for answer in answers) == [201] * 4 + [403] * 16
    assert await used(api) == {"pods": "4", "requests.cpu": "400m"}


async def test_a_refused_or_dry_write_takes_nothing(api: Api) -> None:
    await limited(api, {"pods": "2"})
    assert (await posted(api, "a")).status == 201
    assert (await posted(api, "a")).status == 409
    dry = await api.ask("POST", path("Pod"), pod("b"), dryRun="All")
    assert dry.status == 201
    assert await used(api) == {"pods": "1"}
    assert (await posted(api, "b")).status == 201
    dry = await api.ask("POST", path("Pod"), pod("c"), dryRun="All")
    assert dry.status == 403


async def test_who_is_limited_must_say_what_they_want(api: Api) -> None:
    await limited(api, {"limits.cpu": "2", "requests.memory": "1Gi"})
    answer = await posted(api, "a", {"limits": {"cpu": "1"}})
    assert answer.message == (
        'pods "a" is forbidden: failed quota: q: must specify requests.memory for: main'
    )
    assert (await posted(api, "a", SMALL)).status == 201


SCOPES: Sequence[tuple[Json, Json, Json]] = (
    ({"scopes": ["BestEffort"]}, {}, {"resources": SMALL}),
    ({"scopes": ["NotBestEffort"]}, {"resources": SMALL}, {}),
    ({"scopes": ["Terminating"]}, {"activeDeadlineSeconds": 5}, {}),
    ({"scopes": ["NotTerminating"]}, {}, {"activeDeadlineSeconds": 5}),
    (
        {
            "scopeSelector": {
                "matchExpressions": [
                    {
                        "scopeName": "PriorityClass",
                        "operator": "In",
                        "values": ["system-node-critical"],
                    }
                ]
            }
        },
        {"priorityClassName": "system-node-critical"},
        {},
    ),
)


@pytest.mark.parametrize(("scope", "inside", "outside"), SCOPES)
async def test_scopes(api: Api, scope: Json, inside: Json, outside: Json) -> None:
    await limited(api, {"pods": "1"}, **scope)
    assert (await posted(api, "a", **inside)).status == 201
    assert (await posted(api, "b", **inside)).status == 403
    assert (await posted(api, "c", **outside)).status == 201
    assert await used(api) == {"pods": "1"}


async def test_a_pod_that_gets_a_deadline_changes_its_scope(api: Api) -> None:
    await limited(api, {"pods": "0"}, scopes=["Terminating"])
    await posted(api, "a")
    patch = {"spec": {"activeDeadlineSeconds": 9}}
    answer = await api.ask("PATCH", path("Pod", "a"), patch, kind=MERGE)
    assert (answer.status, "exceeded quota" in answer.message) == (403, True)


async def test_any_kind_can_be_counted(api: Api) -> None:
    await limited(api, {"count/podgroups.scheduling.k8s.io": "1", "configmaps": "1"})
    for kind in ("PodGroup", "ConfigMap"):
        await api.create(kind, body(kind, "a"))
        answer = await api.ask("POST", path(kind), body(kind, "b"))
        assert (answer.status, "exceeded quota: q" in answer.message) == (403, True)


async def test_services_count_by_what_they_take(api: Api) -> None:
    await limited(api, {"services": "5", "services.nodeports": "2", "services.loadbalancers": "0"})

    def service(name: str, kind: str, *ports: int) -> Json:
        named = [{"port": port, "name": f"p{port}"} for port in ports]
        return {"metadata": {"name": name}, "spec": {"type": kind, "ports": named}}

    assert (await api.ask("POST", path("Service"), service("a", "NodePort", 80))).status == 201
    answer = await api.ask("POST", path("Service"), service("b", "LoadBalancer", 80))
    assert "services.loadbalancers=1, used: services.loadbalancers=0" in answer.message
    more = {"spec": {"ports": service("a", "", 80, 81, 82)["spec"]["ports"]}}
    answer = await api.ask("PATCH", path("Service", "a"), more, kind=MERGE)
    assert answer.message == (
        'services "a" is forbidden: exceeded quota: q, requested: services.nodeports=2, '
        "used: services.nodeports=1, limited: services.nodeports=2"
    )
    assert await used(api) == {
        "services": "1",
        "services.nodeports": "1",
        "services.loadbalancers": "0",
    }


async def test_claims_count_by_size_and_class(api: Api) -> None:
    by_class = "standard.storageclass.storage.k8s.io/requests.storage"
    await limited(api, {"requests.storage": "10Gi", by_class: "1Gi"})
    await api.create("PersistentVolumeClaim")
    answer = await api.ask(
        "POST", path("PersistentVolumeClaim"), body("PersistentVolumeClaim", "b")
    )
    assert f"requested: {by_class}=1Gi, used: {by_class}=1Gi" in answer.message
    assert await used(api) == {"requests.storage": "1Gi", by_class: "1Gi"}


async def test_a_quota_that_changes_counts_anew(api: Api) -> None:
    await limited(api, {"pods": "1"})
    await posted(api, "a", SMALL)
    hard = {"spec": {"hard": {"pods": "3", "requests.cpu": "150m"}}}
    assert (await api.ask("PATCH", f"{QUOTAS}/q", hard, kind=MERGE)).status == 200
    assert await used(api) == {"pods": "1", "requests.cpu": "100m"}
    assert (await posted(api, "b", SMALL)).status == 403
    assert (await api.ask("DELETE", f"{QUOTAS}/q")).status == 200
    assert (await posted(api, "b", SMALL)).status == 201
    await limited(api, {"pods": "2"})
    assert (await posted(api, "c", SMALL)).status == 403


async def test_what_is_not_on_the_disk_yet_counts(tmp_path: Path) -> None:
    """Here writes take their time, so that many are on their way together."""
    store = SqliteStore.open(tmp_path / "store")
    plane = control_plane(store, SystemClock())
    running = Cluster(plane, plane.client("test"), Manager(plane.client("test"), SystemClock()), [])
    await bootstrap(running.client)
    api = Api(running)
    await limited(api, {"pods": "7", "cpu": "1"})
    for round_ in range(3):
        names = [f"p{round_}-{i}" for i in range(12)]
        answers = await asyncio.gather(*(posted(api, name, SMALL) for name in names))
        made = [name for name, one in zip(names, answers, strict=True) if one.status == 201]
        assert len(made) == 7
        await used(api)
        mark = {"metadata": {"generateName": "mark-"}}  # once it is stored, so is the status
        await api.ask("POST", path("ConfigMap", namespace="kube-public"), mark)
        assert await used(api) == {"pods": "7", "cpu": "700m"}
        gone = (api.ask("DELETE", path("Pod", name)) for name in made)
        again = (posted(api, f"x{round_}-{i}", SMALL) for i in range(12))
        answers = await asyncio.gather(*gone, *again)
        there = (await api.get(path("Pod"))).body["items"]
        assert len(there) <= 7
        for pod_ in there:
            await api.ask("DELETE", path("Pod", pod_["metadata"]["name"]))
    await store.close()


STEPS = st.lists(
    st.lists(st.tuples(st.sampled_from(["make", "delete"]), st.integers(0, 5)), max_size=8),
    max_size=6,
)


@given(STEPS, st.integers(0, 4))
@settings(max_examples=15, deadline=None)
def test_a_quota_is_never_exceeded(steps: list[list[tuple[str, int]]], most: int) -> None:
    asyncio.run(_rounds(steps, most))


async def _rounds(steps: list[list[tuple[str, int]]], most: int) -> None:
    """Each round's requests come at once; after it the pods and the quota's word agree."""
    async with serving() as api:
        await limited(api, {"pods": str(most)})
        for requests in steps:
            await asyncio.gather(*(_asked(api, verb, i) for verb, i in requests))
            there = len((await api.get(path("Pod"))).body["items"])
            assert there <= most
            assert await used(api) == {"pods": str(there)}
        if steps and len((await api.get(path("Pod"))).body["items"]) < most:
            assert (await posted(api, "one-more")).status == 201


async def _asked(api: Api, verb: str, number: int) -> None:
    if verb == "make":
        answer = await posted(api, f"p{number}")
        assert answer.status in (201, 403, 409)
    else:
        answer = await api.ask("DELETE", path("Pod", f"p{number}"))
        assert answer.status in (200, 404)
