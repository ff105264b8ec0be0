"""CronJob."""

import re
import zoneinfo
from collections.abc import Mapping

from argosy.api.validation.cron import schedule_fault
from argosy.api.validation.jobs import job_spec
from argosy.api.validation.rule import Errors, Json, Rule, at, nonnegative, of_part, one_of
from argosy.base.errors import FieldError, invalid_value, not_supported, required

ZONE_PART = re.compile(r"[A-Za-z.\-_0-9+]{1,14}")


def _cron_job(new: Json, old: Json | None) -> list[FieldError]:
    spec = new["spec"]
    errors = list(_schedule(spec, at(old, "spec.schedule") or ""))
    if old is None or at(old, "spec.timeZone") != spec.get("timeZone"):
        errors += _time_zone(spec.get("timeZone"), "spec.timeZone")
    name = new["metadata"].get("name") or ""
    if old is None and len(name) > 52:
        detail = "must be no more than 52 characters"
        errors.append(invalid_value("metadata.name", name, detail))
    return errors


def _cron_spec(spec: Json, path: str) -> Errors:
    policies = ("Allow", "Forbid", "Replace")
    yield from one_of(f"{path}.concurrencyPolicy", spec.get("concurrencyPolicy"), policies)
    job, field = spec["jobTemplate"]["spec"], f"{path}.jobTemplate.spec"
    yield from job_spec(job, field)
    if "selector" in job:
        detail = "`selector` will be auto-generated"
        yield invalid_value(f"{field}.selector", job["selector"], detail)
    if job.get("manualSelector"):
        yield not_supported(f"{field}.manualSelector", True, ("nil", "false"))


def _schedule(spec: Json, before: str) -> Errors:
    text, field = spec.get("schedule", ""), "spec.schedule"
    if not text:
        yield required(field)
        return
    if fault := schedule_fault(text):
        yield invalid_value(field, text, fault)
    if "TZ" in text and "TZ" not in before:
        detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        yield invalid_value(field, text, detail)
    elif "TZ" in text and "timeZone" in spec:
        detail = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
        yield invalid_value(field, text, detail)


def _time_zone(zone: str | None, field: str) -> Errors:
    if zone is None:
        return
    if not zone:
        yield invalid_value(field, zone, "timeZone must be nil or non-empty string")
        return
    parts = zone.split("/")
    if any(p in (".", "..") or p[:1] == "-" or not ZONE_PART.fullmatch(p) for p in parts):
        yield invalid_value(field, zone, f"unknown time zone {zone}")
        return
    if zone.lower() == "local":
        detail = (
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        )
        yield invalid_value(field, zone, detail)
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        yield invalid_value(field, zone, f"unknown time zone {zone}")


RULES: Mapping[str, tuple[Rule, ...]] = {
    "CronJob": (
        _cron_job,
        nonnegative(
            "spec.startingDeadlineSeconds",
            "spec.successfulJobsHistoryLimit",
            "spec.failedJobsHistoryLimit",
        ),
        of_part("spec", _cron_spec),
    ),
}
