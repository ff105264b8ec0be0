"""What is next with a Deployment: sets, revisions, pauses, clean-up."""

from typing import Any

import msgspec
import pytest

from argosy.api.core import Pod
from argosy.api.replicas import Deployment, ReplicaSet
from argosy.base.clock import timestamp
from argosy.controllers.deployments.plan import Plan, collided, make_plan, refused
from argosy.testing.clock import EPOCH
from tests.controllers.deployments.kit import (
    DESIRED,
    MAXIMUM,
    REVISION,
    World,
    deployment,
    replica_set,
    rolling,
)

HASH = "pod-template-hash"
NOW = EPOCH


def plan(it: Deployment, *sets: ReplicaSet, pods: tuple[Pod, ...] = ()) -> Plan:
    return make_plan(it, sets, lambda _: pods, NOW)


def scaled(made: Plan) -> dict[str, int]:
    """The new numbers of replicas."""
    return {
        item.metadata.name: body["spec"]["replicas"]
        for item, body in made.change
        if "replicas" in body.get("spec", {})
    }


def told(made: Plan, kind: str) -> tuple[str, str, str]:
    found = next((item for item in made.status.conditions if item.type == kind), None)
    return (found.status, found.reason, found.message) if found is not None else ("", "", "")


def messages(made: Plan) -> list[str]:
    assert {note.reason for note in made.notes} <= {"ScalingReplicaSet"}
    return [note.message for note in made.notes]


def test_the_first_set() -> None:
    it = deployment(replicas=3, minReadySeconds=4, meta={"annotations": {"a": "b"}})
    made = plan(it)
    body = made.create
    assert body is not None
    hashed = body["metadata"]["labels"][HASH]
    assert body["metadata"]["name"] == f"web-{hashed}"
    assert body["metadata"]["labels"] == {"app": "web", HASH: hashed}
    assert body["metadata"]["annotations"] == {
        "a": "b",
        REVISION: "1",
        DESIRED: "3",
        MAXIMUM: "4",
    }
    [owner] = body["metadata"]["ownerReferences"]
    assert (owner["uid"], owner["controller"], owner["blockOwnerDeletion"]) == ("d", True, True)
    spec = body["spec"]
    assert (spec["replicas"], spec["minReadySeconds"]) == (3, 4)
    assert spec["selector"] == {"matchLabels": {"app": "web", HASH: hashed}}
    assert spec["template"]["metadata"]["labels"] == {"app": "web", HASH: hashed}
    assert spec["template"]["spec"] == msgspec.json.decode(it.spec.template)["spec"]
    assert made.revision == "1"
    assert messages(made) == [f"Scaled up replica set web-{hashed} from 0 to 3"]
    created = ("True", "NewReplicaSetCreated", f'Created new replica set "web-{hashed}"')
    assert told(made, "Progressing") == created
    assert told(made, "Available") == (
        "False",
        "MinimumReplicasUnavailable",
        "Deployment does not have minimum availability.",
    )
    assert made.after == 601


def test_without_a_deadline_progress_is_not_told() -> None:
    for none in (None, 2**31 - 1):
        made = plan(deployment(progressDeadlineSeconds=none))
        assert told(made, "Progressing") == ("", "", "")
        assert made.after is None


def test_a_set_that_was_found() -> None:
    """Of an earlier controller, or adopted."""
    made = plan(deployment(replicas=3), replica_set("mine", 3, image="one", available=3))
    assert made.create is None
    assert told(made, "Progressing")[1] == "NewReplicaSetAvailable"
    made = plan(deployment(replicas=3), replica_set("mine", 3, image="one", there=0))
    assert told(made, "Progressing")[:2] == ("True", "FoundNewReplicaSet")
    [(_, change)] = made.change
    assert change["metadata"]["annotations"] == {REVISION: "1"}
    assert change["metadata"]["resourceVersion"] == "7"
    assert made.revision == "1"


@pytest.mark.parametrize(
    ("age", "reason"), [(0.0, "NewReplicaSetCreated"), (1.0, "FoundNewReplicaSet")]
)
def test_a_set_that_was_made_and_not_told_of(age: float, reason: str) -> None:
    """It is not older than the Deployment."""
    own = deployment(replicas=3, meta={"creationTimestamp": timestamp(EPOCH)})
    made = plan(own, replica_set("mine", 3, image="one", there=0, age=age))
    assert told(made, "Progressing")[1] == reason


