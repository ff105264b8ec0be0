"""The catalogue: every served resource with its schema, found by its path."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, cast

import msgspec

from argosy.api.builtin import Builtins, minors
from argosy.api.defaults.fill import from_schema
from argosy.api.fits import Fits, compiled
from argosy.api.gated.fields import Drop
from argosy.api.gated.refused import refused
from argosy.api.gated.table import dropper, nothing
from argosy.api.gates import Gates
from argosy.api.kinds import PREFERRED
from argosy.api.meta import Object
from argosy.api.resource import Resource
from argosy.api.resources.extensions import CUSTOM_RESOURCE_DEFINITION
from argosy.api.schema import Definitions, Schema
from argosy.api.structs import schema_of
from argosy.api.structural import check, prune, unknown_fields
from argosy.apiserver.conversion import SHAPES, Converted, Shaped
from argosy.apiserver.fieldmanager.creation import Writer, first_fields
from argosy.base.errors import FieldError, unknown_path
from argosy.store.interface import Store

if TYPE_CHECKING:
    from argosy.apiserver.answers import Answers
    from argosy.apiserver.extensions.conversions import Conversions

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where the parts of an object's scale stand; the selector is a text, if there is a path."""

    spec: tuple[str, ...] = ("spec", "replicas")
    status: tuple[str, ...] = ("status", "replicas")
    selector: tuple[str, ...] = ()


SCALED = ScalePaths()
"""Where built-in kinds have it; their selectors are none of text."""


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
    def minor(self) -> str | None:
        """Which minor of Kubernetes is served; None where that is not known."""
        return None if self.gates is None else self.gates.minor

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

    @property
    def scale(self) -> ScalePaths:
        """Where the parts of its scale stand."""
        return SCALED

    @property
    def selectable(self) -> frozenset[str]:
        """The fields that selectors may name, beside those of its kind's table."""
        return frozenset()

    @property
    def node(self) -> Mapping[str, Any] | None:
        """Its schema as its users wrote it; None for kinds that users don't define."""
        return None

    @property
    def source(self) -> bytes:
        """What its documents are made from, where that is not what this program is made of."""
        return b"" if self.view is None else msgspec.json.encode(msgspec.json.schema(self.view))

    @property
    def current(self) -> bool:
        """Whether it is served like this still."""
        return True

    @property
    def deprecated(self) -> str:
        """What every client of this version is warned of; empty where there is nothing."""
        return ""

    def unknown(self, obj: Json) -> list[str]:
        """The paths of the fields that the kind doesn't know."""
        return unknown_fields(self.schema, obj)

    def pruned(self, obj: Json) -> Json:
        """The object without those, and without nulls."""
        return cast(Json, prune(self.schema, obj))

    def faults(self, obj: Json) -> list[FieldError]:
        """What is wrong with the shape of an object that comes."""
        return check(self.schema, obj)

    def later_faults(
        self,
        new: Json,
        old: Json | None,
        warnings: list[str],
        before: Sequence[FieldError],
        answers: "Answers",
    ) -> Sequence[FieldError]:
        """What is wrong with an object that has its defaults and passed admission; what was found
        wrong with it `before`, rules are not asked of. Raises Unanswered where that takes long.
        """
        return () if self.gates is None else refused(self.name, self.gates, new, old)

    def fill(self, obj: Json) -> None:
        """Fill in what its schema has defaults for."""
        if self.own:
            from_schema(self.schema, obj)

    def settle(self, new: Json, old: Json | None, now: str, warnings: list[str]) -> None:
        """Say what is the server's to say in `new`. Raises StatusError."""

    def seen_in(
        self, store: Store, answers: "Answers", conversions: "Callable[[], Conversions]"
    ) -> Store:
        """The store as a client of this version sees it, in a call whose answers those are."""
        if self._shaped:
            return Shaped(store, self.storage, self.resource, self.definitions)
        if self.resource is self.storage:
            return store
        return Converted(store, self.storage, self.resource)

    @cached_property
    def _shaped(self) -> bool:
        """Whether its versions have other shapes."""
        return self.storage.key() in SHAPES

    @cached_property
    def drop_gated(self) -> Drop:
        """Takes from an object the fields whose feature gates are closed."""
        return nothing if self.gates is None else dropper(self.name, self.gates)

    @cached_property
    def beside_status(self) -> tuple[str, ...]:
        """The top-level fields that the status subresource does not write."""
        kept = {"apiVersion", "kind", "metadata", "status"}
        return tuple(name for name in self.schema.properties if name not in kept)


class More(Protocol):
    """Kinds that come and go while the server runs."""

    @property
    def edition(self) -> int:
        """A number that changes whenever they do."""
        ...

    @property
    def all(self) -> Sequence[Served]:
        """All that are served now."""
        ...

    def find(self, group: str, version: str, plural: str) -> Served | None:
        """The one at that path."""
        ...

    def of_definitions(self, served: Served) -> Served:
        """How their definitions are served."""
        ...


class Catalog:
    """All served resources, in the table's order: those that the minor has and that are on.

    After them come the kinds that users define, once `extend` told of them. A built-in kind stays
    what it is, whatever is defined at its path.
    """

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
        self.built_in = tuple(
            Served(item, stored[item.key()], definitions, views.get(item), gates, older)
            for item in known
            if serves(item)
        )
        self._gates = gates
        self._more: More | None = None
        self._index()

    def gate(self, name: str) -> bool:
        """Whether a feature gate is open; without gates all are."""
        return self._gates is None or self._gates.open(name)

    def _index(self) -> None:
        self._by_path = {
            (item.resource.group, item.resource.version, item.resource.plural): item
            for item in self.built_in
        }

    def extend(self, more: More) -> None:
        """Serve what users define, too."""
        self._more = more
        self.built_in = tuple(
            more.of_definitions(item) if item.resource == CUSTOM_RESOURCE_DEFINITION else item
            for item in self.built_in
        )
        self._index()

    @property
    def edition(self) -> int:
        """A number that changes whenever kinds come, go or change."""
        return 0 if self._more is None else self._more.edition

    @property
    def all(self) -> tuple[Served, ...]:
        """All that are served now."""
        return self.built_in if self._more is None else (*self.built_in, *self._more.all)

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
        found = self._by_path.get((group, version, plural))
        if found is None and self._more is not None:
            found = self._more.find(group, version, plural)
        if found is None:
            raise unknown_path()
        return found

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
