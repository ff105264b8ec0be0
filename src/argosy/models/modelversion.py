"""The ModelVersion controller: finds out what a version's content is, once, and records it.

A controller sees nothing but the API, so the content is read by a pod that mounts the claim and
leaves digest and size in its termination message.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

import msgspec

from argosy.api.core import Pod
from argosy.api.meta import Condition, Key, condition, owned
from argosy.api.modelversion import ModelVersion, ModelVersionStatus
from argosy.api.trainer import TrainJob
from argosy.base.clock import Clock, timestamp
from argosy.runtime.commit import Committer, Desired, Plan
from argosy.runtime.conditions import with_condition
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "models/modelversion"
MOUNT = "/mnt/models"
FAILURES = ("ReadingFailed", "FailedCreate")
LONGEST_MESSAGE = 32768
"""What a condition holds."""


class Measured(msgspec.Struct, frozen=True):
    """What the digest pod reports."""

    digest: Annotated[str, msgspec.Meta(pattern="^sha256:[0-9a-f]{64}$")]
    size: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


@dataclass(frozen=True)
class ModelVersions:
    """Registers model versions: waits for their training run, then measures their content."""

    versions: Informer[ModelVersion]
    pods: Informer[Pod]
    jobs: Informer[TrainJob]
    committer: Committer
    clock: Clock
    image: str = "host"

    async def reconcile(self, version: ModelVersion) -> Result:
        """Bring `version` one step on."""
        name = version.spec.train_job_ref.name if version.spec.train_job_ref else ""
        job = self.jobs.get(version.metadata.namespace, name) if name else None
        pods = self.pods.owned_by(version.metadata.uid)
        now = self.clock.now()
        plan = make_plan(version, job, pods, now, image=self.image)
        await self.committer.commit(
            version, plan, refused=lambda error: refused(version, error.message, now)
        )
        return DONE

    def made_by(self, job: TrainJob) -> list[Key]:
        """The versions whose content is this job's."""
        namespace, name = job.key
        return [
            version.key
            for version in self.versions.items()
            if version.metadata.namespace == namespace
            and version.spec.train_job_ref is not None
            and version.spec.train_job_ref.name == name
        ]


def make_plan(
    version: ModelVersion,
    job: TrainJob | None,
    pods: Sequence[Pod],
    now: datetime,
    *,
    image: str = "host",
) -> Plan:
    """The next step for `version`, with pods of `image`."""
    if version.metadata.deletion_timestamp:
        return Plan()
    if version.status.digest:
        return Plan(delete=_undeleted(pods))
    waiting = _waits_for(version, job)
    if waiting:
        return _not_ready(version, "WaitingForTraining", waiting, now)
    if not pods:
        text = "the content is being read"
        plan = _not_ready(version, "Reading", text, now)
        return replace(plan, apply=(_digest_pod(version, image),))
    return _outcome(version, pods[0], now)


def _waits_for(version: ModelVersion, job: TrainJob | None) -> str:
    """Why the content does not count yet; '' where it does."""
    reference = version.spec.train_job_ref
    if reference is None:
        return ""
    if job is None:
        return f'spec.trainJobRef: Not found: "{reference.name}"'
    done = condition(job.status.conditions, "Complete")
    if done is not None and done.status == "True":
        return ""
    failed = condition(job.status.conditions, "Failed")
    if failed is not None and failed.status == "True":
        return f'trainjob "{reference.name}" failed: {failed.message}'
    return f'trainjob "{reference.name}" is not complete'


def refused(version: ModelVersion, answer: str, now: datetime) -> Plan:
    """What to tell where the API refused an object of the version's with `answer`."""
    return _not_ready(version, "FailedCreate", answer, now)


