"""The group adds in one order and never waits for a dead peer."""

import socket
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from examples.digits.group import Group, PeerLost, receive_message, send_message
from examples.digits.network import Vector

DEADLINE = 10.0


def _pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = socket.create_connection(server.getsockname())
        return server.accept()[0], there


def _groups(world: int) -> list[Group]:
    pairs = {rank: _pair() for rank in range(1, world)}
    first = Group(0, world, {rank: pair[0] for rank, pair in pairs.items()})
    return [first, *(Group(rank, world, {0: pair[1]}) for rank, pair in pairs.items())]


def _sum(group: Group, array: Vector) -> Vector:
    return group.sum(array)


def test_everyone_gets_the_sum_in_the_order_of_ranks() -> None:
    # Added in any other order, these give another last bit.
    arrays = [np.array([value]) for value in (1.0, 1e16, -1e16, 3.0)]
    groups = _groups(len(arrays))
    with ThreadPoolExecutor(len(groups)) as pool:
        sums = list(pool.map(_sum, groups, arrays, timeout=DEADLINE))
    for group in groups:
        group.close()
    assert [float(total[0]) for total in sums] == [((1.0 + 1e16) - 1e16) + 3.0] * len(arrays)


def test_rank_0s_word_reaches_all() -> None:
    first, second = _groups(2)
    with first, second:
        first.from_first(b"word")
        assert second.from_first(b"another") == b"word"


@pytest.mark.parametrize("survivor", [0, 1])
def test_a_closed_connection_is_noticed(survivor: int) -> None:
    groups = _groups(2)
    with groups[survivor] as group:
        groups[1 - survivor].close()
        with pytest.raises(PeerLost, match=f"rank {1 - survivor} is gone"):
            group.sum(np.zeros(3))


def test_a_pause_ends_when_a_peer_goes_even_if_it_sent_something() -> None:
    first, second = _groups(2)
    with first:
        second._send(0, b"a gradient that came early")
        first.pause(0)
        second.close()
        with pytest.raises(PeerLost, match="rank 1 is gone"):
            first.pause(DEADLINE)


def test_a_peer_that_sends_another_size_is_refused() -> None:
    first, second = _groups(2)
    with first, second:
        second._send(0, bytes(16))
        with pytest.raises(PeerLost, match="sent 2 numbers instead of 3"):
            first.sum(np.zeros(3))


def test_a_message_must_be_whole_and_of_a_sane_length() -> None:
    for sent, message in ((b"\0\0", "connection closed"), (b"\xff" * 8, "was announced")):
        here, there = _pair()
        with here, there:
            there.sendall(sent)
            there.shutdown(socket.SHUT_WR)
            with pytest.raises(ConnectionError, match=message):
                receive_message(here)


def test_messages_keep_their_borders() -> None:
    here, there = _pair()
    with here, there:
        for content in (b"", b"one", b"two"):
            send_message(here, content)
        assert [receive_message(there) for _ in range(3)] == [b"", b"one", b"two"]
