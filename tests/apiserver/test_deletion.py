"""What a delete comes to: decided from the object, the options and the time alone."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.api.core import ConfigMap, Event, Namespace, Pod
from argosy.api.kinds import PREFERRED
from argosy.api.resource import Resource
from argosy.apiserver.deleteoptions import DeleteOptions
from argosy.apiserver.deletion import Outcome, finalizers, outcome

Json = dict[str, Any]
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
STAMP = "2026-01-01T12:00:00Z"
EARLIER = "2026-01-01T11:00:00Z"
LATER = "2026-01-01T13:00:00Z"
FG, ORPHAN = "foregroundDeletion", "orphan"
JOB, RC = PREFERRED["Job"], PREFERRED["ReplicationController"]


def obj(*names: str, **meta: Any) -> Json:
    held = {"finalizers": list(names)} if names else {}
    return {"metadata": {"name": "it", "uid": "u", **held, **meta}}


def ended(
    current: Json, options: DeleteOptions | None = None, *, resource: Resource = ConfigMap.resource
) -> Outcome:
    before = repr(current)
    result = outcome(resource, current, options or DeleteOptions(), NOW)
    assert repr(current) == before, "the stored object was changed in place"
    return result


POLICIES: list[tuple[Resource, list[str], DeleteOptions, list[str]]] = [
    (ConfigMap.resource, [], DeleteOptions(), []),
    (ConfigMap.resource, [], DeleteOptions(policy="Background"), []),
    (ConfigMap.resource, [], DeleteOptions(policy="Foreground"), [FG]),
    (ConfigMap.resource, [], DeleteOptions(policy="Orphan"), [ORPHAN]),
    (ConfigMap.resource, [], DeleteOptions(orphan=True), [ORPHAN]),
    (ConfigMap.resource, [], DeleteOptions(orphan=False), []),
    (ConfigMap.resource, ["a.b/c"], DeleteOptions(policy="Orphan"), ["a.b/c", ORPHAN]),
    # The options say more than the finalizers, the finalizers more than the kind.
    (ConfigMap.resource, [ORPHAN], DeleteOptions(), [ORPHAN]),
    (ConfigMap.resource, [FG], DeleteOptions(), [FG]),
    (ConfigMap.resource, [ORPHAN], DeleteOptions(policy="Background"), []),
    (ConfigMap.resource, [FG, "a.b/c"], DeleteOptions(policy="Background"), ["a.b/c"]),
    (ConfigMap.resource, [ORPHAN], DeleteOptions(policy="Foreground"), [FG]),
    (ConfigMap.resource, [FG], DeleteOptions(orphan=True), [ORPHAN]),
    (ConfigMap.resource, [FG], DeleteOptions(orphan=False), []),
    # Clients of old expect these to leave their pods.
    (RC, [], DeleteOptions(), [ORPHAN]),
    (JOB, [], DeleteOptions(), [ORPHAN]),
    (JOB, [FG], DeleteOptions(), [FG]),
    (JOB, [], DeleteOptions(policy="Background"), []),
    (JOB, [], DeleteOptions(orphan=False), []),
    (PREFERRED["CronJob"], [], DeleteOptions(), []),
    (PREFERRED["Deployment"], [], DeleteOptions(), []),
    # Nobody would ever take them off an event.
    (Event.resource, [], DeleteOptions(policy="Foreground"), []),
    (Event.resource, [], DeleteOptions(orphan=True), []),
    # Of a namespace "not orphaned" means that dependents go first.
    (Namespace.resource, [], DeleteOptions(orphan=False), [FG]),
    (Namespace.resource, [ORPHAN], DeleteOptions(orphan=False), [FG]),
]


@pytest.mark.parametrize(("resource", "known", "options", "expected"), POLICIES)
def test_the_collectors_finalizers(
    resource: Resource, known: list[str], options: DeleteOptions, expected: list[str]
) -> None:
    assert finalizers(resource, known, options) == expected


def test_nothing_to_wait_for() -> None:
    assert ended(obj()).step == "delete"


def test_the_collector_is_waited_for() -> None:
    result = ended(obj(generation=3), DeleteOptions(policy="Foreground"))
    meta = result.obj["metadata"]
    assert result.step == "write"
    assert (meta["deletionTimestamp"], meta["deletionGracePeriodSeconds"]) == (STAMP, 0)
    assert (meta["finalizers"], meta["generation"]) == ([FG], 4)


def test_another_policy_while_it_waits() -> None:
    waits = obj(FG, deletionTimestamp=EARLIER, deletionGracePeriodSeconds=0, generation=4)
    assert ended(waits) == Outcome(waits, "keep")
    orphaned = ended(waits, DeleteOptions(policy="Orphan"))
    assert orphaned.step == "write"
    meta = orphaned.obj["metadata"]
    assert (meta["finalizers"], meta["generation"]) == ([ORPHAN], 4)
    assert meta["deletionTimestamp"] == EARLIER
    assert ended(waits, DeleteOptions(policy="Background")).step == "delete"


# pods


def pod(grace: int = 30, node: str = "n", phase: str = "Running", **meta: Any) -> Json:
    spec = {"nodeName": node, "terminationGracePeriodSeconds": grace}
    return {**obj(**meta), "spec": spec, "status": {"phase": phase}}


def stamped(result: Outcome) -> tuple[str, str, int]:
    meta = result.obj["metadata"]
    return result.step, meta["deletionTimestamp"], meta["deletionGracePeriodSeconds"]


PODS: list[tuple[Json, DeleteOptions, tuple[str, str, int]]] = [
    (pod(), DeleteOptions(), ("write", "2026-01-01T12:00:30Z", 30)),
    (pod(), DeleteOptions(grace=5), ("write", "2026-01-01T12:00:05Z", 5)),
    (pod(), DeleteOptions(grace=0), ("delete", STAMP, 0)),
    (pod(grace=-3), DeleteOptions(), ("write", "2026-01-01T12:00:01Z", 1)),
    (pod(node=""), DeleteOptions(grace=5), ("delete", STAMP, 0)),
    (pod(phase="Failed"), DeleteOptions(), ("delete", STAMP, 0)),
    (pod(finalizers=["a.b/c"]), DeleteOptions(grace=0), ("write", STAMP, 0)),
    (pod(), DeleteOptions(grace=0, policy="Foreground"), ("write", STAMP, 0)),
]


@pytest.mark.parametrize(("current", "options", "expected"), PODS)
def test_the_time_of_a_pod(
    current: Json, options: DeleteOptions, expected: tuple[str, str, int]
) -> None:
    assert stamped(ended(current, options, resource=Pod.resource)) == expected


def leaving(until: str, grace: int, **meta: Any) -> Json:
    return pod(deletionTimestamp=until, deletionGracePeriodSeconds=grace, **meta)


SHORTENED: list[tuple[Json, DeleteOptions, tuple[str, str, int]]] = [
    # It was to end at 13:00, an hour after it was deleted.
    (leaving(LATER, 3600), DeleteOptions(), ("keep", LATER, 3600)),
    (leaving(LATER, 3600), DeleteOptions(grace=3600), ("keep", LATER, 3600)),
    (leaving(LATER, 3600), DeleteOptions(grace=60), ("write", "2026-01-01T12:01:00Z", 60)),
    (leaving(LATER, 3600), DeleteOptions(grace=0), ("delete", STAMP, 0)),
    # A moment that has passed is now, and the node still has the last word.
    (leaving(EARLIER, 3600), DeleteOptions(grace=60), ("write", STAMP, 1)),
    (leaving(EARLIER, 3600), DeleteOptions(grace=0), ("delete", STAMP, 0)),
    # No finalizer comes late to a pod that is given time.
    (leaving(LATER, 3600), DeleteOptions(policy="Foreground"), ("keep", LATER, 3600)),
    (leaving(LATER, 0), DeleteOptions(), ("delete", LATER, 0)),
    (leaving(LATER, 0, finalizers=["a.b/c"]), DeleteOptions(), ("write", STAMP, 0)),
]


@pytest.mark.parametrize(("current", "options", "expected"), SHORTENED)
def test_a_second_delete_of_a_pod(
    current: Json, options: DeleteOptions, expected: tuple[str, str, int]
) -> None:
    assert stamped(ended(current, options, resource=Pod.resource)) == expected


# namespaces


def test_a_namespace_is_left_to_its_controller() -> None:
    current = {**obj(), "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    result = ended(current, resource=Namespace.resource)
    assert result.step == "write"
    assert result.obj["status"] == {"phase": "Terminating"}
    assert result.obj["metadata"]["deletionTimestamp"] == STAMP
    assert "deletionGracePeriodSeconds" not in result.obj["metadata"]
    again = ended(result.obj, DeleteOptions(policy="Foreground"), resource=Namespace.resource)
    assert again == Outcome(result.obj, "keep")


def test_a_namespace_of_an_old_data_folder_is_emptied_too() -> None:
    result = ended(obj(), resource=Namespace.resource)
    assert result.obj["spec"]["finalizers"] == ["kubernetes"]


def test_an_empty_namespace_goes() -> None:
    current = {**obj(deletionTimestamp=EARLIER), "spec": {}}
    assert ended(current, resource=Namespace.resource).step == "delete"
    held = {**obj("a.b/c", deletionTimestamp=EARLIER), "spec": {}}
    assert ended(held, resource=Namespace.resource).step == "write"


NAMES = st.lists(st.sampled_from([FG, "a.b/c", "d.e/f"]), unique=True)
OPTIONS = st.builds(
    DeleteOptions,
    grace=st.none() | st.integers(0, 100),
    policy=st.none() | st.sampled_from(["Background", "Foreground", "Orphan"]),
)


@given(NAMES, st.lists(OPTIONS, min_size=1, max_size=4), st.booleans())
def test_nothing_goes_while_a_finalizer_is_left(
    names: list[str], deletes: list[DeleteOptions], running: bool
) -> None:
    current = pod(node="n" if running else "")
    if names:
        current["metadata"]["finalizers"] = names
    for options in deletes:
        result = outcome(Pod.resource, current, options, NOW)
        left = set(result.obj["metadata"].get("finalizers") or ())
        assert left >= set(names) - {FG}
        assert not (result.step == "delete" and left)
        assert not {FG, ORPHAN} <= left
        if result.step == "delete":
            return
        assert result.obj["metadata"]["deletionTimestamp"]
        current = result.obj
