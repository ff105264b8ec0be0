"""What storage drivers publish: kept row by row, the same as found anew."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.storage import CSIStorageCapacity
from argosy.scheduler.columns import Columns
from argosy.scheduler.volumes.room import Room
from tests.scheduler.builders import node
from tests.scheduler.volumes.kit import capacity

capacities = st.builds(
    lambda name, zone, size, storage: capacity(f"c{name}", zone, f"{size}Gi", storage=storage),
    st.integers(0, 3),
    st.sampled_from("abc"),
    st.integers(1, 4),
    st.sampled_from(["made", "other"]),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), capacities),
        st.tuples(st.just("drop"), st.integers(0, 3)),
        st.tuples(st.just("node"), st.tuples(st.integers(0, 3), st.sampled_from("abc"))),
        st.tuples(st.just("look"), st.just(0)),
    ),
    max_size=15,
)


@settings(max_examples=100, deadline=None)
@given(steps)
def test_what_is_kept_is_what_is_told(taken: list[tuple[str, Any]]) -> None:
    nodes, room = Columns(), Room()
    known: dict[str, CSIStorageCapacity] = {}
    for what, subject in taken:
        match what:
            case "put":
                name = subject.metadata.name
                room.put(known.get(name), subject)
                known[name] = subject
            case "drop":
                if old := known.pop(f"c{subject}", None):
                    room.put(old, None)
            case "node":
                nodes.put_node(node(f"n{subject[0]}", labels={"zone": subject[1]}))
            case _:
                room.largest("made", nodes)
    anew = Room()
    for each in known.values():
        anew.put(None, each)
    for storage in ("made", "other"):
        assert room.largest(storage, nodes).tolist() == anew.largest(storage, nodes).tolist()
