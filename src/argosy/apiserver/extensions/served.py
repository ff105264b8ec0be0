"""One version of a kind that users define, as it is served.

It has all that built-in kinds have, made from its schema: shape, quick check, thorough check,
defaults. What takes long is made when it is first needed; hundreds of kinds are often installed and
few of them used.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
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
from argosy.apiserver.answers import Answers
from argosy.apiserver.catalog import SCALED, ScalePaths, Served
from argosy.apiserver.extensions import rules
from argosy.apiserver.extensions.view import Plan, View
from argosy.base.errors import FieldError, method_not_allowed
from argosy.store.interface import Store

if TYPE_CHECKING:
    from argosy.api.cel.rules import Rules
    from argosy.apiserver.extensions.conversions import Conversions, Hook

Json = dict[str, Any]
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
Find = Callable[[str, str, str], "Custom | None"]
ENDING = "create not allowed while custom resource definition is terminating"


@dataclass
class Schemas:
    """What is made of one version's schema, each part when it is first needed."""

    raw: msgspec.Raw
    meta: Schema
    ruled: bool = False  # what its expressions ask is known
    _rules: "Rules | list[FieldError] | None" = None

    def rules(self, answers: Answers) -> "Rules | list[FieldError] | None":
        """What its expressions ask of an object; None where it has none.

        Raises Unanswered where they are long.
        """
        if not self.ruled:
            self._rules, self.ruled = rules.compiled(self.node, answers), True
        return self._rules

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
    def fill(self) -> Fill | None:
        """Fills in defaults."""
        return filler(self.node)

    def pruned(self, obj: Json, unknown: list[str]) -> Json:
        """The object without what the schema doesn't know; its paths are added to `unknown`."""
        found: list[str] = []
        kept = tidy(self.node, obj, found)
        if isinstance(meta := obj.get("metadata"), dict):
            unknown += [f"metadata.{path}" for path in unknown_fields(self.meta, meta)]
            kept["metadata"] = prune(self.meta, meta)
        unknown += sorted(found)
        return kept


@dataclass(frozen=True, kw_only=True)
class Custom(Served):
    """One version of a kind that users define."""

    schemas: Schemas = field(repr=False, compare=False)
    plan: Plan = field(repr=False, compare=False)
    paths: ScalePaths = SCALED
    fields: frozenset[str] = frozenset()
    ending: bool = False
    hook: "Callable[[], Hook] | None" = field(default=None, repr=False, compare=False)
    deprecation: str = ""
    find: Find = field(default=lambda group, version, plural: None, repr=False, compare=False)

    @property
    def current(self) -> bool:
        """Whether its definition is the same still, or gone: then the last of it may be seen."""
        resource = self.resource
        now = self.find(resource.group, resource.version, resource.plural)
        return now is None or now.schemas is self.schemas

    @property
    def deprecated(self) -> str:
        """What its definition says of a version that is to go."""
        return self.deprecation

    @property
    def own(self) -> bool:
        """It is not one of Kubernetes' own."""
        return True

    @cached_property
    def name(self) -> str:
        """Never one that the tables of built-in kinds know: also kinds that are switched off are
        in these.
        """
        return f"{self.resource.kind}.{self.resource.group}"

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
        self,
        new: Json,
        old: Json | None,
        warnings: list[str],
        before: Sequence[FieldError],
        answers: Answers,
    ) -> Sequence[FieldError]:
        """What breaks the schema or its rules; what an update leaves as it was is not complained
        of.
        """
        errors: list[FieldError] = []
        if not self.schemas.fits(new):
            self.schemas.check(new, ABSENT if old is None else old, "", errors)
        if (asked := self.schemas.rules(answers)) is not None:
            broken = any(error.reason in rules.BLOCKING for error in (*before, *errors))
            found, warned = rules.object_faults(asked, new, old, broken, answers)
            errors += found
            warnings += warned
        return errors

    def fill(self, obj: Json) -> None:
        """Fill in the schema's defaults."""
        if self.schemas.fill is not None:
            self.schemas.fill(obj)

    def settle(self, new: Json, old: Json | None, now: str, warnings: list[str]) -> None:
        """Nothing comes into a kind that is going. Raises StatusError 405."""
        if self.ending and old is None:
            raise method_not_allowed(ENDING)

    def seen_in(
        self, store: Store, answers: Answers, conversions: Callable[[], "Conversions"]
    ) -> Store:
        """The store as a client of this version sees it."""
        if self.hook is None:
            if self.plan.plain:
                return store
            return View(store, self.storage, self.resource, self.plan)
        # What speaks to webhooks is read when the first such kind is asked for.
        from argosy.apiserver.extensions.hooked import Hooked

        asked = conversions()
        return Hooked(store, self.storage, self.resource, self.plan, self.hook(), answers, asked)


def served_of(
    whole: WholeDefinition,
    definitions: Builtins,
    since: int,
    compiled: Mapping[str, Schemas],
    find: Find,
) -> Iterator[Custom]:
    """The versions of a kind that are served; `since`: no older object has its schemas' form.

    `find` tells what is served by then.
    """
    if not whole.established:
        return
    resources = {one.name: _resource(whole, one) for one in whole.spec.versions}
    storage = next(one for one in whole.spec.versions if one.storage)
    meta = definitions(META)
    schemas = {one.name: Schemas(one.schemas.root, meta) for one in whole.spec.versions}
    for name, known in compiled.items():
        known.raw = schemas[name].raw  # which keeps the newest definition alive, and no older one
        schemas[name] = known
    hook = _hook(whole, {resources[name].api_version: form for name, form in schemas.items()})
    for one in sorted(whole.spec.versions, key=lambda item: priority(item.name), reverse=True):
        if not one.served and not (whole.ending and one is storage):
            continue
        plan = Plan(
            same=bytes(one.schemas.root) == bytes(storage.schemas.root),
            plain=one is storage and not since and whole.status.stored_versions == (one.name,),
            since=since,
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
            hook=hook,
            deprecation=_deprecation(whole, one),
            find=find,
        )


def _hook(whole: WholeDefinition, forms: Mapping[str, Schemas]) -> "Callable[[], Hook] | None":
    """Tells of the webhook that converts versions; None where there is none."""
    conversion = whole.spec.conversion
    if conversion is None or conversion.strategy != "Webhook":
        return None

    @cache
    def hook() -> "Hook":
        from argosy.apiserver.extensions.conversions import Hook

        return Hook(
            uid=whole.metadata.uid,
            generation=whole.metadata.generation,
            config=conversion.webhook.client_config,
            versions=conversion.webhook.versions,
            forms=forms,
        )

    return hook


def _deprecation(whole: WholeDefinition, one: WholeVersion) -> str:
    """The warning of a version that is to go: its own, or one that names a better version."""
    if not one.deprecated:
        return ""
    if one.deprecation_warning is not None:
        return one.deprecation_warning
    group, kind = whole.spec.group, whole.spec.names.kind
    better = [item.name for item in whole.spec.versions if item.served and not item.deprecated]
    best = max(better, key=priority, default="")
    text = f"{group}/{one.name} {kind} is deprecated"
    if not best or priority(best) <= priority(one.name):
        return text
    return f"{text}; use {group}/{best} {kind}"


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
