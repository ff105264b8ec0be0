"""What a pod's failure means, and which successes are enough: the job's own rules."""

from dataclasses import dataclass

from argosy.api.batch import ExitCodes, FailureRule, Job
from argosy.api.core import ContainerStatus, Pod
from argosy.controllers.jobs.intervals import Indexes, parse


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the job makes of a failure: whether it counts, and by which action (`` by none)."""

    counted: bool = True
    action: str = ""
    message: str = ""
    """Why the job fails with it, where it does."""


def meaning(job: Job, pod: Pod) -> Meaning:
    """What the failure of `pod` means: the first rule that fits says."""
    policy = job.spec.pod_failure_policy
    for place, rule in enumerate(policy.rules if policy else ()):
        why = _fits(rule, pod)
        if why and rule.action in ("Ignore", "FailIndex", "Count"):
            return Meaning(counted=rule.action != "Ignore", action=rule.action)
        if why and rule.action == "FailJob":
            return Meaning(
                action="FailJob", message=f"{why} matching FailJob rule at index {place}"
            )
    return Meaning()


def _fits(rule: FailureRule, pod: Pod) -> str:
    """What of the pod the rule is about; '' if nothing is."""
    meta, status = pod.metadata, pod.status
    if rule.on_exit_codes is not None:
        for container in (*status.container_statuses, *status.init_container_statuses):
            code = _exit_code(container)
            if code and _has(rule.on_exit_codes, container.name, code):
                place = f"{meta.namespace}/{meta.name}"
                return f"Container {container.name} for pod {place} failed with exit code {code}"
        return ""
    wanted = {(item.type, item.status) for item in rule.on_pod_conditions or ()}
    for told in status.conditions:
        if (told.type, told.status) in wanted:
            return f"Pod {meta.namespace}/{meta.name} has condition {told.type}"
    return ""


def _exit_code(container: ContainerStatus) -> int:
    end = container.state.terminated
    return end.exit_code if end is not None else 0


def _has(codes: ExitCodes, container: str, code: int) -> bool:
    if codes.container_name not in (None, container):
        return False
    if codes.operator == "In":
        return code in codes.values
    return codes.operator == "NotIn" and code not in codes.values


def enough(job: Job, done: Indexes) -> str:
    """Which rule of the success policy `done` satisfies, as a sentence; '' if none."""
    policy = job.spec.success_policy
    for place, rule in enumerate(policy.rules if policy and done.ranges else ()):
        if rule.succeeded_indexes is not None:
            wanted = parse(rule.succeeded_indexes, job.spec.completions or 0)
            there = wanted.shared(done)
            fits = there == len(wanted) or _reached(rule.succeeded_count, there)
            fits = fits and len(wanted) > 0
        else:
            fits = _reached(rule.succeeded_count, len(done))
        if fits:
            return f"Matched rules at index {place}"
    return ""


def _reached(wanted: int | None, there: int) -> bool:
    return wanted is not None and there >= wanted
