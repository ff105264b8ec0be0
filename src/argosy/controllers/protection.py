"""Finalizers that hold what is in use: when they may go, and how they come and go.

Admission gives them to new objects. While an object is not being deleted it shall have its
finalizer; once it is, the finalizer stays until nobody uses the object. Each kind's own rule of
what use is stands in a module beside this one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from argosy.api.meta import Object
from argosy.api.resource import Resource
from argosy.client.client import Client
from argosy.runtime.controller import Result
from argosy.runtime.finalizers import hold, let_go

Unused = Callable[[], Awaitable[bool]]
WAITING = Result(after=15.0)
"""Somebody uses it. Their end is an event; should it be missed, this is how late it is seen."""


@dataclass(frozen=True, slots=True)
class Protection:
    """The finalizer of `resource`. With `restored`, objects that are not deleted get it back."""

    client: Client
    resource: Resource
    finalizer: str
    restored: bool = True

    async def keep(self, obj: Object, unused: Unused) -> bool:
        """Give the finalizer, or take it where nobody uses the object; False while it waits."""
        if not obj.metadata.deletion_timestamp:
            if self.restored:
                await hold(self.client, obj, self.finalizer, resource=self.resource)
        elif self.finalizer in obj.metadata.finalizers:
            if not await unused():
                return False
            await let_go(self.client, obj, self.finalizer, resource=self.resource)
        return True
