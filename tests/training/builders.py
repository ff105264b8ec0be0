"""Short ways to write the objects of the training tests."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from argosy.api.core import Pod
from argosy.api.meta import Condition, owned
from argosy.api.scheduling import PodGroup
from argosy.api.trainer import TrainingRuntimeSpec, TrainJob

Json = dict[str, Any]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STAMP = "2026-01-01T00:00:00Z"


def runtime_json(
    *,
    nodes: int = 2,
    restarts: int = 1,
    torch: bool = True,
    spec: Mapping[str, Any] | None = None,
    container: Mapping[str, Any] | None = None,
    template: Mapping[str, Any] | None = None,
) -> Json:
    """The spec of a runtime; `spec` goes into its pods, `container` into their container."""
    trainer = {"name": "node", "image": "runtime", "command": ["train"], **(container or {})}
    pod = {"spec": {"containers": [trainer], **(spec or {})}, **(template or {})}
    policy: Json = {"numNodes": nodes} | ({"torch": {}} if torch else {})
    return {
        "mlPolicy": policy,
        "template": {
            "spec": {
                "failurePolicy": {"maxRestarts": restarts},
                "replicatedJobs": [{"name": "node", "template": {"spec": {"template": pod}}}],
            }
        },
    }


def runtime(**options: Any) -> TrainingRuntimeSpec:
    """A runtime of two nodes that may start over once, with the options of `runtime_json`."""
    return msgspec.convert(runtime_json(**options), TrainingRuntimeSpec)


def job(
    *conditions: Condition, name: str = "j", metadata: Mapping[str, Any] | None = None, **spec: Any
) -> TrainJob:
    """A job of the runtime `r`."""
    meta = {"name": name, "namespace": "default", "uid": f"uid-{name}", "resourceVersion": "1"}
    body = {
        "metadata": {**meta, **(metadata or {})},
        "spec": {"runtimeRef": {"name": "r", "kind": "TrainingRuntime"}, **spec},
        "status": {"conditions": msgspec.to_builtins(conditions)},
    }
    return msgspec.convert(body, TrainJob)


def group(attempt: int = 0, *, failures: int = 0, count: int = 2, placed: str = "") -> PodGroup:
    """The gang of an attempt; `placed` is the scheduler's word on it, if there is one."""
    told = {"type": "PodGroupInitiallyScheduled", "status": placed, "reason": "R", "message": "m"}
    body = {
        "metadata": {
            "name": f"j-{attempt}",
            "namespace": "default",
            "uid": f"uid-j-{attempt}",
            "labels": {"training.argosy.dev/attempt": str(attempt)},
            "annotations": {"training.argosy.dev/failures": str(failures)},
            "ownerReferences": [owned(job())],
        },
        "spec": {"schedulingPolicy": {"gang": {"minCount": count}}},
        "status": {"conditions": [told] if placed else []},
    }
    return msgspec.convert(body, PodGroup)


def pod(
    rank: int = 0,
    phase: str = "Running",
    *,
    attempt: int = 0,
    leaving: bool = False,
    ready: bool = False,
    end: Mapping[str, Any] | None = None,
    disrupted: str = "",
    **status: Any,
) -> Pod:
    """A pod of the job; `end` is how its container ended."""
    conditions = [{"type": "Ready", "status": "True"}] if ready else []
    if disrupted:
        conditions.append({"type": "DisruptionTarget", "status": disrupted})
    containers = [{"name": "node", "state": {"terminated": dict(end)}}] if end else []
    name = f"j-node-0-{rank}-{attempt}"
    body = {
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": f"uid-{name}",
            "labels": {"training.argosy.dev/attempt": str(attempt)},
            "deletionTimestamp": STAMP if leaving else None,
            "ownerReferences": [owned(job())],
        },
        "spec": {},
        "status": {
            "phase": phase,
            "conditions": conditions,
            "containerStatuses": containers,
            **status,
        },
    }
    return msgspec.convert(body, Pod)
