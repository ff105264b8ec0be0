"""Short ways to write the objects of the serving tests."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from argosy.api.core import Pod
from argosy.api.kserve import InferenceService
from argosy.api.meta import owned
from argosy.api.modelversion import ModelVersion

Json = dict[str, Any]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64


def service(
    *,
    model: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    **predictor: Any,
) -> InferenceService:
    """The service `s` of model `m`, version 1."""
    meta = {"name": "s", "namespace": "default", "uid": "uid-s", **(metadata or {})}
    spec = {"predictor": {"model": {**MODEL, **(model or {})}, **predictor}}
    body = {"metadata": meta, "spec": spec, "status": dict(status or {})}
    return msgspec.convert(body, InferenceService)


MODEL = {"modelFormat": {"name": "onnx"}, "storageUri": "model-registry://m/1"}


def version(
    digest: str = DIGEST, *, conditions: Sequence[Json] = (), name: str = "m-1", **spec: Any
) -> ModelVersion:
    """Version 1 of model `m`."""
    known = {
        "model": "m",
        "version": "1",
        "storageUri": "pvc://models/a/m.onnx",
        "modelFormat": {"name": "onnx"},
    }
    body = {
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"},
        "spec": {**known, **spec},
        "status": {"digest": digest, "conditions": list(conditions)},
    }
    return msgspec.convert(body, ModelVersion)


def pod(
    name: str,
    *,
    ready: bool = False,
    ip: str = "10.0.0.1",
    phase: str = "Running",
    leaving: bool = False,
    containers: Sequence[Json] = (),
    conditions: Sequence[Json] = (),
    age: int = 0,
    message: str = "",
) -> Pod:
    """A pod of the service, made `age` seconds ago."""
    state = {"type": "Ready", "status": "True" if ready else "False"}
    made = datetime.fromtimestamp(NOW.timestamp() - age, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": f"uid-{name}",
            "creationTimestamp": made,
            "deletionTimestamp": made if leaving else None,
            "ownerReferences": [owned(service())],
        },
        "status": {
            "phase": phase,
            "podIP": ip,
            "conditions": [state, *conditions],
            "containerStatuses": list(containers),
            "message": message,
        },
    }
    return msgspec.convert(body, Pod)


def container(*, ready: bool = False, state: Json | None = None, last: Json | None = None) -> Json:
    """The status of the model server's container."""
    return {
        "name": "kserve-container",
        "ready": ready,
        "state": state or {},
        "lastState": last or {},
    }
