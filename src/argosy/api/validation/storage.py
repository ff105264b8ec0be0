"""The rules of `storage.k8s.io`."""

from collections.abc import Iterator, Mapping

from argosy.api import names
from argosy.api.validation import values
from argosy.api.validation.fields import (
    NEEDED,
    Needed,
    at_least,
    at_most,
    between,
    by_path,
    characters_at_most,
    checked,
    each,
    fields,
    one_of,
    together,
    unique,
    unique_by,
    unless_empty,
)
from argosy.api.validation.formats import driver
from argosy.api.validation.rule import IMMUTABLE, Json, Rule, at, immutable, of_part
from argosy.api.validation.selectors import label_selector
from argosy.base.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
    too_long,
)

Errors = Iterator[FieldError]

LARGEST = 256 * 1024
"""Of all parameters or of all attachment metadata together, in bytes."""
MOST_PARAMETERS = 512
LIFECYCLES = ("Persistent", "Ephemeral")
ONE_SOURCE = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
NO_TOKENS = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"


def _provisioner(text: str, path: str) -> Errors:
    """A name as labels have them, in any case; it is shown in lower case."""
    yield from names.qualified(text.lower(), path)


def _parameters(parameters: Mapping[str, str], path: str) -> Errors:
    if len(parameters) > MOST_PARAMETERS:
        yield too_long(path, MOST_PARAMETERS)
        return
    if "" in parameters:
        yield invalid_value(path, "", "field can not be empty.")
    yield from _bounded(parameters, path)


def _bounded(entries: Mapping[str, str], path: str) -> Errors:
    if sum(len(f"{key}{value}".encode()) for key, value in entries.items()) > LARGEST:
        yield too_long(path, LARGEST)


def _topologies(terms: list[Json], path: str) -> Errors:
    seen: list[dict[str, frozenset[str]]] = []
    for i, term in enumerate(terms):
        field = f"{path}[{i}].matchLabelExpressions"
        expressions = term.get("matchLabelExpressions") or ()
        yield from EXPRESSIONS(expressions, field)
        found = {entry["key"]: frozenset(entry["values"]) for entry in expressions}
        if found in seen:
            yield duplicate(field, "")
        seen.append(found)


def _source(source: Json, path: str) -> Errors:
    volume, inline = source.get("persistentVolumeName"), source.get("inlineVolumeSpec")
    if volume is None and inline is None:
        yield required(path, ONE_SOURCE)
    elif volume is not None and inline is not None:
        yield forbidden_field(path, ONE_SOURCE)
    elif volume == "":
        detail = "must specify non empty persistentVolumeName"
        yield required(f"{path}.persistentVolumeName", detail)
    elif volume:
        yield from names.subdomain(volume, f"{path}.persistentVolumeName")


def _error_message(text: str, path: str) -> Errors:
    """At most 1,024 bytes, though the error tells of another limit; so it does upstream."""
    if len(text.encode()) > 1024:
        yield too_long(path, LARGEST)


def _topology_keys(keys: list[str], path: str) -> Errors:
    """Its errors stand at the driver, not at the key."""
    parent, seen = path.removesuffix(".topologyKeys"), set()
    for key in keys:
        if not key:
            yield required(parent)
        if key in seen:
            yield duplicate(parent, key)
        seen.add(key)
        yield from names.qualified(key, parent)


def _same_drivers(new: Json, old: Json | None) -> list[FieldError]:
    """A driver may leave and come back otherwise; while it is there, only its capacity changes."""
    before, after = (
        {item["name"]: {**item, "allocatable": None} for item in (at(obj, "spec.drivers") or ())}
        for obj in (old, new)
    )
    return [
        invalid_value("spec.drivers", item, IMMUTABLE)
        for name, item in after.items()
        if before.get(name, item) != item
    ]


def _lifecycles(modes: list[str], path: str) -> Errors:
    yield from (not_supported(path, mode, LIFECYCLES) for mode in modes if mode not in LIFECYCLES)


