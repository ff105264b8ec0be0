"""The scheduler of the embedded cluster, which begins with the first pod that has no node.

Until then nobody needs what it calculates with: NumPy takes twelve megabytes, and a tenth of a
second of the start.
"""

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

from argosy.api.core import Pod
from argosy.api.resource import Resource
from argosy.runtime.manager import Manager
from argosy.scheduler.kinds import OPTIONAL, READ

if TYPE_CHECKING:
    from argosy.scheduler.profiles import Setup


def missing(served: Collection[Resource]) -> frozenset[Resource]:
    """What the scheduler has to do without."""
    return frozenset(kind.resource for kind in OPTIONAL if kind.resource not in served)


def add_scheduler(
    manager: Manager,
    setup: "Setup | None" = None,
    *,
    served: Collection[Resource] | None = None,
) -> None:
    """Run the scheduler, as `setup` describes it, once it is needed.

    `served` are the resources that there are, where not all that it reads may be.
    """
    absent = frozenset() if served is None else missing(served)
    for kind in READ:
        if kind.resource not in absent:
            manager.informer(kind)
    needed = asyncio.Event()

    def look(old: Pod | None, new: Pod | None) -> None:
        if new is not None and not new.spec.node_name:
            needed.set()

    manager.informer(Pod).subscribe(look)

    async def run() -> None:
        await needed.wait()
        from argosy.scheduler.loop import Scheduler
        from argosy.scheduler.profiles import STANDARD

        await Scheduler(manager, setup or STANDARD, absent=absent).run()

    manager.add_runner(run)
