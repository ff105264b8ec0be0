"""Tests of kinds that are built in here and switched off: their operators' definitions serve them.

That is how Kubeflow Trainer and KServe themselves are installed.
"""

import json

import pytest

from argosy.api.features import switches
from argosy.api.kinds import RESOURCES
from argosy.base.clock import SystemClock
from argosy.cluster.bootstrap import bootstrap
from argosy.cluster.server import MINOR, ControlPlane, control_plane, memory_store
from argosy.http.message import Request
from tests.api.extensions.kit import Json, kind, version

OFF = "serving.kserve.io/v1beta1=false,trainer.kubeflow.org/v1alpha1=false"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
ANY: Json = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


async def create(plane: ControlPlane, path: str, body: Json) -> tuple[int, Json]:
    headers = {"authorization": f"Bearer {plane.token}", "content-type": "application/json"}
    request = Request("POST", path, "fieldValidation=Strict", headers, json.dumps(body).encode())
    answer = await plane.server.handle(request)
    assert isinstance(answer.body, bytes)
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize(
    ("api", "plural", "kind_", "spec"),
    [
        (
            "serving.kserve.io/v1beta1",
            "inferenceservices",
            "InferenceService",
            {"predictor": {"sklearn": {"storageUri": "gs://a/b"}}},
        ),
        (
            "trainer.kubeflow.org/v1alpha1",
            "trainjobs",
            "TrainJob",
            {"runtimeRef": {"name": "nowhere"}},
        ),
    ],
)
async def test_nothing_of_the_built_in_kind_is_asked_of_it(
    api: str, plural: str, kind_: str, spec: Json
) -> None:
    chosen = switches(RESOURCES, MINOR, runtime_config=OFF)
    plane = control_plane(memory_store(), SystemClock(), chosen=chosen)
    await bootstrap(plane.client("test"), plane.resources)
    group, name = api.split("/")
    one = kind(version(name, ANY), plural=plural, group=group)
    one["spec"]["names"]["kind"] = kind_
    assert (await create(plane, DEFINITIONS, one))[0] == 201
    body = {"metadata": {"name": "it"}, "spec": spec}
    status, made = await create(plane, f"/apis/{api}/namespaces/default/{plural}", body)
    assert (status, made.get("spec")) == (201, spec), made
