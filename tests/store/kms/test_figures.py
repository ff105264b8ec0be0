"""What is counted of a plugin stays within bounds."""

from argosy.store.kms.figures import BOUNDS, MOST_KEYS, Figures


def test_the_keys_that_were_used_last_are_counted() -> None:
    figures = Figures()
    figures.used("to_storage", "first")
    for number in range(MOST_KEYS - 1):
        figures.used("to_storage", str(number))
    figures.used("to_storage", "first")
    figures.used("from_storage", "first")
    assert len(figures.uses) == MOST_KEYS
    assert figures.uses["to_storage", "first"] == 2
    assert ("to_storage", "0") not in figures.uses


def test_seconds_fall_into_buckets() -> None:
    figures = Figures()
    for seconds in (0.0001, 0.5, 1000.0):
        figures.called("Status", "OK", seconds)
    counts, total = figures.calls["Status", "OK"]
    assert (len(counts), sum(counts), total) == (len(BOUNDS) + 1, 3, 1000.5001)
    assert (counts[0], counts[-1]) == (1, 1)
