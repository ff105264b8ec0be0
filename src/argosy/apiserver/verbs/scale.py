"""The scale subresource: how many replicas there shall be, the same for every kind that has them.

What is stored is the kind's own object. It is shown as a `Scale` (autoscaling/v1), changed as one,
and what was changed goes back: the replicas, and who owns them. Who scales by this path owns
`spec.replicas` of the object, by way of the subresource `scale`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from argosy.api.columns.text import label_selector
from argosy.api.resource import AGE, NAME, Column, Resource
from argosy.api.validation.rule import nonnegative
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
    return answer_object(scale_of(msgspec.json.decode(objects.read(call.target).value)))


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
    name, version = call.target.name, call.target.served.resource.api_version

    def change(current: Json | None) -> Json | object | None:
        if current is None:
            raise absent(call.target)
        meta = current["metadata"]
        owners = decode(meta.get("managedFields") or ())
        old = scale_of(current)
        if below := to_scale(owners):
            old["metadata"]["managedFields"] = encode(below)
        scale = edit(old)
        if errors := RULE(scale, None):
            raise invalid(SCALE.kind, SCALE.group, name, errors)
        preconditions(call, current, scale)
        changed = decode(scale["metadata"].get("managedFields") or ())
        spec = {**current["spec"], "replicas": (scale.get("spec") or {}).get("replicas") or 0}
        new = {**current, "metadata": dict(meta), "spec": spec}
        if "managedFields" in meta:
            new["metadata"]["managedFields"] = encode(to_parent(owners, changed, version))
        return settled(objects, call, current, new)

    value = await objects.write(call, call.target.key, change)
    body = msgspec.json.encode(scale_of(msgspec.json.decode(value)))
    return answer(body, warnings=tuple(call.warnings))


def scale_of(obj: Mapping[str, Any]) -> Json:
    """The scale of an object that has `spec.replicas`."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    selector = spec.get("selector")
    if obj["kind"] == "ReplicationController":  # its selector is of old: labels, and no more
        selector = {"matchLabels": selector or {}}
    wanted = spec.get("replicas") or 0
    shown: Json = {"replicas": status.get("replicas") or 0}
    if text := label_selector(selector, empty=""):
        shown["selector"] = text
    return {
        "kind": SCALE.kind,
        "apiVersion": SCALE.api_version,
        "metadata": {name: obj["metadata"][name] for name in SHOWN if name in obj["metadata"]},
        "spec": {"replicas": wanted} if wanted else {},
        "status": shown,
    }


def to_scale(owners: Iterable[Entry]) -> list[Entry]:
    """Of the owners of an object's fields those of the replicas, as owners of the scale's."""
    return [
        replace(owner, api_version=SCALE.api_version, fields=REPLICAS)
        for owner in owners
        if has(owner.fields, PATH)
    ]


def to_parent(owners: Iterable[Entry], changed: Iterable[Entry], version: str) -> list[Entry]:
    """The owners of an object's fields after those of its scale's have changed."""
    left = {_who(entry): entry for entry in changed if has(entry.fields, PATH)}
    kept = []
    for owner in owners:
        if not has(owner.fields, PATH) or left.pop(_who(owner), None) is not None:
            kept.append(owner)
        elif fields := difference(owner.fields, REPLICAS):
            kept.append(replace(owner, fields=fields))
    new = [replace(entry, api_version=version, fields=REPLICAS) for entry in left.values()]
    return [*kept, *new]


def _who(entry: Entry) -> tuple[str, str, str]:
    return entry.manager, entry.operation, entry.subresource
