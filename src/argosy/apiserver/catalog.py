"""The catalogue: every served resource with its schema, found by its path."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from argosy.api.builtin import Builtins
from argosy.api.fits import Fits, compiled
from argosy.api.kinds import PREFERRED
from argosy.api.meta import Object
from argosy.api.resource import Resource
from argosy.api.schema import Definitions, Schema
from argosy.api.structs import schema_of
from argosy.base.errors import unknown_path


@dataclass(frozen=True)
class Served:
    """One resource as it is served. The schema is built when it is first needed."""

    resource: Resource
    storage: Resource  # the version in which it is stored
    definitions: Definitions = field(repr=False)
    view: type[Object] | None = None  # of an own kind: its schema's source

    @property
    def own(self) -> bool:
        """Whether the kind is not one of Kubernetes' own."""
        return self.view is not None

    @cached_property
    def name(self) -> str:
        """By which the tables of defaults and rules know it: its kind; where that is the name of
        another group's, `Kind.group`.
        """
        kind, group = self.resource.kind, self.resource.group
        known = PREFERRED.get(kind)
        return kind if known is None or known.group == group else f"{kind}.{group}"

    @cached_property
    def schema(self) -> Schema:
        """Its shape."""
        if self.view is not None:
            return schema_of(self.view, self.definitions)
        return self.definitions(self.resource.definition)

    @cached_property
    def fits(self) -> Fits:
        """Whether an object has its shape, asked quickly."""
        return compiled(self.schema)

    @cached_property
    def beside_status(self) -> tuple[str, ...]:
        """The top-level fields that the status subresource does not write."""
        kept = {"apiVersion", "kind", "metadata", "status"}
        return tuple(name for name in self.schema.properties if name not in kept)


class Catalog:
    """All served resources, in the table's order: those that the minor has and that are on."""

    def __init__(
        self,
        resources: Iterable[Resource],
        own: Iterable[type[Object]],
        definitions: Builtins,
        serves: Callable[[Resource], bool] = lambda resource: resource.on,
    ) -> None:
        self.definitions = definitions
        views = {kind.resource: kind for kind in own}
        known = [item for item in resources if item in views or item.definition in definitions]
        stored: dict[str, Resource] = {}
        for item in known:
            stored.setdefault(item.key(), item)
        self.all = tuple(
            Served(item, stored[item.key()], definitions, views.get(item))
            for item in known
            if serves(item)
        )
        self._by_path = {
            (item.resource.group, item.resource.version, item.resource.plural): item
            for item in self.all
        }

    @property
    def stored(self) -> tuple[Resource, ...]:
        """Each kind once, in a version that is served."""
        found: dict[str, Resource] = {}
        for item in self.all:
            found.setdefault(item.resource.key(), item.resource)
        return tuple(found.values())

    def find(self, group: str, version: str, plural: str) -> Served:
        """The resource at that path. Raises StatusError 404."""
        try:
            return self._by_path[group, version, plural]
        except KeyError:
            raise unknown_path() from None

    def groups(self) -> dict[str, list[str]]:
        """The versions of each group, in the table's order; the core group is ''."""
        found: dict[str, list[str]] = {}
        for item in self.all:
            versions = found.setdefault(item.resource.group, [])
            if item.resource.version not in versions:
                versions.append(item.resource.version)
        return found

    def of(self, group: str, version: str) -> list[Served]:
        """The resources of a group's version."""
        return [
            item
            for item in self.all
            if (item.resource.group, item.resource.version) == (group, version)
        ]
