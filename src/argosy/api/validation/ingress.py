"""The rules of ingresses and of their classes."""

from collections.abc import Iterator, Mapping

from argosy.api import names
from argosy.api.validation import values
from argosy.api.validation.fields import (
    NEEDED,
    by_path,
    bytes_at_most,
    each,
    fields,
    one_of,
    together,
    unless_empty,
)
from argosy.api.validation.formats import path_segment, wildcard
from argosy.api.validation.rule import Json, Rule, at, immutable, of_part
from argosy.base.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

Errors = Iterator[FieldError]

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
BAD_PARTS = ("//", "/./", "/../", "%2f", "%2F")
BAD_ENDS = ("/..", "/.")
NOT_A_NAME = "must be a DNS name, not an IP address"
UNMATCHED_CLASS = "must match `ingressClassName` when both are specified"


def _host(host: str, path: str) -> Errors:
    if "*" in host:
        yield from wildcard(host, path)
    else:
        yield from names.subdomain(host, path)


def _no_address(host: str, path: str) -> Errors:
    if values.parse_ip(host) is not None:
        yield invalid_value(path, host, NOT_A_NAME)


def _http_path(item: Json, path: str) -> Errors:
    kind, text, field = item["pathType"], item.get("path") or "", f"{path}.path"
    if kind not in PATH_TYPES:
        yield not_supported(f"{path}.pathType", kind, PATH_TYPES)
        return
    loose = kind == "ImplementationSpecific"
    if not text.startswith("/") and (text or not loose):
        yield invalid_value(field, text, "must be an absolute path")
    if loose:
        return
    for part in BAD_PARTS:
        if part in text:
            yield invalid_value(field, text, f"must not contain '{part}'")
    for end in BAD_ENDS:
        if text.endswith(end):
            yield invalid_value(field, text, f"cannot end with '{end}'")


def _backend(backend: Json, path: str) -> Errors:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield invalid_value(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        yield from REFERENCE(resource, f"{path}.resource")
    elif service is not None:
        yield from SERVICE_NAME(service, f"{path}.service")
        yield from _service_port(service.get("port") or {}, path)
    else:
        yield invalid_value(path, "", "resource or service backend is required")


def _service_port(port: Json, path: str) -> Errors:
    name, number = port.get("name"), port.get("number")
    if name and number:
        yield invalid_value(path, "", "cannot set both port name & port number")
    elif name:
        yield from values.port_or_name(f"{path}.service.port.name", name)
    elif number:
        yield from values.port(f"{path}.service.port.number", number)
    else:
        yield required(path, "port name or number is required")


def _something(spec: Json, path: str) -> Errors:
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        detail = "either `defaultBackend` or `rules` must be specified"
        yield invalid_value(path, spec.get("rules"), detail)


def _same_class(new: Json, old: Json | None) -> list[FieldError]:
    """At creation the annotation of old must not say another class than the field."""
    said = (new["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION)
    name = at(new, "spec.ingressClassName")
    if old is not None or said is None or name in (None, said):
        return []
    return [invalid_value(f"annotations.{CLASS_ANNOTATION}", said, UNMATCHED_CLASS)]


def _status(new: Json, old: Json | None) -> list[FieldError]:
    """Addresses that were there before are taken as they are."""
    found, before = (
        ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        for obj in (new, old or {})
    )
    known = [entry["ip"] for entry in before if entry.get("ip")]
    errors: list[FieldError] = []
    for i, entry in enumerate(found):
        field = f"status.loadBalancer.ingress[{i}]"
        if entry.get("ip"):
            errors += values.ip(f"{field}.ip", entry["ip"], known)
        if name := entry.get("hostname"):
            errors += names.subdomain(name, f"{field}.hostname")
            errors += _no_address(name, f"{field}.hostname")
    return errors


def _parameters_scope(parameters: Json, path: str) -> Errors:
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    field = f"{path}.namespace"
    if scope == "Namespace":
        if namespace is None:
            yield required(field, "`parameters.scope` is set to 'Namespace'")
        else:
            yield from names.label(namespace, field)
    elif scope == "Cluster" and namespace is not None:
        yield forbidden_field(field, "`parameters.scope` is set to 'Cluster'")


REFERENCE = fields(
    {"apiGroup": names.subdomain, "kind": (NEEDED, path_segment), "name": (NEEDED, path_segment)}
)
SERVICE_NAME = fields({"name": (NEEDED, names.label)})
HTTP_PATH = together(_http_path, fields({"backend": _backend}))
HOST = together(_no_address, _host)
SPEC = together(
    _something,
    fields(
        {
            "defaultBackend": _backend,
            "rules[].host": unless_empty(HOST),
            "rules[].http.paths": (NEEDED, each(HTTP_PATH)),
            "tls[].hosts[]": _host,
            "tls[].secretName": unless_empty(names.subdomain),
            "ingressClassName": names.subdomain,
        }
    ),
)
CLASS_SPEC = fields(
    {
        "controller": (NEEDED, bytes_at_most(250), by_path(values.domain_path)),
        "parameters": together(REFERENCE, _parameters_scope),
        "parameters.scope": (NEEDED, one_of("Cluster", "Namespace")),
    }
)

RULES: Mapping[str, tuple[Rule, ...]] = {
    "Ingress": (of_part("spec", SPEC), _same_class, _status),
    "IngressClass": (of_part("spec", CLASS_SPEC), immutable("spec.controller")),
}
