"""One version of a kind that users define, as it is served.

It has all that built-in kinds have, made from its schema: shape, quick check, thorough check,
defaults. What takes long is made when it is first needed; hundreds of kinds are often installed and
few of them used.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from argosy.api.builtin import Builtins
from argosy.api.extensions import checking, fitting
from argosy.api.extensions.columns import columns_of
from argosy.api.extensions.definition import Scale, WholeDefinition, WholeVersion
from argosy.api.extensions.limits import Check
from argosy.api.extensions.nodes import ABSENT, Node
from argosy.api.extensions.shape import shape_of
from argosy.api.extensions.tidying import Fill, filler, tidy
from argosy.api.fits import Fits
from argosy.api.fits import compiled as fits_shape
from argosy.api.resource import Resource
from argosy.api.schema import Schema
from argosy.api.structural import check, prune, unknown_fields
from argosy.apiserver.catalog import SCALED, ScalePaths, Served
from argosy.apiserver.extensions import rules
from argosy.apiserver.extensions.view import Plan, View
from argosy.base.errors import FieldError, method_not_allowed
from argosy.store.interface import Store

if TYPE_CHECKING:
    from argosy.api.cel.rules import Rules

Json = dict[str, Any]
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
ENDING = "create not allowed while custom resource definition is terminating"


@dataclass
class Schemas:
    """What is made of one version's schema, each part when it is first needed."""

    raw: msgspec.Raw
    meta: Schema

    def read(self) -> Node:
        """The schema as its users wrote it, decoded anew: it is large, and seldom asked for."""
        node: Node = msgspec.json.decode(self.raw)
        return node

    @cached_property
    def node(self) -> Node:
        """The schema of a kind that has objects."""
        return self.read()

    @cached_property
    def shape(self) -> Schema:
        """What the field manager reads."""
        return shape_of(self.node, self.meta)

    @cached_property
    def fits(self) -> Fits:
        """Whether an object needs nothing."""
        meta, rest = fits_shape(self.meta), fitting.compiled(self.node)
        return lambda value: rest(value) and meta(value.get("metadata"))

    @cached_property
    def check(self) -> Check:
        """What is wrong with an object, but for its metadata."""
        return checking.compiled(self.node, root=True)

    @cached_property
    def rules(self) -> "Rules | list[FieldError] | None":
        """What its expressions ask of an object; None where it has none."""
        return rules.compiled(self.node)

    @cached_property
    def fill(self) -> Fill | None:
        """Fills in defaults."""
        return filler(self.node)

    def pruned(self, obj: Json, unknown: list[str]) -> Json:
        """The object without what the schema doesn't know; its paths are added to `unknown`."""
        kept = tidy(self.node, obj, unknown)
        if isinstance(meta := obj.get("metadata"), dict):
            unknown += [f"metadata.{path}" for path in unknown_fields(self.meta, meta)]
            kept["metadata"] = prune(self.meta, meta)
        return kept


@dataclass(frozen=True, kw_only=True)
class Custom(Served):
    """One version of a kind that users define."""

    schemas: Schemas = field(repr=False, compare=False)
    plan: Plan = field(repr=False, compare=False)
    paths: ScalePaths = SCALED
    fields: frozenset[str] = frozenset()
    ending: bool = False

    @property
    def own(self) -> bool:
        """It is not one of Kubernetes' own."""
        return True

    @property
    def schema(self) -> Schema:
        """Its shape."""
        return self.schemas.shape

    @property
    def fits(self) -> Fits:
        """Whether an object needs nothing, asked quickly."""
        return self.schemas.fits

    @property
    def scale(self) -> ScalePaths:
        """Where the parts of its scale stand."""
        return self.paths

    @property
    def selectable(self) -> frozenset[str]:
        """The fields that its definition lets selectors name."""
        return self.fields

    @property
    def node(self) -> Mapping[str, Any]:
        """Its schema as its users wrote it."""
        return self.schemas.read()

    @property
    def source(self) -> bytes:
        """What documents of it are made from."""
        return bytes(self.schemas.raw)

    def unknown(self, obj: Json) -> list[str]:
        """The paths of the fields that the schema doesn't know."""
        unknown: list[str] = []
        self.schemas.pruned(obj, unknown)
        return unknown

    def pruned(self, obj: Json) -> Json:
        """The object without those."""
        return self.schemas.pruned(obj, [])

    def faults(self, obj: Json) -> list[FieldError]:
        """Only the metadata and the depth must be right for the way on; the rest is looked at last
        of all.
        """
        errors = check(self.schemas.meta, obj.get("metadata"), "metadata")
        for name, item in obj.items():
            errors += check(checking.ANYTHING, item, name)
        return errors

    def later_faults(
        self, new: Json, old: Json | None, warnings: list[str]
    ) -> Sequence[FieldError]:
        """What breaks the schema or its rules; what an update leaves as it was is not complained
        of.
        """
        errors: list[FieldError] = []
        if not self.schemas.fits(new):
            self.schemas.check(new, ABSENT if old is None else old, "", errors)
        if (asked := self.schemas.rules) is not None:
            errors += rules.object_faults(asked, new, old, errors, warnings.append)
        return errors

    def fill(self, obj: Json) -> None:
        """Fill in the schema's defaults."""
        if self.schemas.fill is not None:
            self.schemas.fill(obj)

    def settle(self, new: Json, old: Json | None, now: str, warnings: list[str]) -> None:
        """Nothing comes into a kind that is going. Raises StatusError 405."""
        if self.ending and old is None:
            raise method_not_allowed(ENDING)

    def seen_in(self, store: Store) -> Store:
        """The store as a client of this version sees it."""
        if self.plan.plain:
            return store
        return View(store, self.storage, self.resource, plan=self.plan)