def _outcome(version: ModelVersion, pod: Pod, now: datetime) -> Plan:
    end = next(
        (item.state.terminated for item in pod.status.container_statuses if item.state.terminated),
        None,
    )
    if pod.status.phase == "Succeeded":
        return _measured(version, end.message if end else "", now)
    if pod.status.phase == "Failed" and _disrupted(pod):
        plan = _not_ready(version, "Reading", "the content is being read again", now)
        return replace(plan, delete=_undeleted((pod,)))
    if pod.status.phase == "Failed":
        text = (end.message.strip() if end else "") or pod.status.message or "reading failed"
        return _not_ready(version, "ReadingFailed", text, now)
    waiting = next(
        (item.state.waiting for item in pod.status.container_statuses if item.state.waiting), None
    )
    text = waiting.message if waiting and waiting.message else "the content is being read"
    return _not_ready(version, "Reading", text, now)


def _measured(version: ModelVersion, message: str, now: datetime) -> Plan:
    """Record what the pod reports. It goes once that is recorded, so nothing is read twice."""
    try:
        measured = msgspec.json.decode(message, type=Measured)
    except msgspec.DecodeError as error:
        text = f"the pod's report can't be read: {error}"
        return _not_ready(version, "ReadingFailed", text, now)
    ready = Condition(
        type="Ready", status="True", reason="Registered", message=f"{measured.size} bytes"
    )
    status = ModelVersionStatus(
        conditions=with_condition(version.status.conditions, ready, timestamp(now)),
        digest=measured.digest,
        size=measured.size,
    )
    return Plan(status=status, notes=[Note("Registered", f"content is {measured.digest}")])


def _disrupted(pod: Pod) -> bool:
    """Whether the node took the pod down; the content had no part in it."""
    told = condition(pod.status.conditions, "DisruptionTarget")
    return told is not None and told.status == "True"


def _undeleted(pods: Sequence[Pod]) -> list[Pod]:
    return [pod for pod in pods if not pod.metadata.deletion_timestamp]


def _not_ready(version: ModelVersion, reason: str, message: str, now: datetime) -> Plan:
    message = message[:LONGEST_MESSAGE]
    state = Condition(type="Ready", status="False", reason=reason, message=message)
    known = condition(version.status.conditions, "Ready")
    news = reason in FAILURES and (known is None or known.message != message)
    status = msgspec.structs.replace(
        version.status,
        conditions=with_condition(version.status.conditions, state, timestamp(now)),
    )
    return Plan(status=status, notes=(Note(reason, message, "Warning"),) * news)


def _digest_pod(version: ModelVersion, image: str) -> Desired:
    """A pod that reads the content and says what it is."""
    claim, path = version.spec.storage_uri.removeprefix("pvc://").split("/", 1)
    container = {
        "name": "digest",
        "image": image,
        "command": ["python", "-m", "argosy.models.digest", f"{MOUNT}/{path}"],
        "args": ["--termination-log", "/dev/termination-log"],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"name": "content", "mountPath": MOUNT, "readOnly": True}],
    }
    volume = {"name": "content", "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [volume],
    }
    if version.spec.runtime_class_name:
        spec["runtimeClassName"] = version.spec.runtime_class_name
    meta = {
        "name": f"{version.metadata.name}-digest",
        "namespace": version.metadata.namespace,
        "ownerReferences": [owned(version)],
    }
    return Desired(Pod.resource, {"metadata": meta, "spec": spec})


def model_versions(manager: Manager, image: str = "host") -> Controller[ModelVersion]:
    """The controller, on the manager's caches; its pods have `image`."""
    versions, pods = manager.informer(ModelVersion), manager.informer(Pod)
    jobs = manager.informer(TrainJob)
    client = manager.client_as(NAME)
    events = EventRecorder(client, manager.clock, NAME)
    committer = Committer(client, events, (versions, pods))
    controller = ModelVersions(versions, pods, jobs, committer, manager.clock, image)
    return Controller(
        name=NAME,
        informer=versions,
        reconcile=controller.reconcile,
        owns=(pods,),
        watches=(Watch(jobs, controller.made_by),),
    )
