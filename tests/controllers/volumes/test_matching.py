"""The choice among volumes: nothing that does not do, and no more than is needed."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Node
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from argosy.api.volumebinding import meant_for, size
from argosy.controllers.volumes.claimplan import default_class
from argosy.controllers.volumes.matching import best, mismatch, reachable
from argosy.controllers.volumes.words import DEFAULT_CLASS

MODES = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany")
SOME = st.lists(st.sampled_from(MODES), min_size=1, max_size=3, unique=True)
CLASS = st.sampled_from(["", "a"])
MODE = st.sampled_from(["Filesystem", "Block"])
REFERENCE = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"name": st.sampled_from(["c", "other"]), "uid": st.sampled_from(["", "u", "v"])}
    ),
)
VOLUME = st.fixed_dictionaries(
    {
        "accessModes": SOME,
        "storageClassName": CLASS,
        "volumeMode": MODE,
        "capacity": st.fixed_dictionaries({"storage": st.integers(1, 3)}),
        "claimRef": REFERENCE,
    }
)
CLAIM = st.builds(
    lambda modes, name, mode, amount: msgspec.convert(
        {
            "metadata": {"name": "c", "uid": "u"},
            "spec": {
                "accessModes": modes,
                "storageClassName": name,
                "volumeMode": mode,
                "resources": {"requests": {"storage": amount}},
            },
        },
        PersistentVolumeClaim,
    ),
    SOME,
    CLASS,
    MODE,
    st.integers(1, 3),
)
VOLUMES = st.lists(
    st.tuples(VOLUME, st.sampled_from(["Available", "Pending", "Released"])), max_size=6
).map(
    lambda found: [
        msgspec.convert(
            {"metadata": {"name": f"v{i}"}, "spec": spec, "status": {"phase": phase}},
            PersistentVolume,
        )
        for i, (spec, phase) in enumerate(found)
    ]
)


@settings(max_examples=200)
@given(CLAIM, VOLUMES, st.booleans())
def test_the_best(
    claim: PersistentVolumeClaim, volumes: list[PersistentVolume], free: bool
) -> None:
    found = best(claim, volumes, free=free)
    free_ones = [one for one in volumes if one.spec.claim_ref is None]
    suits = [
        one for one in free_ones if one.status.phase == "Available" and not mismatch(one, claim)
    ]
    if found is None:
        assert not (free and suits)
        return
    assert found.spec.claim_ref is None or meant_for(found, claim)
    assert size(found.spec.capacity) >= size(claim.spec.resources.requests)
    assert set(claim.spec.access_modes) <= set(found.spec.access_modes)
    assert found.spec.volume_mode == claim.spec.volume_mode
    if found.spec.claim_ref is None:
        assert free and found in suits
        modes = len(found.spec.access_modes)
        alike = [one for one in suits if len(one.spec.access_modes) <= modes]
        assert all(size(one.spec.capacity) >= size(found.spec.capacity) for one in alike)
    assert found == best(claim, list(reversed(volumes)), free=free)


def test_a_volume_is_reached_where_it_says() -> None:
    match = {"key": "zone", "operator": "In", "values": ["a"]}
    required = {"nodeSelectorTerms": [{"matchExpressions": [match]}]}
    far = msgspec.convert({"spec": {"nodeAffinity": {"required": required}}}, PersistentVolume)
    nodes = [msgspec.convert({"metadata": {"labels": {"zone": zone}}}, Node) for zone in "ab"]
    assert [reachable(far, node) for node in (*nodes, None)] == [True, False, True]
    assert reachable(PersistentVolume(), nodes[1])


def test_the_newest_class_that_is_marked_is_the_default() -> None:
    def marked(
        name: str, made: str, mark: str = "true", key: str = DEFAULT_CLASS[0]
    ) -> StorageClass:
        meta = {"name": name, "creationTimestamp": made, "annotations": {key: mark}}
        return msgspec.convert({"metadata": meta}, StorageClass)

    assert default_class([]) is None
    assert default_class([marked("a", "2026", "false")]) is None
    same = [marked("c", "2026"), marked("b", "2026", key=DEFAULT_CLASS[1]), marked("a", "2025")]
    assert default_class(same) == "b"