def test_annotations_and_seconds_go_on_to_the_newest_set() -> None:
    it = deployment(replicas=1, minReadySeconds=9, meta={"annotations": {"a": "b", REVISION: "1"}})
    [(_, change)] = plan(it, replica_set("mine", 1, image="one")).change
    assert change["spec"] == {"minReadySeconds": 9}
    assert change["metadata"]["annotations"] == {"a": "b", REVISION: "1"}


def test_a_hash_that_collides_is_another_next_time() -> None:
    it = deployment()
    first = plan(it).create
    status = collided(it)
    assert status.collision_count == 1
    again = plan(msgspec.structs.replace(it, status=status))
    assert first is not None and again.create is not None
    assert first["metadata"]["name"] != again.create["metadata"]["name"]
    assert again.status.collision_count == 1
    more = collided(msgspec.structs.replace(it, status=status))
    assert more.collision_count == 2


def test_a_set_that_is_refused() -> None:
    status = refused(deployment(), "web-x", "no", NOW)
    [told_of] = status.conditions
    assert (told_of.type, told_of.status, told_of.reason) == (
        "Progressing",
        "False",
        "ReplicaSetCreateError",
    )
    assert told_of.message == 'Failed to create new replica set "web-x": no'
    quiet = deployment(progressDeadlineSeconds=None)
    assert refused(quiet, "web-x", "no", NOW) == quiet.status


def test_a_rollout_step_by_step() -> None:
    world = World(deployment(replicas=4, strategy=rolling(1, 1)))
    world.plan()
    world.settle_all()
    world.plan()
    [first] = world.sets
    world.change_image("two")
    seen = []
    for _ in range(6):
        made = world.plan()
        world.settle_all()
        seen.append((world.replicas()[first], world.asked))
        assert made.status.observed_generation == 2
    assert seen == [(3, 4), (3, 5), (1, 3), (1, 5), (0, 4), (0, 4)]
    assert world.deployment.metadata.annotations[REVISION] == "2"


def test_recreate_begins_when_the_last_old_pod_is_gone() -> None:
    it = deployment(replicas=2, strategy={"type": "Recreate"})
    first = plan(it, replica_set("old", 2, available=2))
    assert scaled(first) == {"old": 0} and first.create is None
    assert messages(first) == ["Scaled down replica set old from 2 to 0"]
    unseen = plan(it, replica_set("old", 2, there=0))  # its pods are not made yet
    assert scaled(unseen) == {"old": 0} and unseen.create is None
    gone = replica_set("old", 0, there=1)
    assert plan(it, gone).create is None
    empty = replica_set("old", 0)
    unheard = msgspec.structs.replace(
        empty, metadata=msgspec.structs.replace(empty.metadata, generation=9)
    )
    assert plan(it, unheard).create is None  # it may be making pods: it has not been told to stop
    for phase, made in (("Running", False), ("Failed", True), ("Succeeded", True)):
        pod = msgspec.convert({"status": {"phase": phase}}, Pod)
        assert (plan(it, empty, pods=(pod,)).create is not None) is made
    last = plan(it, empty).create
    assert last is not None and last["spec"]["replicas"] == 2
    assert last["metadata"]["annotations"][MAXIMUM] == "2"


@pytest.mark.parametrize(
    ("new_available", "expected"),
    [
        (0, {}),  # as long as none of the new ones works, the old ones stay, even those that don't
        (2, {"old": 6}),
        (5, {"old": 3}),
    ],
)
def test_pods_that_do_not_work_go_first(new_available: int, expected: dict[str, int]) -> None:
    it = deployment(replicas=10, strategy=rolling(3, 2))
    notes = {DESIRED: "10", MAXIMUM: "13"}
    old = replica_set("old", 8, available=5, annotations=notes)
    new = replica_set("new", 5, available=new_available, image="one", annotations=notes)
    assert scaled(plan(it, old, new)) == expected


