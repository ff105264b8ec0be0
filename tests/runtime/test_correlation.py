"""Which notes become events, and which are counted, combined or left out."""

from hypothesis import given
from hypothesis import strategies as st

from argosy.runtime.correlation import (
    BURST,
    COMBINED,
    LONGEST_MESSAGE,
    MOST_KNOWN,
    REFILL_SECONDS,
    SIMILAR,
    SIMILAR_SECONDS,
    Correlator,
    Happening,
    Recent,
    Told,
)
from argosy.testing.clock import FakeClock


def note(message: str, *, place: str = "pod-a", type: str = "Normal") -> Happening:
    return Happening(place, type, "Failed", message)


def tell(correlator: Correlator, *messages: str, place: str = "pod-a") -> list[Told]:
    told = [correlator.correlate(note(message, place=place)) for message in messages]
    return [each for each in told if each is not None]


async def test_the_same_note_is_counted_and_keeps_its_first_time() -> None:
    clock = FakeClock()
    correlator = Correlator(clock)
    first = tell(correlator, "x")[0]
    await clock.advance(60)
    second = tell(correlator, "x")[0]
    assert (first.count, second.count) == (1, 2)
    assert first.key == second.key and second.first == first.first == "2026-01-01T00:00:00Z"


def test_from_the_tenth_different_message_on_they_are_combined() -> None:
    correlator = Correlator(FakeClock())
    told = tell(correlator, *(f"try {number}" for number in range(SIMILAR + 3)))
    assert [each.message for each in told[: SIMILAR - 1]] == [
        f"try {number}" for number in range(SIMILAR - 1)
    ]
    combined = told[SIMILAR - 1 :]
    assert [each.message for each in combined] == [f"{COMBINED}try {n}" for n in range(9, 13)]
    assert [each.count for each in combined] == [1, 2, 3, 4]
    assert len({each.key for each in told}) == SIMILAR


def test_other_objects_reasons_and_types_are_not_similar() -> None:
    correlator = Correlator(FakeClock())
    tell(correlator, *map(str, range(SIMILAR)))
    for other in (
        note("x", place="pod-b"),
        note("x", type="Warning"),
        Happening("pod-a", "Normal", "Started", "x"),
    ):
        told = correlator.correlate(other)
        assert told is not None and told.message == "x"


async def test_after_ten_quiet_minutes_nothing_is_similar_any_more() -> None:
    clock = FakeClock()
    correlator = Correlator(clock)
    for number in range(SIMILAR):  # each in time after the one before
        tell(correlator, str(number))
        await clock.advance(SIMILAR_SECONDS)
    assert tell(correlator, "a")[0].message == f"{COMBINED}a"
    await clock.advance(SIMILAR_SECONDS + 1)
    assert tell(correlator, "b")[0].message == "b"


async def test_an_object_gets_a_burst_and_then_one_in_five_minutes() -> None:
    clock = FakeClock()
    correlator = Correlator(clock)
    assert len(tell(correlator, *["x"] * 40)) == BURST
    assert len(tell(correlator, *["x"] * 40, place="pod-b")) == BURST
    assert correlator.correlate(note("x", type="Warning")) is not None
    await clock.advance(REFILL_SECONDS - 1)
    assert not tell(correlator, "x")
    await clock.advance(1)
    assert [each.count for each in tell(correlator, "x", "x")] == [42]
    await clock.advance(100 * REFILL_SECONDS)
    assert len(tell(correlator, *["x"] * 40)) == BURST


def test_what_could_not_be_written_was_not_told() -> None:
    correlator = Correlator(FakeClock())
    for _ in range(3 * BURST):
        correlator.undo(tell(correlator, "x")[0])
    told = tell(correlator, *["x"] * 40)
    assert [each.count for each in told] == list(range(1, BURST + 1))
    assert correlator.known(told[0], 7).count == 8
    assert tell(correlator, "y") == []


def test_a_long_message_is_cut_with_what_stands_before_it() -> None:
    correlator = Correlator(FakeClock())
    told = tell(correlator, *(str(number) + "x" * 5000 for number in range(SIMILAR)))
    assert {len(each.message) for each in told} == {LONGEST_MESSAGE}


def test_what_was_not_used_for_long_is_forgotten() -> None:
    recent: Recent[list[int]] = Recent(list)
    for number in range(MOST_KNOWN):
        recent[str(number)].append(number)
    assert recent["0"] == [0]
    assert recent["new"] == []
    assert (recent["0"], recent["1"]) == ([0], [])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=2)), max_size=80))
def test_never_more_events_than_their_object_is_granted(notes: list[tuple[str, str]]) -> None:
    correlator = Correlator(FakeClock())
    told = [correlator.correlate(note(message, place=place)) for place, message in notes]
    for place in "abc":
        mine = [each for each in told if each is not None and each.happening.place == place]
        wanted = [given for given in notes if given[0] == place]
        assert len(mine) == min(len(wanted), BURST)
        keys = [each.key for each in mine]
        assert all(
            each.count >= keys[: index + 1].count(each.key) for index, each in enumerate(mine)
        )
