"""What nodes offer: which resources at all, and how much of one."""

import logging
from collections import Counter

from argosy.api.core import Node
from argosy.scheduler.shape import LARGEST, amount

log = logging.getLogger(__name__)


class Offered:
    """The resources that some node offers, however many nodes do."""

    def __init__(self) -> None:
        self._counts = Counter[str]()

    def __contains__(self, resource: str) -> bool:
        return resource in self._counts

    def put(self, old: Node | None, new: Node | None) -> bool:
        """A node came, changed or went; whether there is now what there was not before."""
        gone = old.status.allocatable.keys() if old else ()
        there = new.status.allocatable.keys() if new else ()
        if gone == there:
            return False
        first = any(name not in self._counts for name in there)
        self._counts.update(there)
        self._counts.subtract(gone)
        for name in gone:
            if not self._counts[name]:
                del self._counts[name]
        return first


def offer_of(node: Node, resource: str) -> int:
    """How much the node offers; what is no quantity counts as nothing, so no pod relies on it."""
    value = node.status.allocatable.get(resource)
    if value is None:
        return 0
    try:
        return min(amount(resource, value), LARGEST)
    except ValueError:
        log.warning(
            "broken quantity",
            extra={"node": node.metadata.name, "resource": resource, "value": str(value)},
        )
        return 0
