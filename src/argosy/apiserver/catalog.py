"""The catalogue: every served resource with its schema, found by its path."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from argosy.api.fits import Fits, compiled
from argosy.api.meta import Object
from argosy.api.resource import Resource
from argosy.api.schema import Definitions, Schema
from argosy.api.structs import schema_of
from argosy.base.errors import unknown_path


@dataclass(frozen=True)
class Served:
    """One resource as it is served. The schema is built when it is first needed."""

    kind: type[Object]
    definitions: Definitions = field(repr=False)

    @property
    def resource(self) -> Resource:
        """Its names and its place."""
        return self.kind.resource

    @property
    def own(self) -> bool:
        """Whether the kind is not one of Kubernetes' own."""
        return not self.resource.definition

    @cached_property
    def schema(self) -> Schema:
        """Its shape."""
        if self.own:
            return schema_of(self.kind, self.definitions)
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
    """All served resources, in the table's order."""

    def __init__(self, kinds: Iterable[type[Object]], definitions: Definitions) -> None:
        self.definitions = definitions
        self.all = tuple(Served(kind, definitions) for kind in kinds)
        self._by_path = {
            (item.resource.group, item.resource.version, item.resource.plural): item
            for item in self.all
        }

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
