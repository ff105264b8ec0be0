"""When to come back."""

from argosy.apiserver.flowcontrol.retrying import LATEST, Retrying


def test_it_begins_with_a_second() -> None:
    retrying = Retrying()
    assert [retrying.refused(0.1) for _ in range(100)] == [1] * 100


def test_it_doubles_while_many_are_refused_and_falls_after() -> None:
    retrying = Retrying()
    for second in range(400):
        for _ in range(200):
            retrying.refused(second)
    assert retrying.seconds == LATEST
    assert retrying.refused(1000) == LATEST - 1
    for second in range(1100, 1100 + 100 * LATEST, 100):
        retrying.refused(second)
    assert retrying.seconds == 1


def test_a_few_change_nothing() -> None:
    retrying = Retrying()
    assert {retrying.refused(second) for second in range(50)} == {1}
