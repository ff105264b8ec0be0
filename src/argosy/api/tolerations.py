"""Whether a toleration covers a taint. Source: Kubernetes' "Taints and Tolerations"."""

from collections.abc import Iterable, Sequence

from argosy.api.core import Taint, Toleration


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """An empty effect covers all effects; an empty key with Exists covers all keys.

    `Lt` and `Gt` (alpha upstream) cover nothing here.
    """
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    equal = toleration.operator in ("", "Equal")
    return equal and toleration.key == taint.key and toleration.value == taint.value


def untolerated(
    taints: Iterable[Taint], tolerations: Sequence[Toleration], effects: Sequence[str]
) -> list[Taint]:
    """The taints of these effects that no toleration covers."""
    return [
        taint
        for taint in taints
        if taint.effect in effects and not any(tolerates(item, taint) for item in tolerations)
    ]
