"""In which domains room may be made for a gang that must be in one of them.

Those come first where pods of the lowest priorities are enough, then where the gang lacks least.
Where all of its pods are alike, domains that would be too small even without any pod of lower
priority are left out.
"""

import numpy as np

from argosy.scheduler.framework import Mask, UnschedulableError
from argosy.scheduler.gangs.domains import Domains, domains_of
from argosy.scheduler.gangs.room import Counts, room
from argosy.scheduler.gangs.tree import Gang
from argosy.scheduler.gangs.within import Within
from argosy.scheduler.holdings import Slots
from argosy.scheduler.placing import Placer
from argosy.scheduler.preemption.single import Preemptor
from argosy.scheduler.shape import shape_of
from argosy.scheduler.state import State

MOST = 4
"""So many domains are tried for one decision: in each of them the gang is placed anew."""
MOST_LEVELS = 8
"""Priorities are told apart so finely, where there are more of them."""


def clearable(state: State, placer: Placer, preemptor: Preemptor, gang: Gang) -> list[Within]:
    """The domains to try, best first; one without any row where none is worth it."""
    domains = domains_of(state.nodes, gang, gang.key or "", None)
    exempt = frozenset(pod.metadata.uid for pod in gang.pods)
    now = room(
        state,
        placer,
        gang.pods,
        topology=domains.topology,
        rows=domains.around.mask,
        exempt=exempt,
    )
    level = _levels(state, placer, preemptor, gang, domains)
    found = np.flatnonzero(domains.present & np.isfinite(level))
    order = found[np.lexsort((-now.most[found], level[found]))]
    nowhere = Within(np.zeros(state.nodes.size, dtype=np.bool_), ())
    return [domains.within(int(domain)) for domain in order[:MOST]] or [nowhere]


def _levels(
    state: State, placer: Placer, preemptor: Preemptor, gang: Gang, domains: Domains
) -> Counts:
    """Up to which priority pods have to go in each domain, to leave room enough; infinite where
    there is none whoever goes. Where the pods are not alike that can't be said: all are the same.
    """
    found = np.full(domains.topology.count + 1, np.inf)
    priority = min(pod.spec.priority for pod in gang.pods)
    exempt = frozenset(pod.metadata.uid for pod in gang.pods)
    try:
        alike = len({shape_of(pod) for pod in gang.pods}) == 1
        search = placer.search(gang.pods[0], exempt)
    except (UnschedulableError, ValueError):
        alike = False
    if not alike:
        return np.zeros_like(found)
    held = state.nodes.holdings
    levels = np.unique(held.priorities[held.below(priority)])
    # From the highest level down: what is left at the end is the lowest that does.
    for level in levels[:: -max(1, len(levels) // MOST_LEVELS)]:

        def spared(slots: Slots, above: int = int(level)) -> Mask:
            higher: Mask = held.priorities[slots] > above
            return higher

        each = preemptor.sketched(search, priority, spared).each
        found[domains.topology.by_domain(each) >= gang.needed] = level
    return found
