"""Environment variables: their names, and where their values come from."""

import re
from collections.abc import Mapping, Sequence

from argosy.api import names
from argosy.api.validation import values
from argosy.api.validation.rule import Errors, Json
from argosy.base.errors import invalid_value, not_supported, required

SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
POD_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
KNOWN_FIELDS = frozenset(
    {
        *POD_FIELDS,
        "metadata.annotations",
        "metadata.labels",
        "spec.host",
        "spec.restartPolicy",
        "spec.schedulerName",
        "status.phase",
    }
)
RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
SUBSCRIPT = re.compile(r"(.*)\['([^']*)'\]")
BYTES = ("1", *(f"1{unit}" for unit in ("k", *"MGTPE", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")))
DIVISORS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "cpu": (("1m", "1"), "values 1m and 1 are supported with the cpu"),
    "memory": (BYTES, f"values {', '.join(BYTES)} are supported with the memory"),
    "ephemeral-storage": (
        BYTES,
        f"values {', '.join(BYTES)} are supported with the local ephemeral storage",
    ),
    "hugepages": (BYTES, f"values {', '.join(BYTES)} are supported with the hugepages"),
}


def variables(env: Sequence[Json], path: str) -> Errors:
    """`env`."""
    for i, variable in enumerate(env):
        if not variable["name"]:
            yield required(f"{path}[{i}].name")
        else:
            yield from values.env_name(f"{path}[{i}].name", variable["name"])
        if "valueFrom" in variable:
            yield from _source(variable, f"{path}[{i}].valueFrom")


def _source(variable: Json, path: str) -> Errors:
    source = variable["valueFrom"]
    found = [name for name in SOURCES if name in source]
    for name in found:
        yield from CHECKS[name](source[name], f"{path}.{name}")
    if not found:
        choice = ", ".join(f"`{name}`" for name in SOURCES[:-1])
        detail = f"must specify one of: {choice} or `{SOURCES[-1]}`"
        yield invalid_value(path, "", detail)
    elif variable.get("value"):
        yield invalid_value(path, "", "may not be specified when `value` is not empty")
    elif len(found) > 1:
        yield invalid_value(path, "", "may not have more than one field specified at a time")


def sources(env_from: Sequence[Json], path: str) -> Errors:
    """`envFrom`."""
    for i, source in enumerate(env_from):
        if source.get("prefix"):
            yield from values.env_name(f"{path}[{i}].prefix", source["prefix"])
        found = [name for name in ("configMapRef", "secretRef") if name in source]
        for name in found:
            if not source[name].get("name"):
                yield required(f"{path}[{i}].{name}.name")
            else:
                yield from names.subdomain(source[name]["name"], f"{path}[{i}].{name}.name")
        if not found:
            yield invalid_value(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(found) > 1:
            yield invalid_value(path, "", "may not have more than one field specified at a time")


def pod_field(reference: Json, path: str, allowed: Sequence[str]) -> Errors:
    """A reference to a field of the pod itself."""
    text = reference["fieldPath"]
    if reference.get("apiVersion", "v1") != "v1":
        detail = f"error converting fieldPath: unsupported pod version: {reference['apiVersion']}"
        yield invalid_value(f"{path}.fieldPath", text, detail)
        return
    if not text:
        yield required(f"{path}.fieldPath")
        return
    if match := SUBSCRIPT.fullmatch(text):
        yield from _subscript(match[1], match[2], text, path)
    elif text not in KNOWN_FIELDS:
        detail = f"error converting fieldPath: field label not supported: {text}"
        yield invalid_value(f"{path}.fieldPath", text, detail)
    elif (field := "spec.nodeName" if text == "spec.host" else text) not in allowed:
        yield not_supported(f"{path}.fieldPath", field, allowed)


def _subscript(base: str, key: str, text: str, path: str) -> Errors:
    if base not in ("metadata.annotations", "metadata.labels"):
        detail = f"error converting fieldPath: field label does not support subscript: {text}"
        yield invalid_value(f"{path}.fieldPath", text, detail)
        return
    yield from names.qualified(key.lower() if base.endswith("annotations") else key, path)


def resource_field(reference: Json, path: str, *, named: bool = False) -> Errors:
    """A reference to what a container asks for; of a volume the container must be `named`."""
    resource = reference["resource"]
    huge = resource.startswith(("requests.hugepages-", "limits.hugepages-"))
    if named and not reference.get("containerName"):
        yield required(f"{path}.containerName")
    elif not resource:
        yield required(f"{path}.resource")
    elif resource not in RESOURCES and not huge:
        yield not_supported(f"{path}.resource", resource, RESOURCES)
    divisor = str(reference.get("divisor", "0"))
    kind = "hugepages" if huge else resource.partition(".")[2]
    if divisor != "0" and kind in DIVISORS:
        allowed, text = DIVISORS[kind]
        if divisor not in allowed:
            yield invalid_value(f"{path}.divisor", resource, f"only divisor's {text} resource")


def _env_field(reference: Json, path: str) -> Errors:
    return pod_field(reference, path, POD_FIELDS)


def _key(reference: Json, path: str) -> Errors:
    yield from names.subdomain(reference.get("name") or "", f"{path}.name")
    key = reference["key"]
    if not key:
        yield required(f"{path}.key")
        return
    yield from (invalid_value(f"{path}.key", key, fault) for fault in values.key_faults(key))


def _file_key(reference: Json, path: str) -> Errors:
    yield from values.present(path, reference, "key", "volumeName", "path")
    if reference["key"]:
        yield from values.env_name(f"{path}.key", reference["key"])
    if reference["volumeName"]:
        yield from names.label(reference["volumeName"], f"{path}.volumeName")
    yield from values.no_backsteps(f"{path}.path", reference["path"])


CHECKS = {
    "fieldRef": _env_field,
    "resourceFieldRef": resource_field,
    "configMapKeyRef": _key,
    "secretKeyRef": _key,
    "fileKeyRef": _file_key,
}
