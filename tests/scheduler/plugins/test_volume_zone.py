"""VolumeZone: nodes where the labels of volumes say."""

from typing import Any

import numpy as np
import pytest

from argosy.scheduler.framework import UnschedulableError
from argosy.scheduler.plugins.volume_zone import ELSEWHERE, survey
from tests.scheduler.builders import node, pod
from tests.scheduler.volumes.kit import claim, names, state_of, storage, user, volume

ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
OLD_ZONE = "failure-domain.beta.kubernetes.io/zone"
NODES = [
    node("bare"),
    node("a", labels={ZONE: "a", REGION: "r"}),
    node("b", labels={ZONE: "b", REGION: "r"}),
    node("old", labels={OLD_ZONE: "a"}),
]
ALL = ["a", "b", "bare", "old"]


@pytest.mark.parametrize(
    ("labels", "possible"),
    [
        ({}, ALL),
        ({ZONE: "a"}, ["a", "bare"]),
        ({OLD_ZONE: "a"}, ["a", "bare", "old"]),
        ({ZONE: "a__b"}, ["a", "b", "bare"]),
        ({ZONE: " b __c"}, ["b", "bare"]),
        ({ZONE: "a__"}, ALL),
        ({REGION: "r"}, ["a", "b", "bare"]),
        ({REGION: "r", ZONE: "b"}, ["b", "bare"]),
        ({ZONE: "nowhere"}, ["bare"]),
        ({"disk": "ssd"}, ALL),
    ],
)
def test_labels(labels: dict[str, str], possible: list[str]) -> None:
    state = state_of(claim(on="v"), volume(labels=labels), nodes=NODES)
    found = survey(state, user("p", "c"))
    if possible == ALL:
        assert found is None
        return
    assert found is not None and names(state, found.mask) == possible
    refused = np.flatnonzero(~np.asarray(found.mask))
    assert found.explain(refused) == {ELSEWHERE: 4 - len(possible)}


@pytest.mark.parametrize(
    ("objects", "why"),
    [
        ([], 'persistentvolumeclaim "c" not found'),
        ([claim(on="v")], 'persistentvolume "v" not found'),
        ([claim(storage="")], "PersistentVolumeClaim had no pv name and storageClass name"),
        ([claim()], 'storageclass.storage.k8s.io "local" not found'),
        ([claim(), storage(mode="Immediate")], "PersistentVolume had no name"),
    ],
)
def test_claims_that_no_node_can_help(objects: list[Any], why: str) -> None:
    with pytest.raises(UnschedulableError) as caught:
        survey(state_of(*objects), user("p", "c"))
    assert str(caught.value) == f"0/3 nodes are available: {why}."


def test_a_claim_without_a_name_is_told() -> None:
    with pytest.raises(UnschedulableError, match="PersistentVolumeClaim had no name"):
        survey(state_of(), user("p", ""))


def test_a_claim_that_waits_is_nowhere_yet() -> None:
    assert survey(state_of(claim(), storage()), user("p", "c")) is None


def test_other_volumes_cost_nothing() -> None:
    assert survey(state_of(), pod(spec={"volumes": [{"name": "v", "emptyDir": {}}]})) is None
