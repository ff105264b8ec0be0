"""What a profile says of reservations, and what a pod costs while there is none."""

from typing import Any

import pytest

from argosy.scheduler.plugins.table import FACTORIES, PLUGINS
from argosy.scheduler.reserving.keeping import NAME, RESERVATION, configured, keeping
from argosy.scheduler.state import State
from tests.scheduler.builders import pod


@pytest.mark.parametrize("seconds", [0, 60, 86_400])
def test_a_profile_says_how_long(seconds: int) -> None:
    made = configured({"patienceSeconds": seconds})
    assert (made.name, made.patience, made.survey) == (NAME, seconds, RESERVATION.survey)


def test_without_a_word_it_is_as_ever() -> None:
    assert configured({}) == RESERVATION


WRONG: dict[str, tuple[Any, str]] = {
    "negative": (-1, "patienceSeconds: Invalid value: -1: not in valid range [0, 86400]"),
    "huge": (86_401, "patienceSeconds: Invalid value: 86401: not in valid range [0, 86400]"),
    "text": ("1", "patienceSeconds: Invalid value: expected int | null, got str"),
}


@pytest.mark.parametrize(("value", "text"), WRONG.values(), ids=WRONG)
def test_nonsense_is_refused(value: Any, text: str) -> None:
    with pytest.raises(ValueError, match="patienceSeconds") as caught:
        configured({"patienceSeconds": value})
    assert str(caught.value) == text


def test_it_is_offered_to_profiles_and_there_without_being_named() -> None:
    assert FACTORIES[NAME] is configured
    assert NAME not in [plugin.name for plugin in PLUGINS]


def test_where_nothing_is_reserved_there_is_nothing_to_look_at() -> None:
    assert keeping(State(), pod("p")) is None
