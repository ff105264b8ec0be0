"""When pods end, as far as they, or their Jobs, say so."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from argosy.api.batch import Job
from argosy.api.core import Pod
from argosy.base.clock import timestamp
from argosy.scheduler.endings import RUN, Deadlines, end_if_begun, end_of, length_of, will_end
from argosy.testing.clock import EPOCH
from tests.scheduler.builders import pod

NOW = EPOCH + timedelta(seconds=100)
OWNER = [{"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "uid-j", "controller": True}]


def job(deadline: int | None, started: str | None = timestamp(EPOCH), name: str = "j") -> Job:
    """A job that ends so many seconds after it has started."""
    spec = {} if deadline is None else {"activeDeadlineSeconds": deadline}
    status = {} if started is None else {"startTime": started}
    meta = {"name": name, "namespace": "default", "uid": f"uid-{name}"}
    return msgspec.convert({"metadata": meta, "spec": spec, "status": status}, Job)


def made(deadline: int | None = None, run: str | None = None, **more: Any) -> Pod:
    spec: dict[str, Any] = {} if deadline is None else {"activeDeadlineSeconds": deadline}
    annotations = {} if run is None else {RUN: run}
    return pod("p", spec=spec, metadata={"annotations": annotations, **more})


LENGTHS: dict[str, tuple[Pod, float | None]] = {
    "nothing said": (made(), None),
    "a deadline": (made(60), 60.0),
    "a run": (made(run="1m30s"), 90.0),
    "a number": (made(run="45"), 45.0),
    "the shorter one": (made(60, "45"), 45.0),
    "the deadline": (made(30, "45"), 30.0),
    "nonsense": (made(run="soon"), None),
    "an empty run": (made(run=""), None),
    "nonsense beside a deadline": (made(30, "-"), 30.0),
}


@pytest.mark.parametrize(("item", "expected"), LENGTHS.values(), ids=LENGTHS)
def test_how_long_a_pod_runs(item: Pod, expected: float | None) -> None:
    assert length_of(item) == expected


def started(item: Pod, text: str = timestamp(EPOCH)) -> Pod:
    return msgspec.structs.replace(
        item, status=msgspec.structs.replace(item.status, start_time=text)
    )


ENDS: dict[str, tuple[Pod, Job | None, int | None]] = {
    "not known": (started(made()), None, None),
    "not begun": (made(60), None, None),
    "its own": (started(made(160)), None, 160),
    "not before now": (started(made(60)), None, 100),
    "its job's": (started(made(ownerReferences=OWNER)), job(200), 200),
    "its job's before it began": (made(ownerReferences=OWNER), job(200), 200),
    "its own before its job's": (started(made(150, ownerReferences=OWNER)), job(200), 150),
    "its job's before its own": (started(made(250, ownerReferences=OWNER)), job(200), 200),
    "no deadline": (started(made(ownerReferences=OWNER)), job(None), None),
    "a job that has not begun": (started(made(ownerReferences=OWNER)), job(200, None), None),
    "another's job": (started(made()), job(200), None),
    "broken time": (started(made(60), "then"), None, None),
    "beyond all time": (started(made(2**62)), None, None),
    "a broken job": (started(made(ownerReferences=OWNER)), job(200, "then"), None),
}


@pytest.mark.parametrize(("item", "owner", "expected"), ENDS.values(), ids=ENDS)
def test_when_a_pod_ends(item: Pod, owner: Job | None, expected: int | None) -> None:
    deadlines = Deadlines()
    deadlines.put(None, owner)
    end = None if expected is None else EPOCH + timedelta(seconds=expected)
    assert end_of(item, NOW, deadlines) == end


BEGUN: dict[str, tuple[Pod, Job | None, int | None]] = {
    "not known": (made(), None, None),
    "its own": (made(60), None, 160),
    "its job's": (made(ownerReferences=OWNER), job(120), 120),
    "the first of both": (made(60, ownerReferences=OWNER), job(120), 120),
    "beyond all time": (made(2**62), None, None),
    "beyond all time, but for its job": (made(2**62, ownerReferences=OWNER), job(120), 120),
}


@pytest.mark.parametrize(("item", "owner", "expected"), BEGUN.values(), ids=BEGUN)
def test_when_a_pod_would_end(item: Pod, owner: Job | None, expected: int | None) -> None:
    deadlines = Deadlines()
    deadlines.put(None, owner)
    end = None if expected is None else EPOCH + timedelta(seconds=expected)
    assert end_if_begun(item, NOW, deadlines) == end


def test_a_job_changes_and_goes() -> None:
    deadlines, item = Deadlines(), made(ownerReferences=OWNER)
    deadlines.put(None, job(200))
    deadlines.put(job(200), job(300))
    assert deadlines.of(item) == EPOCH + timedelta(seconds=300)
    deadlines.put(job(300), job(None))
    assert deadlines.of(item) is None
    deadlines.put(job(None), job(200))
    deadlines.put(job(200), None)
    assert deadlines.of(item) is None


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
def test_what_is_not_restarted_for_ever_ends(policy: str) -> None:
    assert will_end(pod("p", spec={"restartPolicy": policy})) is (policy != "Always")
