"""delete: what ends at once, what waits for finalizers, and what is given time to end."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from argosy.testing.clock import FakeClock
from tests.apiserver.kit import MERGE, Answer, Api, binding, body, path, serving

Json = dict[str, Any]

MAP = path("ConfigMap", "it")
POD = path("Pod", "it")
AT_30 = "2026-01-01T00:00:30Z"


@pytest.fixture
def clock() -> FakeClock:
    """It stands at 2026-01-01T00:00:00Z."""
    return FakeClock()


@pytest_asyncio.fixture
async def timed(clock: FakeClock) -> AsyncGenerator[Api, None]:
    async with serving(clock=clock) as running:
        yield running


async def pod(api: Api, *, node: str = "here", phase: str = "Running", **spec: Any) -> Answer:
    """A pod on its way, on a node unless that is empty."""
    fresh = body("Pod")
    fresh["spec"].update(spec)
    await api.create("Pod", fresh)
    if node:
        bound = await api.ask("POST", path("Pod", "it", "binding"), binding(node=node))
        assert bound.status == 201
    return await api.ask("PATCH", f"{POD}/status", {"status": {"phase": phase}}, kind=MERGE)


async def test_an_object_is_gone_at_once(api: Api) -> None:
    created = await api.create("TrainingRuntime")
    answer = await api.ask("DELETE", path("TrainingRuntime", "it"))

    assert answer.status == 200
    assert answer.body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {
            "name": "it",
            "group": "trainer.kubeflow.org",
            "kind": "trainingruntimes",
            "uid": created.meta["uid"],
        },
    }
    assert (await api.get(path("TrainingRuntime", "it"))).status == 404


@pytest.mark.parametrize("kind", ["Pod", "PersistentVolumeClaim", "ResourceClaim"])
async def test_some_kinds_are_given_back(api: Api, kind: str) -> None:
    created = await api.create(kind)
    answer = await api.ask("DELETE", path(kind, "it"))

    assert answer.status == 200
    assert {**answer.body, "metadata": {}} == {**created.body, "metadata": {}}
    assert answer.meta["uid"] == created.meta["uid"]
    assert (await api.get(path(kind, "it"))).status == 404


@pytest.mark.parametrize("kind", ["Pod", "PersistentVolumeClaim"])
async def test_what_is_given_back_carries_the_revision_of_its_end(api: Api, kind: str) -> None:
    created = await api.create(kind)
    events = api.watch(path(kind), resourceVersion=created.version)
    answer = await api.ask("DELETE", path(kind, "it"))
    event = await anext(events)
    await events.aclose()

    assert event["type"] == "DELETED"
    assert event["object"]["metadata"]["resourceVersion"] == answer.version
    assert int(answer.version) > int(created.version)


async def test_a_pod_that_is_given_back_says_when_it_ended(timed: Api) -> None:
    await timed.create("Pod")
    answer = await timed.ask("DELETE", POD)

    assert answer.meta["deletionTimestamp"] == "2026-01-01T00:00:00Z"
    assert answer.meta["deletionGracePeriodSeconds"] == 0


async def test_what_is_not_there_cannot_be_deleted(api: Api) -> None:
    answer = await api.ask("DELETE", MAP)

    assert (answer.status, answer.message) == (404, 'configmaps "it" not found')


async def test_a_name_is_free_again_after_a_delete(api: Api) -> None:
    first = await api.create("ConfigMap")
    await api.ask("DELETE", MAP)
    second = await api.create("ConfigMap")

    assert second.meta["uid"] != first.meta["uid"]
    assert int(second.version) > int(first.version)


@pytest.mark.parametrize(
    ("name", "shown", "guess"),
    [
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ],
)
async def test_preconditions_are_kept(api: Api, name: str, shown: str, guess: str) -> None:
    created = await api.create("ConfigMap")
    wrong = await api.ask("DELETE", MAP, {"preconditions": {name: "other"}})
    right = await api.ask("DELETE", MAP, {"preconditions": {name: created.meta[name]}})

    assert (wrong.status, wrong.body["reason"]) == (409, "Conflict")
    assert wrong.message == (
        f'Operation cannot be fulfilled on ConfigMap "it": the {shown} in the precondition (other) '
        f"does not match the {shown} in record ({created.meta[name]}). "
        f"The object might have been {guess}"
    )
    assert right.status == 200


async def test_both_preconditions_must_hold(api: Api) -> None:
    created = await api.create("ConfigMap")
    wanted = {"uid": created.meta["uid"], "resourceVersion": "1"}

    assert (await api.ask("DELETE", MAP, {"preconditions": wanted})).status == 409


@pytest.mark.parametrize(
    "options",
    [
        {"preconditions": []},
        {"preconditions": "uid"},
        {"gracePeriodSeconds": "soon"},
        {"gracePeriodSeconds": True},
        {"gracePeriodSeconds": 1.5},
        {"gracePeriodSeconds": 2**70},
        {"dryRun": "All"},
        {"dryRun": [1]},
        [],
        "now",
    ],
)
async def test_options_that_cannot_be_understood(api: Api, options: Any) -> None:
    created = await api.create("ConfigMap")

    assert (await api.ask("DELETE", MAP, options)).status == 400
    assert (await api.get(MAP)).body == created.body


# finalizers


async def test_finalizers_are_waited_for(timed: Api) -> None:
    held = {**body("ConfigMap"), "metadata": {"name": "it", "finalizers": ["example.com/wait"]}}
    await timed.create("ConfigMap", held)

    answer = await timed.ask("DELETE", MAP)
    assert (answer.status, answer.body["kind"]) == (200, "ConfigMap")
    assert answer.meta["deletionTimestamp"] == "2026-01-01T00:00:00Z"
    assert answer.meta["deletionGracePeriodSeconds"] == 0
    assert (await timed.get(MAP)).body == answer.body

    again = await timed.ask("DELETE", MAP)
    assert again.body == answer.body

    freed = await timed.ask("PATCH", MAP, {"metadata": {"finalizers": None}}, kind=MERGE)
    assert freed.status == 200
    assert "finalizers" not in freed.meta  # as upstream: the object as the writer left it
    assert freed.meta["resourceVersion"] == answer.meta["resourceVersion"]
    assert (await timed.get(MAP)).status == 404


async def test_a_delete_that_waits_is_a_change_of_what_is_wanted(api: Api) -> None:
    held = {**body("ModelVersion"), "metadata": {"name": "it", "finalizers": ["example.com/wait"]}}
    await api.create("ModelVersion", held)
    first = await api.ask("DELETE", path("ModelVersion", "it"))
    second = await api.ask("DELETE", path("ModelVersion", "it"))

    assert first.meta["generation"] == 2
    assert second.body == first.body


async def test_one_finalizer_of_two_is_not_enough(api: Api) -> None:
    names = ["example.com/a", "example.com/b"]
    await api.create("ConfigMap", {"metadata": {"name": "it", "finalizers": names}})
    await api.ask("DELETE", MAP)

    one = await api.ask("PATCH", MAP, {"metadata": {"finalizers": names[:1]}}, kind=MERGE)
    assert one.meta["finalizers"] == names[:1]
    assert (await api.get(MAP)).status == 200
    last = await api.ask("PUT", MAP, {"metadata": {"name": "it"}})
    assert last.status == 200
    assert (await api.get(MAP)).status == 404


async def test_what_is_being_deleted_takes_no_further_finalizers(api: Api) -> None:
    held = {"metadata": {"name": "it", "finalizers": ["example.com/a"]}}
    await api.create("ConfigMap", held)
    more = {"metadata": {"finalizers": ["example.com/a", "example.com/b"]}}
    await api.ask("DELETE", MAP)

    answer = await api.ask("PATCH", MAP, more, kind=MERGE)
    assert answer.status == 422
    ((field, text),) = answer.causes
    assert field == "metadata.finalizers"
    assert "no new finalizers can be added if the object is being deleted" in text
    assert "example.com/b" in text
    assert "example.com/a" not in text


async def test_a_finalizer_without_a_delete_deletes_nothing(api: Api) -> None:
    await api.create("ConfigMap", {"metadata": {"name": "it", "finalizers": ["example.com/a"]}})
    await api.ask("PATCH", MAP, {"metadata": {"finalizers": None}}, kind=MERGE)

    assert (await api.get(MAP)).status == 200


async def test_a_status_write_ends_nothing_that_waits(api: Api) -> None:
    group = body("PodGroup")
    await api.create("PodGroup", {**group, "metadata": {"name": "it", "finalizers": ["a.b/c"]}})
    await api.ask("DELETE", path("PodGroup", "it"))
    status = {"metadata": {"finalizers": None}, "status": {}}
    answer = await api.ask("PATCH", path("PodGroup", "it", "status"), status, kind=MERGE)

    assert answer.meta["finalizers"] == ["a.b/c"]
    assert (await api.get(path("PodGroup", "it"))).status == 200


# pods


async def test_a_pod_on_a_node_is_given_time(timed: Api) -> None:
    before = await pod(timed)
    answer = await timed.ask("DELETE", POD)

    assert answer.status == 200
    assert answer.body["kind"] == "Pod"
    assert answer.meta["deletionTimestamp"] == AT_30
    assert answer.meta["deletionGracePeriodSeconds"] == 30
    assert answer.meta["generation"] == before.meta["generation"] + 1
    assert (await timed.get(POD)).status == 200


async def test_a_pod_says_itself_how_much_time(timed: Api) -> None:
    await pod(timed, terminationGracePeriodSeconds=90)
    answer = await timed.ask("DELETE", POD)

    assert answer.meta["deletionGracePeriodSeconds"] == 90


@pytest.mark.parametrize("where", ["body", "query"])
async def test_who_deletes_may_say_how_much_time(timed: Api, where: str) -> None:
    await pod(timed)
    if where == "body":
        answer = await timed.ask("DELETE", POD, {"gracePeriodSeconds": 5})
    else:
        answer = await timed.ask("DELETE", POD, headers=None, gracePeriodSeconds="5")

    assert answer.meta["deletionGracePeriodSeconds"] == 5
    assert answer.meta["deletionTimestamp"] == "2026-01-01T00:00:05Z"


@pytest.mark.parametrize(
    ("node", "phase"),
    [("", "Pending"), ("here", "Succeeded"), ("here", "Failed")],
)
async def test_a_pod_that_does_not_run_ends_at_once(timed: Api, node: str, phase: str) -> None:
    await pod(timed, node=node, phase=phase)
    answer = await timed.ask("DELETE", POD)

    assert answer.body["status"]["phase"] == phase
    assert (await timed.get(POD)).status == 404


async def test_no_time_at_all_ends_a_pod_at_once(timed: Api) -> None:
    await pod(timed)

    assert (await timed.ask("DELETE", POD, {"gracePeriodSeconds": 0})).status == 200
    assert (await timed.get(POD)).status == 404


async def test_the_node_ends_the_pod(timed: Api) -> None:
    await pod(timed)
    await timed.ask("DELETE", POD)
    await timed.ask("DELETE", POD, {"gracePeriodSeconds": 0})

    assert (await timed.get(POD)).status == 404


async def test_time_may_only_be_taken_away(timed: Api, clock: FakeClock) -> None:
    await pod(timed)
    first = await timed.ask("DELETE", POD)
    await clock.advance(10)

    longer = await timed.ask("DELETE", POD, {"gracePeriodSeconds": 60})
    same = await timed.ask("DELETE", POD, {"gracePeriodSeconds": 30})
    unsaid = await timed.ask("DELETE", POD)
    assert longer.body == same.body == unsaid.body == first.body

    # Counted from the first delete on, as Kubernetes does.
    shorter = await timed.ask("DELETE", POD, {"gracePeriodSeconds": 12})
    assert shorter.meta["deletionTimestamp"] == "2026-01-01T00:00:12Z"
    assert shorter.meta["deletionGracePeriodSeconds"] == 12
    assert shorter.meta["generation"] == first.meta["generation"]


async def test_a_delete_that_says_nothing_keeps_the_time_that_was_given(timed: Api) -> None:
    await pod(timed)
    long = await timed.ask("DELETE", POD, {"gracePeriodSeconds": 300})
    again = await timed.ask("DELETE", POD)

    assert again.body == long.body
    assert again.meta["deletionGracePeriodSeconds"] == 300


async def test_a_pod_that_ends_while_it_is_given_time_waits_for_its_node(timed: Api) -> None:
    await pod(timed)
    await timed.ask("DELETE", POD)
    status = {"status": {"phase": "Succeeded"}}
    await timed.ask("PATCH", f"{POD}/status", status, kind=MERGE)
    await timed.ask("DELETE", POD)

    assert (await timed.get(POD)).status == 200


async def test_a_pod_with_finalizers_waits_for_both(timed: Api) -> None:
    await pod(timed)
    held = {"metadata": {"finalizers": ["example.com/a"]}}
    await timed.ask("PATCH", POD, held, kind=MERGE)
    await timed.ask("DELETE", POD)

    ended = await timed.ask("DELETE", POD, {"gracePeriodSeconds": 0})
    assert ended.meta["deletionGracePeriodSeconds"] == 0
    assert ended.meta["deletionTimestamp"] == "2026-01-01T00:00:00Z"
    await timed.ask("PATCH", POD, {"metadata": {"finalizers": None}}, kind=MERGE)
    assert (await timed.get(POD)).status == 404


async def test_finalizers_alone_do_not_end_a_pod_early(timed: Api) -> None:
    await pod(timed)
    held = {"metadata": {"finalizers": ["example.com/a"]}}
    await timed.ask("PATCH", POD, held, kind=MERGE)
    await timed.ask("DELETE", POD)
    await timed.ask("PATCH", POD, {"metadata": {"finalizers": None}}, kind=MERGE)

    assert (await timed.get(POD)).meta["deletionGracePeriodSeconds"] == 30


@pytest.mark.parametrize("grace", [2**31, 2**63 - 1])
async def test_all_the_time_in_the_world_is_a_number_too(timed: Api, grace: int) -> None:
    await pod(timed, terminationGracePeriodSeconds=grace)
    answer = await timed.ask("DELETE", POD)

    assert answer.meta["deletionGracePeriodSeconds"] == grace
    assert answer.meta["deletionTimestamp"] > "2050"
    sooner = await timed.ask("DELETE", POD, {"gracePeriodSeconds": 5})
    assert sooner.meta["deletionGracePeriodSeconds"] == 5


async def test_a_dry_run_gives_no_time(timed: Api) -> None:
    before = await pod(timed)
    answer = await timed.ask("DELETE", POD, {"dryRun": ["All"]})

    assert answer.meta["deletionGracePeriodSeconds"] == 30
    assert (await timed.get(POD)).body == before.body
