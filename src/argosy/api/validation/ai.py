"""The rules of the AI platform's kinds."""

from collections.abc import Mapping

from argosy.api import names
from argosy.api.trainer import GROUP
from argosy.api.validation.pods import pod_template
from argosy.api.validation.rule import Json, Rule, immutable
from argosy.base.errors import FieldError, invalid_value, not_supported


def _train_job(new: Json, old: Json | None) -> list[FieldError]:
    errors = names.label(new["metadata"].get("name") or "", "metadata.name")
    group = new["spec"]["runtimeRef"]["apiGroup"]
    if group != GROUP:
        errors.append(not_supported("spec.runtimeRef.apiGroup", group, [GROUP]))
    for field in ("spec.runtimeRef", "spec.trainer"):
        errors += immutable(field)(new, old)
    return errors


def _training_runtime(new: Json, old: Json | None) -> list[FieldError]:
    jobs = new["spec"]["template"].get("spec", {}).get("replicatedJobs") or []
    path = "spec.template.spec.replicatedJobs"
    if [job["name"] for job in jobs] != ["node"]:
        detail = "exactly one replicated job, named `node`, is supported"
        return [invalid_value(path, [job["name"] for job in jobs], detail)]
    template = jobs[0]["template"].get("spec", {}).get("template") or {}
    if jobs[0].get("replicas", 1) != 1:
        return [invalid_value(f"{path}[0].replicas", jobs[0]["replicas"], "must be 1")]
    return pod_template(template, f"{path}[0].template.spec.template", restart=None)


RULES: Mapping[str, tuple[Rule, ...]] = {
    "ModelVersion": (immutable("spec"),),
    "ClusterTrainingRuntime": (_training_runtime,),
    "TrainingRuntime": (_training_runtime,),
    "TrainJob": (_train_job,),
}
