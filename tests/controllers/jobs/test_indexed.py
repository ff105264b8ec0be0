"""Indexed jobs: one pod for each index, whatever happens to pods."""

import json

import pytest

from argosy.api.core import Pod
from argosy.controllers.jobs.pods import FAILURES, IGNORED_FAILURES, INDEX
from tests.controllers.jobs.kit import Work, states, working


def indexes(pods: list[Pod]) -> list[str]:
    return [pod.metadata.annotations[INDEX] for pod in pods]


async def of_index(it: Work, index: int) -> Pod:
    """The pod of the index that has not ended."""
    pods = await it.pods("Pending", "Running")
    return next(pod for pod in pods if pod.metadata.annotations[INDEX] == str(index))


async def test_what_a_pod_knows_of_its_index() -> None:
    async with working() as it:
        await it.start(completionMode="Indexed", completions=3, parallelism=2)
        pods = await it.pods()
        assert indexes(pods) == ["0", "1"]
        pod = pods[1]
        assert pod.metadata.name.startswith("j-1-") and pod.metadata.generate_name == "j-1-"
        assert pod.metadata.labels[INDEX] == "1" and pod.spec.hostname == "j-1"
        (variable,) = pod.spec.containers[0].env
        assert variable.name == "JOB_COMPLETION_INDEX"
        assert variable.value_from is not None and variable.value_from.field_ref is not None
        assert variable.value_from.field_ref.field_path == f"metadata.labels['{INDEX}']"
        assert FAILURES not in pod.metadata.annotations


async def test_a_long_name_leaves_room_for_the_index() -> None:
    async with working() as it:
        await it.start("n" * 60, completionMode="Indexed", completions=1)
        (pod,) = await it.pods()
        assert pod.metadata.generate_name == "n" * 55 + "-0-"


async def test_indexes_succeed_in_any_order() -> None:
    async with working() as it:
        await it.start(completionMode="Indexed", completions=5, parallelism=5)
        for index, told in ((4, "4"), (1, "1,4"), (2, "1,2,4"), (3, "1-4")):
            await it.end(await of_index(it, index))
            job = await it.job()
            assert (job.status.completed_indexes, job.status.succeeded) == (
                told,
                len(range(*_n(told))),
            )
        await it.end(await of_index(it, 0), "Failed")
        await it.clock.advance(11)
        await it.end(await of_index(it, 0))
        job = await it.job()
        assert (job.status.completed_indexes, job.status.failed) == ("0-4", 1)
        assert "Complete" in states(job)
        assert job.status.failed_indexes is None


def _n(told: str) -> tuple[int, int]:
    return (0, {"4": 1, "1,4": 2, "1,2,4": 3, "1-4": 4}[told])


async def test_two_pods_of_one_index() -> None:
    async with working() as it:
        job = await it.start(completionMode="Indexed", completions=2, parallelism=2)
        (first, _) = await it.pods()
        raw = json.loads(
            await it.client.call("GET", first.resource.path(first.metadata.name, "default"))
        )
        for wrong in ("0", "7", "x"):
            meta = {
                **{
                    name: raw["metadata"][name]
                    for name in ("labels", "ownerReferences", "namespace")
                },
                "generateName": "more-",
                "annotations": {INDEX: wrong},
                "finalizers": ["batch.kubernetes.io/job-tracking"],
            }
            await it.client.create(first.resource, {"metadata": meta, "spec": raw["spec"]})
        await it.quiet()
        assert indexes(await it.pods()) == ["0", "1"]
        assert (await it.job()).status.failed == job.status.failed == 0


async def test_fewer_indexes() -> None:
    async with working() as it:
        await it.start(completionMode="Indexed", completions=4, parallelism=4)
        await it.end(await of_index(it, 3))
        await it.end(await of_index(it, 0))
        assert (await it.job()).status.completed_indexes == "0,3"
        job = await it.change(completions=2, parallelism=2)
        assert (job.status.completed_indexes, job.status.succeeded) == ("0", 1)
        assert indexes(await it.pods("Pending")) == ["1"]


async def test_a_limit_by_index() -> None:
    async with working() as it:
        await it.start(
            completionMode="Indexed", completions=2, parallelism=2, backoffLimitPerIndex=1
        )
        assert (await of_index(it, 0)).metadata.annotations[FAILURES] == "0"
        await it.exit(await of_index(it, 0), 1)
        kept = (await it.pods("Failed"))[0]
        assert kept.metadata.finalizers  # until another knows how often the index failed
        await it.clock.advance(11)
        assert (await of_index(it, 0)).metadata.annotations[FAILURES] == "1"
        assert (await it.pods("Failed"))[0].metadata.finalizers == ()
        await it.exit(await of_index(it, 0), 1)
        job = await it.job()
        assert (job.status.failed_indexes, job.status.failed) == ("0", 2)
        assert states(job) == {}
        await it.end(await of_index(it, 1))
        job = await it.job()
        assert states(job)["Failed"] == "FailedIndexes"
        assert (job.status.completed_indexes, job.status.failed_indexes) == ("1", "0")


async def test_too_many_failed_indexes() -> None:
    async with working() as it:
        await it.start(
            completionMode="Indexed",
            completions=4,
            parallelism=4,
            backoffLimitPerIndex=0,
            maxFailedIndexes=1,
        )
        await it.exit(await of_index(it, 0), 1)
        assert states(await it.job()) == {}
        await it.exit(await of_index(it, 2), 1)
        job = await it.job()
        assert states(job)["Failed"] == "MaxFailedIndexesExceeded"
        assert job.status.failed_indexes == "0,2"
        assert await it.pods("Pending") == []


RULES = [
    {"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [3]}},
    {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [4]}},
]


async def test_policies_by_index() -> None:
    async with working() as it:
        await it.start(
            completionMode="Indexed",
            completions=2,
            parallelism=2,
            backoffLimitPerIndex=2,
            podFailurePolicy={"rules": RULES},
        )
        await it.exit(await of_index(it, 0), 3)
        job = await it.job()
        assert (job.status.failed_indexes, job.status.failed) == ("0", 1)
        await it.exit(await of_index(it, 1), 4)
        await it.clock.advance(11)
        assert (await it.job()).status.failed == 1
        noted = (await of_index(it, 1)).metadata.annotations
        assert (noted[FAILURES], noted[IGNORED_FAILURES]) == ("0", "1")


@pytest.mark.parametrize(
    ("rule", "ends", "met"),
    [
        ({"succeededIndexes": "0,2"}, [0], False),
        ({"succeededIndexes": "0,2"}, [2, 0], True),
        ({"succeededCount": 2}, [3, 1], True),
        ({"succeededIndexes": "0-2", "succeededCount": 1}, [3], False),
        ({"succeededIndexes": "0-2", "succeededCount": 1}, [1], True),
    ],
)
async def test_success_policy(rule: dict[str, object], ends: list[int], met: bool) -> None:
    async with working() as it:
        await it.start(
            completionMode="Indexed",
            completions=4,
            parallelism=4,
            successPolicy={"rules": [rule]},
        )
        for index in ends:
            await it.end(await of_index(it, index))
        job = await it.job()
        wanted = dict.fromkeys(("SuccessCriteriaMet", "Complete"), "SuccessPolicy")
        assert states(job) == (wanted if met else {})
        assert len(await it.pods("Pending")) == (0 if met else 4 - len(ends))
        if met:
            assert job.status.conditions[0].message == "Matched rules at index 0"
            assert (job.status.succeeded, job.status.failed) == (len(ends), 0)
