"""Plans of StatefulSets as properties: order, partition, and never more unavailable than allowed.

A model of the cluster lives in the test: what a plan deletes is gone, what it makes is pending, and
pods become ready, break or vanish as chance has it.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Pod
from argosy.api.revisions import ControllerRevision
from argosy.api.statefulsets import StatefulSet
from argosy.controllers.revisions import data_of
from argosy.controllers.statefulsets.identity import ordinal, revision
from argosy.controllers.statefulsets.plan import BURST, Plan, Seen, make_plan

Json = dict[str, Any]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
READY = {"type": "Ready", "status": "True", "lastTransitionTime": "2025-12-31T00:00:00Z"}
TEMPLATE: Json = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}


def revision_of(name: str, number: int) -> ControllerRevision:
    body = {"metadata": {"name": name}, "data": data_of(TEMPLATE), "revision": number}
    return msgspec.convert(body, ControllerRevision)


OLD, NEW = revision_of("web-old", 1), revision_of("web-new", 2)


@dataclass
class Model:
    """A set, and its pods as the plans make them."""

    spec: Json
    pods: dict[int, Pod] = field(default_factory=dict, repr=False)
    made: int = 0

    def plan(self) -> Plan:
        meta = {"name": "web", "namespace": "default", "uid": "set", "generation": 1}
        owner = msgspec.convert({"metadata": meta, "spec": self.spec}, StatefulSet)
        pods = [self.pods[number] for number in sorted(self.pods)]
        seen = Seen(current=OLD, update=NEW, pods=pods, claim=lambda name: None, now=NOW)
        return make_plan(owner, seen)

    def put(self, body: Json, *, ready: bool = False, phase: str = "Pending") -> None:
        self.made += 1
        meta = {**body["metadata"], "uid": f"pod-{self.made}"}
        status: Json = {"phase": phase, "conditions": [READY] if ready else []}
        pod = msgspec.convert({**body, "metadata": meta, "status": status}, Pod)
        self.pods[ordinal(pod)] = pod

    def start(self, number: int, state: str, made_of: str) -> None:
        labels = {
            "controller-revision-hash": made_of,
            "statefulset.kubernetes.io/pod-name": f"web-{number}",
        }
        body = {"metadata": {"name": f"web-{number}", "labels": labels}}
        phase = {"up": "Running", "starting": "Running", "failed": "Failed"}.get(state, "Pending")
        self.put(body, ready=state == "up", phase=phase)

    def carry_out(self, plan: Plan) -> None:
        for pod in plan.delete:
            del self.pods[ordinal(pod)]
        for body in plan.make:
            self.put(body)

    def heal(self) -> None:
        """Every pod is ready now."""
        for number, pod in list(self.pods.items()):
            status = {"phase": "Running", "conditions": [READY]}
            fresh = msgspec.convert(status, type(pod.status))
            self.pods[number] = msgspec.structs.replace(pod, status=fresh)

    @property
    def unbounded(self) -> bool:
        """Whether pods are made all at once, and nothing is said of who may be unavailable."""
        rolling = self.spec["updateStrategy"]["rollingUpdate"]
        return self.spec["podManagementPolicy"] == "Parallel" and "maxUnavailable" not in rolling

    def up(self) -> set[int]:
        return {number for number, pod in self.pods.items() if pod.status.conditions}


@st.composite
def models(draw: st.DrawFn, *, policy: str = "") -> Model:
    replicas, start = draw(st.integers(0, 5)), draw(st.integers(0, 2))
    policy = policy or draw(st.sampled_from(["OrderedReady", "Parallel"]))
    rolling: Json = {"partition": draw(st.integers(0, 6))}
    if draw(st.booleans()):
        rolling["maxUnavailable"] = draw(st.sampled_from([1, 2, 3, "40%", "1%"]))
    spec = {
        "replicas": replicas,
        "ordinals": {"start": start},
        "podManagementPolicy": policy,
        "template": TEMPLATE,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
    }
    model = Model(spec)
    for number in draw(st.sets(st.integers(0, 8))):
        state = draw(st.sampled_from(["up", "up", "up", "starting", "pending", "failed"]))
        model.start(number, state, draw(st.sampled_from(["web-old", "web-new"])))
    return model


def most(model: Model) -> int:
    given = model.spec["updateStrategy"]["rollingUpdate"].get("maxUnavailable", 1)
    share = int(given.strip("%")) * model.spec["replicas"] // 100 if "%" in str(given) else given
    return max(int(share), 1)


def numbers(model: Model) -> range:
    start = model.spec["ordinals"]["start"]
    return range(start, start + model.spec["replicas"])


@given(models(policy="OrderedReady"))
@settings(max_examples=100, deadline=None)
def test_an_ordered_set_does_one_thing_at_a_time_and_in_order(model: Model) -> None:
    plan, up, wanted = model.plan(), model.up(), numbers(model)
    if "maxUnavailable" not in model.spec["updateStrategy"]["rollingUpdate"]:
        assert len(plan.make) + len(plan.delete) <= 1
    for body in plan.make:
        number = int(body["metadata"]["name"].removeprefix("web-"))
        assert all(other in up for other in wanted if other < number)
    for pod in plan.delete:
        if pod.status.phase != "Failed" or ordinal(pod) not in wanted:
            assert all(other in up for other in wanted)
        if ordinal(pod) not in wanted:
            assert ordinal(pod) == max(n for n in model.pods if n not in wanted)


@given(models())
@settings(max_examples=150, deadline=None)
def test_updates_leave_enough_available(model: Model) -> None:
    plan, wanted = model.plan(), numbers(model)
    before = {number for number in model.up() if number in wanted}
    model.carry_out(plan)
    after = {number for number in model.up() if number in wanted}
    lost = len(wanted) - len(after)
    if model.unbounded:  # those above the one that goes are available, and no more is promised
        gone = sorted(before - after)
        assert len(gone) <= 1
        assert all(number in before for number in wanted if gone and number > gone[0])
    else:
        assert before == after or lost <= most(model)


@given(models())
@settings(max_examples=100, deadline=None)
def test_what_is_below_the_partition_stays_as_it_is(model: Model) -> None:
    plan, wanted = model.plan(), numbers(model)
    kept = set(wanted[: model.spec["updateStrategy"]["rollingUpdate"]["partition"]])
    for pod in plan.delete:
        assert ordinal(pod) not in kept or pod.status.phase == "Failed"
    for body in plan.make:
        number = int(body["metadata"]["name"].removeprefix("web-"))
        made_of = body["metadata"]["labels"]["controller-revision-hash"]
        assert made_of == ("web-old" if number in kept else "web-new")


@given(models())
@settings(max_examples=100, deadline=None)
def test_every_set_comes_to_its_end(model: Model) -> None:
    for _ in range(60):
        plan = model.plan()
        if not plan.make and not plan.delete and len(model.up()) == len(model.pods):
            break
        model.carry_out(plan)
        model.heal()
    wanted = numbers(model)
    assert sorted(model.pods) == list(wanted)
    above = wanted[model.spec["updateStrategy"]["rollingUpdate"]["partition"] :]
    assert all(revision(model.pods[number]) == "web-new" for number in above)
    assert (plan.status.replicas, plan.status.ready_replicas) == (len(wanted), len(wanted))


def test_a_set_without_bounds_is_planned_in_pieces() -> None:
    for policy, expected in (("Parallel", BURST), ("OrderedReady", 1)):
        rolling = {"partition": 0, "maxUnavailable": "50%"}
        strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
        spec = {"replicas": 2**31 - 1, "template": TEMPLATE, "updateStrategy": strategy}
        plan = Model({**spec, "podManagementPolicy": policy}).plan()
        assert len(plan.make) == expected


@pytest.mark.parametrize(
    ("states", "deleted"),
    [
        ({0: "up", 1: "up", 2: "up"}, [2]),
        ({0: "up", 1: "starting", 2: "up"}, [2]),
        ({0: "up", 1: "up", 2: "starting"}, [2]),
        ({0: "up", 1: "starting", 2: "starting"}, []),
        ({0: "starting", 1: "up", 2: "up"}, []),
    ],
)
def test_an_ordered_set_shrinks_from_its_end(states: dict[int, str], deleted: list[int]) -> None:
    model = Model({"replicas": 1, "template": TEMPLATE})
    for number, state in states.items():
        model.start(number, state, "web-new")
    assert [ordinal(pod) for pod in model.plan().delete] == deleted


def test_what_is_being_replaced_is_no_current_replica_any_more() -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    model = Model({"replicas": 3, "template": TEMPLATE, "updateStrategy": rolling})
    for number in range(3):
        model.start(number, "up", "web-old")
    told = model.plan().status
    assert (told.replicas, told.current_replicas, told.updated_replicas) == (3, 2, 0)
    assert (told.current_revision, told.update_revision) == ("web-old", "web-new")


@pytest.mark.parametrize(
    ("pods", "deleted"),
    [
        ({0: ("up", "web-old"), 1: ("up", "web-old")}, [1]),
        ({0: ("up", "web-old"), 1: ("starting", "web-old")}, [1]),
        ({0: ("up", "web-old"), 1: ("starting", "web-new")}, []),
        ({0: ("up", "web-old"), 1: ("up", "web-new")}, [0]),
        ({0: ("starting", "web-old"), 1: ("up", "web-old")}, [1]),
        ({0: ("up", "web-old")}, []),
    ],
)
def test_a_parallel_set_updates_from_its_end(
    pods: dict[int, tuple[str, str]], deleted: list[int]
) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    spec = {"replicas": 2, "template": TEMPLATE, "updateStrategy": strategy}
    model = Model({**spec, "podManagementPolicy": "Parallel"})
    for number, (state, made_of) in pods.items():
        model.start(number, state, made_of)
    assert [ordinal(pod) for pod in model.plan().delete] == deleted
