"""The catalogue: every served resource with its schema, found by its path."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from argosy.api.builtin import Builtins, minors
from argosy.api.fits import Fits, compiled
from argosy.api.gated.fields import Drop
from argosy.api.gated.table import dropper, nothing
from argosy.api.gates import Gates
from argosy.api.kinds import PREFERRED
from argosy.api.meta import Object
from argosy.api.resource import Resource
from argosy.api.schema import Definitions, Schema
from argosy.api.structs import schema_of
from argosy.apiserver.fieldmanager.creation import Writer, first_fields
from argosy.base.errors import unknown_path


@dataclass(frozen=True)
class Served:
    """One resource as it is served. The schema is built when it is first needed."""

    resource: Resource
    storage: Resource  # the version in which it is stored
    definitions: Definitions = field(repr=False)
    view: type[Object] | None = None  # of an own kind: its schema's source
    gates: Gates | None = field(default=None, repr=False, compare=False)  # None: all are open
    older: bool = False  # than the newest minor: stored objects may have fields that are not known

    @cached_property
    def virtual(self) -> bool:
        """Whether nothing of it is ever stored: then it can't be watched either."""
        return "watch" not in self.resource.verbs

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
    def first_fields(self) -> Writer:
        """Writes the managed fields of a new object."""
        return first_fields(self.schema)

    @cached_property
    def drop_gated(self) -> Drop:
        """Takes from an object the fields whose feature gates are closed."""
        return nothing if self.gates is None else dropper(self.name, self.gates)

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
        gates: Gates | None = None,
    ) -> None:
        self.definitions = definitions
        older = definitions.minor != minors()[-1]
        views = {kind.resource: kind for kind in own}
        table = tuple(resources)
        known = [item for item in table if item in views or item.definition in definitions]
        stored: dict[str, Resource] = {}
        for item in table:  # not the known ones: all minors store a kind in the same version
            stored.setdefault(item.key(), item)
        self.all = tuple(
            Served(item, stored[item.key()], definitions, views.get(item), gates, older)
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
            if not item.virtual:
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