def _tokens(spec: Json, path: str) -> Errors:
    said = spec.get("serviceAccountTokenInSecrets")
    if said is not None and not spec.get("tokenRequests"):
        yield invalid_value(f"{path}.serviceAccountTokenInSecrets", said, NO_TOKENS)


def _same_driver_class(new: Json, old: Json | None) -> list[FieldError]:
    return [
        forbidden_field(name, f"updates to {name} are forbidden.")
        for name in ("driverName", "parameters")
        if old is not None and new.get(name) != old.get(name)
    ]


def _renamed(path: str, shown: str) -> Rule:
    """`path` never changes, and the error names it otherwise."""
    rule = immutable(path)

    def renamed(new: Json, old: Json | None) -> list[FieldError]:
        return [FieldError(error.reason, shown, error.text) for error in rule(new, old)]

    return renamed


EXPRESSIONS = together(
    each(fields({"values": (NEEDED, unique), "key": names.qualified})), unique_by("key", at="key")
)
STORAGE_CLASS = fields(
    {
        "provisioner": (NEEDED, _provisioner),
        "parameters": _parameters,
        "reclaimPolicy": unless_empty(one_of("Delete", "Retain")),
        "volumeBindingMode": (NEEDED, one_of("Immediate", "WaitForFirstConsumer")),
        "allowedTopologies": _topologies,
    }
)
ATTRIBUTES_CLASS = fields(
    {
        "driverName": (NEEDED, _provisioner),
        "parameters": (Needed("must contain at least one key/value pair"), _parameters),
    }
)
VOLUME_ERROR = fields({"message": _error_message, "errorCode": between(0, 2**31 - 1)})
ATTACHMENT = fields({"attacher": driver, "source": _source, "nodeName": names.subdomain})
ATTACHMENT_STATUS = fields(
    {"attachmentMetadata": _bounded, "attachError": VOLUME_ERROR, "detachError": VOLUME_ERROR}
)
NODE_DRIVERS = together(
    each(
        fields(
            {
                "name": driver,
                "nodeID": (NEEDED, characters_at_most(256, "must be 256 characters or less")),
                "allocatable.count": at_least(0),
                "topologyKeys": _topology_keys,
            }
        )
    ),
    unique_by("name", at="name"),
)
TOKEN_SECONDS = (
    at_least(600, "may not specify a duration less than 10 minutes"),
    at_most(2**32, "may not specify a duration larger than 2^32 seconds"),
)
DRIVER = together(
    fields(
        {
            "fsGroupPolicy": one_of("File", "None", "ReadWriteOnceWithFSType"),
            "tokenRequests[].expirationSeconds": TOKEN_SECONDS,
            "tokenRequests": unique_by("audience", at="audience"),
            "volumeLifecycleModes": _lifecycles,
            "nodeAllocatableUpdatePeriodSeconds": at_least(
                10, "must be greater than or equal to 10 seconds"
            ),
        }
    ),
    _tokens,
)
CAPACITY = fields(
    {
        "nodeTopology": label_selector,
        "storageClassName": names.subdomain,
        "capacity": by_path(values.amount),
    }
)

RULES: Mapping[str, tuple[Rule, ...]] = {
    "CSIDriver": (
        of_part("spec", DRIVER),
        _renamed("spec.attachRequired", "spec.attachedRequired"),
        immutable("spec.volumeLifecycleModes"),
    ),
    "CSINode": (of_part("spec", fields({"drivers": NODE_DRIVERS})), _same_drivers),
    "CSIStorageCapacity": (checked(CAPACITY), immutable("nodeTopology", "storageClassName")),
    "StorageClass": (
        checked(STORAGE_CLASS),
        immutable("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"),
    ),
    "VolumeAttachment": (
        of_part("spec", ATTACHMENT),
        of_part("status", ATTACHMENT_STATUS),
        immutable("spec"),
    ),
    "VolumeAttributesClass": (checked(ATTRIBUTES_CLASS), _same_driver_class),
}
