"""delete with policies, of namespaces, and of collections."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from argosy.testing.clock import FakeClock
from tests.apiserver.kit import Answer, Api, body, path, serving

MAP = path("ConfigMap", "it")


@pytest_asyncio.fixture
async def timed() -> AsyncGenerator[Api, None]:
    """It is 2026-01-01T00:00:00Z."""
    async with serving(clock=FakeClock()) as running:
        yield running


# policies


@pytest.mark.parametrize("where", ["body", "query"])
@pytest.mark.parametrize(
    ("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")]
)
async def test_policies_that_wait_for_the_garbage_collector(
    timed: Api, where: str, policy: str, finalizer: str
) -> None:
    await timed.create("ConfigMap")
    option = {"propagationPolicy": policy}
    if where == "body":
        answer = await timed.ask("DELETE", MAP, option)
    else:
        answer = await timed.ask("DELETE", MAP, headers=None, propagationPolicy=policy)

    assert (answer.status, answer.body["kind"]) == (200, "ConfigMap")
    assert answer.meta["finalizers"] == [finalizer]
    assert answer.meta["deletionTimestamp"] == "2026-01-01T00:00:00Z"
    assert (await timed.get(MAP)).body == answer.body
    again = await timed.ask("DELETE", MAP)
    assert again.body == answer.body
    gone = await timed.ask("DELETE", MAP, {"propagationPolicy": "Background"})
    assert gone.body["status"] == "Success"
    assert (await timed.get(MAP)).status == 404


async def test_who_orphans_nothing_is_told_that_there_is_something_to_wait_for(api: Api) -> None:
    held = {"metadata": {"name": "it", "finalizers": ["example.com/wait"]}}
    await api.create("ConfigMap", held)

    assert (await api.ask("DELETE", MAP, {"orphanDependents": False})).status == 202
    assert (await api.ask("DELETE", MAP, {"orphanDependents": True})).status == 200
    assert (await api.get(MAP)).meta["finalizers"] == ["example.com/wait", "orphan"]


async def test_jobs_warn_that_their_pods_stay(api: Api) -> None:
    jobs = "/apis/batch/v1/namespaces/default/jobs"
    template = {"spec": {**body("Pod")["spec"], "restartPolicy": "Never"}}
    job = {"metadata": {"name": "it"}, "spec": {"template": template}}
    assert (await api.ask("POST", jobs, job)).status == 201

    answer = await api.ask("DELETE", f"{jobs}/it")
    assert answer.meta["finalizers"] == ["orphan"]
    assert "child pods are preserved by default when jobs are deleted" in answer.headers["warning"]
    said = await api.ask("DELETE", f"{jobs}/it", {"propagationPolicy": "Background"})
    assert "warning" not in said.headers
    assert (await api.get(f"{jobs}/it")).status == 404


async def test_a_dry_run_of_a_policy_leaves_no_finalizer(api: Api) -> None:
    before = await api.create("ConfigMap")
    option = {"propagationPolicy": "Foreground", "dryRun": ["All"]}

    answer = await api.ask("DELETE", MAP, option)
    assert answer.meta["finalizers"] == ["foregroundDeletion"]
    assert (await api.get(MAP)).body == before.body


# namespaces


async def test_a_namespace_is_given_back_and_goes_when_it_is_empty(timed: Api) -> None:
    await timed.create("Namespace", {"metadata": {"name": "a"}})
    where = path("Namespace", "a")
    wrong = await timed.ask("DELETE", where, {"preconditions": {"uid": "other"}})
    answer = await timed.ask("DELETE", where, {"propagationPolicy": "Background"})

    assert wrong.status == 409
    assert 'on namespaces "a": Precondition failed: UID in precondition: other' in wrong.message
    assert (answer.status, answer.body["kind"]) == (200, "Namespace")
    assert answer.body["status"]["phase"] == "Terminating"
    assert answer.meta["deletionTimestamp"] == "2026-01-01T00:00:00Z"
    assert (await timed.ask("DELETE", where)).body == answer.body
    emptied = {**answer.body, "spec": {"finalizers": []}}
    assert (await timed.ask("PUT", f"{where}/finalize", emptied)).status == 200
    assert (await timed.get(where)).status == 404


# collections


async def many(api: Api, count: int) -> None:
    for number in range(count):
        labels = {"odd": str(number % 2)}
        await api.create("ConfigMap", {"metadata": {"name": f"m{number}", "labels": labels}})


def named(answer: Answer) -> list[str]:
    return [item["metadata"]["name"] for item in answer.body["items"]]


async def test_a_collection_is_answered_as_it_was(api: Api) -> None:
    await many(api, 3)
    before = await api.get(path("ConfigMap"))
    answer = await api.ask("DELETE", path("ConfigMap"))

    assert answer.status == 200
    assert (answer.body["kind"], answer.body["items"]) == ("ConfigMapList", before.body["items"])
    assert (await api.get(path("ConfigMap"))).body["items"] == []


async def test_a_collection_in_pieces(api: Api) -> None:
    await many(api, 5)
    first = await api.ask("DELETE", path("ConfigMap"), headers=None, limit="2")

    assert named(first) == ["m0", "m1"]
    assert first.meta["remainingItemCount"] == 3
    assert len((await api.get(path("ConfigMap"))).body["items"]) == 3
    token = first.meta["continue"]
    rest = await api.ask("DELETE", path("ConfigMap"), headers=None, **{"continue": token})
    assert named(rest) == ["m2", "m3", "m4"]


async def test_options_hold_for_each_of_a_collection(api: Api) -> None:
    await many(api, 4)
    option = {"propagationPolicy": "Orphan"}
    answer = await api.ask("DELETE", path("ConfigMap"), option, labelSelector="odd=1")

    assert named(answer) == ["m1", "m3"]
    left = (await api.get(path("ConfigMap"))).body["items"]
    held = {item["metadata"]["name"]: item["metadata"].get("finalizers") for item in left}
    assert held == {"m0": None, "m1": ["orphan"], "m2": None, "m3": ["orphan"]}


async def test_a_dry_run_of_a_collection(api: Api) -> None:
    await many(api, 3)
    answer = await api.ask("DELETE", path("ConfigMap"), {"dryRun": ["All"]})

    assert len(named(answer)) == 3
    assert len((await api.get(path("ConfigMap"))).body["items"]) == 3
