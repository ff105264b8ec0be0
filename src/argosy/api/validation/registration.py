"""The rules of APIServices.

Unlike upstream, nobody takes over what this server is made to serve: an APIService of a built-in
group's version has no service.
"""

import json
from collections.abc import Iterator, Mapping

from argosy.api import names
from argosy.api.resources.table import BUILT_IN
from argosy.api.validation.fields import NEEDED, Check, fields, one_of
from argosy.api.validation.formats import old_label_faults, path_segment
from argosy.api.validation.rule import Json, Rule, of_part
from argosy.base.errors import FieldError, forbidden_field, invalid_value, required

Errors = Iterator[FieldError]

PLACES = frozenset((item.group, item.version) for item in BUILT_IN)
"""The groups' versions that are Kubernetes' own."""
PORT = "port is not valid: must be between 1 and 65535, inclusive"


def _port(number: int, path: str) -> Errors:
    if not 1 <= number <= 65535:
        yield invalid_value(path, number, PORT)


SERVICE = fields({"namespace": NEEDED, "name": NEEDED, "port": _port})


def _name(api: Json, old: Json | None) -> list[FieldError]:
    spec = api.get("spec") or {}
    wanted, name = f"{spec.get('version', '')}.{spec.get('group', '')}", api["metadata"].get("name")
    if not name or name == wanted:
        return []
    detail = f'must be `spec.version+"."+spec.group`: {json.dumps(wanted)}'
    return [invalid_value("metadata.name", name, detail)]


def _place(spec: Json) -> Errors:
    group, version = str(spec.get("group") or ""), str(spec.get("version") or "")
    if not group and version != "v1":
        detail = "only v1 may have an empty group and it better be legacy kube"
        yield required("spec.group", detail)
    for fault in names.subdomain_faults(group) if group else ():
        yield invalid_value("spec.group", group, fault)
    for fault in old_label_faults(version):
        yield invalid_value("spec.version", version, fault)


def _priorities(spec: Json) -> Errors:
    for name, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
        value = spec.get(name) or 0
        if not 0 < value <= most:
            detail = f"must be positive and less than {most}"
            yield invalid_value(f"spec.{name}", value, detail)


def _trust(spec: Json) -> Errors:
    bundle, blind = spec.get("caBundle") or "", bool(spec.get("insecureSkipTLSVerify"))
    path = "spec.insecureSkipTLSVerify"
    if spec.get("service") is not None:
        if blind and bundle:
            yield invalid_value(path, True, "may not be true if caBundle is present")
        return
    if bundle:
        size = len(bundle.rstrip("=")) * 3 // 4
        detail = "local APIServices may not have a caBundle"
        yield invalid_value("spec.caBundle", f"{size} bytes", detail)
    if blind:
        yield invalid_value(path, True, "local APIServices may not have insecureSkipTLSVerify")


def _service(spec: Json) -> Errors:
    service = spec.get("service")
    if service is None:
        return
    group, version = spec.get("group") or "", spec.get("version") or ""
    if (group, version) in PLACES:
        shown = f"{group}/{version}" if group else version
        yield forbidden_field("spec.service", f"{shown} is served by this server itself")
    yield from SERVICE(service, "spec.service")


def _spec(api: Json, old: Json | None) -> list[FieldError]:
    spec = api.get("spec") or {}
    return [*_place(spec), *_priorities(spec), *_service(spec), *_trust(spec)]


def _whole(api: Json, old: Json | None) -> list[FieldError]:
    return [*_name(api, old), *_spec(api, old)]


STATUS = fields({"conditions[].status": one_of("True", "False", "Unknown")})

RULES: Mapping[str, tuple[Rule, ...]] = {"APIService": (_whole,)}
SUBRESOURCES: Mapping[tuple[str, str], tuple[Rule, ...]] = {
    ("APIService", "status"): (of_part("status", STATUS),),
}
NAMES: Mapping[str, Check] = {"APIService": path_segment}
