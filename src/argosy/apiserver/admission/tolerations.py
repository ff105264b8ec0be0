"""Which of several tolerations another one makes needless."""

from collections.abc import Sequence

from argosy.apiserver.admission.rule import Json


def merged(every: Sequence[Json]) -> list[Json]:
    """Those that say something which no other says; of equal ones the first."""
    kept: list[Json] = []
    for i, one in enumerate(every):
        later = (other for other in every[i + 1 :] if other != one)
        if not any(_covers(other, one) for other in (*kept, *later)):
            kept.append(one)
    return kept


def _covers(wide: Json, one: Json) -> bool:
    """Whether `wide` tolerates all that `one` does."""
    if wide == one:
        return True
    anything = wide.get("operator") == "Exists"
    if (one.get("key") or "") != (wide.get("key") or "") and (wide.get("key") or not anything):
        return False
    if (one.get("effect") or "") != (wide.get("effect") or "") and wide.get("effect"):
        return False
    if wide.get("effect") == "NoExecute" and wide.get("tolerationSeconds") is not None:
        seconds = one.get("tolerationSeconds")
        if seconds is None or seconds > wide["tolerationSeconds"]:
            return False
    if anything:
        return True
    return _operator(wide) == _operator(one) and (wide.get("value") or "") == (
        one.get("value") or ""
    )


def _operator(toleration: Json) -> str:
    return str(toleration.get("operator") or "Equal")
