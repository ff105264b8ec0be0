"""VolumeBinding: where claims can be had, why not, and what they get on the chosen node."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from argosy.scheduler.framework import UnschedulableError
from argosy.scheduler.plugins.volume_binding import (
    NO_ROOM,
    NONE_FOUND,
    PATIENCE,
    PLUGIN,
    TOO_FAR,
    VOLUME_GONE,
    configured,
    granted,
    survey,
)
from argosy.scheduler.state import State
from tests.scheduler.builders import pod
from tests.scheduler.volumes.kit import (
    DRIVER,
    capacity,
    claim,
    driver,
    host,
    names,
    near,
    state_of,
    storage,
    user,
    volume,
)

MADE = storage("made", DRIVER)
EAST = [{"matchLabelExpressions": [{"key": "zone", "values": ["east"]}]}]
ZONES = [host("n1", zone="east"), host("n2", zone="west"), host("n3")]


def look(state: State, *claims: str) -> tuple[list[str], Mapping[str, int]]:
    """The nodes that can have a pod with the claims, and the reasons of the others."""
    found = survey(state, user("p", *claims))
    if found is None:
        return names(state, None), {}
    possible = names(state, found.mask)
    others = [row for name, row in state.nodes.row_of.items() if name not in possible]
    return possible, found.explain(np.array(others, dtype=np.intp))


def got(state: State, node: str, *claims: str) -> dict[str, str | None]:
    """The volumes that claims of a pod get on a node; None for one that is made there."""
    return {
        grant.claim.metadata.name: grant.volume.metadata.name if grant.volume else None
        for grant in granted(state, user("p", *claims), node)
    }


@pytest.mark.parametrize(
    ("volumes", "on"),
    [
        ([], "nobody"),
        ([{"name": "v", "emptyDir": {}}], "nobody"),
        ([{"name": "v", "hostPath": {"path": "/x"}}, {"name": "w", "nfs": {}}], "nobody"),
    ],
)
def test_pods_without_claims_cost_nothing(volumes: list[Any], on: str) -> None:
    assert survey(state_of(), pod(spec={"volumes": volumes})) is None


@pytest.mark.parametrize(
    ("objects", "possible", "reasons"),
    [
        ([volume(at=["n2"])], ["n2"], {TOO_FAR: 2}),
        ([volume()], ["n1", "n2", "n3"], {}),
        ([volume(nodeAffinity=near("n1", "n3"))], ["n1", "n3"], {TOO_FAR: 1}),
        ([], [], {VOLUME_GONE: 3}),
    ],
)
def test_a_bound_claim_is_near_its_volume(
    objects: list[Any], possible: list[str], reasons: dict[str, int]
) -> None:
    assert look(state_of(claim(on="v"), *objects), "c") == (possible, reasons)


def test_two_bound_claims_must_both_be_near() -> None:
    state = state_of(
        *(claim("a", on="va"), claim("b", on="vb"), claim("x", on="gone")),
        *(volume("va", nodeAffinity=near("n1", "n2")), volume("vb", nodeAffinity=near("n2", "n3"))),
    )
    assert look(state, "a", "b") == (["n2"], {TOO_FAR: 2})
    assert look(state, "a", "x") == ([], {TOO_FAR: 1, VOLUME_GONE: 2})
    assert granted(state, user("p", "a", "b"), "n2") == ()


@pytest.mark.parametrize(
    ("free", "possible"),
    [
        (volume(at=["n2"]), ["n2"]),
        (volume(), ["n1", "n2", "n3"]),
        (volume(at=["n2"], size="2Gi"), ["n2"]),
        (volume(at=["n2"], size="1023Mi"), []),
        (volume(at=["n2"], size="nonsense"), []),
        (volume(at=["n2"], storage="other"), []),
        (volume(at=["n2"], accessModes=["ReadOnlyMany"]), []),
        (volume(at=["n2"], accessModes=["ReadOnlyMany", "ReadWriteOnce"]), ["n2"]),
        (volume(at=["n2"], volumeMode="Block"), []),
        (volume(at=["n2"], volumeAttributesClassName="fast"), []),
        (volume(at=["n2"], phase="Pending"), []),
        (volume(at=["n2"], phase="Released"), []),
        (volume(at=["n2"], meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}), []),
        (volume(at=["n2"], owner="else"), []),
        (volume(at=["n2"], owner="c"), ["n2"]),
        (volume(at=["n2"], owner="c", phase="Pending"), ["n2"]),
        (volume(at=["n2"], owner="c", accessModes=["ReadOnlyMany"]), ["n2"]),
        (volume(at=["n2"], owner="c", size="1Mi"), []),
        (volume(at=["n2"], owner="c", storage="other"), []),
        (volume(claimRef={"namespace": "default", "name": "c", "uid": "another"}), []),
    ],
)
def test_a_waiting_claim_gets_a_volume_that_suits(free: Any, possible: list[str]) -> None:
    state = state_of(storage(), claim(), free)
    reasons = {NONE_FOUND: 3 - len(possible)} if len(possible) < 3 else {}
    assert look(state, "c") == (possible, reasons)
    for node in possible:
        assert got(state, node, "c") == {"c": "v"}


def test_a_selector_chooses_among_volumes() -> None:
    state = state_of(
        *(storage(), claim(selector={"matchLabels": {"disk": "ssd"}})),
        *(volume("a", at=["n1"]), volume("b", at=["n2"], labels={"disk": "ssd"})),
    )
    assert look(state, "c")[0] == ["n2"]


def test_a_volume_that_is_kept_for_the_claim_goes_before_smaller_ones() -> None:
    kept = volume("kept", "9Gi", at=["n3"], owner="c")
    state = state_of(storage(), claim(), kept, volume("small", at=["n1", "n3"]))
    assert look(state, "c") == (["n3"], {NONE_FOUND: 2})
    assert got(state, "n3", "c") == {"c": "kept"}


def test_the_smallest_volume_is_taken_and_claims_that_ask_for_less_choose_first() -> None:
    state = state_of(
        *(storage(), claim("large", "3Gi"), claim("small", "1Gi")),
        *(
            volume("v9", "9Gi"),
            volume("v4", "4Gi", at=["n1", "n2"]),
            volume("v2", "2Gi", at=["n1"]),
        ),
    )
    assert look(state, "large", "small") == (["n1", "n2"], {NONE_FOUND: 1})
    assert got(state, "n1", "large", "small") == {"large": "v4", "small": "v2"}
    assert got(state, "n2", "large", "small") == {"large": "v9", "small": "v4"}
    assert got(state, "n3", "large") == {"large": "v9"}


def test_claims_that_want_the_same_need_a_volume_each() -> None:
    state = state_of(
        *(storage(), claim("a"), claim("b")),
        *(
            volume("v", at=["n1", "n2"]),
            volume("w", at=["n2", "n3"]),
            volume("x", "2Gi", at=["n3"]),
        ),
    )
    assert look(state, "a", "b") == (["n2", "n3"], {NONE_FOUND: 1})
    assert got(state, "n3", "a", "b") == {"a": "w", "b": "x"}


def test_a_greedy_choice_is_not_undone() -> None:
    """As upstream: the claim that asks for less takes the only volume that would do for both."""
    modes = ["ReadWriteOnce", "ReadWriteMany"]
    state = state_of(
        *(storage(), claim("a", "1Gi"), claim("b", "2Gi", accessModes=["ReadWriteMany"])),
        *(volume("v", "2Gi", accessModes=modes), volume("w", "3Gi")),
    )
    assert look(state, "a", "b") == ([], {NONE_FOUND: 3})


@pytest.mark.parametrize(
    ("made", "possible"),
    [
        (storage("made", DRIVER), ["n1", "n2", "n3"]),
        (storage("made", "kubernetes.io/no-provisioner"), []),
        (storage("made", DRIVER, allowedTopologies=EAST), ["n1"]),
        (storage("made", DRIVER, allowedTopologies=[{}]), []),
        (storage("made", DRIVER, allowedTopologies=[{}, *EAST]), ["n1"]),
    ],
)
def test_a_volume_is_made_where_the_class_allows(made: Any, possible: list[str]) -> None:
    state = state_of(made, claim(storage="made"), nodes=ZONES)
    assert look(state, "c")[0] == possible
    for node in possible:
        assert got(state, node, "c") == {"c": None}


def test_what_is_there_is_taken_and_the_rest_is_made() -> None:
    state = state_of(
        *(MADE, claim("a", storage="made"), claim("b", storage="made")),
        volume("v", at=["n1"], storage="made"),
    )
    assert look(state, "a", "b")[0] == ["n1", "n2", "n3"]
    assert got(state, "n1", "a", "b") == {"a": "v", "b": None}
    assert got(state, "n2", "a", "b") == {"a": None, "b": None}


@pytest.mark.parametrize(
    ("told", "possible", "reasons"),
    [
        ([capacity("a", "east", "1Gi")], ["n1"], {NO_ROOM: 2}),
        ([capacity("a", "east", "1023Mi")], [], {NO_ROOM: 3}),
        ([capacity("a", "east", "9Gi", maximumVolumeSize="1Mi")], [], {NO_ROOM: 3}),
        ([capacity("a", "east", "1Mi", maximumVolumeSize="1Gi")], ["n1"], {NO_ROOM: 2}),
        ([capacity("a", "east", "9Gi", storage="other")], [], {NO_ROOM: 3}),
        ([capacity("a", "east", "nonsense")], [], {NO_ROOM: 3}),
        ([capacity("a", "east", "9Gi", nodeTopology=None)], [], {NO_ROOM: 3}),
        ([capacity("a", "east", "9Gi", nodeTopology={})], ["n1", "n2", "n3"], {}),
        ([capacity("a", "east", "1Mi"), capacity("b", "east", "9Gi")], ["n1"], {NO_ROOM: 2}),
    ],
)
def test_a_driver_that_publishes_room_must_have_it(
    told: list[Any], possible: list[str], reasons: dict[str, int]
) -> None:
    objects = [MADE, claim(storage="made"), *told]
    assert look(state_of(*objects, driver(), nodes=ZONES), "c") == (possible, reasons)
    silent = state_of(*objects, driver(capacity=False), nodes=ZONES)
    assert look(silent, "c")[0] == ["n1", "n2", "n3"]


def test_the_reason_is_of_the_first_claim_that_gets_nothing() -> None:
    state = state_of(
        *(storage("made", DRIVER, allowedTopologies=EAST), driver(), claim(storage="made")),
        nodes=ZONES,
    )
    assert look(state, "c") == ([], {NONE_FOUND: 2, NO_ROOM: 1})


def test_a_claim_whose_node_is_chosen_goes_there_alone() -> None:
    state = state_of(MADE, claim(storage="made", selected="n2"), volume(storage="made"))
    assert look(state, "c") == (["n2"], {NONE_FOUND: 2})
    assert got(state, "n2", "c") == {"c": None}
    gone = state_of(MADE, claim(storage="made", selected="gone"))
    assert look(gone, "c") == ([], {NONE_FOUND: 3})


EPHEMERAL = {"volumes": [{"name": "own", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}]}


def owned(uid: str) -> Any:
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": uid, "controller": True}
    return claim("p-own", on="v", meta={"ownerReferences": [owner]})


@pytest.mark.parametrize(
    ("objects", "spec", "why"),
    [
        ([], None, 'persistentvolumeclaim "c" not found'),
        (
            [],
            EPHEMERAL,
            'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-own"',
        ),
        (
            [owned("another")],
            EPHEMERAL,
            "PVC default/p-own was not created for pod default/p (pod is not owner)",
        ),
        ([claim()], None, "pod has unbound immediate PersistentVolumeClaims"),
        (
            [storage(mode="Immediate"), claim()],
            None,
            "pod has unbound immediate PersistentVolumeClaims",
        ),
        (
            [storage(), claim(volumeName="v")],
            None,
            "pod has unbound immediate PersistentVolumeClaims",
        ),
        (
            [claim(on="v", phase="Lost")],
            None,
            'persistentvolumeclaim "c" bound to non-existent persistentvolume "v"',
        ),
        (
            [claim(on="v", meta={"deletionTimestamp": "2026-01-01T00:00:00Z"})],
            None,
            'persistentvolumeclaim "c" is being deleted',
        ),
    ],
)
def test_claims_that_no_node_can_help(objects: list[Any], spec: Any, why: str) -> None:
    asked = pod("p", spec=spec) if spec else user("p", "c")
    with pytest.raises(UnschedulableError) as caught:
        survey(state_of(*objects), asked)
    assert str(caught.value) == f"0/3 nodes are available: {why}."


def test_without_nodes_that_is_what_is_said() -> None:
    with pytest.raises(UnschedulableError, match="no nodes available to schedule pods"):
        survey(state_of(nodes=0), user("p", "c"))


def test_what_is_wrong_with_one_claim_goes_before_one_that_waits() -> None:
    with pytest.raises(UnschedulableError, match='persistentvolumeclaim "x" not found'):
        survey(state_of(claim()), user("p", "c", "x"))


def test_a_pods_own_claim_is_as_good_as_any() -> None:
    state = state_of(owned("uid-p"), volume(at=["n1"]))
    found = survey(state, pod("p", spec=EPHEMERAL))
    assert found is not None and names(state, found.mask) == ["n1"]


def test_a_broken_size_is_told() -> None:
    with pytest.raises(UnschedulableError, match="quantities must match"):
        survey(state_of(storage(), claim(size="lots")), user("p", "c"))
    pinned = claim(size="lots", storage="made", selected="n1")
    with pytest.raises(UnschedulableError, match="quantities must match"):
        survey(state_of(MADE, driver(), pinned), user("p", "c"))


def test_a_claim_that_a_pod_names_twice_gets_one_volume() -> None:
    state = state_of(storage(), claim(), volume())
    assert look(state, "c", "c")[0] == ["n1", "n2", "n3"]
    assert got(state, "n1", "c", "c") == {"c": "v"}


def test_a_profile_says_how_long_to_wait() -> None:
    state = state_of(storage(), claim(), volume())
    for plugin, patience in (
        (configured({"bindTimeoutSeconds": 5}), 5),
        (configured({}), PATIENCE),
    ):
        assert plugin.volumes is not None
        assert [g.patience for g in plugin.volumes(state, user("p", "c"), "n1")] == [patience]
    assert PLUGIN.name == "VolumeBinding"


@pytest.mark.parametrize("seconds", [-1, "10", None, True])
def test_a_profiles_nonsense_is_refused(seconds: Any) -> None:
    with pytest.raises(ValueError, match="^bindTimeoutSeconds: Invalid value"):
        configured({"bindTimeoutSeconds": seconds})
