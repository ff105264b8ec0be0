"""What is wrong with an object of the platform's own kinds, and where."""

from typing import Any

import pytest

from tests.apiserver.kit import NODE_JOB, Api, body, path
from tests.apiserver.rules import assert_fields, merged

Json = dict[str, Any]

NODES = "spec.template.spec.replicatedJobs"


def trained(**trainer: Any) -> Json:
    return {"spec": {"trainer": trainer}}


def served(**predictor: Any) -> Json:
    return {"spec": {"predictor": predictor}}


def replicated(*jobs: Json) -> Json:
    return {"spec": {"template": {"spec": {"replicatedJobs": list(jobs)}}}}


WRONG: tuple[tuple[str, Json, str], ...] = (
    ("TrainJob", {"spec": ...}, "spec"),
    ("TrainJob", {"spec": {"runtimeRef": ...}}, "spec.runtimeRef"),
    ("TrainJob", {"spec": {"runtimeRef": {"name": ...}}}, "spec.runtimeRef.name"),
    ("TrainJob", {"spec": {"runtimeRef": {"name": ""}}}, "spec.runtimeRef.name"),
    ("TrainJob", {"spec": {"runtimeRef": {"kind": "Pod"}}}, "spec.runtimeRef.kind"),
    ("TrainJob", {"spec": {"runtimeRef": {"apiGroup": "a.b"}}}, "spec.runtimeRef.apiGroup"),
    ("TrainJob", {"spec": {"suspend": "no"}}, "spec.suspend"),
    ("TrainJob", trained(numNodes=0), "spec.trainer.numNodes"),
    ("TrainJob", trained(numNodes=2**31), "spec.trainer.numNodes"),
    ("TrainJob", trained(numNodes="2"), "spec.trainer.numNodes"),
    ("TrainJob", trained(numNodes=1.5), "spec.trainer.numNodes"),
    ("TrainJob", trained(numProcPerNode=0), "spec.trainer.numProcPerNode"),
    ("TrainJob", trained(command="python"), "spec.trainer.command"),
    ("TrainJob", trained(env=[{}]), "spec.trainer.env[0].name"),
    (
        "TrainJob",
        trained(resourcesPerNode={"limits": {"cpu": "x"}}),
        "spec.trainer.resourcesPerNode.limits[cpu]",
    ),
    ("TrainingRuntime", {"spec": {"template": ...}}, "spec.template"),
    ("TrainingRuntime", replicated(), NODES),
    ("TrainingRuntime", replicated({**NODE_JOB, "name": "launcher"}), NODES),
    ("TrainingRuntime", replicated(NODE_JOB, {**NODE_JOB, "name": "b"}), NODES),
    ("TrainingRuntime", replicated({**NODE_JOB, "replicas": 2}), f"{NODES}[0].replicas"),
    ("TrainingRuntime", replicated({**NODE_JOB, "replicas": 0}), f"{NODES}[0].replicas"),
    ("TrainingRuntime", replicated({"name": "node"}), f"{NODES}[0].template"),
    (
        "ClusterTrainingRuntime",
        replicated({"name": "node", "template": {}}),
        f"{NODES}[0].template.spec.template.spec.containers",
    ),
    (
        "TrainingRuntime",
        {"spec": {"mlPolicy": {"numNodes": 0}}},
        "spec.mlPolicy.numNodes",
    ),
    (
        "TrainingRuntime",
        {"spec": {"template": {"spec": {"failurePolicy": {"maxRestarts": -1}}}}},
        "spec.template.spec.failurePolicy.maxRestarts",
    ),
    (
        "TrainingRuntime",
        {"spec": {"podGroupPolicy": {"coscheduling": {"scheduleTimeoutSeconds": 0}}}},
        "spec.podGroupPolicy.coscheduling.scheduleTimeoutSeconds",
    ),
    ("InferenceService", {"spec": {"predictor": ...}}, "spec.predictor"),
    ("InferenceService", served(minReplicas=0), "spec.predictor.minReplicas"),
    ("InferenceService", served(minReplicas=101), "spec.predictor.minReplicas"),
    (
        "InferenceService",
        served(model={"storageUri": "s3://a"}),
        "spec.predictor.model.storageUri",
    ),
    (
        "InferenceService",
        served(model={"storageUri": "model-registry://digits"}),
        "spec.predictor.model.storageUri",
    ),
    (
        "InferenceService",
        served(model={"protocolVersion": "v1"}),
        "spec.predictor.model.protocolVersion",
    ),
    (
        "InferenceService",
        served(model={"modelFormat": {"name": ""}}),
        "spec.predictor.model.modelFormat.name",
    ),
    ("ModelVersion", {"spec": {"model": ""}}, "spec.model"),
    ("ModelVersion", {"spec": {"model": "x" * 64}}, "spec.model"),
    ("ModelVersion", {"spec": {"version": ...}}, "spec.version"),
    ("ModelVersion", {"spec": {"storageUri": "file:///etc"}}, "spec.storageUri"),
    ("ModelVersion", {"spec": {"storageUri": "pvc://models"}}, "spec.storageUri"),
    ("ModelVersion", {"spec": {"trainJobRef": {"name": ""}}}, "spec.trainJobRef.name"),
    ("ModelVersion", {"spec": {"modelFormat": ...}}, "spec.modelFormat"),
)
"""What is laid over a valid object of a kind, and the field that is wrong then."""


@pytest.mark.parametrize(("kind", "wrong", "field"), WRONG)
async def test_kinds_of_our_own(api: Api, kind: str, wrong: Json, field: str) -> None:
    await api.create("ClusterTrainingRuntime", body("ClusterTrainingRuntime", "digits"))
    answer = await api.ask("POST", path(kind), merged(body(kind), wrong))

    assert_fields(answer, field)


async def test_fields_that_no_controller_honours_are_unknown(api: Api) -> None:
    await api.create("ClusterTrainingRuntime", body("ClusterTrainingRuntime", "digits"))
    job = merged(body("TrainJob"), {"spec": {"initializer": {}}})
    answer = await api.ask("POST", path("TrainJob"), job, fieldValidation="Strict")

    assert answer.status == 400
    assert 'unknown field "spec.initializer"' in answer.message
