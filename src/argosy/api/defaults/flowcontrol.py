"""Defaults of `flowcontrol.apiserver.k8s.io`, by which zero means "not said"."""

from collections.abc import Callable, Mapping

from argosy.api.defaults.fill import Json, fill

QUEUING = {"handSize": 8, "queues": 64, "queueLengthLimit": 50}
KEEPS_ZERO = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares"


def _flow_schema(schema: Json) -> None:
    spec = schema["spec"]
    spec["matchingPrecedence"] = spec.get("matchingPrecedence") or 1000


def _priority_level(level: Json) -> None:
    spec = level["spec"]
    if "exempt" in spec:
        fill(spec["exempt"], {"nominalConcurrencyShares": 0, "lendablePercent": 0})
    if "limited" not in spec:
        return
    limited = spec["limited"]
    if _zero_is_unsaid(level) and not limited.get("nominalConcurrencyShares"):
        limited.pop("nominalConcurrencyShares", None)
    fill(limited, {"nominalConcurrencyShares": 30, "lendablePercent": 0})
    queuing = limited["limitResponse"].get("queuing")
    if queuing is not None:
        queuing.update({name: queuing.get(name) or value for name, value in QUEUING.items()})


def _zero_is_unsaid(level: Json) -> bool:
    """In v1beta3 a level of no shares must say that it means it."""
    annotations = level["metadata"].get("annotations") or {}
    return bool(level["apiVersion"].endswith("/v1beta3")) and KEEPS_ZERO not in annotations


DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "FlowSchema": _flow_schema,
    "PriorityLevelConfiguration": _priority_level,
}
