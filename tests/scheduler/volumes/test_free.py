"""Free volumes: what is kept for a sort of claim is what one would find anew."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.storage import PersistentVolume
from argosy.scheduler.columns import Columns
from argosy.scheduler.volumes.free import FEW, FreeVolumes, want_of
from tests.scheduler.volumes.kit import claim, host, near, volume

NODES = FEW + 2
WANTS = [want_of(claim()), want_of(claim(size="3Gi")), want_of(claim(storage="other"))]


def columns(names: Sequence[str]) -> Columns:
    nodes = Columns()
    for i, name in enumerate(names):
        nodes.put_node(host(name, zone="ab"[i % 2]))
    return nodes


ALL = [f"n{i}" for i in range(NODES)]
volumes = st.builds(
    lambda name, size, at, storage, phase: volume(
        f"v{name}", f"{size}Gi", storage=storage, phase=phase, **at
    ),
    st.integers(0, 5),
    st.integers(1, 4),
    st.sampled_from(
        [
            {},
            {"at": ["n0"]},
            {"at": ["n1", "n2"]},
            {"nodeAffinity": near("a", key="zone")},
            {"nodeAffinity": near(*ALL)},
        ]
    ),
    st.sampled_from(["local", "local", "other"]),
    st.sampled_from(["Available", "Available", "Bound"]),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), volumes),
        st.tuples(st.just("drop"), st.integers(0, 5)),
        st.tuples(st.just("node"), st.integers(0, NODES + 1)),
        st.tuples(st.just("look"), st.just(0)),
    ),
    max_size=20,
)


@settings(max_examples=100, deadline=None)
@given(steps)
def test_offers_are_kept_up_to_date(taken: list[tuple[str, Any]]) -> None:
    nodes, free = columns(ALL), FreeVolumes()
    known: dict[str, PersistentVolume] = {}
    for what, subject in taken:
        match what:
            case "put":
                known[subject.metadata.name] = subject
                free.put(subject)
            case "drop":
                known.pop(f"v{subject}", None)
                free.drop(f"v{subject}")
            case "node":
                nodes.put_node(host(f"n{subject}", zone="b"))
            case _:
                look(free, nodes)
    anew = FreeVolumes()
    for each in known.values():
        anew.put(each)
    assert look(free, nodes) == look(anew, nodes)


def look(free: FreeVolumes, nodes: Columns) -> list[tuple[list[int], list[list[str]]]]:
    offers = [free.offer(want, nodes) for want in WANTS]
    found = [
        (offer.counts.tolist(), [list(offer.at(row)) for row in range(nodes.size)])
        for offer in offers
    ]
    for counts, names in found:
        assert counts == [len(some) for some in names]
    return found


def test_the_smallest_come_first_wherever_else_they_can_be_had() -> None:
    nodes, free = columns(ALL), FreeVolumes()
    for each in (
        *(volume("wide", "2Gi"), volume("wider", "4Gi"), volume("far", "1Gi", at=["n3"])),
        *(volume("here", "3Gi", at=["n0"]), volume("also", "1Gi", at=["n0"])),
    ):
        free.put(each)
    offer = free.offer(WANTS[0], nodes)
    assert list(offer.at(0)) == ["also", "wide", "here", "wider"]
    assert list(offer.at(3)) == ["far", "wide", "wider"]
    assert list(offer.at(1)) == ["wide", "wider"]


def test_another_picture_of_the_nodes_has_its_own_offers() -> None:
    nodes, other, free = columns(ALL), columns(["x"]), FreeVolumes()
    free.put(volume())
    assert free.offer(WANTS[0], nodes).counts.tolist() == [1] * NODES
    assert free.offer(WANTS[0], other).counts.tolist() == [1]


def test_sorts_of_claims_that_nobody_asks_for_are_forgotten() -> None:
    nodes, free = columns(["n0"]), FreeVolumes()
    free.put(volume(size="1Ti"))
    for i in range(200):
        assert free.offer(want_of(claim(size=str(i))), nodes).counts.tolist() == [1]
    free.drop("v")
    assert free.offer(WANTS[0], nodes).counts.tolist() == [0]


def test_of_very_many_sorts_of_claims_the_latest_are_kept() -> None:
    nodes, free = columns(ALL), FreeVolumes()
    wants = [want_of(claim(size=f"{size}Gi")) for size in range(1, 66)]
    first = free.offer(wants[0], nodes)
    for want in wants[1:64]:
        free.offer(want, nodes)
    assert free.offer(wants[0], nodes) is first
    for want in wants[1:]:
        free.offer(want, nodes)
    assert free.offer(wants[0], nodes) is not first
