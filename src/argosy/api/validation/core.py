"""The core group's smaller kinds; pods, services, volumes and quotas have files of their own."""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence

from argosy.api import names
from argosy.api.validation import values
from argosy.api.validation.claims import CLAIM
from argosy.api.validation.persistentvolumes import VOLUME
from argosy.api.validation.pods import pod_template
from argosy.api.validation.resources import amount
from argosy.api.validation.rule import (
    IMMUTABLE,
    Errors,
    Json,
    Rule,
    at,
    immutable,
    of_part,
)
from argosy.api.validation.scheduling import taints
from argosy.api.validation.services import SERVICE
from argosy.base.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    required,
    too_long,
)

LARGEST = 1024 * 1024
"""Bytes of a ConfigMap's or Secret's values together."""
SEALED = "field is immutable when `immutable` is set"
TOKEN = "kubernetes.io/service-account-token"
TOKEN_ACCOUNT = "kubernetes.io/service-account.name"
SECRET_KEYS: Mapping[str, tuple[str, ...]] = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
"""The keys that a Secret of that type must have."""
DOCKER = frozenset({"kubernetes.io/dockercfg", "kubernetes.io/dockerconfigjson"})
STANDARD_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
FEATURE = re.compile(r"[A-Z][a-zA-Z0-9]*(/[a-zA-Z][a-zA-Z0-9]*)*")
FEATURE_RULE = (
    "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., "
    "MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"
)
EVENT_FIXED: Mapping[str, str] = {
    "regarding": "involvedObject",
    "reason": "reason",
    "note": "message",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
    "type": "type",
    "eventTime": "eventTime",
    "action": "action",
    "related": "related",
    "reportingController": "reportingController",
    "reportingInstance": "reportingInstance",
}
"""What an event of `events.k8s.io` never changes, with the names that errors have for it."""
EVENT_LENGTHS = {"reportingInstance": 128, "action": 128, "reason": 128, "message": 1024}


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _sealed(new: Json, old: Json | None, *parts: str) -> Errors:
    """What says that it is immutable stays so, and as it is."""
    if old is None or not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield forbidden_field("immutable", SEALED)
    for part in parts:
        if (new.get(part) or {}) != (old.get(part) or {}):
            yield forbidden_field(part, SEALED)


def _keys(part: str, entries: Json) -> Errors:
    for key in entries:
        for fault in values.key_faults(key):
            yield invalid_value(f"{part}[{key}]", key, fault)


def _configmap(new: Json, old: Json | None) -> list[FieldError]:
    data, binary = new.get("data") or {}, new.get("binaryData") or {}
    errors = [*_sealed(new, old, "data", "binaryData"), *_keys("data", data)]
    for key in data.keys() & binary.keys():
        detail = "duplicate of key present in binaryData"
        errors.append(invalid_value(f"data[{key}]", key, detail))
    errors += _keys("binaryData", binary)
    if sum(map(_size, data.values())) + _decoded_size(binary) > LARGEST:
        errors.append(too_long("", LARGEST))
    return errors


