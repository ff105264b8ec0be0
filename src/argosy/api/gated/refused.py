"""What a closed gate refuses: values that are none without it, where dropping a field won't do.

What the old object has already may stay.
"""

from collections.abc import Callable, Mapping

from argosy.api.gates import Gates, gate
from argosy.api.validation.rule import Json
from argosy.base.errors import FieldError, invalid_value

Rule = Callable[[Json, Json | None], list[FieldError]]


def _no_zero(new: Json, old: Json | None) -> list[FieldError]:
    least = new["spec"].get("minReplicas")
    if least != 0 or (old is not None and old["spec"].get("minReplicas") == 0):
        return []
    return [invalid_value("spec.minReplicas", least, "must be greater than or equal to 1")]


REFUSED: Mapping[str, tuple[str, Rule]] = {
    "HorizontalPodAutoscaler": ("HPAScaleToZero", _no_zero),
}
"""By kind: the gate, and what its being closed refuses."""


def refused(kind: str, gates: Gates, new: Json, old: Json | None) -> list[FieldError]:
    """What is wrong with an object for closed gates."""
    name, rule = REFUSED.get(kind, ("", None))
    if rule is None or gates.open(name) or gate(name).at(gates.minor) is None:
        return []
    return rule(new, old)
