"""Views of `batch`: what controllers read of jobs and of what makes jobs."""

from typing import Any, ClassVar

import msgspec

from argosy.api.meta import Object, View
from argosy.api.resource import Resource
from argosy.api.resources.workloads import CRON_JOB, JOB

EMPTY = msgspec.Raw(b"{}")
MANAGER = "kubernetes.io/job-controller"
"""Who manages a job that names nobody."""


class ExitCodes(View, frozen=True, kw_only=True):
    """Exit codes of a container, or of any where none is named."""

    operator: str = ""
    values: tuple[int, ...] = ()
    container_name: str | None = None


class PodCondition(View, frozen=True, kw_only=True):
    """A condition that a pod has."""

    type: str
    status: str = "True"


class FailureRule(View, frozen=True, kw_only=True):
    """What a failure of this kind means: one of the two patterns is there."""

    action: str
    on_exit_codes: ExitCodes | None = None
    on_pod_conditions: tuple[PodCondition, ...] | None = None


class FailurePolicy(View, frozen=True, kw_only=True):
    """What failures mean; the first rule that fits counts."""

    rules: tuple[FailureRule, ...] = ()


class SuccessRule(View, frozen=True, kw_only=True):
    """Which indexes, or how many of them, are enough."""

    succeeded_indexes: str | None = None
    succeeded_count: int | None = None


class SuccessPolicy(View, frozen=True, kw_only=True):
    """When an indexed job has succeeded before all of its indexes have."""

    rules: tuple[SuccessRule, ...] = ()


class JobSpec(View, frozen=True, kw_only=True):
    """What is to be done. `template` is read when a pod is made of it."""

    parallelism: int = 1
    completions: int | None = None
    active_deadline_seconds: int | None = None
    pod_failure_policy: FailurePolicy | None = None
    success_policy: SuccessPolicy | None = None
    backoff_limit: int = 6
    backoff_limit_per_index: int | None = None
    max_failed_indexes: int | None = None
    selector: dict[str, Any] = {}
    template: msgspec.Raw = EMPTY
    ttl_seconds_after_finished: int | None = None
    completion_mode: str = "NonIndexed"
    suspend: bool = False
    pod_replacement_policy: str = "TerminatingOrFailed"
    managed_by: str | None = None


class JobCondition(View, frozen=True, kw_only=True):
    """One observation; all of its fields, so that it can be written back."""

    type: str
    status: str
    last_probe_time: str | None = None
    last_transition_time: str | None = None
    reason: str = ""
    message: str = ""


class Uncounted(View, frozen=True, kw_only=True):
    """The pods, by uid, that have ended and are in no count yet."""

    succeeded: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class JobStatus(View, frozen=True, kw_only=True):
    """How far it is; all of its fields, so that it can be written back."""

    conditions: tuple[JobCondition, ...] = ()
    start_time: str | None = None
    completion_time: str | None = None
    active: int = 0
    succeeded: int = 0
    failed: int = 0
    terminating: int | None = None
    completed_indexes: str = ""
    failed_indexes: str | None = None
    uncounted_terminated_pods: Uncounted | None = None
    ready: int | None = None


class Job(Object, frozen=True, kw_only=True):
    """Pods that run to their end."""

    resource: ClassVar[Resource] = JOB

    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()

    @property
    def indexed(self) -> bool:
        """Whether its pods are told apart by an index."""
        return self.spec.completion_mode == "Indexed"

    @property
    def ended(self) -> JobCondition | None:
        """The condition that says that it is over."""
        over = (item for item in self.status.conditions if item.type in ("Complete", "Failed"))
        return next((item for item in over if item.status == "True"), None)

    @property
    def foreign(self) -> bool:
        """Whether somebody else manages it."""
        return self.spec.managed_by not in (None, MANAGER)


class ActiveJob(View, frozen=True, kw_only=True):
    """A reference to a job that runs; all of its fields, so that it can be written back."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""


class CronJobSpec(View, frozen=True, kw_only=True):
    """When jobs are to be made, and which. `job_template` is read when one is made of it."""

    schedule: str = ""
    time_zone: str | None = None
    starting_deadline_seconds: int | None = None
    concurrency_policy: str = "Allow"
    suspend: bool = False
    job_template: msgspec.Raw = EMPTY
    successful_jobs_history_limit: int | None = None
    failed_jobs_history_limit: int | None = None


class CronJobStatus(View, frozen=True, kw_only=True):
    """Which of its jobs run, and when it last made one."""

    active: tuple[ActiveJob, ...] = ()
    last_schedule_time: str | None = None
    last_successful_time: str | None = None


class CronJob(Object, frozen=True, kw_only=True):
    """Jobs that are made by a clock."""

    resource: ClassVar[Resource] = CRON_JOB

    spec: CronJobSpec = CronJobSpec()
    status: CronJobStatus = CronJobStatus()
