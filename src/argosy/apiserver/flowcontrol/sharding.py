"""Shuffle sharding: each flow is dealt a small hand of the queues by its hash.

Two flows may share a queue, but hardly ever a whole hand; so a flood fills its own hand and leaves
nearly everybody a queue that it is not in. Source: apiserver's `util/shufflesharding`.
"""

from functools import lru_cache
from hashlib import sha256


@lru_cache(maxsize=1024)
def hand_of(schema: str, flow: str, queues: int, size: int) -> tuple[int, ...]:
    """The queues that the flow is dealt: `size` of `queues`, each once."""
    digest = sha256(f"{schema}\0{flow}".encode("utf-8", "surrogatepass")).digest()
    return deal(int.from_bytes(digest[:8], "little"), queues, size)


def deal(entropy: int, deck: int, size: int) -> tuple[int, ...]:
    """`size` different numbers below `deck`; all hands are equally likely."""
    remainders = []
    for i in range(size):
        entropy, remainder = divmod(entropy, deck - i)
        remainders.append(remainder)
    cards = []
    for i, card in enumerate(remainders):
        for before in reversed(remainders[:i]):
            if card >= before:
                card += 1
        cards.append(card)
    return tuple(cards)
