"""The parameters of a policy's binding: objects of any kind that is served, built-in or not.

They are read where they are stored, in the version that the policy names, each revision once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argosy.api.validation.selectors import parsed
from argosy.apiserver.admission.policy.matching import labels_of, namespace_of
from argosy.apiserver.admission.policy.versions import Versions
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.admission.views import Views
from argosy.apiserver.catalog import Served
from argosy.store.interface import Store

Json = dict[str, Any]

NOT_FOUND = "no params found for policy binding with `Deny` parameterNotFoundAction"
NONE: tuple[None] = (None,)
"""What a policy without parameters is asked with."""
CLUSTER_WIDE = (
    "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
)


class Misconfigured(Exception):
    """A policy or a binding that can't be applied; its failure policy says what becomes of that."""


@dataclass(frozen=True, slots=True)
class ParamKind:
    """A kind of parameters, and what was read of them."""

    served: Served
    views: Views[Json]


class Params:
    """Finds parameters. Kinds are looked up again whenever kinds come or go."""

    def __init__(self, versions: Versions) -> None:
        self.versions = versions
        self._catalog = versions.catalog
        self._built_in: dict[tuple[str, str], ParamKind] = {}
        self._edition = -1
        self._kinds: dict[tuple[str, str], ParamKind | None] = {}

    def kind(self, wanted: Mapping[str, Any]) -> ParamKind:
        """What a policy's `paramKind` names. Raises Misconfigured where that is not served."""
        found = self._found(wanted)
        if found is None:
            group, _, version = str(wanted["apiVersion"]).rpartition("/")
            words = "failed to find resource referenced by paramKind"
            raise Misconfigured(f"{words}: '{group}/{version}, Kind={wanted['kind']}'")
        return found

    def of(
        self, kind: ParamKind, reference: Json | None, attributes: Attributes
    ) -> Sequence[Json | None]:
        """The parameters for a request. Raises Misconfigured."""
        if reference is None:
            return NONE
        place = reference.get("namespace") or ""
        if not kind.served.resource.namespaced:
            if place:
                raise Misconfigured(
                    "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
                )
        elif not (place := place or namespace_of(attributes)):
            raise Misconfigured(CLUSTER_WIDE)
        store = self.versions.seen(kind.served, attributes)
        find = _selected if reference.get("selector") is not None else _named
        found = find(kind, store, place, reference)
        if not found and reference.get("parameterNotFoundAction") == "Deny":
            raise Misconfigured(NOT_FOUND)
        return found

    def _found(self, wanted: Mapping[str, Any]) -> ParamKind | None:
        key = (str(wanted["apiVersion"]), str(wanted["kind"]))
        if (known := self._built_in.get(key)) is not None:
            return known
        if (built_in := _looked_up(self._catalog.built_in, *key)) is not None:
            return self._built_in.setdefault(key, built_in)
        edition = self._catalog.edition
        if edition != self._edition:
            self._edition = edition
            self._kinds.clear()
        if key not in self._kinds:
            self._kinds[key] = _looked_up(self._catalog.all, *key)
        return self._kinds[key]


def _looked_up(kinds: Iterable[Served], api_version: str, kind: str) -> ParamKind | None:
    for served in kinds:
        resource = served.resource
        if (resource.api_version, resource.kind) == (api_version, kind) and not served.virtual:
            return ParamKind(served, Views[Json](_same))
    return None


def _same(obj: Json) -> Json:
    return obj


def _named(kind: ParamKind, store: Store, place: str, reference: Json) -> Sequence[Json]:
    record = store.get(kind.served.resource.key(place, str(reference.get("name") or "")))
    return () if record is None else (kind.views.of(record),)


def _selected(kind: ParamKind, store: Store, place: str, reference: Json) -> Sequence[Json]:
    selector = parsed(reference["selector"])
    if selector is None:
        raise Misconfigured("the selector of paramRef can't be read")
    records = store.list(kind.served.resource.key(place))
    found = (kind.views.of(record) for record in records)
    return [param for param in found if selector.matches(labels_of(param))]
