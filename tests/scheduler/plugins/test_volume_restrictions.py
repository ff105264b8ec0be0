"""VolumeRestrictions: claims for one pod alone, and disks that are not shared by writers."""

from typing import Any

import numpy as np
import pytest

from argosy.scheduler.framework import UnschedulableError
from argosy.scheduler.plugins.volume_restrictions import CLAIM_TAKEN, DISK_TAKEN, survey
from argosy.scheduler.state import State
from tests.scheduler.builders import pod
from tests.scheduler.volumes.kit import claim, names, put, state_of, user

ALONE = claim(accessModes=["ReadWriteOncePod"])


def rbd(*monitors: str, **more: Any) -> dict[str, Any]:
    return {"rbd": {"monitors": list(monitors), "image": "i", **more}}


def with_disk(name: str, disk: dict[str, Any], node: str = "") -> Any:
    return pod(name, spec={"volumes": [{"name": "v", **disk}]}, node=node)


@pytest.mark.parametrize(
    ("theirs", "ours", "free"),
    [
        ({"gcePersistentDisk": {"pdName": "d"}}, {"gcePersistentDisk": {"pdName": "d"}}, False),
        ({"gcePersistentDisk": {"pdName": "d"}}, {"gcePersistentDisk": {"pdName": "e"}}, True),
        (
            {"gcePersistentDisk": {"pdName": "d", "readOnly": True}},
            {"gcePersistentDisk": {"pdName": "d", "readOnly": True}},
            True,
        ),
        (
            {"gcePersistentDisk": {"pdName": "d", "readOnly": True}},
            {"gcePersistentDisk": {"pdName": "d"}},
            False,
        ),
        (
            {"awsElasticBlockStore": {"volumeID": "d", "readOnly": True}},
            {"awsElasticBlockStore": {"volumeID": "d", "readOnly": True}},
            False,
        ),
        ({"iscsi": {"iqn": "a", "lun": 1}}, {"iscsi": {"iqn": "a", "lun": 2}}, False),
        (
            {"iscsi": {"iqn": "a", "readOnly": True}},
            {"iscsi": {"iqn": "a", "readOnly": True}},
            True,
        ),
        (rbd("m1", "m2"), rbd("m2", "m3"), False),
        (rbd("m1"), rbd("m2"), True),
        (rbd("m1", pool="rbd"), rbd("m1"), False),
        (rbd("m1", pool="x"), rbd("m1"), True),
        (rbd("m1", readOnly=True), rbd("m1", readOnly=True), True),
        ({"gcePersistentDisk": {"pdName": "d"}}, {"awsElasticBlockStore": {"volumeID": "d"}}, True),
    ],
)
def test_disks(theirs: dict[str, Any], ours: dict[str, Any], free: bool) -> None:
    state = state_of(with_disk("other", theirs, "n2"))
    found = survey(state, with_disk("p", ours))
    if free:
        assert found is None
        return
    assert found is not None and names(state, found.mask) == ["n1", "n3"]
    assert found.explain(np.array([state.nodes.row_of["n2"]])) == {DISK_TAKEN: 1}


def taken(state: State) -> bool:
    found = survey(state, user("p", "c"))
    if found is None:
        return False
    assert names(state, found.mask) == []
    assert found.explain(np.arange(3)) == {CLAIM_TAKEN: 3}
    return True


def test_a_claim_for_one_pod_alone_keeps_others_off_all_nodes() -> None:
    state = state_of(ALONE)
    assert not taken(state)
    put(state, None, user("other", "c", node="n2"))
    assert taken(state)
    state.nodes.drop_pod("uid-other")
    assert not taken(state)


def test_other_claims_are_shared() -> None:
    assert not taken(state_of(claim(), user("other", "c", node="n2")))


def test_the_pod_for_which_a_claim_was_made_does_not_name_it() -> None:
    own = {"volumes": [{"name": "c", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}]}
    made = claim("other-c", accessModes=["ReadWriteOncePod"])
    state = state_of(made, pod("other", spec=own, node="n1"))
    assert survey(state, user("p", "other-c")) is None


def test_disks_are_told_before_claims() -> None:
    disk = {"name": "d", "awsElasticBlockStore": {"volumeID": "d"}}
    mounted = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}, disk]
    state = state_of(ALONE, pod("other", spec={"volumes": mounted}, node="n2"))
    found = survey(state, pod("p", spec={"volumes": mounted}))
    assert found is not None
    assert found.explain(np.arange(3)) == {DISK_TAKEN: 1, CLAIM_TAKEN: 2}


def test_a_missing_claim_is_named() -> None:
    why = '0/3 nodes are available: persistentvolumeclaim "c" not found.'
    with pytest.raises(UnschedulableError) as caught:
        survey(state_of(), user("p", "c"))
    assert str(caught.value) == why


def test_other_volumes_cost_nothing() -> None:
    assert survey(state_of(), pod(spec={"volumes": [{"name": "v", "emptyDir": {}}]})) is None
