"""What is read off pods: whether they count, since when they are available, which go first."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Pod
from argosy.base.clock import timestamp
from argosy.controllers.podstates import (
    active,
    available,
    deletion_cost,
    first_to_go,
    next_available,
    ready,
    terminating,
)
from argosy.testing.clock import EPOCH

NOW = EPOCH


def ago(seconds: float) -> str:
    return timestamp(NOW - timedelta(seconds=seconds))


def pod(
    name: str = "p",
    *,
    node: str = "n",
    phase: str = "Running",
    since: float | None = None,
    cost: str = "",
    restarts: int = 0,
    made: float = 1000,
    **meta: Any,
) -> Pod:
    """A pod, ready `since` so many seconds."""
    told = {"type": "Ready", "status": "True"}
    if since is not None and since >= 0:
        told["lastTransitionTime"] = ago(since)
    body = {
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": name,
            "creationTimestamp": ago(made),
            "annotations": {"controller.kubernetes.io/pod-deletion-cost": cost} if cost else {},
            **meta,
        },
        "spec": {"nodeName": node},
        "status": {
            "phase": phase,
            "conditions": [] if since is None else [told],
            "containerStatuses": [{"name": "c", "restartCount": restarts}],
        },
    }
    return msgspec.convert(body, Pod)


@pytest.mark.parametrize(
    ("phase", "deleted", "expected"),
    [
        ("Pending", False, (True, False)),
        ("Running", False, (True, False)),
        ("Succeeded", False, (False, False)),
        ("Failed", False, (False, False)),
        ("Running", True, (False, True)),
        ("Failed", True, (False, False)),
    ],
)
def test_active_and_terminating(phase: str, deleted: bool, expected: tuple[bool, bool]) -> None:
    meta: dict[str, Any] = {"deletionTimestamp": ago(1)} if deleted else {}
    it = pod(phase=phase, **meta)
    assert (active(it), terminating(it)) == expected


@pytest.mark.parametrize(
    ("since", "wait", "expected"),
    [
        (None, 0, False),
        (0, 0, True),
        (9, 10, False),
        (10, 10, True),
        (-1, 0, True),  # it does not tell since when it is
        (-1, 5, False),
    ],
)
def test_available(since: float | None, wait: int, expected: bool) -> None:
    it = pod(since=since)
    assert ready(it) is (since is not None)
    assert available(it, wait, NOW) is expected


def test_the_next_to_be_available() -> None:
    found = [pod(since=since) for since in (None, 50, 12, 3, -1)]
    assert next_available(found, 20, NOW) == 8
    assert next_available(found, 0, NOW) is None
    assert next_available(found[:2], 20, NOW) is None


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("", 0),
        ("7", 7),
        ("-7", -7),
        ("+7", 0),
        ("07", 0),
        ("7.5", 0),
        ("\u0667", 0),
        ("2147483647", 2**31 - 1),
        ("2147483648", 0),
        ("9" * 5000, 0),
    ],
)
def test_deletion_costs(text: str, cost: int) -> None:
    assert deletion_cost(pod(cost=text)) == cost


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pod("z", node="", since=5), pod("a", phase="Pending")),
        (pod("z", phase="Pending"), pod("a", phase="Unknown")),
        (pod("z", phase="Unknown"), pod("a")),
        (pod("z"), pod("a", since=5)),
        (pod("z", since=9, cost="-1"), pod("a", since=1)),
        (pod("z", since=2), pod("a", since=100)),
        (pod("a", since=100), pod("z", since=101)),  # about equally old: by uid
        (pod("z", since=-1), pod("a", since=1)),
        (pod("z", since=5, restarts=4), pod("a", since=5, restarts=3)),
        (pod("z", restarts=4), pod("a", restarts=3)),
        (pod("z", made=1), pod("a", made=1000)),
        (pod("a", made=1000), pod("z", made=1001)),
    ],
)
def test_which_goes_first(first: Pod, second: Pod) -> None:
    assert first_to_go([second, first], (), 1, NOW) == [first]
    assert first_to_go([first, second], (), 1, NOW) == [first]


def test_of_a_crowded_node_one_goes_first() -> None:
    alone, crowded = pod("a", node="one", since=1), pod("z", node="two", since=100)
    related = [alone, crowded, pod("other", node="two"), pod("done", node="one", phase="Failed")]
    assert first_to_go([alone, crowded], related, 1, NOW) == [crowded]
    assert first_to_go([alone, crowded], (), 1, NOW) == [alone]


def test_all_of_them_need_no_order() -> None:
    assert len(first_to_go([pod("a"), pod("b")], (), 5, NOW)) == 2


PODS = st.lists(
    st.builds(
        pod,
        st.uuids().map(str),
        node=st.sampled_from(["", "a", "b"]),
        phase=st.sampled_from(["Pending", "Running", "Unknown"]),
        since=st.sampled_from([None, 0, 1, 7, 1000]),
        cost=st.sampled_from(["", "5", "-5"]),
        restarts=st.integers(0, 2),
        made=st.sampled_from([0, 3, 90]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60)
@given(PODS, st.integers(0, 8))
def test_no_ready_pod_goes_before_one_that_is_not(found: list[Pod], count: int) -> None:
    going = first_to_go(found, found, count, NOW)
    assert len(going) == min(count, len(found))
    staying = [it for it in found if it not in going]
    placed = {it.spec.node_name != "" for it in found}
    phases = {it.status.phase for it in found}
    if len(placed) == 1 and len(phases) == 1 and any(ready(it) for it in going):
        assert all(ready(it) for it in staying)
