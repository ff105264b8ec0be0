"""The scheduler of the embedded cluster, which begins with the first pod that has no node.

Until then nobody needs what it calculates with: NumPy takes twelve megabytes, and a tenth of a
second of the start.
"""

import asyncio

from argosy.api.core import Node, Pod
from argosy.api.dra import DeviceClass, ResourceClaim, ResourceSlice
from argosy.api.meta import Object
from argosy.api.scheduling import PodGroup
from argosy.runtime.manager import Manager

READ: tuple[type[Object], ...] = (Node, Pod, DeviceClass, ResourceClaim, ResourceSlice, PodGroup)
"""What the scheduler reads; the manager must know it before it runs."""


def add_scheduler(manager: Manager) -> None:
    """Run the scheduler once it is needed."""
    for kind in READ:
        manager.informer(kind)
    needed = asyncio.Event()

    def look(old: Pod | None, new: Pod | None) -> None:
        if new is not None and not new.spec.node_name:
            needed.set()

    manager.informer(Pod).subscribe(look)

    async def run() -> None:
        await needed.wait()
        from argosy.scheduler.loop import Scheduler

        await Scheduler(manager).run()

    manager.add_runner(run)