def _decoded_size(entries: Mapping[str, str]) -> int:
    """The bytes that base64 texts stand for."""
    return sum(len(text) * 3 // 4 - text.count("=", -2) for text in entries.values())


def _secret(new: Json, old: Json | None) -> list[FieldError]:
    data = new.get("data") or {}
    errors = list(immutable("type")(new, old))
    errors += _sealed(new, old, "data")
    errors += _keys("data", data)
    if _decoded_size(data) > LARGEST:
        errors.append(too_long("data", LARGEST))
    errors += _typed_secret(new, data)
    return errors


def _typed_secret(secret: Json, data: Json) -> Errors:
    kind = secret.get("type") or ""
    if kind == TOKEN and not (secret["metadata"].get("annotations") or {}).get(TOKEN_ACCOUNT):
        yield required(f"metadata.annotations[{TOKEN_ACCOUNT}]")
    if kind == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
        yield required("data[username]")
        yield required("data[password]")
    for key in SECRET_KEYS.get(kind, ()):
        if key not in data or (kind == "kubernetes.io/ssh-auth" and not data[key]):
            yield required(f"data[{key}]")
        elif kind in DOCKER and (fault := _not_an_object(data[key])):
            yield invalid_value(f"data[{key}]", "<secret contents redacted>", fault)


def _not_an_object(encoded: str) -> str:
    try:
        found = json.loads(base64.b64decode(encoded))
    except (ValueError, binascii.Error, RecursionError):
        return "invalid character in JSON" if encoded else "unexpected end of JSON input"
    return "" if isinstance(found, dict) else "cannot unmarshal into an object"


def finalizers(items: Sequence[str], path: str) -> Errors:
    """Finalizers: one of Kubernetes' own, or of a domain."""
    for name in items:
        yield from names.qualified(name, path)
        if "/" not in name and name not in STANDARD_FINALIZERS:
            detail = "name is neither a standard finalizer name nor is it fully qualified"
            yield invalid_value(path, name, detail)


def _namespace(new: Json, old: Json | None) -> list[FieldError]:
    errors = list(finalizers(at(new, "spec.finalizers") or (), "spec.finalizers"))
    phase = at(new, "status.phase")
    if old is None or phase == at(old, "status.phase"):
        return errors
    leaving = bool(new["metadata"].get("deletionTimestamp"))
    wanted, state = ("Terminating", "not empty") if leaving else ("Active", "empty")
    if phase != wanted:
        detail = f"may only be '{wanted}' if `deletionTimestamp` is {state}"
        errors.append(invalid_value("status.Phase", phase, detail))
    return errors


def _node_spec(spec: Json, path: str) -> Errors:
    yield from taints(spec.get("taints") or (), "metadata.taints")
    blocks = spec.get("podCIDRs") or ()
    for i, block in enumerate(blocks):
        yield from values.cidr(f"{path}.podCIDRs[{i}]", block)
    if len(blocks) > 1 and (len(blocks) > 2 or not values.dual_stack(blocks)):
        detail = "may specify no more than one CIDR for each IP family"
        yield invalid_value(f"{path}.podCIDRs", blocks, detail)


def _node_changes(new: Json, old: Json | None) -> list[FieldError]:
    before, after = (old or {}).get("spec") or {}, new.get("spec") or {}
    errors = []
    if before.get("podCIDRs") and after.get("podCIDRs") != before["podCIDRs"]:
        detail = 'node updates may not change podCIDR except from "" to valid'
        errors.append(forbidden_field("spec.podCIDRs", detail))
    if before.get("providerID") and after.get("providerID") != before["providerID"]:
        detail = 'node updates may not change providerID except from "" to valid'
        errors.append(forbidden_field("spec.providerID", detail))
    if old is not None and after.get("externalID") != before.get("externalID"):
        errors.append(forbidden_field("spec.externalID", "may not be updated"))
    return errors


def _node_status(status: Json, path: str) -> Errors:
    for part in ("capacity", "allocatable"):
        for name, value in (status.get(part) or {}).items():
            yield from amount(name, value, f"{path}.{part}.{name}")
    addresses = status.get("addresses") or []
    for i, address in enumerate(addresses):
        if address in addresses[:i]:
            yield duplicate(f"{path}.addresses[{i}]", address)
    features = status.get("declaredFeatures") or []
    for i, name in enumerate(features):
        if not FEATURE.fullmatch(name):
            detail = f'invalid feature name "{name}": {FEATURE_RULE}'
            yield invalid_value(f"{path}.declaredFeatures[{i}]", name, detail)
        if i and name == features[i - 1]:
            yield duplicate(f"{path}.declaredFeatures[{i}]", name)
        elif i and name < features[i - 1]:
            detail = "list must be sorted alphabetically"
            yield invalid_value(f"{path}.declaredFeatures[{i}]", name, detail)


def _event(new: Json, old: Json | None) -> list[FieldError]:
    """Events of the core version may say little; those of `events.k8s.io` must say more."""
    strict = new.get("apiVersion") == "events.k8s.io/v1"
    errors = list(_event_place(new, strict))
    if new.get("eventTime"):
        errors += _new_event(new, strict)
    if strict and old is None:
        errors += _strict_event(new)
    if strict and (old is None or old.get("series") != new.get("series")):
        errors += _series(new.get("series"))
    if strict and old is not None:
        errors += [
            invalid_value(shown, new.get(name), IMMUTABLE)
            for name, shown in EVENT_FIXED.items()
            if new.get(name) != old.get(name)
        ]
    return errors


def _event_place(event: Json, strict: bool) -> Errors:
    namespace = event["metadata"].get("namespace") or ""
    involved = (event.get("regarding" if strict else "involvedObject") or {}).get("namespace") or ""
    if event.get("eventTime"):
        sound = involved or namespace in ("default", "kube-system")
    else:
        sound = namespace == involved or (not involved and namespace in ("", "default"))
    if not sound:
        field = "involvedObject.namespace"
        yield invalid_value(field, involved, "does not match event.namespace")


def _new_event(event: Json, strict: bool) -> Errors:
    field = "reportingController" if strict else "reportingComponent"
    reporter = event.get(field) or ""
    if not reporter:
        yield required(field)
    yield from names.qualified(reporter, field)
    for name in ("reportingInstance", "action", "reason"):
        if not event.get(name):
            yield required(name)
    for name, most in EVENT_LENGTHS.items():
        given = event.get("note" if strict and name == "message" else name) or ""
        if len(given.encode()) > most:
            yield invalid_value(name, "", f"can have at most {most} characters")


def _strict_event(event: Json) -> Errors:
    if not event.get("eventTime"):
        yield required("eventTime")
    if event.get("type") not in ("Normal", "Warning"):
        yield invalid_value("type", "", f"has invalid value: {event.get('type') or ''}")
    for name, shown in EVENT_FIXED.items():
        if name.startswith("deprecated") and event.get(name):
            yield invalid_value(shown, "", "needs to be unset")


def _series(series: Json | None) -> Errors:
    if series is None:
        return
    if series.get("count", 0) < 2:
        yield invalid_value("series.count", "", "should be at least 2")
    if not series.get("lastObservedTime"):
        yield required("series.lastObservedTime")


def _pod_template(template: Json, path: str) -> Errors:
    yield from pod_template(template, path, restart=None)


RULES: Mapping[str, tuple[Rule, ...]] = {
    "ConfigMap": (_configmap,),
    "Event": (_event,),
    "Namespace": (_namespace,),
    "Node": (of_part("spec", _node_spec), of_part("status", _node_status), _node_changes),
    "PersistentVolume": VOLUME,
    "PersistentVolumeClaim": CLAIM,
    "PodTemplate": (of_part("template", _pod_template),),
    "Secret": (_secret,),
    "Service": SERVICE,
}