@pytest.mark.parametrize("late", ["old", "new"])
def test_nothing_is_taken_while_a_set_has_not_heard_of_its_scale(late: str) -> None:
    """It was scaled down and up again, say: what it tells of its pods may be of before."""
    it = deployment(replicas=4, strategy=rolling(1, 1))
    notes = {DESIRED: "4", MAXIMUM: "5"}
    heard = {name: int(name != late) for name in ("old", "new")}
    sets = [
        replica_set("old", 4, available=4, annotations=notes),
        replica_set("new", 1, available=1, image="one", annotations=notes),
    ]
    assert scaled(plan(it, *sets)) == {"old": 2}
    sets = [
        msgspec.structs.replace(
            item,
            status=msgspec.structs.replace(
                item.status, observed_generation=heard[item.metadata.name]
            ),
        )
        for item in sets
    ]
    assert scaled(plan(it, *sets)) == {}


def test_paused_nothing_is_rolled_out() -> None:
    old = replica_set("old", 3, available=3, annotations={DESIRED: "3", MAXIMUM: "4"})
    made = plan(deployment(paused=True), old)
    assert made.create is None and made.change == []
    paused = ("Unknown", "DeploymentPaused", "Deployment is paused")
    assert told(made, "Progressing") == paused
    again = plan(deployment(paused=True, status=msgspec.to_builtins(made.status)), old)
    assert again.status == made.status
    resumed = plan(deployment(status=msgspec.to_builtins(made.status)), old)
    assert resumed.create is not None
    assert told(resumed, "Progressing")[1] == "NewReplicaSetCreated"


def test_resumed_is_told_where_nothing_else_is() -> None:
    condition = {"type": "Progressing", "status": "Unknown", "reason": "DeploymentPaused"}
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    current = replica_set("new", 3, image="one", there=0)
    counts = {"replicas": 3, "updatedReplicas": 3}
    made = plan(deployment(status={"conditions": [condition], **counts}), current)
    assert told(made, "Progressing")[1:] == ("DeploymentResumed", "Deployment is resumed")
    made = plan(deployment(paused=True, status={"conditions": [late], **counts}), current)
    assert told(made, "Progressing")[1] == "ProgressDeadlineExceeded"


def test_paused_the_one_set_with_pods_is_scaled() -> None:
    old = replica_set("old", 3, annotations={DESIRED: "3", MAXIMUM: "4"})
    empty = replica_set("empty", 0, age=1)
    made = plan(deployment(replicas=5, paused=True), old, empty)
    assert scaled(made) == {"old": 5}
    [(_, change)] = made.change
    assert change["metadata"]["annotations"] == {DESIRED: "5", MAXIMUM: "7"}
    assert scaled(plan(deployment(replicas=5, paused=True), empty)) == {"empty": 5}
    assert plan(deployment(replicas=5, paused=True)).change == []


@pytest.mark.parametrize("strategy", [rolling(1, 0), {"type": "Recreate"}])
def test_a_set_that_has_the_number_already_is_told_so_and_the_rollout_goes_on(
    strategy: dict[str, Any],
) -> None:
    sets = [replica_set("old", 3, annotations={DESIRED: "4", MAXIMUM: "5"})]
    if strategy.get("type") == "Recreate":
        sets.append(replica_set("older", 2, age=2, annotations={DESIRED: "4", MAXIMUM: "4"}))
    it = deployment(replicas=3, strategy=strategy)
    made = plan(it, *sets)
    assert (made.create, scaled(made)) == (None, {})
    assert {name: body["metadata"]["annotations"][DESIRED] for name, body in told_sets(made)} == {
        item.metadata.name: "3" for item in sets
    }


def told_sets(made: Plan) -> list[tuple[str, dict[str, Any]]]:
    return [(item.metadata.name, body) for item, body in made.change]


