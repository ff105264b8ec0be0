"""What the rules of claims, of slices and of allocations have in common."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from argosy.api import names
from argosy.api.validation.fields import NEEDED, each, fields, items_at_most, one_of, unique
from argosy.api.validation.formats import driver, identifier
from argosy.api.validation.rule import Json
from argosy.base.errors import FieldError, invalid_value, required, too_long

Errors = Iterator[FieldError]

REQUEST_NAMES = 32
"""At most so many requests, and names of requests in one list."""
PARAMETERS_LIMIT = 10 * 1024
EFFECTS = ("NoExecute", "NoSchedule", "None")
NO_REQUEST = (
    "must be the name of a request in the claim or the name of a request and a subrequest "
    "separated by '/'"
)
NO_DOMAIN = "a fully qualified name must be a domain and a name separated by a slash"
OVERLAP = "bindingFailureConditions must not overlap with bindingConditions"
BOTH_NEEDED = {
    "bindingConditions": "bindingConditions are required to use bindingFailureConditions",
    "bindingFailureConditions": "bindingFailureConditions are required to use bindingConditions",
}


def request_names(claim: Json) -> frozenset[str]:
    """What a claim's requests can be referred to by: `request` or `request/alternative`."""
    found = set()
    for request in claim.get("requests") or ():
        found.add(request["name"])
        alternatives = request.get("firstAvailable") or ()
        found.update(f"{request['name']}/{other['name']}" for other in alternatives)
    return frozenset(found)


def request_reference(name: str, path: str, known: frozenset[str]) -> Errors:
    """The name of a request of the claim."""
    parts = name.split("/")
    if len(parts) <= 2:
        for part in parts:
            yield from names.label(part, path)
    if name not in known:
        yield invalid_value(path, name, NO_REQUEST)


def request_references(references: Sequence[str], path: str, known: frozenset[str]) -> Errors:
    """Names of requests of the claim, each once."""
    if len(references) > REQUEST_NAMES:
        yield from items_at_most(REQUEST_NAMES)(references, path)
        return
    for i, name in enumerate(references):
        yield from request_reference(name, f"{path}[{i}]", known)
    yield from unique(references, path)


def configuration(entry: Json, path: str, known: frozenset[str] | None) -> Errors:
    """Parameters for a driver; `known` are the requests that they may be for, if for any."""
    if known is not None:
        yield from request_references(entry.get("requests") or (), f"{path}.requests", known)
    yield from CONFIGURATION(entry, path)


def raw_object(value: Any, path: str) -> Errors:
    """A JSON object of a driver's own, of bounded size."""
    if len(msgspec.json.encode(value)) > PARAMETERS_LIMIT:
        yield too_long(path, PARAMETERS_LIMIT)


def attribute(name: str, path: str) -> Errors:
    """An attribute's or capacity's name: an identifier, after a domain if it is another's."""
    domain, slash, rest = name.rpartition("/")
    if "/" in domain:
        return
    if slash and not domain:
        yield invalid_value(path, "", "the domain must not be empty")
    elif slash:
        yield from driver(domain, path)
    if slash and not rest:
        yield invalid_value(path, "", "the name must not be empty")
    else:
        yield from identifier(rest, path)


def full_attribute(name: str, path: str) -> Errors:
    """An attribute's name with its domain."""
    yield from attribute(name, path)
    if "/" not in name:
        yield invalid_value(path, name, NO_DOMAIN)


def pool_name(name: str, path: str) -> Errors:
    """A pool's name: subdomains between slashes."""
    if not name:
        yield required(path)
        return
    if len(name) > 253:
        yield too_long(path, 253)
    for part in name.split("/"):
        yield from names.subdomain(part, path)


def _binding_list(conditions: list[str], path: str) -> Errors:
    if len(conditions) > 4:
        yield from items_at_most(4)(conditions, path)
    else:
        yield from each(names.qualified)(conditions, path)
    yield from unique(conditions, path)


def binding(item: Json, path: str) -> Errors:
    """What a device waits for before its pod is bound, and what makes it give up."""
    for name in BOTH_NEEDED:
        yield from _binding_list(item.get(name) or [], f"{path}.{name}")
    wanted, failing = (item.get(name) or [] for name in BOTH_NEEDED)
    for i, condition in enumerate(failing):
        if condition in wanted:
            yield invalid_value(f"{path}.bindingFailureConditions[{i}]", condition, OVERLAP)
    if bool(wanted) != bool(failing):
        missing = "bindingFailureConditions" if wanted else "bindingConditions"
        yield invalid_value(f"{path}.{missing}", item.get(missing), BOTH_NEEDED[missing])


def _taint_value(value: str, path: str) -> Errors:
    yield from (invalid_value(path, value, fault) for fault in names.label_value_faults(value))


CONFIGURATION = fields(
    {"opaque": NEEDED, "opaque.driver": driver, "opaque.parameters": (NEEDED, raw_object)}
)
taint = fields(
    {"key": names.qualified, "value": _taint_value, "effect": (NEEDED, one_of(*EFFECTS))}
)
"""A check of a device's taint."""
