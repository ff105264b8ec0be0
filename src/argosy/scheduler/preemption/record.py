"""What preemption comes to: who goes, for whom; told in a decision, carried out by the binder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from argosy.api.core import Pod
from argosy.api.meta import condition
from argosy.scheduler.holdings import priority_of, started
from argosy.scheduler.occupants import Occupant

TARGET = "DisruptionTarget"
BY_SCHEDULER = "PreemptionByScheduler"

OFFSET = 2**31
"""Added to each priority of a sum, so that more victims of negative priority are no gain."""


@dataclass(frozen=True, slots=True)
class Victim:
    """A pod that has to go from its node."""

    pod: Pod
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preemption:
    """`victims` go for the preemptor, which is nominated already; `displaced` are pods of lower
    priority that were nominated for the same room."""

    scheduler: str
    kind: Literal["pod", "podgroup"]
    uid: str
    victims: tuple[Victim, ...]
    displaced: tuple[Pod, ...] = ()
    preemptors: tuple[Pod, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that the pod fits on once the victims are gone, the most important of them first."""

    row: int
    victims: tuple[Occupant, ...]
    violations: int

    @property
    def key(self) -> tuple[int, int, int, int, float, int]:
        """Of two candidates the one with the lower key is taken. Source: kube-scheduler's choice
        of a node for preemption."""
        levels = [priority_of(victim.pod) for victim in self.victims]
        highest = max(levels)
        earliest = min(
            started(victim.pod)
            for victim, level in zip(self.victims, levels, strict=True)
            if level == highest
        )
        total = sum(level + OFFSET for level in levels)
        return (self.violations, highest, total, len(levels), -earliest, self.row)


def importance(victim: Occupant) -> tuple[int, float]:
    """Sorts the more important pods first: by priority, then those that started earlier."""
    return (-priority_of(victim.pod), started(victim.pod))


def leaving(pod: Pod) -> bool:
    """Whether the pod is on its way out because this scheduler told it to go."""
    if pod.metadata.deletion_timestamp is None:
        return False
    told = condition(pod.status.conditions, TARGET)
    return told is not None and (told.status, told.reason) == ("True", BY_SCHEDULER)


def victims_of(victims: Sequence[Occupant], node: str) -> tuple[Victim, ...]:
    """The pods as they go from `node`."""
    return tuple(Victim(victim.pod, node) for victim in victims)
