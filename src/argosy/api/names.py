"""Rules for names, labels and annotations, in Kubernetes' words.

Source: Kubernetes' "Object Names and IDs", "Labels and Selectors", "Annotations".
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from argosy.base.errors import FieldError, forbidden_field, invalid_value, required, too_long

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
OLD_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
NAME_PART = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")

LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
OLD_LABEL_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
NAME_PART_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
LABEL_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
ANNOTATIONS_LIMIT = 256 * 1024
LONGEST_KEY = 253 + len("/") + 63
STANDARD_FINALIZERS = frozenset(("foregroundDeletion", "kubernetes", "orphan"))


def label_faults(name: str) -> list[str]:
    """What keeps `name` from being a DNS label."""
    faults = [] if len(name) <= 63 else ["must be no more than 63 characters"]
    if not LABEL.fullmatch(name):
        faults.append("must not contain dots" if SUBDOMAIN.fullmatch(name) else LABEL_RULE)
    return faults


def subdomain_faults(name: str) -> list[str]:
    """What keeps `name` from being a DNS subdomain."""
    faults = [] if len(name) <= 253 else ["must be no more than 253 characters"]
    return faults if SUBDOMAIN.fullmatch(name) else [*faults, SUBDOMAIN_RULE]


def qualified_faults(name: str) -> list[str]:
    """What keeps `name` from being `[prefix/]name`."""
    if name.count("/") > 1:
        rule = NAME_PART_RULE.removeprefix("name part ")
        with_prefix = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {rule}{with_prefix}"]
    prefix, slash, part = name.rpartition("/")
    faults = ["prefix part must be non-empty"] if slash and not prefix else []
    if prefix:
        faults += [
            f"prefix part {fault.replace('characters', 'bytes') if 'no more' in fault else fault}"
            for fault in subdomain_faults(prefix)
        ]
    if not part:
        faults.append("name part must be non-empty")
    elif len(part) > 63:
        faults.append("name part must be no more than 63 bytes")
    return faults if NAME_PART.fullmatch(part) else [*faults, NAME_PART_RULE]


def is_qualified(name: str) -> bool:
    """Whether `name` is `[prefix/]name`; the same few are asked about again and again."""
    return len(name) <= LONGEST_KEY and _known_qualified(name)


@lru_cache(maxsize=1024)
def _known_qualified(name: str) -> bool:
    return not qualified_faults(name)


def label_value_faults(value: str) -> list[str]:
    """What keeps `value` from being a label's value."""
    faults = [] if len(value) <= 63 else ["must be no more than 63 bytes"]
    return faults if LABEL_VALUE.fullmatch(value) else [*faults, LABEL_VALUE_RULE]


def label(name: str, field: str) -> list[FieldError]:
    """A DNS label: what containers, ports' hosts and namespaces are called."""
    return [invalid_value(field, name, fault) for fault in label_faults(name)]


def subdomain(name: str, field: str) -> list[FieldError]:
    """A DNS subdomain: what most objects are called."""
    return [invalid_value(field, name, fault) for fault in subdomain_faults(name)]


def qualified(name: str, field: str) -> list[FieldError]:
    """`[prefix/]name`: the key of a label or of an annotation."""
    if is_qualified(name):
        return []
    return [invalid_value(field, name, fault) for fault in qualified_faults(name)]


def labels(values: Mapping[str, str], field: str) -> list[FieldError]:
    """A map of labels."""
    errors = []
    for key, value in values.items():
        errors += qualified(key, field)
        errors += [invalid_value(field, value, fault) for fault in label_value_faults(value)]
    return errors


def metadata(
    meta: Mapping[str, Any], *, namespaced: bool, called: Callable[[str, str], Iterable[FieldError]]
) -> list[FieldError]:
    """An object's metadata. `called` is the check of its name."""
    errors = []
    name = meta.get("name") or ""
    if not name:
        errors.append(required("metadata.name", "name or generateName is required"))
    else:
        errors += called(name, "metadata.name")
    namespace = meta.get("namespace") or ""
    if namespaced and not namespace:
        errors.append(required("metadata.namespace"))
    elif namespaced:
        errors += label(namespace, "metadata.namespace")
    elif namespace:
        errors.append(forbidden_field("metadata.namespace", "not allowed on this type"))
    errors += labels(meta.get("labels") or {}, "metadata.labels")
    errors += annotations(meta.get("annotations") or {})
    errors += owners(meta.get("ownerReferences") or ())
    return errors + finalizers(meta.get("finalizers") or ())


def finalizers(values: Sequence[str]) -> list[FieldError]:
    """Who an object waits for: the two that say what becomes of its dependents exclude another."""
    field = "metadata.finalizers"
    errors = [error for name in values for error in qualified(name, field)]
    if {"orphan", "foregroundDeletion"}.issubset(values):
        detail = "finalizer orphan and foregroundDeletion cannot be both set"
        errors.append(invalid_value(field, list(values), detail))
    return errors


def finalizers_of_somebody(meta: Mapping[str, Any]) -> list[FieldError]:
    """Those without a domain are Kubernetes' own."""
    detail = "name is neither a standard finalizer name nor is it fully qualified"
    return [
        invalid_value(f"metadata.finalizers[{at}]", name, detail)
        for at, name in enumerate(meta.get("finalizers") or ())
        if "/" not in name and name not in STANDARD_FINALIZERS
    ]


def owners(references: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    """Who an object belongs to; one of them at most is its controller."""
    field = "metadata.ownerReferences"
    errors = []
    for owner in references:
        version = str(owner.get("apiVersion") or "")
        if version.count("/") > 1 or not version.rpartition("/")[2]:
            detail = "version must not be empty"
            errors.append(invalid_value(f"{field}.apiVersion", version, detail))
        for name in ("kind", "name", "uid"):
            if not owner.get(name):
                errors.append(invalid_value(f"{field}.{name}", "", "must not be empty"))
        if (version, owner.get("kind")) == ("v1", "Event"):
            detail = "/v1, Kind=Event is disallowed from being an owner"
            errors.append(invalid_value(field, dict(owner), detail))
    controllers = [
        f"{owner.get('kind')}/{owner.get('name')}"
        for owner in references
        if owner.get("controller")
    ]
    if len(controllers) > 1:
        detail = (
            "Only one reference can have Controller set to true. "
            f'Found "true" in references for {controllers[0]} and {controllers[1]}'
        )
        errors.append(invalid_value(field, list(references), detail))
    return errors


def no_new_finalizers(new: Mapping[str, Any], old: Mapping[str, Any]) -> list[FieldError]:
    """What is being deleted takes no further finalizers."""
    extra = sorted(set(new.get("finalizers") or ()) - set(old.get("finalizers") or ()))
    if not extra or not old.get("deletionTimestamp"):
        return []
    detail = (
        "no new finalizers can be added if the object is being deleted, "
        f"found new finalizers []string{{{', '.join(json.dumps(name) for name in extra)}}}"
    )
    return [forbidden_field("metadata.finalizers", detail)]


def annotations(values: Mapping[str, str], field: str = "metadata.annotations") -> list[FieldError]:
    """A map of annotations: keys as labels have them, any values, bounded in sum."""
    errors = []
    for key in values:
        if not is_qualified(key.lower()):
            faults = qualified_faults(key.lower())
            errors += [invalid_value(field, key, fault) for fault in faults]
    if sum(len(f"{key}{value}".encode()) for key, value in values.items()) > ANNOTATIONS_LIMIT:
        errors.append(too_long(field, ANNOTATIONS_LIMIT))
    return errors
