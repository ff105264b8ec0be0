"""How the ranks of a run find each other: by the environment that Kubeflow Trainer sets.

Ranks start in any order, names may not resolve yet, and an earlier try's rank 0 may still hold the
port; so everything is tried again until a deadline. Rank 0 listens on the address that its own
name resolves to and on no other: pods of one machine share its ports, each at its own address.
"""

import json
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from .group import Group, receive_message, send_message

PATIENCE = 30.0
PAUSE = 0.05
_GREETING_PATIENCE = 5.0


class BadEnvironment(Exception):
    """The environment doesn't say who this rank is."""


class NoRendezvous(Exception):
    """The ranks did not all come together in time."""


@dataclass(frozen=True, slots=True)
class Rendezvous:
    """Where the ranks meet, who this one is, and which run it wants to be part of."""

    rank: int
    world: int
    host: str
    port: int
    run: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, run: str = "") -> Self:
        """Read what the torch policy sets. Raises BadEnvironment, naming it.

        One process a node: `auto` leaves the number to the program, and this one takes one.
        """
        if environment.get("PET_NPROC_PER_NODE", "1") not in ("1", "auto"):
            raise BadEnvironment("PET_NPROC_PER_NODE must be 1: this is one process a node")
        world = _number(environment, "PET_NNODES", "1")
        rank = _number(environment, "PET_NODE_RANK", "0")
        if rank >= world:
            raise BadEnvironment(f"PET_NODE_RANK is {rank}, but PET_NNODES is {world}")
        host = environment.get("PET_MASTER_ADDR", "")
        if world > 1 and not host:
            raise BadEnvironment("PET_MASTER_ADDR must name rank 0's host")
        return cls(rank, world, host, _number(environment, "PET_MASTER_PORT", "29500"), run)

    def meet(self, *, patience: float = PATIENCE) -> Group:
        """Wait at most `patience` seconds for all ranks. Raises NoRendezvous."""
        if self.world == 1:
            return Group(0, 1, {})
        deadline = time.monotonic() + patience
        if self.rank:
            first = _until(deadline, lambda: self._join(deadline), f"reaching rank 0 at {self}")
            return Group(self.rank, self.world, {0: first})
        server = _until(deadline, self._listen, f"listening on {self}")
        with server:
            return Group(0, self.world, self._gather(server, deadline))

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def _listen(self) -> socket.socket:
        family, *_, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=self.world)

    def _gather(self, server: socket.socket, deadline: float) -> dict[int, socket.socket]:
        peers: dict[int, socket.socket] = {}
        while len(peers) < self.world - 1:
            server.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                peer, _ = server.accept()
            except TimeoutError:
                missing = [rank for rank in range(1, self.world) if rank not in peers]
                raise NoRendezvous(f"waiting for ranks {missing}: they did not come") from None
            rank = self._greet(peer)
            if rank is None:
                peer.close()
                continue
            # A rank that comes again was restarted while others were still on their way.
            earlier = peers.pop(rank, None)
            if earlier is not None:
                earlier.close()
            peers[rank] = peer
        return peers

    def _greet(self, peer: socket.socket) -> int | None:
        """Who `peer` is, or None (and a line why) if it is no rank of this run."""
        peer.settimeout(_GREETING_PATIENCE)
        try:
            rank, world, run = json.loads(receive_message(peer))
            if (world, run) != (self.world, self.run) or rank not in range(1, self.world):
                raise ValueError(f"rank {rank} of {world}, run {run!r}, is none of ours")
            send_message(peer, b"welcome")
        except (OSError, ValueError, TypeError) as error:
            print(f"rank 0: a caller was sent away: {error}", file=sys.stderr, flush=True)
            return None
        return int(rank)

    def _join(self, deadline: float) -> socket.socket:
        left = max(deadline - time.monotonic(), 0.001)
        peer = socket.create_connection((self.host, self.port), timeout=left)
        try:
            send_message(peer, json.dumps([self.rank, self.world, self.run]).encode())
            receive_message(peer)
        except OSError:
            peer.close()
            raise
        return peer


def _number(environment: Mapping[str, str], name: str, default: str) -> int:
    text = environment.get(name, default)
    if not (text.isascii() and text.isdecimal()):
        raise BadEnvironment(f"{name} must be a whole number, but is {text!r}")
    return int(text)


def _until(deadline: float, attempt: Callable[[], socket.socket], what: str) -> socket.socket:
    """What `attempt` gives, tried again and again while the network says no."""
    while True:
        try:
            return attempt()
        except OSError as error:
            if time.monotonic() + PAUSE >= deadline:
                raise NoRendezvous(f"{what}: {error}") from error
            time.sleep(PAUSE)
