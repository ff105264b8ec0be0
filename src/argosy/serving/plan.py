"""What to do next with an InferenceService: a pure function of what is there.

Its pods run the model server with the digest that was registered: content that differs is never
loaded. A changed spec or version makes pods of a new generation; the old ones go when the new ones
answer.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from argosy.api.core import ContainerStateTerminated, Pod, Service
from argosy.api.kserve import (
    Address,
    FailureInfo,
    InferenceService,
    InferenceServiceStatus,
    ModelStates,
    ModelStatus,
)
from argosy.api.meta import Condition, condition, owned
from argosy.api.modelversion import ModelVersion
from argosy.base.clock import parse_timestamp, timestamp
from argosy.runtime.commit import Desired, Plan
from argosy.runtime.conditions import with_condition
from argosy.runtime.events import Note

CONTAINER = "kserve-container"
SERVICE = "serving.kserve.io/inferenceservice"
REVISION = "serving.argosy.dev/revision"
MOUNT = "/mnt/models"
PORT = 8080
SUPPORTED_FORMATS = ("onnx",)
LONGEST_MESSAGE = 32768
"""What a condition holds."""
REPLACE_AFTER = 10.0
"""A pod that has ended is replaced, but not sooner than so many seconds after it was made."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why no pods can be made."""

    reason: str
    message: str


def make_plan(
    service: InferenceService,
    version: ModelVersion | None,
    pods: Sequence[Pod],
    now: datetime,
    *,
    image: str = "host",
) -> Plan:
    """The next step for `service`, with pods of `image`."""
    if service.metadata.deletion_timestamp:
        return Plan()
    problem = _problem(service, version)
    if problem is not None or version is None:
        problem = problem or Problem("ModelNotFound", "the model version is not there")
        return _blocked(service, problem, pods, now)
    wanted = _pods(service, version, image)
    there = {pod.metadata.name for pod in pods}
    names = {item.body["metadata"]["name"] for item in wanted}
    current = [pod for pod in pods if pod.metadata.name in names]
    ready = [pod for pod in current if _ready(pod)]
    old = [pod for pod in pods if pod.metadata.name not in names]
    status = _status(service, current, old, len(wanted), now)
    missing = [item for item in wanted if item.body["metadata"]["name"] not in there]
    retire = old if len(ready) == len(wanted) else []
    ages = {pod.metadata.name: _age(pod, now) for pod in current if pod.finished}
    replace = [pod for pod in current if ages.get(pod.metadata.name, 0.0) >= REPLACE_AFTER]
    young = [REPLACE_AFTER - age for age in ages.values() if age < REPLACE_AFTER]
    return Plan(
        delete=[pod for pod in (*retire, *replace) if not pod.metadata.deletion_timestamp],
        apply=[_service(service), *missing],
        status=status,
        notes=_notes(service, status),
        after=min(young, default=None),
    )


def refused(service: InferenceService, pods: Sequence[Pod], answer: str, now: datetime) -> Plan:
    """What to tell where the API refused an object of the service's with `answer`."""
    return _blocked(service, Problem("FailedCreate", answer[:LONGEST_MESSAGE]), pods, now)


def _age(pod: Pod, now: datetime) -> float:
    made = pod.metadata.creation_timestamp
    return (now - parse_timestamp(made)).total_seconds() if made else REPLACE_AFTER


def _problem(service: InferenceService, version: ModelVersion | None) -> Problem | None:
    predictor = service.spec.predictor
    model = predictor.model
    if model.model_format.name not in SUPPORTED_FORMATS:
        allowed = ", ".join(f'"{name}"' for name in SUPPORTED_FORMATS)
        return Problem(
            "NoSupportingRuntime",
            f'spec.predictor.model.modelFormat.name: Unsupported value: "{model.model_format.name}"'
            f": supported values: {allowed}",
        )
    if version is None:
        where = f'spec.predictor.model.storageUri: Not found: "{model.storage_uri}"'
        return Problem("ModelNotFound", f"{where}: no such ModelVersion in this namespace")
    if not version.status.digest:
        told = condition(version.status.conditions, "Ready")
        detail = told.message if told else "it is not registered yet"
        return Problem("ModelNotReady", f'modelversion "{version.metadata.name}": {detail}')
    return None


def _pods(service: InferenceService, version: ModelVersion, image: str) -> list[Desired]:
    spec = _pod_spec(service, version, image)
    revision = hashlib.sha256(msgspec.json.encode(spec, order="sorted")).hexdigest()[:8]
    return [
        Desired(
            Pod.resource,
            {
                "metadata": {
                    "name": f"{service.metadata.name}-predictor-{revision}-{i}",
                    "namespace": service.metadata.namespace,
                    "labels": {SERVICE: service.metadata.name, REVISION: revision},
                    "ownerReferences": [owned(service)],
                },
                "spec": spec,
            },
        )
        for i in range(service.spec.predictor.min_replicas)
    ]


