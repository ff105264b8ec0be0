"""Tests of what is remembered of conversion webhooks' answers."""

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.apiserver.extensions.conversions import MOST_BYTES, Conversions, State, batches
from argosy.apiserver.outbound import Outbound
from argosy.cluster.server import memory_store


def state(number: int) -> State:
    return State("uid", 1, f"/{number}", number, "example.com/v2")


def conversions(most: int) -> Conversions:
    return Conversions(Outbound(memory_store()), most_kept=most)


def test_who_was_asked_for_last_is_remembered() -> None:
    kept = conversions(30)
    for number in range(3):
        kept.keep(state(number), b"x" * 10)
    assert kept.known(state(0)) == b"x" * 10
    kept.keep(state(3), b"y" * 10)
    assert [kept.known(state(number)) is not None for number in range(4)] == [
        True,
        False,
        True,
        True,
    ]


def test_what_differs_in_anything_is_another() -> None:
    kept = conversions(100)
    kept.keep(state(1), b"a")
    one = state(1)
    for other in (
        one._replace(definition="other"),
        one._replace(generation=2),
        one._replace(revision=2),
        one._replace(wanted="example.com/v3"),
    ):
        assert kept.known(other) is None


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), max_size=40))
def test_never_more_is_kept_than_there_is_room_for(steps: list[tuple[int, int]]) -> None:
    kept = conversions(64)
    for number, size in steps:
        kept.keep(state(number), b"x" * size)
        sizes = [len(value) for n in range(6) if (value := kept.known(state(n))) is not None]
        assert sum(sizes) <= 64
        assert kept.known(state(number)) == b"x" * size


@settings(max_examples=40)
@given(st.lists(st.integers(1, MOST_BYTES), max_size=20))
def test_questions_are_bounded_and_leave_nobody_out(sizes: list[int]) -> None:
    values = {state(at): b"x" * size for at, size in enumerate(sizes)}
    pieces = list(batches(values))
    assert [one for batch in pieces for one in batch] == list(values)
    for batch in pieces:
        assert len(batch) == 1 or sum(map(len, batch.values())) <= MOST_BYTES
