"""Model versions: what is decided, as a table; and the way of one on a whole API server."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from argosy.api.core import Event, Pod
from argosy.api.meta import condition
from argosy.api.modelversion import ModelVersion, ModelVersionStatus
from argosy.api.trainer import TrainingRuntime, TrainJob
from argosy.client.client import Client
from argosy.models.modelversion import make_plan, model_versions, refused
from argosy.runtime.commit import Plan
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster

Json = dict[str, Any]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STAMP = "2026-01-01T00:00:00Z"
DIGEST = "sha256:" + "a" * 64
REPORT = msgspec.json.encode({"digest": DIGEST, "size": 42}).decode()
SPEC: Json = {
    "model": "m",
    "version": "1",
    "storageUri": "pvc://models/a/m.onnx",
    "modelFormat": {"name": "onnx"},
}
REF: Json = {"trainJobRef": {"name": "j"}}


def version(
    *, digest: str = "", ready: str = "", leaving: bool = False, **spec: Any
) -> ModelVersion:
    """A version; `ready` is the message of the condition that it is not."""
    told = {"type": "Ready", "status": "False", "message": ready}
    meta = {"name": "v", "namespace": "default", "uid": "uid-v"}
    body = {
        "metadata": {**meta, "deletionTimestamp": STAMP if leaving else None},
        "spec": {**SPEC, **spec},
        "status": {"digest": digest, "conditions": [told] if ready else []},
    }
    return msgspec.convert(body, ModelVersion)


def job(**conditions: str) -> TrainJob:
    told = [
        {"type": kind, "status": status, "message": "why"} for kind, status in conditions.items()
    ]
    body = {
        "metadata": {"name": "j", "namespace": "default"},
        "spec": {"runtimeRef": {"name": "r"}},
        "status": {"conditions": told},
    }
    return msgspec.convert(body, TrainJob)


def pod(
    phase: str = "Pending", report: str | None = None, *, leaving: bool = False, **more: Any
) -> Pod:
    """The pod that reads the content; `report` is what it left behind."""
    state: Json = {"terminated": {"exitCode": 0, "message": report}}
    meta = {"name": "v-digest", "namespace": "default", "uid": "uid-p"}
    containers = [{"name": "digest", "state": state}] if report is not None else []
    body = {
        "metadata": {**meta, "deletionTimestamp": STAMP if leaving else None},
        "status": {"phase": phase, "containerStatuses": containers, **more},
    }
    return msgspec.convert(body, Pod)


def told(found: Plan) -> tuple[str, str, str]:
    assert isinstance(found.status, ModelVersionStatus)
    item = condition(found.status.conditions, "Ready")
    assert item is not None
    return (item.status, item.reason, item.message)


def notes(found: Plan) -> list[tuple[str, str, str]]:
    return [(note.type, note.reason, note.message) for note in found.notes]


def deleted(found: Plan) -> list[str]:
    return [item.metadata.name for item in found.delete]


def test_the_content_is_read_by_a_pod_that_can_change_nothing() -> None:
    found = make_plan(version(runtimeClassName="host"), None, [], NOW)
    [wanted] = found.apply
    assert wanted.body["metadata"]["name"] == "v-digest"
    spec = wanted.body["spec"]
    assert (spec["restartPolicy"], spec["runtimeClassName"]) == ("Never", "host")
    [container] = spec["containers"]
    assert container["command"][-1] == "/mnt/models/a/m.onnx"
    assert container["volumeMounts"][0]["readOnly"] is True
    [volume] = spec["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": "models", "readOnly": True}
    assert told(found) == ("False", "Reading", "the content is being read")


WAITS = [
    (None, 'spec.trainJobRef: Not found: "j"'),
    (job(), 'trainjob "j" is not complete'),
    (job(Complete="False"), 'trainjob "j" is not complete'),
    (job(Suspended="True"), 'trainjob "j" is not complete'),
    (job(Failed="True"), 'trainjob "j" failed: why'),
]


@pytest.mark.parametrize(("of", "text"), WAITS)
def test_content_of_a_job_does_not_count_before_the_job_is_complete(
    of: TrainJob | None, text: str
) -> None:
    found = make_plan(version(**REF), of, [], NOW)
    assert told(found) == ("False", "WaitingForTraining", text)
    assert found.apply == () and found.notes == ()


def test_the_content_of_a_complete_job_is_read() -> None:
    assert len(make_plan(version(**REF), job(Complete="True"), [], NOW).apply) == 1


def test_what_the_pod_reports_is_recorded_before_the_pod_goes() -> None:
    found = make_plan(version(), None, [pod("Succeeded", REPORT)], NOW)
    assert isinstance(found.status, ModelVersionStatus)
    assert (found.status.digest, found.status.size) == (DIGEST, 42)
    assert told(found) == ("True", "Registered", "42 bytes")
    assert notes(found) == [("Normal", "Registered", f"content is {DIGEST}")]
    assert deleted(found) == []
    known = version(digest=DIGEST)
    assert make_plan(known, None, [pod("Succeeded")], NOW) == Plan(delete=[pod("Succeeded")])
    assert deleted(make_plan(known, None, [pod("Succeeded", leaving=True)], NOW)) == []
    assert deleted(make_plan(version(digest=DIGEST, **REF), None, [pod()], NOW)) == ["v-digest"]


GARBAGE = [
    "",
    "null",
    "Traceback (most recent call last)",
    '{"digest": "sha256:aa", "size": 1}',
    '{"digest": "", "size": 1}',
    f'{{"digest": "{DIGEST}", "size": -1}}',
    f'{{"digest": "{DIGEST}", "size": 1e99}}',
    f'{{"digest": "{DIGEST}"}}',
    f'{{"digest": "{DIGEST}", "size": "1"}}',
    REPORT[:-1],
    REPORT + "x",
]


@pytest.mark.parametrize("message", GARBAGE)
def test_a_report_that_is_none_is_a_failure_and_registers_nothing(message: str) -> None:
    found = make_plan(version(), None, [pod("Succeeded", message)], NOW)
    status, reason, text = told(found)
    assert (status, reason) == ("False", "ReadingFailed")
    assert text.startswith("the pod's report can't be read: ")
    assert isinstance(found.status, ModelVersionStatus) and found.status.digest == ""
    assert [note.type for note in found.notes] == ["Warning"]
    assert found.apply == () and deleted(found) == []


def test_a_pod_that_ended_without_a_word_is_a_failure_too() -> None:
    assert told(make_plan(version(), None, [pod("Succeeded")], NOW))[1] == "ReadingFailed"


FAILURES: list[tuple[Pod, str]] = [
    (pod("Failed", "no such file\n"), "no such file"),
    (pod("Failed", "", message="refused by the node"), "refused by the node"),
    (pod("Failed"), "reading failed"),
]


@pytest.mark.parametrize(("ended", "text"), FAILURES)
def test_a_failure_is_told_once_and_left_to_look_at(ended: Pod, text: str) -> None:
    found = make_plan(version(), None, [ended], NOW)
    assert told(found) == ("False", "ReadingFailed", text)
    assert notes(found) == [("Warning", "ReadingFailed", text)]
    assert found.apply == () and deleted(found) == []
    assert make_plan(version(ready=text), None, [ended], NOW).notes == ()


def test_a_pod_that_the_node_took_down_is_made_again() -> None:
    disruption = [{"type": "DisruptionTarget", "status": "True"}]
    found = make_plan(version(), None, [pod("Failed", "", conditions=disruption)], NOW)
    assert deleted(found) == ["v-digest"] and told(found)[1] == "Reading"
    no = [{"type": "DisruptionTarget", "status": "False"}]
    assert deleted(make_plan(version(), None, [pod("Failed", "", conditions=no)], NOW)) == []


def test_why_the_pod_waits_is_passed_on() -> None:
    waiting = {"name": "digest", "state": {"waiting": {"message": "no such claim"}}}
    found = make_plan(version(), None, [pod(containerStatuses=[waiting])], NOW)
    assert told(found) == ("False", "Reading", "no such claim")


def test_a_version_that_is_being_deleted_is_left_alone() -> None:
    assert make_plan(version(leaving=True), None, [pod()], NOW) == Plan()


def test_what_the_api_refuses_is_told_in_its_words() -> None:
    found = refused(version(), "pods are forbidden", NOW)
    assert told(found) == ("False", "FailedCreate", "pods are forbidden")
    assert notes(found) == [("Warning", "FailedCreate", "pods are forbidden")]
    assert refused(version(ready="pods are forbidden"), "pods are forbidden", NOW).notes == ()


@dataclass
class Scene:
    """A cluster whose model versions are registered; the tests play the node's part."""

    client: Client
    clock: FakeClock

    async def make(self, **spec: Any) -> None:
        body = {"metadata": {"name": "v", "namespace": "default"}, "spec": {**SPEC, **spec}}
        await self.client.create(ModelVersion.resource, body)
        await settle()

    async def report(self, phase: str, message: str) -> None:
        end = {"terminated": {"exitCode": 0, "message": message}}
        known = {"name": "digest", "image": "i", "imageID": "", "ready": False, "restartCount": 0}
        patch = {"status": {"phase": phase, "containerStatuses": [{**known, "state": end}]}}
        await self.client.merge(Pod.resource, "v-digest", "default", patch, subresource="status")
        await settle()

    async def pods(self) -> Sequence[Pod]:
        await settle()
        return (await self.client.list(Pod, "default")).items

    async def status(self) -> ModelVersionStatus:
        await settle()
        return (await self.client.get(ModelVersion, "v", "default")).status