def _pod_spec(service: InferenceService, version: ModelVersion, image: str) -> Json:
    predictor = service.spec.predictor
    claim, path = version.spec.storage_uri.removeprefix("pvc://").split("/", 1)
    address = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    arguments = {
        "--name": service.metadata.name,
        "--version": version.spec.version,
        "--model": f"{MOUNT}/{path}",
        "--digest": version.status.digest,
        "--host": "$(POD_IP)",
        "--port": str(PORT),
    }
    container: Json = {
        "name": CONTAINER,
        "image": image,
        "command": ["python", "-m", "argosy.serving.server"],
        "args": [word for pair in arguments.items() for word in pair],
        "env": [address, *predictor.model.env],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "readinessProbe": {
            "httpGet": {"path": "/v2/health/ready", "port": PORT},
            "periodSeconds": 1,
            "failureThreshold": 1,
        },
        "volumeMounts": [{"name": "model", "mountPath": MOUNT, "readOnly": True}],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    if predictor.model.resources is not None:
        container["resources"] = predictor.model.resources
    volume = {"name": "model", "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
    spec: Json = {"containers": [container], "volumes": [volume]}
    if predictor.runtime_class_name:
        spec["runtimeClassName"] = predictor.runtime_class_name
    if predictor.node_selector:
        spec["nodeSelector"] = predictor.node_selector
    if predictor.tolerations:
        spec["tolerations"] = list(predictor.tolerations)
    return spec


def _service(service: InferenceService) -> Desired:
    meta = {
        "name": f"{service.metadata.name}-predictor",
        "namespace": service.metadata.namespace,
        "labels": {SERVICE: service.metadata.name},
        "ownerReferences": [owned(service)],
    }
    spec = {
        "clusterIP": "None",
        "selector": {SERVICE: service.metadata.name},
        "ports": [{"name": "http", "port": PORT, "protocol": "TCP"}],
    }
    return Desired(Service.resource, {"metadata": meta, "spec": spec})


def _blocked(
    service: InferenceService, problem: Problem, pods: Sequence[Pod], now: datetime
) -> Plan:
    """Nothing can be made; what runs already goes on."""
    answering = [pod for pod in pods if _ready(pod)]
    failure = FailureInfo(reason=problem.reason, message=problem.message)
    model = ModelStatus(
        transition_status="InvalidSpec"
        if problem.reason == "NoSupportingRuntime"
        else "InProgress",
        states=_states(bool(answering), "Pending"),
        last_failure_info=failure,
    )
    status = _with_conditions(
        service, answering, now, model, reason=problem.reason, message=problem.message
    )
    return Plan(status=status, notes=_notes(service, status))


def _status(
    service: InferenceService,
    current: Sequence[Pod],
    old: Sequence[Pod],
    wanted: int,
    now: datetime,
) -> InferenceServiceStatus:
    ready = [pod for pod in current if _ready(pod)]
    if len(ready) >= wanted:
        model = ModelStatus(transition_status="UpToDate", states=_states(True, "Loaded"))
        return _with_conditions(service, ready, now, model, reason="Loaded", message="")
    answering = ready or [pod for pod in old if _ready(pod)]
    failure = next((found for pod in current if (found := _failure(pod))), None)
    if failure is not None:
        model = ModelStatus(
            transition_status="BlockedByFailedLoad",
            states=_states(bool(answering), "FailedToLoad"),
            last_failure_info=failure,
        )
        return _with_conditions(
            service, answering, now, model, reason=failure.reason, message=failure.message
        )
    waiting = next((text for pod in current if (text := _waiting(pod))), "")
    model = ModelStatus(states=_states(bool(answering), "Loading"))
    message = waiting or f"{len(ready)} of {wanted} pods are ready"
    return _with_conditions(service, answering, now, model, reason="Loading", message=message)


def _states(answering: bool, target: str) -> ModelStates:
    active = "Loaded" if answering else ""
    return ModelStates(active_model_state=active or target, target_model_state=target)


def _with_conditions(
    service: InferenceService,
    answering: Sequence[Pod],
    now: datetime,
    model: ModelStatus,
    *,
    reason: str,
    message: str,
) -> InferenceServiceStatus:
    """The status: ready while pods answer, if only old ones; `message` says what is in the way."""
    state = "True" if answering else "False"
    conditions = service.status.conditions
    for kind in ("PredictorReady", "IngressReady", "Ready"):
        new = Condition(type=kind, status=state, reason=reason, message=message)
        conditions = with_condition(conditions, new, timestamp(now))
    host = f"{service.metadata.name}-predictor.{service.metadata.namespace}.svc.cluster.local"
    return InferenceServiceStatus(
        conditions=conditions,
        url=f"http://{answering[0].status.pod_ip}:{PORT}" if answering else "",
        address=Address(url=f"http://{host}:{PORT}"),
        model_status=model,
    )


def _ready(pod: Pod) -> bool:
    ready = condition(pod.status.conditions, "Ready")
    up = ready is not None and ready.status == "True" and bool(pod.status.pod_ip)
    return up and not pod.metadata.deletion_timestamp


def _failure(pod: Pod) -> FailureInfo | None:
    """How the model server ended, where it ended badly and did not come back."""
    for status in pod.status.container_statuses:
        ends = (status.state.terminated, status.last_state.terminated)
        end = next((item for item in ends if item is not None), None)
        if end is not None and end.exit_code != 0 and not status.ready:
            return _told(end)
    return None


def _told(end: ContainerStateTerminated) -> FailureInfo:
    text = end.message.strip() or f"the model server exited with code {end.exit_code}"
    return FailureInfo(reason="ModelLoadFailed", message=text, exit_code=end.exit_code)


def _waiting(pod: Pod) -> str:
    for status in pod.status.container_statuses:
        if status.state.waiting is not None and status.state.waiting.message:
            return status.state.waiting.message
    scheduled = condition(pod.status.conditions, "PodScheduled")
    return scheduled.message if scheduled and scheduled.status == "False" else ""


def _notes(service: InferenceService, status: InferenceServiceStatus) -> list[Note]:
    """What is new to tell: it became ready, or another failure."""
    before = condition(service.status.conditions, "Ready")
    after = condition(status.conditions, "Ready")
    was = before is not None and before.status == "True"
    if after is not None and after.status == "True" and not was:
        return [Note("InferenceServiceReady", f"answers at {status.url}")]
    failure = status.model_status.last_failure_info
    if failure is not None and failure != service.status.model_status.last_failure_info:
        return [Note(failure.reason, failure.message, "Warning")]
    return []
