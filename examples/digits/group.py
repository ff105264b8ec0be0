"""The ranks of a run as a group of processes that add arrays over TCP.

Rank 0 listens where the rendezvous says, the others connect; an all-reduce sends every rank's
array to rank 0, which adds them in the order of ranks and sends the sum back. Adding in one order
makes the result the same to the last bit in every run. For a model of some kilobytes a star costs
one round trip; a ring would only pay for arrays of many megabytes.

How they find each other is told in `rendezvous`. Nobody ever waits for a dead peer: a closed
connection, also during a pause, or a silence of `PATIENCE` seconds is a `PeerLost`, on which a rank
exits, so that the gang restarts as a whole.
"""

import select
import socket
import struct
from collections.abc import Mapping
from typing import Self

import numpy as np

from .network import Vector

PATIENCE = 60.0
_LENGTH = struct.Struct("!Q")
_LONGEST = 64 * 1024 * 1024
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class PeerLost(Exception):
    """Another rank is gone or silent."""


class Group:
    """The connections of one rank: rank 0 has one to each other, the others one to rank 0."""

    def __init__(self, rank: int, world: int, peers: Mapping[int, socket.socket]) -> None:
        self.rank = rank
        self.world = world
        self._peers = dict(sorted(peers.items()))
        for peer in self._peers.values():
            peer.settimeout(PATIENCE)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the group; the others notice."""
        for peer in self._peers.values():
            peer.close()

    def sum(self, array: Vector) -> Vector:
        """The sum of every rank's `array`, bitwise the same in each."""
        if self.rank:
            self._send(0, array.tobytes())
            return self._array_from(0, array)
        total = array
        for rank in self._peers:
            total = total + self._array_from(rank, array)
        for rank in self._peers:
            self._send(rank, total.tobytes())
        return total

    def from_first(self, content: bytes) -> bytes:
        """Rank 0's `content`, in every rank; what the others pass doesn't count."""
        if self.rank:
            return self._receive(0)
        for rank in self._peers:
            self._send(rank, content)
        return content

    def pause(self, seconds: float) -> None:
        """Wait, and still notice at once when a peer goes."""
        poll = select.poll()
        for peer in self._peers.values():
            poll.register(peer, _GONE)
        for descriptor, _ in poll.poll(max(seconds, 0) * 1000):
            for rank, peer in self._peers.items():
                if peer.fileno() == descriptor:
                    raise PeerLost(f"rank {rank} is gone")

    def _array_from(self, rank: int, like: Vector) -> Vector:
        received = np.frombuffer(self._receive(rank), dtype=like.dtype)
        if received.shape != like.shape:
            raise PeerLost(f"rank {rank} sent {received.size} numbers instead of {like.size}")
        return received

    def _send(self, rank: int, content: bytes) -> None:
        try:
            send_message(self._peers[rank], content)
        except OSError as error:
            raise PeerLost(f"rank {rank} is gone ({error})") from error

    def _receive(self, rank: int) -> bytes:
        try:
            return receive_message(self._peers[rank])
        except OSError as error:
            raise PeerLost(f"rank {rank} is gone ({error})") from error


def send_message(peer: socket.socket, content: bytes) -> None:
    """Send one message: its length, then its bytes."""
    peer.sendall(_LENGTH.pack(len(content)) + content)


def receive_message(peer: socket.socket) -> bytes:
    """Receive one whole message. Raises OSError when it never comes."""
    (length,) = _LENGTH.unpack(_receive_exactly(peer, _LENGTH.size))
    if length > _LONGEST:
        raise ConnectionError(f"a message of {length} bytes was announced")
    return _receive_exactly(peer, length)


def _receive_exactly(peer: socket.socket, length: int) -> bytes:
    content = bytearray(length)
    view = memoryview(content)
    while view:
        received = peer.recv_into(view)
        if not received:
            raise ConnectionError("connection closed")
        view = view[received:]
    return bytes(content)