@asynccontextmanager
async def scene() -> AsyncGenerator[Scene, None]:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        running.manager.add(model_versions(running.manager))
        running.start()
        await settle()
        yield Scene(running.client, clock)


async def test_from_the_end_of_the_training_to_the_digest() -> None:
    async with scene() as it:
        template = {"spec": {"containers": [{"name": "node", "image": "i"}]}}
        jobs = [{"name": "node", "template": {"spec": {"template": template}}}]
        runtime = {
            "metadata": {"name": "r", "namespace": "default"},
            "spec": {"template": {"spec": {"replicatedJobs": jobs}}},
        }
        await it.client.create(TrainingRuntime.resource, runtime)
        await it.make(**REF)
        assert await it.pods() == []
        body = {
            "metadata": {"name": "j", "namespace": "default"},
            "spec": {"runtimeRef": {"name": "r", "kind": "TrainingRuntime"}},
        }
        await it.client.create(TrainJob.resource, body)
        assert await it.pods() == []
        done = {"type": "Complete", "status": "True", "reason": "R", "message": ""}
        patch = {"status": {"conditions": [{**done, "lastTransitionTime": STAMP}]}}
        await it.client.merge(TrainJob.resource, "j", "default", patch, subresource="status")
        [pod] = await it.pods()
        assert pod.metadata.name == "v-digest"
        await it.report("Succeeded", REPORT)
        status = await it.status()
        assert (status.digest, status.size) == (DIGEST, 42)
        assert await it.pods() == []
        await it.client.delete(TrainJob.resource, "j", "default")
        assert (await it.status()).digest == DIGEST
        assert [event.reason for event in (await it.client.list(Event)).items] == ["Registered"]


