"""What is left in a namespace that is being deleted, and the conditions that say so. Pure.

Types, reasons and sentences are those of Kubernetes' namespace controller.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from argosy.api.meta import Condition
from argosy.api.resource import Resource
from argosy.controllers.ownership import Trace
from argosy.runtime.conditions import with_condition

FINE: tuple[Condition, ...] = tuple(
    Condition(type=kind, status="False", reason=reason, message=message)
    for kind, reason, message in (
        (
            "NamespaceDeletionDiscoveryFailure",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
        (
            "NamespaceFinalizersRemaining",
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished",
        ),
    )
)
"""The conditions of a namespace in which nothing is left."""


@dataclass(slots=True)
class Remains:
    """What is left: objects by kind, objects by finalizer, and what went wrong."""

    kinds: Counter[Resource] = field(default_factory=Counter)
    finalizers: Counter[str] = field(default_factory=Counter)
    failures: list[Exception] = field(default_factory=list)
    undiscovered: str = ""  # why there may be kinds that nobody has looked for

    def add(self, resource: Resource, traces: Iterable[Trace]) -> None:
        """These objects of a kind are still there."""
        for trace in traces:
            self.kinds[resource] += 1
            self.finalizers.update(trace.finalizers)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What is to be said, in the order in which Kubernetes says it."""
        bad = {item.type: item for item in self._bad()}
        return tuple(bad.get(item.type, item) for item in FINE)

    def _bad(self) -> Iterable[Condition]:
        if self.undiscovered:
            yield Condition(
                type="NamespaceDeletionDiscoveryFailure",
                status="True",
                reason="DiscoveryFailed",
                message=self.undiscovered,
            )
        if self.failures:
            texts = ", ".join(sorted(map(str, self.failures)))
            yield Condition(
                type="NamespaceDeletionContentFailure",
                status="True",
                reason="ContentDeletionFailed",
                message="Failed to delete all resource types, "
                f"{len(self.failures)} remaining: {texts}",
            )
        if self.kinds:
            texts = ", ".join(
                sorted(
                    f"{kind.plural}.{kind.group} has {count} resource instances"
                    for kind, count in self.kinds.items()
                )
            )
            yield Condition(
                type="NamespaceContentRemaining",
                status="True",
                reason="SomeResourcesRemain",
                message=f"Some resources are remaining: {texts}",
            )
        if self.finalizers:
            texts = ", ".join(
                sorted(
                    f"{name} in {count} resource instances"
                    for name, count in self.finalizers.items()
                )
            )
            yield Condition(
                type="NamespaceFinalizersRemaining",
                status="True",
                reason="SomeFinalizersRemain",
                message=f"Some content in the namespace has finalizers remaining: {texts}",
            )


def told(known: Sequence[Condition], remains: Remains, now: str) -> tuple[Condition, ...]:
    """The namespace's conditions, `known` before, with what is to be said of `remains`."""
    conditions = tuple(known)
    for item in remains.conditions:
        conditions = with_condition(conditions, item, now)
    return conditions
