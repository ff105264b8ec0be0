"""Whether a policy's rules fit the kinds that they are about: warnings in its status.

Kinds whose groups, versions or resources are not written out are not looked at, and at most ten
are. What is found changes nothing about how the policy works.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from argosy.api.cel.decltypes import DeclType
from argosy.api.cel.engine import CompileError
from argosy.api.cel.environment import Declaration, Environment
from argosy.api.resource import Resource
from argosy.apiserver.admission.policy.composition import Composition
from argosy.apiserver.admission.policy.expressions import declarations
from argosy.apiserver.admission.policy.shapes import type_of
from argosy.apiserver.catalog import Catalog, Served
from argosy.base.errors import StatusError

Json = dict[str, Any]

MOST_TYPES: Final = 10


@dataclass(frozen=True, slots=True)
class Checked:
    """The kinds that a policy's expressions are checked against, each with its type."""

    types: Sequence[tuple[str, DeclType]]
    params: DeclType | None  # of the parameters; None where they are dynamic, or there are none


def kinds_of(catalog: Catalog, spec: Mapping[str, Any]) -> Checked:
    """Those of a policy, as they are served now."""
    named = {served.resource: served for served in _named(catalog, spec)}
    types = [
        (f"{one.group}/{one.version}, Kind={one.kind}", type_of(named[one]))
        for one in sorted(named, key=_order)
    ]
    return Checked(types, _of_params(catalog, spec.get("paramKind")))


def _order(resource: Resource) -> tuple[str, str, str]:
    return resource.group, resource.version, resource.kind


def _named(catalog: Catalog, spec: Mapping[str, Any]) -> Iterator[Served]:
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ():
        found = 0
        for served in _of_rule(catalog, rule):
            yield served
            found += 1
            if found == MOST_TYPES:
                return


def _of_rule(catalog: Catalog, rule: Mapping[str, Any]) -> Iterator[Served]:
    groups, versions = (sorted(rule.get(key) or ()) for key in ("apiGroups", "apiVersions"))
    if any("*" in item for item in (*groups, *versions)):
        return
    plain = sorted(one for one in rule.get("resources") or () if not {"*", "/"} & set(one))
    for group in groups:
        for version in versions:
            for plural in plain:
                try:
                    yield catalog.find(group, version, plural)
                except StatusError:
                    continue


def _of_params(catalog: Catalog, kind: Mapping[str, Any] | None) -> DeclType | None:
    if kind is None:
        return None
    for served in catalog.all:
        resource = served.resource
        if (resource.api_version, resource.kind) == (kind.get("apiVersion"), kind.get("kind")):
            return type_of(served)
    return None


def warnings(spec: Mapping[str, Any], checked: Checked) -> list[Json]:
    """What does not fit: `status.typeChecking.expressionWarnings`."""
    found: dict[str, list[str]] = {}
    for name, kind in checked.types:
        declare = partial(_environment, spec.get("paramKind") is not None, kind, checked.params)
        known = Composition.of(spec.get("variables") or (), declare).environment
        for at, rule in enumerate(spec.get("validations") or ()):
            for field in ("expression", "messageExpression"):
                if issues := _issues(known, str(rule.get(field) or "")):
                    path = f"spec.validations[{at}].{field}"
                    found.setdefault(path, []).append(f"{name}: {issues}\n")
    return [{"fieldRef": path, "warning": "\n".join(texts)} for path, texts in found.items()]


def _environment(
    has_params: bool, kind: DeclType, params: DeclType | None, variables: Mapping[str, DeclType]
) -> Environment:
    names: dict[str, Declaration] = declarations(params=has_params)
    names["object"] = names["oldObject"] = _declaration(kind)
    if params is not None:
        names["params"] = _declaration(params)
    if variables:
        names["variables"] = DeclType("message", 2, fields=dict(variables))
    return Environment(names)


def _declaration(kind: DeclType) -> Declaration:
    return kind if kind.kind == "message" else "dyn"


def _issues(known: Environment, text: str) -> str:
    if not text.strip():
        return ""
    try:
        known.compile(text)
    except CompileError as error:
        return str(error)
    return ""