@pytest.mark.parametrize(
    ("sizes", "before", "after", "expected"),
    [
        ((5, 5), 10, 20, (10, 10)),
        ((8, 5), 10, 15, (12, 8)),  # with a surge of 30 %: 13 become 20
        ((10, 3), 10, 5, (5, 2)),
        ((5, 5), 10, 0, (0, 0)),
        ((6, 4), 10, 10, (6, 4)),
    ],
)
def test_each_set_keeps_its_part(
    sizes: tuple[int, int], before: int, after: int, expected: tuple[int, int]
) -> None:
    surge = sum(sizes) - before
    notes = {DESIRED: str(before), MAXIMUM: str(sum(sizes))}
    old = replica_set("old", sizes[0], available=sizes[0], annotations=notes)
    new = replica_set("new", sizes[1], image="one", age=1, annotations={**notes, REVISION: "1"})
    part = rolling(f"{100 * surge // before}%", 0 if surge else 1)
    made = plan(deployment(replicas=after, strategy=part), old, new)
    sets = {"old": sizes[0], "new": sizes[1], **scaled(made)}
    assert (sets["old"], sets["new"]) == expected


def test_what_is_left_over_goes_to_the_largest_and_then_the_newest() -> None:
    notes = {DESIRED: "4", MAXIMUM: "4"}
    sets = [
        replica_set("older", 2, age=9, annotations=notes),
        replica_set("newer", 2, age=5, annotations=notes),
    ]
    it = deployment(replicas=5, strategy=rolling(0, 1), paused=True)
    assert scaled(plan(it, *sets)) == {"newer": 3}
    less = deployment(replicas=3, strategy=rolling(0, 1), paused=True)
    assert scaled(plan(less, *sets)) == {"older": 1}


def test_old_sets_go_where_the_newest_has_all() -> None:
    notes = {DESIRED: "3", MAXIMUM: "4"}
    new = replica_set("new", 3, image="one", available=3, annotations={**notes, REVISION: "2"})
    old = replica_set("old", 1, annotations={DESIRED: "1", MAXIMUM: "2"})
    assert scaled(plan(deployment(replicas=3), old, new)) == {"old": 0}


DONE = {
    "replicas": 1,
    "updatedReplicas": 1,
    "readyReplicas": 1,
    "availableReplicas": 1,
    "observedGeneration": 1,
}


def history(*without: str) -> list[ReplicaSet]:
    notes = {DESIRED: "1", MAXIMUM: "2"}
    old = [
        replica_set(f"old{number}", image=f"i{number}", annotations={REVISION: str(number)})
        for number in range(1, 6)
    ]
    new = replica_set("new", 1, image="one", available=1, annotations={**notes, REVISION: "6"})
    return [*reversed(old), new]


def deleted(made: Plan) -> list[str]:
    return [item.metadata.name for item in made.delete]


def test_old_sets_above_the_limit_are_deleted() -> None:
    it = deployment(replicas=1, revisionHistoryLimit=2, status=DONE)
    assert deleted(plan(it, *history())) == ["old1", "old2", "old3"]
    for limit in (None, 2**31 - 1, 5):
        kept = deployment(replicas=1, revisionHistoryLimit=limit, status=DONE)
        assert deleted(plan(kept, *history())) == []
    none = deployment(replicas=1, revisionHistoryLimit=0, status=DONE)
    assert len(deleted(plan(none, *history()))) == 5


def test_in_the_middle_of_a_rollout_nothing_is_deleted() -> None:
    it = deployment(replicas=1, revisionHistoryLimit=0, status={**DONE, "replicas": 2})
    assert deleted(plan(it, *history())) == []
    paused = deployment(replicas=1, revisionHistoryLimit=0, paused=True)
    assert len(deleted(plan(paused, *history()))) == 5


@pytest.mark.parametrize(
    "busy",
    [
        replica_set("old0", image="b", there=1, annotations={REVISION: "0"}),
        replica_set("old0", image="b", observedGeneration=0, annotations={REVISION: "0"}),
    ],
)
def test_a_set_that_still_has_pods_is_kept(busy: ReplicaSet) -> None:
    it = deployment(replicas=1, revisionHistoryLimit=4, status=DONE)
    assert deleted(plan(it, busy, *history())) == ["old1"]


def test_of_one_that_goes_only_the_status_is_told() -> None:
    it = deployment(replicas=3, meta={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    made = plan(it, replica_set("old", 5, available=5))
    assert made.create is None and made.change == [] and made.revision is None
    assert made.status.replicas == 5 and made.status.available_replicas == 5
    assert told(made, "Available")[0] == "True"
