"""The rules of a CustomResourceDefinition, and its defaults.

Paths are upstream's: what all versions say alike is told of as if it stood beside them, where it
stood in `apiextensions.k8s.io/v1beta1`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from argosy.api.extensions import structure
from argosy.api.extensions.approval import APPROVED, approval, protected, said
from argosy.api.extensions.bundle import bundle_fault
from argosy.api.extensions.jsonpath import ParseError, parse
from argosy.api.extensions.nodes import Node
from argosy.api.names import subdomain_faults
from argosy.api.validation.formats import old_label_faults
from argosy.api.validation.webhooks import client as client_faults
from argosy.base.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_combination,
    invalid_value,
    not_supported,
    required,
    too_many,
)

Json = Mapping[str, Any]
Errors = Iterator[FieldError]

SCOPES = ("Cluster", "Namespaced")
COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
COLUMN_FORMATS = (
    *("binary", "bool", "byte", "date", "date-time", "double", "float", "int32", "int64"),
    "password",
)
STRATEGIES = ("None", "Webhook")
REVIEWS = ("v1", "v1beta1")
MOST_SELECTABLE = 8
MOST_WARNED = 256
IMMUTABLE = "field is immutable"


def defaults(definition: dict[str, Any]) -> None:
    """Fill in what is not said."""
    spec = definition.setdefault("spec", {})
    names = spec.get("names")
    if isinstance(names, dict):
        kind = names.get("kind") or ""
        if not names.get("singular"):
            names["singular"] = kind.lower()
        if not names.get("listKind") and kind:
            names["listKind"] = f"{kind}List"
    if spec.get("conversion") is None:
        spec["conversion"] = {"strategy": "None"}
    service = (_client(spec["conversion"]) or {}).get("service")
    if isinstance(service, dict):
        service.setdefault("port", 443)


def faults(new: Json, old: Json | None) -> list[FieldError]:
    """All that is wrong with a definition; its spec is looked at when it is new or changed."""
    spec = new.get("spec") or {}
    errors: list[FieldError] = []
    if old is None:
        errors += _named(new, spec)
    if old is None or old.get("spec") != spec:
        errors += _spec(spec)
        errors += _unchanged(spec, old)
    errors += _stored((new.get("status") or {}).get("storedVersions") or [], spec)
    return [*errors, *_approved(new, old)]


def _named(new: Json, spec: Json) -> Errors:
    name = new["metadata"].get("name") or ""
    names = spec.get("names") or {}
    if name != f"{names.get('plural')}.{spec.get('group')}":
        detail = 'must be spec.names.plural+"."+spec.group'
        yield invalid_value("metadata.name", name, detail)


def _spec(spec: Json) -> Errors:
    group = spec.get("group") or ""
    if not group:
        yield required("spec.group")
    elif wrong := subdomain_faults(group):
        yield invalid_value("spec.group", group, ",".join(wrong))
    elif "." not in group:
        yield invalid_value("spec.group", group, "should be a domain with at least one dot")
    if not (scope := spec.get("scope")):
        yield required("spec.scope")
    elif scope not in SCOPES:
        yield not_supported("spec.scope", scope, SCOPES)
    if spec.get("preserveUnknownFields"):
        detail = (
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
            "spec.versions[*].schema instead"
        )
        yield invalid_value("spec.preserveUnknownFields", True, detail)
    yield from _versions(spec.get("versions") or [])
    yield from _names(spec.get("names") or {})
    yield from _conversion(spec.get("conversion") or {})


def _unchanged(spec: Json, old: Json | None) -> Errors:
    if old is None:
        return
    before = old.get("spec") or {}
    names, had = spec.get("names") or {}, before.get("names") or {}
    yield from _bundled(spec, old)
    if _established(old):
        if spec.get("scope") != before.get("scope"):
            yield invalid_value("spec.scope", spec.get("scope"), IMMUTABLE)
        if names.get("kind") != had.get("kind"):
            yield invalid_value("spec.names.kind", names.get("kind"), IMMUTABLE)
    if spec.get("group") != before.get("group"):
        yield invalid_value("spec.group", spec.get("group"), IMMUTABLE)
    if names.get("plural") != had.get("plural"):
        yield invalid_value("spec.names.plural", names.get("plural"), IMMUTABLE)


def _established(definition: Json) -> bool:
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any(
        item.get("type") == "Established" and item.get("status") == "True" for item in conditions
    )


# versions


def _versions(versions: Sequence[Json]) -> Errors:
    apart = [f"spec.versions[{at}]" for at in range(len(versions))]
    for at, version in enumerate(versions):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            yield required(f"{apart[at]}.schema.openAPIV3Schema")
        name = version.get("name") or ""
        if wrong := old_label_faults(name):
            yield invalid_value(f"{apart[at]}.name", name, ",".join(wrong))
        yield from _deprecation(version, apart[at])
    for field, check in (
        ("schema", _schema),
        ("subresources", _subresources),
        ("additionalPrinterColumns", _columns),
        ("selectableFields", _selectable),
    ):
        alike = bool(versions) and all(
            one.get(field) and one[field] == versions[0].get(field) for one in versions
        )
        for at, version in enumerate(versions[:1] if alike else versions):
            yield from check(version, "spec" if alike else apart[at])
    names = [version.get("name") for version in versions]
    if len(set(names)) < len(names):
        yield invalid_combination("spec.versions", "must contain unique version names")
    if sum(bool(version.get("storage")) for version in versions) != 1:
        detail = "must have exactly one version marked as storage version"
        yield invalid_combination("spec.versions", detail)


def _deprecation(version: Json, path: str) -> Errors:
    warning = version.get("deprecationWarning")
    if warning is None:
        return
    where = f"{path}.deprecationWarning"
    if not version.get("deprecated"):
        yield invalid_value(where, warning, "can only be set for deprecated versions")
        return
    if len(warning.encode(errors="replace")) > MOST_WARNED:
        yield invalid_value(where, warning, "must be <= 256 characters long")
    if not warning:
        yield invalid_value(where, warning, "must not be an empty string")
    for at, char in enumerate(warning):
        if not char.isprintable():
            detail = (
                "must only contain printable UTF-8 characters; non-printable character found at "
                f"index {at}"
            )
            yield invalid_value(where, warning, detail)
            return


def _schema(version: Json, path: str) -> Errors:
    root = (version.get("schema") or {}).get("openAPIV3Schema")
    if root:
        where = "spec.validation" if path == "spec" else f"{path}.schema"
        status = (version.get("subresources") or {}).get("status") is not None
        yield from structure.faults(root, f"{where}.openAPIV3Schema", status=status)


def _subresources(version: Json, path: str) -> Errors:
    scale = (version.get("subresources") or {}).get("scale")
    if scale is None:
        return
    where = f"{path}.subresources.scale"
    for field, roots in (
        ("specReplicasPath", (".spec.",)),
        ("statusReplicasPath", (".status.",)),
        ("labelSelectorPath", (".spec.", ".status.")),
    ):
        text = scale.get(field) or ""
        if not text:
            if field != "labelSelectorPath":
                yield required(f"{where}.{field}")
            continue
        simple = list(_simple(text, f"{where}.{field}"))
        yield from simple
        if not simple and not text.startswith(roots):
            either = "either " * (len(roots) > 1)
            below = " or ".join(root.rstrip(".") for root in roots)
            detail = f"should be a json path under {either}{below}"
            yield invalid_value(f"{where}.{field}", text, detail)


def _simple(text: str, path: str) -> Errors:
    if not text.startswith("."):
        yield invalid_value(path, text, "must be a simple json path starting with .")


def _columns(version: Json, path: str) -> Errors:
    kinds = f"must be one of {','.join(COLUMN_TYPES)}"
    for at, column in enumerate(version.get("additionalPrinterColumns") or ()):
        where = f"{path}.additionalPrinterColumns[{at}]"
        if not column.get("name"):
            yield required(f"{where}.name")
        kind, form, text = (column.get(name) or "" for name in ("type", "format", "jsonPath"))
        if not kind:
            yield required(f"{where}.type", kinds)
        elif kind not in COLUMN_TYPES:
            yield invalid_value(f"{where}.type", kind, kinds)
        if form and form not in COLUMN_FORMATS:
            detail = f"must be one of {','.join(COLUMN_FORMATS)}"
            yield invalid_value(f"{where}.format", form, detail)
        if not text:
            yield required(f"{where}.JSONPath")
            continue
        yield from _simple(text, f"{where}.JSONPath")
        try:
            parse(text)
        except ParseError as error:
            yield invalid_value(f"{where}.JSONPath", text, str(error))


def _selectable(version: Json, path: str) -> Errors:
    root = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    met: set[str] = set()
    for at, field in enumerate(version.get("selectableFields") or ()):
        where = f"{path}.selectableFields[{at}].jsonPath"
        text = field.get("jsonPath") or ""
        if not text:
            yield required(where)
            continue
        node = _described(root, text)
        if node is None:
            yield invalid_value(where, text, "is an invalid path: does not refer to a valid field")
            continue
        if text.startswith(".metadata"):
            yield invalid_value(where, text, "must not point to fields in metadata")
        if node.get("type") not in ("string", "boolean", "integer"):
            detail = (
                "must point to a field of type string, boolean or integer. Enum string fields and "
                "strings with formats are allowed."
            )
            yield invalid_value(where, text, detail)
        if text in met:
            yield duplicate(where, text)
        met.add(text)
    if len(met) > MOST_SELECTABLE:
        yield too_many(f"{path}.selectableFields", len(met), MOST_SELECTABLE)


def _described(root: Node, text: str) -> Node | None:
    """The schema of the field at a dotted path; None where there is none."""
    if not text.startswith("."):
        return None
    node: Any = root
    for name in text[1:].split("."):
        known = node.get("properties") if isinstance(node, Mapping) else None
        node = known.get(name) if isinstance(known, Mapping) else None
    return node if isinstance(node, Mapping) else None


# names, conversion, status


def _names(names: Json) -> Errors:
    for field in ("plural", "singular", "kind", "listKind"):
        name = names.get(field) or ""
        mixed = field in ("kind", "listKind")
        if not name:
            yield required(f"spec.names.{field}")
        elif wrong := old_label_faults(name.lower() if mixed else name):
            detail = ",".join(wrong)
            if mixed:
                detail = f"may have mixed case, but should otherwise match: {detail}"
            yield invalid_value(f"spec.names.{field}", name, detail)
    for field in ("shortNames", "categories"):
        for at, name in enumerate(names.get(field) or ()):
            if wrong := old_label_faults(name):
                yield invalid_value(f"spec.names.{field}[{at}]", name, ",".join(wrong))
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        detail = "kind and listKind may not be the same"
        yield invalid_value("spec.names.listKind", names["listKind"], detail)


def _conversion(conversion: Json) -> Errors:
    strategy = conversion.get("strategy") or ""
    webhook = conversion.get("webhook") or {}
    if not strategy:
        yield required("spec.conversion.strategy")
    elif strategy not in STRATEGIES:
        yield not_supported("spec.conversion.strategy", strategy, STRATEGIES)
    client, reviews = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or []
    where = "spec.conversion.webhookClientConfig"
    if strategy != "Webhook":
        detail = "should not be set when strategy is not set to Webhook"
        if client is not None:
            yield forbidden_field(where, detail)
        if reviews:
            yield forbidden_field("spec.conversion.conversionReviewVersions", detail)
        return
    if client is None:
        yield required(where, "required when strategy is set to Webhook")
    else:
        yield from client_faults(client, where)
    yield from _reviewed(reviews)


def _client(conversion: Json) -> Json | None:
    found: Json | None = (conversion.get("webhook") or {}).get("clientConfig")
    return found


def _bundled(spec: Json, old: Json) -> Errors:
    """A bundle that is none may come before the kind is served, and stay; it may not come later."""
    new, had = (
        (_client(one.get("conversion") or {}) or {}).get("caBundle")
        for one in (spec, old.get("spec") or {})
    )
    if not new or not _established(old) or (had and bundle_fault(had)):
        return
    if wrong := bundle_fault(new):
        yield invalid_value("spec.conversion.webhookClientConfig.caBundle", new, wrong)


def _reviewed(versions: Sequence[str]) -> Errors:
    where = "spec.conversion.conversionReviewVersions"
    if not versions:
        yield required(where)
        return
    for at, version in enumerate(versions):
        if version in versions[:at]:
            yield invalid_value(f"{where}[{at}]", version, "duplicate version")
        elif wrong := old_label_faults(version):
            yield invalid_value(f"{where}[{at}]", version, ",".join(wrong))
    if not set(versions) & set(REVIEWS):
        detail = f"must include at least one of {', '.join(REVIEWS)}"
        yield invalid_value(where, versions, detail)


def _stored(stored: Sequence[str], spec: Json) -> Errors:
    where = "status.storedVersions"
    if not stored:
        yield invalid_value(where, [], "must have at least one stored version")
        return
    versions = spec.get("versions") or ()
    for version in versions:
        if version.get("storage") and version.get("name") not in stored:
            yield invalid_value(where, stored, f"must have the storage version {version['name']}")
    known = {version.get("name") for version in versions}
    for at, name in enumerate(stored):
        if name not in known:
            detail = (
                f"missing from spec.versions; {name} was previously a storage version, and must "
                "remain in spec.versions until a storage migration ensures no data remains "
                f"persisted in {name} and removes {name} from status.storedVersions"
            )
            yield invalid_value(f"{where}[{at}]", name, detail)


def _approved(new: Json, old: Json | None) -> Errors:
    """Groups of Kubernetes' own need a word of its community."""
    if not protected((new.get("spec") or {}).get("group") or ""):
        return
    text = said(new["metadata"])
    if old is not None and text == said(old["metadata"]):
        return
    found = approval(text)
    where = f"metadata.annotations[{APPROVED}]"
    if found.reason == "MissingAnnotation":
        yield required(where, found.message)
    elif found.reason == "InvalidAnnotation":
        yield invalid_value(where, text, found.message)
