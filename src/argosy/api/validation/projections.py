"""Projected volumes: keys, fields of the pod, tokens and certificates as files."""

from collections.abc import Iterator

from argosy.api import names
from argosy.api.validation import values
from argosy.api.validation.env import pod_field, resource_field
from argosy.api.validation.formats import domain_key, of_kubernetes, signer_name
from argosy.api.validation.rule import Errors, Json
from argosy.api.validation.selectors import label_selector
from argosy.base.errors import (
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

POD_FIELDS = (
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
)
SOURCES = (
    "secret",
    "configMap",
    "downwardAPI",
    "serviceAccountToken",
    "clusterTrustBundle",
    "podCertificate",
)
KEY_TYPES = ("RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519")
CERTIFICATE_PATHS = ("credentialBundlePath", "keyPath", "certificateChainPath")
CONFLICT = "conflicting duplicate paths"
DAY = 24 * 3600


def key_to_path(item: Json, path: str) -> Errors:
    """A key and the file that it becomes."""
    yield from values.present(path, item, "key", "path")
    yield from values.own_path(f"{path}.path", item["path"])
    yield from values.file_mode(f"{path}.mode", item.get("mode"))


def downward_file(item: Json, path: str) -> Errors:
    """A field of the pod and the file that it becomes."""
    yield from values.present(path, item, "path")
    yield from values.own_path(f"{path}.path", item["path"])
    if "fieldRef" in item:
        yield from pod_field(item["fieldRef"], f"{path}.fieldRef", POD_FIELDS)
        if "resourceFieldRef" in item:
            detail = "fieldRef and resourceFieldRef can not be specified simultaneously"
            yield invalid_value(path, "resource", detail)
    elif "resourceFieldRef" in item:
        reference = item["resourceFieldRef"]
        yield from resource_field(reference, f"{path}.resourceFieldRef", named=True)
    else:
        yield required(path, "one of fieldRef and resourceFieldRef is required")
    yield from values.file_mode(f"{path}.mode", item.get("mode"))


def projected(volume: Json, path: str) -> Errors:
    """A projected volume: no two of its files may have the same path."""
    yield from values.file_mode(f"{path}.defaultMode", volume.get("defaultMode"))
    seen: set[str] = set()
    for i, source in enumerate(volume.get("sources") or ()):
        field = f"{path}.sources[{i}]"
        found = [name for name in SOURCES if name in source]
        for name in found:
            yield from CHECKS[name](source[name], f"{field}.{name}", path)
            for file, shown in _files(name, source[name]):
                if file in seen:
                    yield invalid_value(path, shown, CONFLICT)
                seen.add(file)
        if len(found) > 1:
            yield forbidden_field(field, "may not specify more than 1 volume type per source")


def _files(kind: str, source: Json) -> Iterator[tuple[str, str]]:
    """The paths that a source claims, each with what an error shows of it."""
    if kind in ("secret", "configMap"):
        for item in source.get("items") or ():
            yield item["path"], source.get("name") or ""
    elif kind == "downwardAPI":
        yield from ((item["path"], item["path"]) for item in source.get("items") or ())
    elif kind == "clusterTrustBundle":
        yield source["path"], source["path"]
    elif kind == "podCertificate":
        yield from ((source[name],) * 2 for name in CERTIFICATE_PATHS if source.get(name))


def _keys(source: Json, path: str, volume: str) -> Errors:
    yield from values.present(path, source, "name")
    for i, item in enumerate(source.get("items") or ()):
        yield from key_to_path(item, f"{path}.items[{i}]")


def _fields(source: Json, path: str, volume: str) -> Errors:
    for item in source.get("items") or ():
        yield from downward_file(item, path)


def _token(source: Json, path: str, volume: str) -> Errors:
    seconds, field = source.get("expirationSeconds", 3600), f"{path}.expirationSeconds"
    if seconds < 600:
        yield invalid_value(field, seconds, "may not specify a duration less than 10 minutes")
    if seconds > 2**32:
        detail = "may not specify a duration larger than 2^32 seconds"
        yield invalid_value(field, seconds, detail)
    if not source["path"]:
        yield required(f"{volume}.path")
    else:
        yield from values.own_path(f"{volume}.path", source["path"])


def _trust_bundle(source: Json, path: str, volume: str) -> Errors:
    name, signer = source.get("name"), source.get("signerName")
    if name is not None and signer is not None:
        yield invalid_value(path, source, "only one of name and signerName may be used")
    elif name is not None:
        yield from _bundle_name(name, f"{path}.name")
        if "labelSelector" in source:
            detail = "labelSelector must be unset if name is specified"
            yield invalid_value(f"{path}.labelSelector", source["labelSelector"], detail)
    elif signer is not None:
        if not signer:
            yield required(f"{path}.signerName", "must be a valid signer name")
        else:
            yield from signer_name(signer, f"{path}.signerName")
        yield from label_selector(source.get("labelSelector"), f"{path}.labelSelector")
    else:
        yield required(path, "either name or signerName must be specified")
    yield from values.present(path, source, "path")
    yield from values.own_path(f"{path}.path", source["path"])


def _bundle_name(name: str, path: str) -> Errors:
    if not name:
        yield required(path, "must be a valid object name")
    for fault in names.subdomain_faults(name.rpartition(":")[2]):
        yield invalid_value(path, name, f"not a valid clustertrustbundlename: {fault}")


def _certificate(source: Json, path: str, volume: str) -> Errors:
    yield from values.present(path, source, "signerName")
    if source["signerName"]:
        yield from signer_name(source["signerName"], f"{path}.signerName")
    for key in source.get("userAnnotations") or ():
        yield from domain_key(key.lower(), f"{path}.userAnnotations")
    if source["keyType"] not in KEY_TYPES:
        yield not_supported(f"{path}.keyType", source["keyType"], KEY_TYPES)
    seconds, field = source.get("maxExpirationSeconds"), f"{path}.maxExpirationSeconds"
    most = DAY if of_kubernetes(source["signerName"]) else 91 * DAY
    if seconds is not None and seconds < 3600:
        detail = "if provided, maxExpirationSeconds must be >= 3600"
        yield invalid_value(field, seconds, detail)
    if seconds is not None and seconds > most:
        detail = f"if provided, maxExpirationSeconds must be <= {most}"
        yield invalid_value(field, seconds, detail)
    paths = [name for name in CERTIFICATE_PATHS if source.get(name)]
    for name in paths:
        yield from values.own_path(f"{path}.{name}", source[name])
    if not paths:
        detail = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"
        yield required(path, detail)


CHECKS = {
    "secret": _keys,
    "configMap": _keys,
    "downwardAPI": _fields,
    "serviceAccountToken": _token,
    "clusterTrustBundle": _trust_bundle,
    "podCertificate": _certificate,
}
