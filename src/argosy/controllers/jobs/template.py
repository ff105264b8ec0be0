"""The pods that a job makes of its template. Pure functions."""

from collections.abc import Mapping
from typing import Any

import msgspec

from argosy.api.batch import Job
from argosy.api.core import Pod
from argosy.api.meta import View, owned
from argosy.controllers.jobs import pods as of_pod
from argosy.controllers.jobs.policies import meaning

Json = dict[str, Any]
VARIABLE = "JOB_COMPLETION_INDEX"
LONGEST_STEM = 58
"""Characters before the five that the server adds to make a name."""


class _Spec(View, frozen=True, kw_only=True):
    restart_policy: str = "Always"


class _Template(View, frozen=True, kw_only=True):
    spec: _Spec = _Spec()


_templates = msgspec.json.Decoder(_Template)


def restart_policy(job: Job) -> str:
    """What becomes of containers that end."""
    return _templates.decode(job.spec.template).spec.restart_policy


def pod_for(job: Job, index: int | None, kept: Mapping[int, Pod]) -> Json:
    """A pod as it is to be created; with an index, the one that follows its pod in `kept`."""
    template: Json = msgspec.json.decode(job.spec.template)
    given: Json = template.get("metadata") or {}
    spec: Json = template.get("spec") or {}
    meta: Json = {
        "generateName": f"{job.metadata.name}-",
        "namespace": job.metadata.namespace,
        "labels": given.get("labels") or {},
        "annotations": given.get("annotations") or {},
        "finalizers": sorted({*(given.get("finalizers") or ()), of_pod.FINALIZER}),
        "ownerReferences": [owned(job)],
    }
    if index is not None:
        _number(job, meta, spec, index)
        if job.spec.backoff_limit_per_index is not None:
            meta["annotations"].update(_failures(job, kept.get(index)))
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def _number(job: Job, meta: Json, spec: Json, index: int) -> None:
    name, ending = job.metadata.name, f"-{index}-"
    meta["generateName"] = name[: LONGEST_STEM - len(ending)] + ending
    meta["labels"][of_pod.INDEX] = meta["annotations"][of_pod.INDEX] = str(index)
    spec["hostname"] = f"{name}-{index}"
    field = {"fieldPath": f"metadata.labels['{of_pod.INDEX}']"}
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        variables = container.get("env") or []
        if not any(item["name"] == VARIABLE for item in variables):
            container["env"] = [*variables, {"name": VARIABLE, "valueFrom": {"fieldRef": field}}]


def _failures(job: Job, last: Pod | None) -> dict[str, str]:
    """How often the index has failed, to be read by who replaces this pod."""
    if last is None:
        return {of_pod.FAILURES: "0"}
    counted = of_pod.index_failures(last)
    ignored = of_pod.all_index_failures(last) - counted
    if meaning(job, last).counted:
        counted += 1
    else:
        ignored += 1
    told = {of_pod.FAILURES: str(counted)}
    return told | ({of_pod.IGNORED_FAILURES: str(ignored)} if ignored else {})
