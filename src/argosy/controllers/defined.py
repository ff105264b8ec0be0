"""The garbage collector's view of kinds that users define: followed while they are there."""

import asyncio
from collections.abc import Iterable

from argosy.api.extensions.definition import CustomResourceDefinition
from argosy.api.resource import Resource
from argosy.base.clock import Clock
from argosy.client.client import Client
from argosy.controllers.customresources import defined
from argosy.controllers.ownership import Graph
from argosy.controllers.tracing import Tracer
from argosy.runtime.informer import Informer


class Defined:
    """Keeps one tracer for each kind that is defined, and tells the graph of the kinds.

    A kind is let go of when its definition is: its objects are gone by then.
    """

    def __init__(
        self,
        client: Client,
        clock: Clock,
        graph: Graph,
        definitions: Informer[CustomResourceDefinition],
        built_in: Iterable[Resource],
    ) -> None:
        self._client = client
        self._clock = clock
        self._graph = graph
        self._definitions = definitions
        self._kinds = defined(definitions, built_in)
        self._tracing: dict[tuple[str, str], tuple[Tracer, asyncio.Task[None]]] = {}

    @property
    def tracers(self) -> list[Tracer]:
        """Of the kinds that are followed now."""
        return [tracer for tracer, _ in self._tracing.values()]

    async def follow(self, group: asyncio.TaskGroup) -> None:
        """Follow all kinds that there are and will be; return when those that are were listed."""
        await self._definitions.synced.wait()
        for tracer in self._renew(group):
            await tracer.synced.wait()
        self._definitions.subscribe(lambda old, new: self._changed(group))

    def _changed(self, group: asyncio.TaskGroup) -> None:
        self._renew(group)

    def _renew(self, group: asyncio.TaskGroup) -> list[Tracer]:
        """Follow the kinds that there are and no others; the tracers that are new."""
        now = {(kind.group, kind.plural): kind for kind in self._kinds()}
        for place, (tracer, task) in list(self._tracing.items()):
            known = tracer.resource
            if now.get(place) != known:
                task.cancel()
                del self._tracing[place]
                self._graph.kinds.pop((known.group, known.kind), None)
        fresh = [place for place in now if place not in self._tracing]
        return [self._trace(place, now[place], group) for place in fresh]

    def _trace(self, place: tuple[str, str], kind: Resource, group: asyncio.TaskGroup) -> Tracer:
        self._graph.introduce(kind)
        tracer = Tracer(self._client, self._clock, kind, self._graph)
        self._tracing[place] = (tracer, group.create_task(tracer.run()))
        return tracer
