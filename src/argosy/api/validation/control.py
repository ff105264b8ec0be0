"""The rules of what the control plane keeps for itself.

`coordination.k8s.io`, `internal.apiserver.k8s.io` and `storagemigration.k8s.io`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from argosy.api import names
from argosy.api.validation.conditions import conditions, is_true
from argosy.api.validation.fields import (
    NEEDED,
    Check,
    Needed,
    at_least,
    fields,
    together,
)
from argosy.api.validation.formats import SEMVER, old_label_faults
from argosy.api.validation.rule import IMMUTABLE, Json, Rule, immutable, of_part
from argosy.api.validation.values import key_faults
from argosy.base.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

Errors = Iterator[FieldError]

STRATEGY = "OldestEmulationVersion"
VERSION_RULE = (
    "an apiVersion is a DNS-1035 label, which must consist of lower case alphanumeric characters "
    "or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. "
    "'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?') with an "
    "optional DNS subdomain prefix and '/' (e.g. 'example.com/MyVersion')"
)
DISAGREEMENT = (
    "should be nil if servers do not agree on the same encoding version, or if there is no server "
    "reporting the supported versions yet"
)
WELL_FORMED = re.compile("[1-9][0-9]*")


def _strategy(text: str, path: str) -> Errors:
    """Its errors stand below the field that they are about; so they do upstream."""
    if "/" in text:
        yield from names.qualified(text, f"{path}.strategy")
    elif text != STRATEGY:
        yield not_supported(f"{path}.strategy", text, [STRATEGY])


def _preference(spec: Json, path: str) -> Errors:
    if spec.get("preferredHolder") and not spec.get("strategy"):
        detail = "may only be specified if `strategy` is defined"
        yield forbidden_field(f"{path}.preferredHolder", detail)


def _semantic(text: str, path: str) -> Errors:
    if text and not SEMVER.fullmatch(text):
        yield invalid_value(path, text, "must be a valid semantic version")


def _versions(spec: Json, path: str) -> Errors:
    binary, emulated = (spec.get(name) or "" for name in ("binaryVersion", "emulationVersion"))
    if SEMVER.fullmatch(binary) and SEMVER.fullmatch(emulated):
        if _precedence(binary) < _precedence(emulated):
            detail = "must be greater than or equal to `emulationVersion`"
            yield invalid_value(f"{path}.binaryVersion", binary, detail)
    if spec.get("strategy") == STRATEGY and not emulated:
        detail = f"must be specified when `strategy` is '{STRATEGY}'"
        yield required(f"{path}.emulationVersion", detail)


def _precedence(version: str) -> tuple[tuple[int, ...], bool, list[tuple[bool, int, str]]]:
    """What versions are ordered by: a release comes after what led to it."""
    core, _, before = version.partition("+")[0].partition("-")
    words = [
        (not word.isdecimal(), int(word) if word.isdecimal() else 0, word)
        for word in before.split(".")
    ]
    return tuple(int(part) for part in core.split(".")), not before, words


def _candidate_name(text: str, path: str) -> Errors:
    yield from (invalid_value(path, text, fault) for fault in key_faults(text))


def storage_version_name(text: str, path: str) -> Errors:
    """`group.resource`."""
    group, dot, resource = text.rpartition(".")
    if not dot:
        yield invalid_value(path, text, "name must be in the form of <group>.<resource>")
        return
    for fault in names.subdomain_faults(group):
        yield invalid_value(path, text, f"the group segment {fault}")
    for fault in old_label_faults(resource):
        yield invalid_value(path, text, f"the resource segment {fault}")


def _version_faults(text: str) -> list[str]:
    if text.count("/") > 1:
        return [VERSION_RULE]
    group, slash, version = text.rpartition("/")
    faults = ["group part: must be non-empty"] if slash and not group else []
    if group:
        faults += [f"group part: {fault}" for fault in names.subdomain_faults(group)]
    if not version:
        return [*faults, "version part: must be non-empty"]
    return faults + [f"version part: {fault}" for fault in old_label_faults(version)]


def _server(server: Json, path: str) -> Errors:
    yield from names.subdomain(server.get("apiServerID") or "", f"{path}.apiServerID")
    encoding = server.get("encodingVersion") or ""
    decodable, served = (server.get(f"{name}Versions") or [] for name in ("decodable", "served"))
    texts = [("encodingVersion", encoding)]
    texts += [(f"decodableVersions[{i}]", text) for i, text in enumerate(decodable)]
    texts += [(f"servedVersions[{i}]", text) for i, text in enumerate(served)]
    for where, text in texts:
        if faults := _version_faults(text):
            yield invalid_value(f"{path}.{where}", text, ",".join(faults))
    if encoding not in decodable:
        detail = f"decodableVersions must include encodingVersion {encoding}"
        yield invalid_value(f"{path}.decodableVersions", decodable, detail)
    for i, text in enumerate(served):
        if text not in decodable:
            detail = (
                f"individual served version : {text} must be included in decodableVersions : "
                f"[{' '.join(decodable)}]"
            )
            yield invalid_value(f"{path}.servedVersions[{i}]", text, detail)


def _storage_version(status: Json, path: str) -> Errors:
    servers = status.get("storageVersions") or ()
    seen = set()
    for i, server in enumerate(servers):
        if (identity := server.get("apiServerID")) in seen:
            yield duplicate(f"{path}.storageVersions[{i}].apiServerID", identity)
        seen.add(identity)
        yield from _server(server, f"{path}.storageVersions[{i}]")
    yield from _common(servers, status.get("commonEncodingVersion"), path)
    yield from _version_conditions(status.get("conditions") or (), path)


def _common(servers: Sequence[Json], said: str | None, path: str) -> Errors:
    versions = {server.get("encodingVersion") for server in servers}
    actual = next(iter(versions)) if len(versions) == 1 else None
    if said == actual:
        return
    detail = DISAGREEMENT
    if actual is not None:
        detail = f"the {'actual ' * (said is not None)}common encoding version is {actual}"
    yield invalid_value(f"{path}.commonEncodingVersion", said, detail)


def _version_conditions(found: Sequence[Json], path: str) -> Errors:
    """Their errors stand at the status, by index; so they do upstream."""
    seen: dict[str, int] = {}
    for i, condition in enumerate(found):
        field, kind = f"{path}[{i}]", condition["type"]
        if kind in seen:
            detail = (
                "the type of the condition is not unique, it also appears in "
                f"conditions[{seen[kind]}]"
            )
            yield invalid_value(f"{field}.type", kind, detail)
        seen[kind] = i
        yield from names.qualified(kind, f"{field}.type")
        yield from names.qualified(condition["status"], f"{field}.status")
        yield from VERSION_CONDITION(condition, field)


def _migration_resource(resource: Json, path: str) -> Errors:
    found = (
        ("resource", old_label_faults),
        ("group", names.subdomain_faults),
    )
    for name, of in found:
        if resource.get(name) and (faults := of(resource[name])):
            yield invalid_value(f"{path}.{name}", resource[name], ",".join(faults))


def _migration_status(new: Json, old: Json | None) -> list[FieldError]:
    before, after = ((obj or {}).get("status") or {} for obj in (old, new))
    if old is None or before == after:
        return []
    path, found = "status.conditions", after.get("conditions") or []
    errors = list(conditions(found, path))
    was, version = before.get("resourceVersion"), after.get("resourceVersion") or ""
    if version and not WELL_FORMED.fullmatch(version):
        detail = f"resource version is not well formed: {version}"
        errors.append(invalid_value("status.resourceVersion", version, detail))
    if was and was != version:
        errors.append(invalid_value("status.resourceVersion", version, IMMUTABLE))
    if is_true(found, "Succeeded") and is_true(found, "Failed"):
        detail = "Both success and failed conditions cannot be true at the same time"
        errors.append(invalid_value(path, found, detail))
    for kind, called in (("Succeeded", "Success"), ("Failed", "Failed")):
        if is_true(before.get("conditions") or (), kind) and not is_true(found, kind):
            detail = f"{called} condition cannot be set to false once it is true"
            errors.append(invalid_value(path, found, detail))
    return errors


LEASE = fields(
    {
        "leaseDurationSeconds": at_least(1, "must be greater than 0"),
        "leaseTransitions": at_least(0),
        "strategy": _strategy,
    }
)
CANDIDATE = fields(
    {
        "leaseName": NEEDED,
        "emulationVersion": _semantic,
        "binaryVersion": (NEEDED, _semantic),
        "strategy": (NEEDED, _strategy),
    }
)
VERSION_CONDITION = fields({"reason": NEEDED, "message": NEEDED})
MIGRATION = fields(
    {"resource.resource": Needed("resource is required to be set"), "resource": _migration_resource}
)

RULES: Mapping[str, tuple[Rule, ...]] = {
    "Lease": (of_part("spec", together(LEASE, _preference)),),
    "LeaseCandidate": (
        of_part("spec", together(CANDIDATE, _versions)),
        immutable("spec.leaseName"),
    ),
    "StorageVersion": (of_part("status", _storage_version),),
    "StorageVersionMigration": (
        of_part("spec", MIGRATION),
        immutable("spec"),
        _migration_status,
    ),
}
NAMES: Mapping[str, Check] = {
    "LeaseCandidate": _candidate_name,
    "StorageVersion": storage_version_name,
}
