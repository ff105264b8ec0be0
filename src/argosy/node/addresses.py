"""Addresses of pods that share the machine's network: loopback addresses of their own.

A node takes a block 127.X.0.0/16 by listening on 127.X.0.1:10250 for as long as it lives, so that
two of them on one machine never hand out the same address. Nothing is served there: logs and the
like go through the API server.
"""

import socket
from collections.abc import Iterable

PORT = 10250
BLOCKS = range(64, 255)
_FIRST, _LAST = 2, 65_534  # host parts; 1 is the node itself


class AddressBlock:
    """The block of one node. Use `claim`."""

    def __init__(self, number: int, listener: socket.socket) -> None:
        self.node = f"127.{number}.0.1"
        self._number = number
        self._listener = listener
        self._owners: dict[str, str] = {}  # by address
        self._last = _FIRST - 1

    @classmethod
    def claim(cls, blocks: Iterable[int] = BLOCKS) -> "AddressBlock":
        """The first free block. Raises OSError where none is."""
        for number in blocks:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                listener.bind((f"127.{number}.0.1", PORT))
                listener.listen(1)
            except OSError:
                listener.close()
                continue
            return cls(number, listener)
        raise OSError("no loopback block 127.X.0.0/16 is free for the addresses of pods")

    def assign(self, uid: str, wanted: str = "") -> str:
        """An address for the pod `uid`: the one it has, the `wanted` one if free, or the next."""
        for address, owner in self._owners.items():
            if owner == uid:
                return address
        prefix = f"127.{self._number}."
        if wanted.startswith(prefix) and wanted != self.node and wanted not in self._owners:
            address = wanted
        else:
            address = self._next()
        self._owners[address] = uid
        return address

    def release(self, uid: str) -> None:
        """The pod `uid` is gone."""
        self._owners = {address: owner for address, owner in self._owners.items() if owner != uid}

    def close(self) -> None:
        """Give the block back."""
        self._listener.close()

    def _next(self) -> str:
        """Round and round, so that an address rests before somebody else gets it."""
        for _ in range(_FIRST, _LAST + 1):
            self._last = self._last + 1 if self._last < _LAST else _FIRST
            address = f"127.{self._number}.{self._last >> 8}.{self._last & 255}"
            if address not in self._owners:
                return address
        raise OSError("all addresses of this node's block are in use")
