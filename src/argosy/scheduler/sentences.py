"""Why no node has room, in kube-scheduler's words."""

from collections import Counter
from collections.abc import Mapping, Sequence

from argosy.scheduler.framework import Lack

NO_NODES = "no nodes available to schedule pods"


def available(count: int, reasons: Mapping[str, int], lacks: Sequence[Lack] = ()) -> str:
    """The reasons of `count` nodes, counted; one node's lack in brackets."""
    if count == 0:
        return NO_NODES
    total = Counter(reasons)
    details: dict[str, str] = {}
    for lack in lacks:
        total[lack.reason] += 1
        details.setdefault(lack.reason, lack.detail)
    parts = [
        f"{number} {reason}{_bracket(details.get(reason, ''), number)}"
        for reason, number in total.items()
    ]
    return f"0/{count} nodes are available: {', '.join(sorted(parts))}."


def shortage(resource: str) -> str:
    """A node has too little of this."""
    return "Too many pods" if resource == "pods" else f"Insufficient {resource}"


def _bracket(detail: str, number: int) -> str:
    if not detail:
        return ""
    return f" ({detail})" if number == 1 else f" (e.g. {detail})"
