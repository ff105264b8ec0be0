"""A TrainJob names a runtime that is there."""

from typing import Any

import pytest

from tests.apiserver.kit import MERGE, Api, body, path

Json = dict[str, Any]
JOBS = path("TrainJob")


def job(**reference: str) -> Json:
    return {"metadata": {"name": "it"}, "spec": {"runtimeRef": {"name": "digits", **reference}}}


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ({}, "ClusterTrainingRuntime/digits"),
        ({"kind": "ClusterTrainingRuntime"}, "ClusterTrainingRuntime/digits"),
        ({"kind": "TrainingRuntime"}, "TrainingRuntime/digits"),
    ],
)
async def test_a_runtime_that_is_not_there(api: Api, reference: Json, shown: str) -> None:
    answer = await api.ask("POST", JOBS, job(**reference))

    assert (answer.status, answer.body["reason"]) == (422, "Invalid")
    assert answer.message == (
        f'TrainJob.trainer.kubeflow.org "it" is invalid: spec.runtimeRef: Not found: "{shown}"'
    )
    assert (await api.get(path("TrainJob", "it"))).status == 404


@pytest.mark.parametrize("kind", ["ClusterTrainingRuntime", "TrainingRuntime"])
async def test_a_runtime_is_found_by_its_kind(api: Api, kind: str) -> None:
    await api.create(kind, body(kind, "digits"))
    other = {"ClusterTrainingRuntime", "TrainingRuntime"} - {kind}

    assert (await api.ask("POST", JOBS, job(kind=other.pop()))).status == 422
    assert (await api.ask("POST", JOBS, job(kind=kind))).status == 201


async def test_a_runtime_of_another_namespace_is_not_there(api: Api) -> None:
    elsewhere = path("TrainingRuntime", namespace="kube-system")
    await api.ask("POST", elsewhere, body("TrainingRuntime", "digits"))

    assert (await api.ask("POST", JOBS, job(kind="TrainingRuntime"))).status == 422


async def test_applied_jobs_need_a_runtime_too(api: Api) -> None:
    assert (await api.apply(path("TrainJob", "it"), job())).status == 422


async def test_a_job_outlives_its_runtime(api: Api) -> None:
    await api.create("ClusterTrainingRuntime", body("ClusterTrainingRuntime", "digits"))
    await api.create("TrainJob", job())
    await api.ask("DELETE", path("ClusterTrainingRuntime", "digits"))

    where = path("TrainJob", "it")
    assert (await api.ask("PATCH", where, {"spec": {"suspend": True}}, kind=MERGE)).status == 200
