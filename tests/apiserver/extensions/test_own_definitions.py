"""Our own kinds by their generated definitions: the same objects pass as built in."""

from collections.abc import Mapping
from typing import Any

from argosy.api.crdgen import custom_resource_definition
from argosy.api.kinds import OWN
from argosy.testing.cluster import cluster
from tests.apiserver.kit import Api, body, path
from tests.apiserver.rules import merged
from tests.apiserver.test_rules_own import WRONG

Json = dict[str, Any]
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
OFF = ",".join(sorted({f"{kind.resource.api_version}=false" for kind in OWN}))
CHANGES: tuple[tuple[str, Json], ...] = (
    ("TrainJob", {"spec": {"runtimeRef": {"name": "other"}}}),
    ("TrainJob", {"spec": {"trainer": {"numNodes": 2}}}),
    ("TrainJob", {"spec": {"suspend": True}}),
    ("TrainJob", {"metadata": {"labels": {"a": "b"}}}),
    ("ModelVersion", {"spec": {"version": "2"}}),
    ("ModelVersion", {"metadata": {"labels": {"a": "b"}}}),
    ("InferenceService", {"spec": {"predictor": {"minReplicas": 2}}}),
    ("TrainingRuntime", {"spec": {"mlPolicy": {"numNodes": 2}}}),
    ("TrainingRuntime", {"spec": {"template": {"spec": {"replicatedJobs": []}}}}),
)


async def verdicts(api: Api) -> dict[str, int]:
    """What the server says to all samples: those that are right, wrong, and changed."""
    found: dict[str, int] = {}
    for kind in (item.resource.kind for item in OWN):
        name = "digits" if kind == "ClusterTrainingRuntime" else "it"
        found[kind] = (await api.ask("POST", path(kind), body(kind, name))).status
    for kind, wrong, field in WRONG:
        sample = merged(body(kind, "wrong"), wrong)
        found[f"{kind} {field}"] = (await api.ask("POST", path(kind), sample)).status
        await api.ask("DELETE", path(kind, "wrong"))
    for number, (kind, patch) in enumerate(CHANGES):
        how = "application/merge-patch+json"
        answer = await api.ask("PATCH", path(kind, "it"), patch, kind=how)
        found[f"{kind} change {number}"] = answer.status
    return found


async def define(api: Api) -> None:
    for kind in OWN:
        made = await api.ask("POST", DEFINITIONS, custom_resource_definition(kind))
        assert made.status == 201, made.body
        assert told(made.body) == {"NamesAccepted": "True", "Established": "True"}


def told(definition: Json) -> Mapping[str, str]:
    return {item["type"]: item["status"] for item in definition["status"]["conditions"]}


async def test_definitions_say_what_the_built_in_kinds_say(api: Api) -> None:
    built_in = await verdicts(api)
    async with cluster(runtime_config=OFF) as running:
        defined = Api(running)
        assert (await defined.get(path("TrainJob"))).status == 404
        await define(defined)
        by_definition = await verdicts(defined)
    differences = {
        name: (code, by_definition[name])
        for name, code in built_in.items()
        if code != by_definition[name]
    }
    assert differences == {}
    assert {200, 201, 422} <= set(built_in.values())
