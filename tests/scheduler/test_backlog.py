"""Which pods wait, with whom, and what wakes their unit."""

from typing import Any

import pytest

from argosy.scheduler.backlog import Backlog, UnitKey, unit_of
from tests.scheduler.builders import group, pod

GANG = UnitKey("default", "g", True)


@pytest.fixture
def backlog() -> Backlog:
    return Backlog(["default-scheduler"])


def waiting(backlog: Backlog, key: UnitKey) -> list[str]:
    unit = backlog.unit(key)
    return [item.metadata.name for item in unit.pods] if unit else []


@pytest.mark.parametrize(
    "options",
    [
        {"node": "n1"},
        {"status": {"phase": "Failed"}},
        {"status": {"phase": "Succeeded"}},
        {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}},
        {"spec": {"schedulerName": "else"}},
    ],
)
def test_pods_that_do_not_wait(backlog: Backlog, options: dict[str, Any]) -> None:
    item = pod("p", **options)
    assert not backlog.put(None, item)
    assert backlog.unit(unit_of(item)) is None


NEWS: dict[str, dict[str, Any]] = {
    "gates": {"spec": {"schedulingGates": []}},
    "claims": {
        "spec": {"schedulingGates": [{"name": "x"}]},
        "status": {"resourceClaimStatuses": [{"name": "c", "resourceClaimName": "d"}]},
    },
}


@pytest.mark.parametrize("options", NEWS.values(), ids=NEWS.keys())
def test_changes_that_call_for_a_decision(backlog: Backlog, options: dict[str, Any]) -> None:
    old = pod("p", spec={"schedulingGates": [{"name": "x"}]})
    assert backlog.put(None, old)
    assert backlog.put(old, pod("p", **options))


def test_a_condition_is_no_news(backlog: Backlog) -> None:
    old = pod("p")
    backlog.put(None, old)
    told = {"conditions": [{"type": "PodScheduled", "status": "False"}]}
    assert not backlog.put(old, pod("p", status=told))
    assert waiting(backlog, unit_of(old)) == ["p"]


def test_a_gang_is_one_unit_and_counts_who_is_bound(backlog: Backlog) -> None:
    for name, options in (
        ("a", {}),
        ("b", {"node": "n1"}),
        ("failed", {"node": "n1", "status": {"phase": "Failed"}}),
        ("done", {"node": "n1", "status": {"phase": "Succeeded"}}),
        ("going", {"node": "n1", "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
    ):
        backlog.put(None, pod(name, gang="g", **options))
    backlog.put_group(None, group())
    unit = backlog.unit(GANG)
    assert unit is not None
    assert (waiting(backlog, GANG), unit.bound, unit.least) == (["a"], 2, 2)


def test_a_bound_pod_is_not_taken_back_by_a_view_from_before(backlog: Backlog) -> None:
    first = pod("a", gang="g")
    backlog.put(None, first)
    backlog.put(None, pod("b", gang="g"))
    backlog.bound(first)
    assert not backlog.put(first, pod("a", gang="g", spec={"priority": 1}))
    assert waiting(backlog, GANG) == ["b"]
    unit = backlog.unit(GANG)
    assert unit is not None and unit.bound == 1


def test_a_pod_that_is_gone_counts_no_longer(backlog: Backlog) -> None:
    first, second = pod("a", gang="g"), pod("b", gang="g")
    backlog.put(None, first)
    backlog.put(None, second)
    backlog.bound(first)
    backlog.put(first, None)
    # Binding was answered after the pod had been deleted.
    backlog.bound(first)
    unit = backlog.unit(GANG)
    assert unit is not None and unit.bound == 0
    backlog.put(second, None)
    assert backlog.unit(GANG) is None


def test_a_pod_of_the_same_name_is_another_pod(backlog: Backlog) -> None:
    old = pod("a", gang="g")
    backlog.put(None, old)
    backlog.bound(old)
    assert backlog.put(old, pod("a", gang="g", metadata={"uid": "another"}))
    unit = backlog.unit(GANG)
    assert unit is not None and unit.bound == 0


def test_a_units_priority_is_its_pods_highest(backlog: Backlog) -> None:
    backlog.put(None, pod("a", gang="g", spec={"priority": 1}))
    backlog.put(None, pod("b", gang="g", spec={"priority": 7}))
    assert backlog.priority(GANG) == 7


def test_other_labels_are_something_new_to_decide() -> None:
    backlog = Backlog(["default-scheduler"])
    old, new = pod("p"), pod("p", metadata={"labels": {"app": "a"}})
    assert backlog.put(None, old)
    assert not backlog.put(old, old)
    assert backlog.put(old, new)


def test_a_pod_is_incomplete_until_its_claims_are_made(backlog: Backlog) -> None:
    spec = {"resourceClaims": [{"name": "c", "resourceClaimTemplateName": "t"}]}
    made = {"resourceClaimStatuses": [{"name": "c", "resourceClaimName": "p-c"}]}
    item = pod("p", spec=spec)
    backlog.put(None, item)
    assert backlog.incomplete(unit_of(item))
    backlog.put(item, pod("p", spec=spec, status=made))
    assert not backlog.incomplete(unit_of(item))


def test_a_gang_is_incomplete_until_all_that_it_needs_are_there(backlog: Backlog) -> None:
    backlog.put_group(None, group(least=2))
    alone = pod("alone")
    for item in (alone, pod("p0", gang="g")):
        backlog.put(None, item)
    assert (backlog.incomplete(GANG), backlog.incomplete(unit_of(alone))) == (True, False)
    backlog.put(None, pod("p1", gang="g", node="n1"))
    assert not backlog.incomplete(GANG)
