"""Follows the definitions of kinds: empties those that are deleted, and frees names.

The objects of a kind whose definition is deleted are deleted first, in every namespace; then the
definition's finalizer is taken off. A definition whose names were taken is touched when another in
its group has changed: the server then says anew which names it gets.
"""

from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.extensions.definition import CLEANUP, CustomResourceDefinition
from argosy.api.meta import Key
from argosy.api.resource import Resource
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.tracing import pages
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/customresources"
PAUSE = 1.0
"""Seconds between two looks at objects that wait for finalizers."""
DEFINITIONS = CustomResourceDefinition.resource
OPTIONS = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}

Kinds = Callable[[], Iterable[Resource]]
"""The kinds that users have defined, as far as is known now."""


@dataclass(frozen=True)
class CustomResources:
    """`built_in` are kinds that are served whatever is defined: their objects stay."""

    client: Client
    built_in: frozenset[str]

    async def reconcile(self, definition: CustomResourceDefinition) -> Result:
        """Empty a kind that goes; ask again for names that were taken."""
        meta = definition.metadata
        if meta.deletion_timestamp is None:
            if definition.refused:
                await self.client.merge(DEFINITIONS, meta.name, "", {}, subresource="status")
            return DONE
        if CLEANUP not in meta.finalizers:
            return DONE
        kind = definition.served
        if kind is not None and kind.qualified not in self.built_in and await self._left(kind):
            return Result(PAUSE)
        await self._let_go(meta.name)
        return DONE

    async def _left(self, kind: Resource) -> bool:
        """Delete all objects; whether there are any left."""
        for namespace in {place async for place in self._places(kind)}:
            await self.client.call("DELETE", kind.path("", namespace), {}, OPTIONS)
        return bool([place async for place in self._places(kind)])

    async def _places(self, kind: Resource) -> AsyncGenerator[str, None]:
        """The namespaces of the objects that there are."""
        async for page in pages(self.client, kind):
            for item in page.items:
                yield item.metadata.namespace

    async def _let_go(self, name: str) -> None:
        """Take the finalizer off the definition as it is now."""
        try:
            body = await self.client.call("GET", DEFINITIONS.path(name))
            meta = msgspec.json.decode(body)["metadata"]
            kept = [item for item in meta.get("finalizers") or () if item != CLEANUP]
            patch = {
                "metadata": {"resourceVersion": meta["resourceVersion"], "finalizers": kept or None}
            }
            await self.client.merge(DEFINITIONS, name, "", patch)
        except StatusError as error:
            if error.code != 404:
                raise


def custom_resources(manager: Manager, built_in: Iterable[Resource]) -> Controller[Any]:
    """The controller; `built_in` are the kinds that nobody defines."""
    informer = manager.informer(CustomResourceDefinition)

    def beside(changed: CustomResourceDefinition) -> Iterable[Key]:
        for other in informer.items():
            same_group = other.spec.group == changed.spec.group
            if same_group and other.refused and other.metadata.name != changed.metadata.name:
                yield other.key

    names = frozenset(resource.qualified for resource in built_in)
    controller = CustomResources(manager.client_as(NAME), names)
    return Controller(
        name=NAME,
        informer=informer,
        reconcile=controller.reconcile,
        watches=(Watch(informer, beside),),
    )


def defined(informer: Informer[CustomResourceDefinition], built_in: Iterable[Resource]) -> Kinds:
    """The kinds that users have defined and that are served, but for those that are built in."""
    names = frozenset(resource.qualified for resource in built_in)

    def kinds() -> Iterable[Resource]:
        for definition in informer.items():
            kind = definition.served
            if kind is not None and kind.qualified not in names:
                yield kind

    return kinds