def served_of(
    whole: WholeDefinition, definitions: Builtins, since: int, compiled: Mapping[str, Schemas]
) -> Iterator[Custom]:
    """The versions of a kind that are served; `since`: no older object has its schemas' form."""
    if not whole.established:
        return
    resources = {one.name: _resource(whole, one) for one in whole.spec.versions}
    storage = next(one for one in whole.spec.versions if one.storage)
    meta = definitions(META)
    schemas = {one.name: Schemas(one.schemas.root, meta) for one in whole.spec.versions}
    for name, known in compiled.items():
        known.raw = schemas[name].raw  # which keeps the newest definition alive, and no older one
        schemas[name] = known
    conversion = whole.spec.conversion
    for one in sorted(whole.spec.versions, key=lambda item: priority(item.name), reverse=True):
        if not one.served and not (whole.ending and one is storage):
            continue
        plan = Plan(
            same=bytes(one.schemas.root) == bytes(storage.schemas.root),
            plain=one is storage and not since and whole.status.stored_versions == (one.name,),
            since=since,
            webhook=conversion is not None and conversion.strategy == "Webhook",
            stored=schemas[storage.name],
            asked=schemas[one.name],
        )
        yield Custom(
            resources[one.name],
            resources[storage.name],
            definitions,
            schemas=schemas[one.name],
            plan=plan,
            paths=_paths(one),
            fields=frozenset(item.path.removeprefix(".") for item in one.selectable_fields),
            ending=whole.ending,
        )


def _resource(whole: WholeDefinition, one: WholeVersion) -> Resource:
    names = whole.status.accepted_names
    below = one.subresources
    resource = Resource(
        group=whole.spec.group,
        version=one.name,
        kind=names.kind,
        plural=names.plural,
        namespaced=whole.spec.scope == "Namespaced",
        short_names=names.short_names,
        categories=names.categories,
        status=below is not None and below.status is not None,
        subresources=("scale",) if below is not None and below.scale is not None else (),
        columns=columns_of(one.additional_printer_columns),
    )
    many = names.list_kind if names.list_kind != resource.list_kind else ""
    return replace(
        resource, one=names.singular if names.singular != resource.singular else "", many=many
    )


def _paths(one: WholeVersion) -> ScalePaths:
    scale: Scale | None = one.subresources.scale if one.subresources else None
    if scale is None:
        return SCALED
    return ScalePaths(
        _steps(scale.spec_replicas_path),
        _steps(scale.status_replicas_path),
        _steps(scale.label_selector_path),
    )


def _steps(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split(".") if part)


def priority(version: str) -> tuple[int, int, int, str]:
    """Where a version stands among its kind's: v10, v2, v1, v11beta2, v10beta3, v3alpha1, other."""
    match = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if match is None:
        return (0, 0, 0, "".join(chr(0x10FFFF - ord(char)) for char in version))
    stage = {None: 3, "beta": 2, "alpha": 1}[match[2]]
    return (stage, int(match[1]), int(match[3] or 0), "")
