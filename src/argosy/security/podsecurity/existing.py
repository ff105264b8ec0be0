"""What a stricter namespace is told of the pods that are in it already. They stay."""

from collections.abc import Sequence

import msgspec

from argosy.api.meta import ObjectMeta, View
from argosy.security.podsecurity.evaluate import evaluate, in_short
from argosy.security.podsecurity.levels import Standard

MOST = 3000
"""Pods that are looked at."""


class ExistingPod(View, frozen=True, kw_only=True):
    """A stored pod; its spec is decoded when it is its turn."""

    metadata: ObjectMeta = ObjectMeta()
    spec: msgspec.Raw = msgspec.Raw(b"{}")


def told(
    namespace: str,
    standard: Standard,
    pods: Sequence[ExistingPod],
    *,
    total: int,
    newest: int | None = None,
) -> list[str]:
    """The warnings about `pods`, of `total` that there are: one for all with the same findings."""
    checked = _one_of_each(pods)[:MOST]
    names: dict[str, list[str]] = {}
    for pod in checked:
        metadata = {"annotations": pod.metadata.annotations}
        spec = msgspec.json.decode(pod.spec)
        if found := evaluate(standard, metadata, spec, newest=newest):
            names.setdefault(in_short(found), []).append(pod.metadata.name)
    warnings: list[str] = []
    if len(checked) < total:
        warnings.append(
            "new PodSecurity enforce level only checked against "
            f"the first {len(checked)} of {total} existing pods"
        )
    if names:
        warnings.append(
            f'existing pods in namespace "{namespace}" violate '
            f'the new PodSecurity enforce level "{standard}"'
        )
    return warnings + sorted(f"{_named(which)}: {why}" for why, which in names.items())


def _one_of_each(pods: Sequence[ExistingPod]) -> list[ExistingPod]:
    """One pod of each controller first: the others are like it."""
    first: list[ExistingPod] = []
    like: list[ExistingPod] = []
    seen: set[str] = set()
    for pod in pods:
        owner = next((one.uid for one in pod.metadata.owner_references if one.controller), None)
        (like if owner in seen else first).append(pod)
        if owner is not None:
            seen.add(owner)
    return first + like


def _named(pods: Sequence[str]) -> str:
    others = len(pods) - 1
    if not others:
        return pods[0]
    return f"{min(pods)} (and {others} other pod{'s' * (others > 1)})"
