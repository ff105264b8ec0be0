"""A pod's priority comes from its class."""

import pytest

from tests.apiserver.kit import MERGE, Answer, Api, Json, body, path

CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"


async def made(api: Api, name: str, value: int, **more: object) -> Answer:
    return await api.ask("POST", CLASSES, {"metadata": {"name": name}, "value": value, **more})


async def posted(api: Api, **spec: object) -> Answer:
    pod = body("Pod")
    pod["spec"] = {**pod["spec"], **spec}
    return await api.ask("POST", path("Pod"), pod)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, {"priority": 0, "preemptionPolicy": "PreemptLowerPriority"}),
        ({"priorityClassName": "high"}, {"priority": 10, "preemptionPolicy": "Never"}),
        ({"priorityClassName": "high", "priority": 10}, {"priority": 10}),
        ({"priorityClassName": "system-node-critical"}, {"priority": 2_000_001_000}),
    ],
)
async def test_where_it_comes_from(api: Api, spec: Json, expected: Json) -> None:
    await made(api, "high", 10, preemptionPolicy="Never")

    answer = await posted(api, **spec)

    assert answer.status == 201, answer.body
    assert expected.items() <= answer.body["spec"].items()


async def test_the_default_class_counts_for_who_names_none(api: Api) -> None:
    assert (await made(api, "usual", 5, globalDefault=True)).status == 201
    spec = (await posted(api)).body["spec"]
    assert (spec["priorityClassName"], spec["priority"]) == ("usual", 5)


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"priorityClassName": "none"}, "no PriorityClass with name none was found"),
        (
            {"priority": 7},
            "the integer value of priority (7) must not be provided in pod spec; priority "
            "admission controller computed 0 from the given PriorityClass name",
        ),
        (
            {"preemptionPolicy": "Never"},
            "the string value of PreemptionPolicy (Never) must not be provided in pod spec; "
            "priority admission controller computed PreemptLowerPriority from the given "
            "PriorityClass name",
        ),
    ],
)
async def test_nobody_says_it_themselves(api: Api, spec: Json, why: str) -> None:
    answer = await posted(api, **spec)
    assert (answer.status, answer.message) == (403, f'pods "it" is forbidden: {why}')


async def test_there_is_one_default(api: Api) -> None:
    await made(api, "usual", 5, globalDefault=True)
    answer = await made(api, "other", 6, globalDefault=True)
    assert (answer.status, answer.message) == (
        403,
        'priorityclasses.scheduling.k8s.io "other" is forbidden: PriorityClass usual is already '
        "marked as default. Only one default can exist",
    )
    again = {"metadata": {"labels": {"a": "b"}}}
    assert (await api.ask("PATCH", f"{CLASSES}/usual", again, kind=MERGE)).status == 200


async def test_a_pod_keeps_its_priority(api: Api) -> None:
    await posted(api)
    for value in (9, None):
        patch = {"spec": {"priority": value}}
        answer = await api.ask("PATCH", path("Pod", "it"), patch, kind=MERGE)
        assert (await api.get(path("Pod", "it"))).body["spec"]["priority"] == 0
        assert answer.status == (422 if value else 200)
