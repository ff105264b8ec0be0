"""Addresses of simulated pods, of which nothing listens: 10.128.0.0/9, each given to one pod.

Which are taken is known from the pods themselves, so that nothing is given twice after a restart.
"""

from ipaddress import IPv4Address, IPv4Network
from typing import Final

from argosy.api.core import Pod

BLOCK: Final = IPv4Network("10.128.0.0/9")
_FIRST: Final = int(BLOCK.network_address)


class PodAddresses:
    """Gives them in turn, and none that a pod has."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._last = 0

    def changed(self, old: Pod | None, new: Pod | None) -> None:
        """A pod came, changed or went."""
        before = "" if old is None else old.status.pod_ip
        after = "" if new is None else new.status.pod_ip
        if before != after:
            self._taken.discard(before)
            if after:
                self._taken.add(after)

    def next(self) -> str:
        """A free one. There are more than the pods of any cluster."""
        while True:
            self._last = self._last % (BLOCK.num_addresses - 2) + 1
            address = str(IPv4Address(_FIRST + self._last))
            if address not in self._taken:
                return address
