"""The status of jobs: what a controller of jobs may say, and may not take back.

A rule that looks at more than one field runs only where one of them changed, as upstream, so that
a status that was taken once does not stand in the way of another change.
"""

from argosy.api.validation.indexes import index_count, overlap
from argosy.api.validation.rule import NEGATIVE, Errors, Json
from argosy.base.errors import (
    FieldError,
    duplicate,
    invalid_combination,
    invalid_value,
    required,
)

COUNTS = ("active", "succeeded", "failed", "ready", "terminating")
TERMINAL = ("Failed", "Complete", "FailureTarget")
CONDITIONS = "status.conditions"


def status(new: Json, old: Json | None) -> list[FieldError]:
    """The status by itself."""
    after, before = new.get("status") or {}, (old or {}).get("status") or {}
    if after == before:
        return []
    changed = _Changed(after, before)
    return [
        *_counts(after),
        *_conditions(after, changed),
        *_finished(new, changed),
        *_times(after, changed),
        *_indexes(new, changed),
    ]


def status_changes(new: Json, old: Json | None) -> list[FieldError]:
    """The status beside the one before."""
    after, before = new.get("status") or {}, (old or {}).get("status") or {}
    if old is None or after == before:
        return []
    return list(_not_taken_back(new, after, before))


class _Changed:
    """Which parts of the status are not as before."""

    def __init__(self, after: Json, before: Json) -> None:
        self._after, self._before = after, before

    def field(self, *fields: str) -> bool:
        return any(self._after.get(name) != self._before.get(name) for name in fields)

    def condition(self, *kinds: str) -> bool:
        return any(holds(self._after, kind) != holds(self._before, kind) for kind in kinds)


def holds(state: Json, kind: str) -> bool:
    """Whether the condition is true."""
    return any(
        item["type"] == kind and item["status"] == "True" for item in state.get("conditions") or ()
    )


def _ended(state: Json) -> bool:
    return holds(state, "Complete") or holds(state, "Failed")


def _counts(after: Json) -> Errors:
    for name in COUNTS:
        if after.get(name, 0) < 0:
            yield invalid_value(f"status.{name}", after[name], NEGATIVE)
    seen: set[str] = set()
    uncounted = after.get("uncountedTerminatedPods") or {}
    for part in ("succeeded", "failed"):
        for i, uid in enumerate(uncounted.get(part) or ()):
            field = f"status.uncountedTerminatedPods.{part}[{i}]"
            if not uid:
                yield invalid_value(field, uid, "must not be empty")
            elif uid in seen:
                yield duplicate(field, uid)
            seen.add(uid)


EXCLUSIVE = (
    ("Complete", "Failed", "cannot set Complete=True and Failed=true conditions"),
    ("Complete", "FailureTarget", "cannot set Complete=True and FailureTarget=true conditions"),
    (
        "SuccessCriteriaMet",
        "Failed",
        "cannot set SuccessCriteriaMet=True and Failed=true conditions",
    ),
    (
        "SuccessCriteriaMet",
        "FailureTarget",
        "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions",
    ),
)
FOLLOWING = (
    (
        "Failed",
        "FailureTarget",
        "cannot set Failed=True condition without the FailureTarget=true condition",
    ),
    (
        "Complete",
        "SuccessCriteriaMet",
        "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
    ),
)


def _conditions(after: Json, changed: _Changed) -> Errors:
    for one, other, detail in EXCLUSIVE:
        if changed.condition(one, other) and holds(after, one) and holds(after, other):
            yield invalid_combination(CONDITIONS, detail)
    for one, other, detail in FOLLOWING:
        if changed.condition(one, other) and holds(after, one) and not holds(after, other):
            yield invalid_combination(CONDITIONS, detail)


