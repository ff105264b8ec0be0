"""Objects for tests of defaults and rules: made, changed at a path, judged as the server does."""

import copy
from functools import cache
from typing import Any

from argosy.api.builtin import Builtins, load
from argosy.api.defaults.table import DEFAULTS
from argosy.api.kinds import PREFERRED, RESOURCES
from argosy.api.resource import Resource
from argosy.api.structural import check
from argosy.api.validation.table import validate

Json = dict[str, Any]
GONE = object()
"""Where `put` shall take something away."""


@cache
def definitions() -> Builtins:
    """The definitions of the newest minor."""
    return load()


def resource_of(obj: Json) -> Resource:
    """The resource that the object belongs to."""
    version, kind = obj["apiVersion"], obj["kind"]
    return next(item for item in RESOURCES if (item.api_version, item.kind) == (version, kind))


def made(version: str, kind: str, name: str = "some", /, **parts: Any) -> Json:
    """A whole object, in the namespace `default` if its kind has namespaces."""
    obj = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **copy.deepcopy(parts)}
    if resource_of(obj).namespaced:
        obj["metadata"]["namespace"] = "default"
    return obj


def put(obj: Json, path: str, value: Any) -> Json:
    """A copy of `obj` with `value` at a path such as `spec.rules.0.host`."""
    obj = copy.deepcopy(obj)
    *steps, last = (int(step) if step.isdecimal() else step for step in path.split("."))
    place: Any = obj
    for step in steps:
        place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
    if value is GONE:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return obj


def name_of(obj: Json) -> str:
    """By which the tables know the object's kind."""
    resource = resource_of(obj)
    own = PREFERRED[resource.kind].group == resource.group
    return resource.kind if own else f"{resource.kind}.{resource.group}"


def defaulted(obj: Json) -> Json:
    """A copy of `obj` with its defaults."""
    obj = copy.deepcopy(obj)
    if (fill := DEFAULTS.get(name_of(obj))) is not None:
        fill(obj)
    return obj


def errors(obj: Json, old: Json | None = None, *, subresource: str = "") -> list[str]:
    """What the server says to the object, at an update of `old`. Its structure must be right."""
    resource = resource_of(obj)
    assert not check(definitions()(resource.definition), obj)
    found = validate(
        name_of(obj),
        defaulted(obj),
        None if old is None else defaulted(old),
        namespaced=resource.namespaced,
        subresource=subresource,
    )
    return [str(error) for error in found]
