"""Hands of queues."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.apiserver.flowcontrol.sharding import deal, hand_of


@settings(max_examples=100)
@given(st.integers(0, 2**64 - 1), st.integers(1, 512), st.integers(1, 6))
def test_a_hand_has_different_queues_of_the_deck(entropy: int, deck: int, size: int) -> None:
    size = min(size, deck)
    hand = deal(entropy, deck, size)
    assert len(set(hand)) == size
    assert all(0 <= card < deck for card in hand)


@pytest.mark.parametrize(
    ("entropy", "hand"), [(0, (0, 1, 2)), (5, (5, 0, 1)), (8 * 7 * 3 + 8 * 2 + 1, (1, 3, 5))]
)
def test_known_hands(entropy: int, hand: tuple[int, ...]) -> None:
    assert deal(entropy, 8, 3) == hand


def test_all_hands_are_equally_likely() -> None:
    hands = Counter(deal(entropy, 4, 2) for entropy in range(4 * 3 * 10))
    assert set(hands.values()) == {10}
    assert len(hands) == 12


def test_a_flow_keeps_its_hand_and_others_have_others() -> None:
    hands = {hand_of("schema", f"user-{i}", 128, 6) for i in range(200)}
    assert hand_of("schema", "user-7", 128, 6) in hands
    assert len(hands) == 200
    assert hand_of("other", "user-7", 128, 6) not in hands
    assert len(hand_of("schema", "\ud800", 128, 6)) == 6