def _finished(job: Json, changed: _Changed) -> Errors:
    """What a job that has ended has no more of."""
    after, spec = job.get("status") or {}, job["spec"]
    ended = changed.condition("Complete", "Failed")
    ready, active = after.get("ready", 0), after.get("active", 0)
    if changed.field("ready", "active") and ready > active:
        yield invalid_value("status.ready", ready, "cannot set more ready pods than active")
    if not _ended(after):
        return
    for name in ("active", "terminating"):
        if (ended or changed.field(name)) and after.get(name, 0) > 0:
            detail = f"{name}>0 is invalid for finished job"
            yield invalid_value(f"status.{name}", after[name], detail)
    idle = spec.get("suspend") is True and spec.get("completions") == 0
    if (ended or changed.field("startTime")) and not idle and "startTime" not in after:
        yield required("status.startTime", "startTime is required for finished job")
    uncounted = after.get("uncountedTerminatedPods") or {}
    if (ended or changed.field("uncountedTerminatedPods")) and any(uncounted.values()):
        detail = "must be empty for finished job"
        yield invalid_value("status.uncountedTerminatedPods", uncounted, detail)


def _times(after: Json, changed: _Changed) -> Errors:
    field, completed = "status.completionTime", after.get("completionTime")
    complete = holds(after, "Complete")
    if changed.condition("Complete") or changed.field("completionTime"):
        if completed is not None and not complete:
            detail = "cannot set completionTime when there is no Complete=True condition"
            yield invalid_value(field, completed, detail)
        if completed is None and complete:
            yield required(field, "completionTime is required for Complete jobs")
    if changed.field("startTime", "completionTime") and completed is not None:
        if completed < after.get("startTime", completed):
            yield invalid_value(field, completed, "must be equal to or after `startTime`")


def _indexes(job: Json, changed: _Changed) -> Errors:
    after, spec = job.get("status") or {}, job["spec"]
    completions = spec.get("completions")
    done, failed = after.get("completedIndexes") or "", after.get("failedIndexes")
    if changed.field("completedIndexes") and done:
        if spec.get("completionMode") != "Indexed":
            detail = "cannot set non-empty completedIndexes when non-indexed completion mode"
            yield invalid_value("status.completedIndexes", done, detail)
        yield from _sound("completedIndexes", done, completions)
    if changed.field("failedIndexes") and failed is not None:
        if "backoffLimitPerIndex" in spec:
            yield from _sound("failedIndexes", failed, completions)
        else:
            detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
            yield invalid_value("status.failedIndexes", failed, detail)
    if changed.field("completedIndexes", "failedIndexes") and failed and completions is not None:
        common = overlap(done, failed, completions)
        if common is not None:
            detail = f"failedIndexes and completedIndexes overlap at index: {common}"
            yield invalid_value("status.failedIndexes", failed, detail)


def _sound(name: str, text: str, completions: int | None) -> Errors:
    if completions is None:
        return
    try:
        index_count(text, completions)
    except ValueError as error:
        yield invalid_value(f"status.{name}", text, f"error parsing {name}: {error}")


def _not_taken_back(job: Json, after: Json, before: Json) -> Errors:
    for kind in TERMINAL:
        if holds(before, kind) and not holds(after, kind):
            detail = f"cannot disable the terminal {kind}=True condition"
            yield invalid_combination(CONDITIONS, detail)
    spec = job["spec"]
    elastic = spec.get("completionMode") == "Indexed" and (
        spec.get("completions") == spec.get("parallelism")
    )
    for name in ("failed", *(() if elastic else ("succeeded",))):
        if after.get(name, 0) < before.get(name, 0):
            detail = f"cannot decrease the {name} counter"
            yield invalid_value(f"status.{name}", after.get(name, 0), detail)
    if before.get("completionTime") not in (None, after.get("completionTime")):
        if "completionTime" in after:
            field = "status.completionTime"
            yield invalid_value(field, after["completionTime"], "field is immutable")
    yield from _start(job, after, before)
    met = "SuccessCriteriaMet"
    if holds(before, met) and not holds(after, met):
        detail = "cannot disable the SuccessCriteriaMet=True condition"
        yield invalid_combination(CONDITIONS, detail)
    if holds(before, "Complete") and not holds(before, met) and holds(after, met):
        detail = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
        yield invalid_combination(CONDITIONS, detail)


def _start(job: Json, after: Json, before: Json) -> Errors:
    """The start stays as it is, but for a job that is resumed."""
    began = before.get("startTime")
    resumes = holds(before, "Suspended") and not holds(after, "Suspended")
    if began in (None, after.get("startTime")) or job["spec"].get("suspend") or resumes:
        return
    detail = "field is immutable for unsuspended job once set"
    yield invalid_value("status.startTime", after.get("startTime"), detail)
