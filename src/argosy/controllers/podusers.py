"""Which pods use something: by name in the cache, and, before it may go, at the server.

The cache answers most questions, at no more than the users' own cost, however many pods there are.
But it may lag: that it knows no user does not mean that there is none. So that is asked of the
server, with one list of a namespace's pods for all that was deleted before it was made.
"""

from collections.abc import Callable, Iterable

from argosy.api.core import Pod
from argosy.api.meta import Key, Object
from argosy.client.client import Client
from argosy.runtime.informer import Informer

Names = Callable[[Pod], Iterable[str]]
Uses = Callable[[Pod], bool]


class PodUsers:
    """Pods by what they use: `names` tells the names, in a pod's namespace."""

    def __init__(self, client: Client, pods: Informer[Pod], names: Names) -> None:
        self._client = client
        self._pods = pods
        self._names = names
        self._newest = ("", 0, frozenset[str]())  # namespace, revision, the names that are used
        pods.add_index((PodUsers, names), self.keys)

    def keys(self, pod: Pod) -> set[Key]:
        """The keys of what the pod uses."""
        return {(pod.metadata.namespace, name) for name in self._names(pod)}

    async def unused(self, obj: Object, uses: Uses) -> bool:
        """Whether no pod uses the object, which is being deleted."""
        return not self._cached(obj, uses) and not await self._listed(obj, uses)

    def _cached(self, obj: Object, uses: Uses) -> bool:
        return any(map(uses, self._pods.by_index((PodUsers, self._names), obj.key)))

    async def _listed(self, obj: Object, uses: Uses) -> bool:
        """A list is good for all that was deleted before it, as long as it names no user: what is
        being deleted gets no new ones that matter.
        """
        meta = obj.metadata
        namespace, revision, used = self._newest
        fresh = namespace == meta.namespace and revision >= int(meta.resource_version)
        if fresh and meta.name not in used:
            return False
        found = await self._client.list(Pod, meta.namespace)
        names = frozenset(name for pod in found.items for name in self._names(pod))
        self._newest = (meta.namespace, int(found.metadata.resource_version), names)
        return meta.name in names and any(map(uses, found.items))