async def test_garbage_is_told_and_is_no_hot_loop() -> None:
    async with scene() as it:
        await it.make()
        await it.report("Succeeded", "\x00 no JSON")
        known = condition((await it.status()).conditions, "Ready")
        assert known is not None and known.reason == "ReadingFailed"
        before = (await it.client.list(Pod)).metadata.resource_version
        await it.clock.advance(3600)
        assert (await it.client.list(Pod)).metadata.resource_version == before


async def test_deleting_the_pod_reads_again() -> None:
    async with scene() as it:
        await it.make()
        await it.report("Failed", "no such file")
        await it.client.delete(Pod.resource, "v-digest", "default")
        [pod] = await it.pods()
        assert pod.status.phase == "Pending"
        await it.report("Succeeded", REPORT)
        assert (await it.status()).digest == DIGEST


async def test_a_pod_of_an_earlier_version_of_that_name_reports_nothing() -> None:
    async with scene() as it:
        await it.make()
        await it.client.delete(ModelVersion.resource, "v", "default")
        await it.make(storageUri="pvc://models/other.onnx")
        await it.report("Succeeded", REPORT)
        status = await it.status()
        assert status.digest == ""
        known = condition(status.conditions, "Ready")
        assert known is not None and known.message == 'pods "v-digest" already exists'
        await it.client.delete(Pod.resource, "v-digest", "default")
        await it.clock.advance(120)
        [pod] = await it.pods()
        assert pod.status.phase == "Pending"
