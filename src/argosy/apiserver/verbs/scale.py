"""The scale subresource: how many replicas there shall be, the same for every kind that has them.

What is stored is the kind's own object. It is shown as a `Scale` (autoscaling/v1), changed as one,
and what was changed goes back: the replicas, and who owns them. Who scales by this path owns
`spec.replicas` of the object, or what the definition of its kind calls so, by way of the
subresource `scale`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from argosy.api.columns.text import label_selector
from argosy.api.resource import AGE, NAME, Column, Resource
from argosy.api.validation.rule import nonnegative
from argosy.apiserver.catalog import SCALED, ScalePaths
from argosy.apiserver.fieldmanager.entries import Entry, decode, encode
from argosy.apiserver.fieldmanager.fieldset import difference, from_names, has
from argosy.apiserver.negotiate import answer, answer_object
from argosy.apiserver.objects import Objects, absent
from argosy.apiserver.request import Call
from argosy.apiserver.verbs.edits import applies, applying, patching, replacing, shown_as
from argosy.apiserver.verbs.write import preconditions, settled
from argosy.base.errors import invalid
from argosy.http.message import Response

Json = dict[str, Any]

SCALE = Resource(
    group="autoscaling",
    version="v1",
    kind="Scale",
    plural="scales",
    definition="io.k8s.api.autoscaling.v1.Scale",
    columns=(
        NAME,
        Column("Desired", "spec.replicas", "integer", empty=0),
        Column("Available", "status.replicas", "integer"),
        AGE,
    ),
)
SHOWN = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
"""The metadata that a scale shares with its object."""
PATH = ("f:spec", "f:replicas")
REPLICAS = from_names(["spec.replicas"])

RULE = nonnegative("spec.replicas")


async def get_scale(objects: Objects, call: Call) -> Response:
    """The scale of an object."""
    obj = msgspec.json.decode(objects.read(call.target).value)
    return answer_object(scale_of(obj, call.target.served.scale))


async def update_scale(objects: Objects, call: Call) -> Response:
    """The number of replicas, as the client sends it; none is zero."""
    seen = shown_as(call, SCALE)
    replaced = replacing(objects, seen)
    return await _scaled(objects, call, lambda old: objects.tracked(seen, replaced(old), old))


async def patch_scale(objects: Objects, call: Call) -> Response:
    """A patch of the scale, of any sort."""
    seen = shown_as(call, SCALE)
    if applies(call):
        return await _scaled(objects, call, applying(objects, seen))
    patched = patching(objects, seen)
    return await _scaled(objects, call, lambda old: objects.tracked(seen, patched(old), old))


async def _scaled(objects: Objects, call: Call, edit: Callable[[Json], Json]) -> Response:
    name, served = call.target.name, call.target.served
    version, paths = served.resource.api_version, served.scale

    def change(current: Json | None) -> Json | object | None:
        if current is None:
            raise absent(call.target)
        meta = current["metadata"]
        owners = decode(meta.get("managedFields") or ())
        old = scale_of(current, paths)
        if below := to_scale(owners, paths):
            old["metadata"]["managedFields"] = encode(below)
        scale = edit(old)
        if errors := RULE(scale, None):
            raise invalid(SCALE.kind, SCALE.group, name, errors)
        preconditions(call, current, scale)
        changed = decode(scale["metadata"].get("managedFields") or ())
        replicas = (scale.get("spec") or {}).get("replicas") or 0
        new = _with({**current, "metadata": dict(meta)}, paths.spec, replicas)
        if "managedFields" in meta:
            new["metadata"]["managedFields"] = encode(to_parent(owners, changed, version, paths))
        return settled(objects, call, current, new)

    value = await objects.write(call, call.target.key, change)
    body = msgspec.json.encode(scale_of(msgspec.json.decode(value), paths))
    return answer(body, warnings=tuple(call.warnings))


def scale_of(obj: Mapping[str, Any], paths: ScalePaths = SCALED) -> Json:
    """The scale of an object that has replicas."""
    wanted = _whole(_at(obj, paths.spec))
    shown: Json = {"replicas": _whole(_at(obj, paths.status))}
    if text := _selector(obj, paths):
        shown["selector"] = text
    return {
        "kind": SCALE.kind,
        "apiVersion": SCALE.api_version,
        "metadata": {name: obj["metadata"][name] for name in SHOWN if name in obj["metadata"]},
        "spec": {"replicas": wanted} if wanted else {},
        "status": shown,
    }


def _selector(obj: Mapping[str, Any], paths: ScalePaths) -> str:
    """Which pods are counted, as a text."""
    if paths.selector:
        found = _at(obj, paths.selector)
        return found if isinstance(found, str) else ""
    selector = (obj.get("spec") or {}).get("selector")
    if paths is not SCALED:
        return ""
    if obj["kind"] == "ReplicationController":  # its selector is of old: labels, and no more
        selector = {"matchLabels": selector or {}}
    return label_selector(selector, empty="")


def _at(obj: Any, path: Iterable[str]) -> Any:
    for name in path:
        obj = obj.get(name) if isinstance(obj, Mapping) else None
    return obj


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _with(obj: Json, path: tuple[str, ...], value: int) -> Json:
    """The object with `value` at a path; what lies on the way is made where it is missing."""
    name, *rest = path
    inside = obj.get(name)
    below = inside if isinstance(inside, dict) else {}
    return {**obj, name: _with(below, tuple(rest), value) if rest else value}


def to_scale(owners: Iterable[Entry], paths: ScalePaths = SCALED) -> list[Entry]:
    """Of the owners of an object's fields those of the replicas, as owners of the scale's."""
    return [
        replace(owner, api_version=SCALE.api_version, fields=REPLICAS)
        for owner in owners
        if has(owner.fields, _field(paths))
    ]


def _field(paths: ScalePaths) -> tuple[str, ...]:
    return tuple(f"f:{name}" for name in paths.spec)


def to_parent(
    owners: Iterable[Entry], changed: Iterable[Entry], version: str, paths: ScalePaths = SCALED
) -> list[Entry]:
    """The owners of an object's fields after those of its scale's have changed."""
    path, replicas = _field(paths), from_names([".".join(paths.spec)])
    left = {_who(entry): entry for entry in changed if has(entry.fields, PATH)}
    kept = []
    for owner in owners:
        if not has(owner.fields, path) or left.pop(_who(owner), None) is not None:
            kept.append(owner)
        elif fields := difference(owner.fields, replicas):
            kept.append(replace(owner, fields=fields))
    new = [replace(entry, api_version=version, fields=replicas) for entry in left.values()]
    return [*kept, *new]


def _who(entry: Entry) -> tuple[str, str, str]:
    return entry.manager, entry.operation, entry.subresource
