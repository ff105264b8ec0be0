"""How long a simulated pod runs, and whether it fails."""

from datetime import timedelta

import pytest

from argosy.node.simulated.runs import FAILURES, RUN, Run, drawn, duration, rate, read_run


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("0", 0), ("0.5", 0.5), (".5", 0.5), ("90s", 90), ("5m", 300), ("1h30m", 5400)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must be a number of seconds or a duration"),
        ("soon", "must be a number of seconds or a duration"),
        ("1 h", "must be a number of seconds or a duration"),
        ("1e3", "must be a number of seconds or a duration"),
        ("nan", "must be a number of seconds or a duration"),
        ("9" * 80, "must be a number of seconds or a duration"),
        ("-5s", "must be between 0 and 87600h"),
        ("999999h", "must be between 0 and 87600h"),
        ("9999999999", "must be"),
    ],
)
def test_bad_durations(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        duration(text)


@pytest.mark.parametrize("text", ["", "-0.1", "1.01", "nan", "inf", "a", "1_0", "0." + "1" * 99])
def test_bad_rates(text: str) -> None:
    with pytest.raises(ValueError, match="must be a number between 0 and 1"):
        rate(text)


def test_a_pod_without_annotations_has_no_end() -> None:
    assert read_run({}, "u", 0.0) == Run(None, fails=False)


def test_the_pods_rate_counts_more_than_the_nodes() -> None:
    assert read_run({}, "u", 1.0).fails
    assert not read_run({FAILURES: "0"}, "u", 1.0).fails
    assert read_run({FAILURES: "1"}, "u", 0.0).fails


def test_what_is_wrong_is_told_with_its_place() -> None:
    with pytest.raises(ValueError) as caught:
        read_run({RUN: "soon" * 100}, "u", 0.0)
    told = str(caught.value)
    assert told.startswith(f'metadata.annotations[{RUN}]: Invalid value: "soonsoon')
    assert len(told) < 250
    with pytest.raises(ValueError, match=r"simulated-failure-rate\]: Invalid value: \"2\""):
        read_run({FAILURES: "2"}, "u", 0.0)


def test_lots_are_evenly_spread_and_always_the_same() -> None:
    lots = [drawn(f"uid-{i}") for i in range(2000)]
    assert lots == [drawn(f"uid-{i}") for i in range(2000)]
    assert all(0 <= lot < 1 for lot in lots)
    assert 0.27 < sum(lot < 0.3 for lot in lots) / 2000 < 0.33


def test_who_has_a_low_lot_fails() -> None:
    uids = [f"uid-{number}" for number in range(100)]
    failed = {uid for uid in uids if read_run({}, uid, 0.5).fails}
    assert failed == {uid for uid in uids if drawn(uid) < 0.5}
    assert 20 < len(failed) < 80
