"""The way of an object into the store, the same for every verb that writes.

check its structure → drop what is unknown → defaults → admission → the kind's rules → managed
fields → bytes. `Objects` reads and writes decoded objects; the store below knows only bytes.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from argosy.api.defaults.prepare import prepare
from argosy.api.defaults.table import DEFAULTS
from argosy.api.gated.carry import carry
from argosy.api.generation import first
from argosy.api.structural import prune, strict_decoding_error, unknown_field
from argosy.api.validation.table import validate
from argosy.apiserver.admission.chain import Chain
from argosy.apiserver.admission.rule import Attributes, Operation
from argosy.apiserver.catalog import Served
from argosy.apiserver.conversion import Converted
from argosy.apiserver.fieldmanager.creation import begun
from argosy.apiserver.fieldmanager.manager import track_update
from argosy.apiserver.fieldmanager.versions import Versions
from argosy.apiserver.frames import Frames
from argosy.apiserver.parts import FIXED, unowned
from argosy.apiserver.request import Call, Target
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import StatusError, bad_request, invalid, not_found, too_large
from argosy.store.interface import DELETE, Record, Store

Json = dict[str, Any]
LARGEST = 3 * 1024 * 1024
"""Bytes of an object: what a body may have. One that is larger already may only shrink, or go."""
OMITTED: Json = {"labels": {}, "annotations": {}, "ownerReferences": [], "finalizers": []}
"""Metadata that is as good as absent where it is empty, and is not kept then."""
BORN_WITH_STATUS = frozenset({"Node"})
"""Kinds whose creator tells the first status, as a kubelet does that registers its node."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """What a change that leaves nothing to wait for makes of an object: it is deleted as `last`."""

    last: Json


@dataclass(frozen=True)
class Objects:
    """Objects as the verbs see them."""

    store: Store
    clock: Clock
    chain: Chain
    frames: Frames = field(default_factory=Frames)

    @property
    def versions(self) -> Versions | None:
        """The versions of the kind, where they differ by more than their name."""
        return self.store.versions if isinstance(self.store, Converted) else None

    def read(self, target: Target) -> Record:
        """The record of one object. Raises StatusError 404."""
        record = self.store.get(target.key)
        if record is None:
            raise absent(target)
        return record

    def incoming(self, call: Call, obj: Json) -> Json:
        """A client's whole object, checked for identity and structure, pruned to its schema."""
        whole = _identified(call.target, obj)
        # The option is read in any case, so that a wrong one is refused.
        if call.field_validation and call.target.served.fits(whole):
            return whole
        return self.checked(call, self._pruned(call, whole))

    def partial(self, call: Call, obj: Json) -> Json:
        """A part of an object, checked for identity and pruned; see `checked` for the whole."""
        return self._pruned(call, _identified(call.target, obj))

    def _pruned(self, call: Call, obj: Json) -> Json:
        served = call.target.served
        if call.field_validation != "Ignore" and (unknown := served.unknown(obj)):
            if call.field_validation == "Strict":
                resource = served.resource
                raise strict_decoding_error(resource.kind, resource.version, unknown)
            call.warnings.extend(unknown_field(path) for path in unknown)
        return served.pruned(obj)

    def checked(self, call: Call, obj: Json) -> Json:
        """`obj`, if its structure is that of its kind. Raises StatusError 422."""
        served = call.target.served
        if errors := served.faults(obj):
            raise _refused(served, obj, errors)
        return obj

    def initial(self, call: Call, obj: Json) -> Json:
        """`obj` as it begins: stamped, defaulted, without a status of the client's."""
        meta = obj["metadata"]
        for name in (*FIXED, "resourceVersion", "selfLink"):
            meta.pop(name, None)
        once = call.answers.once
        meta["uid"] = once("uid", _uid)
        meta["creationTimestamp"] = once("creationTimestamp", lambda: timestamp(self.clock.now()))
        served = call.target.served
        if (generation := first(served.name, own=served.own)) is not None:
            meta["generation"] = generation
        if served.resource.status and served.name not in BORN_WITH_STATUS:
            obj.pop("status", None)
        return obj

    def admitted(self, call: Call, new: Json, old: Json | None) -> Json:
        """`new` with defaults, past admission and past the rules of its kind."""
        served = call.target.served
        _default(served, new)
        subresource = call.target.subresource
        prepare(served.name, subresource, new, old)
        served.settle(new, old, timestamp(self.clock.now()), call.warnings)
        served.drop_gated(new, old)
        attributes = self.asked(call, "CREATE" if old is None else "UPDATE", new, old)
        self.chain.mutate(attributes)
        namespaced = served.resource.namespaced
        errors = validate(served.name, new, old, namespaced=namespaced, subresource=subresource)
        later = served.later_faults(new, old, call.warnings, errors, call.answers)
        if errors := [*errors, *later]:
            raise _refused(served, new, errors)
        self.chain.validate(attributes)
        return new

    def reviewed(self, call: Call, operation: Operation, new: Json, old: Json | None) -> None:
        """Let what is not stored, or goes, pass all of admission. Raises StatusError."""
        attributes = self.asked(call, operation, new, old)
        self.chain.mutate(attributes)
        self.chain.validate(attributes)

    def asked(self, call: Call, operation: Operation, new: Json, old: Json | None) -> Attributes:
        """What admission sees of a call."""
        return Attributes(
            operation=operation,
            target=call.target,
            user=call.user,
            new=new,
            old=old,
            look=self.store.get,
            items=self.store.list,
            authorize=lambda asked: self.chain.authorize(asked, call.answers),
            afterwards=call.afterwards,
            warnings=call.warnings,
            answers=call.answers,
            dry_run=call.dry_run,
            query=call.query,
        )

    def tracked(self, call: Call, new: Json, old: Json | None) -> Json:
        """`new` with the managed fields that follow from this write."""
        served, subresource = call.target.served, call.target.subresource
        if old is None and "managedFields" not in new["metadata"]:
            return begun(
                new,
                served.first_fields,
                manager=call.manager,
                api_version=served.resource.api_version,
                time=timestamp(self.clock.now()),
                strip=unowned(served, subresource),
            )
        return track_update(
            old,
            new,
            manager=call.manager,
            schema=served.schema,
            api_version=served.resource.api_version,
            time=timestamp(self.clock.now()),
            subresource=subresource,
            strip=unowned(served, subresource),
            versions=self.versions,
        )

    async def write(
        self, call: Call, key: str, change: Callable[[Json | None], Json | object | None]
    ) -> bytes:
        """Store what `change` makes of the newest state; with dry run, only say what it would be.

        `change` gets a decoded object of its own and returns the new one, DELETE, `Leaving`, or
        None for no write. Returns the object's bytes as stored (as they were, before a DELETE).
        """

        served = call.target.served
        last = b""

        def mutate(record: Record | None, revision: int) -> bytes | object | None:
            nonlocal last
            last = b""
            old = None if record is None else msgspec.json.decode(record.value)
            seen = prune(served.schema, old) if served.older and old is not None else old
            new = change(seen)
            if new is None or new is DELETE:
                return new
            if isinstance(new, Leaving):
                assert record is not None
                last = encoded(new.last, record.revision)
                return DELETE
            if seen is not old:
                carry(served.schema, new, old)
            value = encoded(cast(Json, new), revision)
            if len(value) > LARGEST and (record is None or len(value) > len(record.value)):
                raise too_large(LARGEST)  # defaults add to it, and so does patch upon patch
            return value

        if not call.dry_run:
            written = await self.store.write(key, mutate)
            return last or (b"" if written is None else written.value)
        record = self.store.get(key)
        outcome = mutate(record, 0 if record is None else record.revision)
        if isinstance(outcome, bytes):
            return outcome
        return last or (b"" if record is None else record.value)


def _uid() -> str:
    return str(uuid.uuid4())


def encoded(obj: Json, revision: int) -> bytes:
    """The object's bytes, with its revision; 0: it has none, as a dry run's new object."""
    if not revision:
        return msgspec.json.encode(obj)
    return msgspec.json.encode(
        {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(revision)}}
    )


def absent(target: Target) -> StatusError:
    """404 for the object that `target` names."""
    return not_found(target.served.resource.qualified, target.name)


def _identified(target: Target, obj: Json) -> Json:
    """`obj` with what the path says; raises StatusError 400 where the object says otherwise."""
    resource = target.served.resource
    identity = (
        ("apiVersion", "API version", resource.api_version),
        ("kind", "kind", resource.kind),
    )
    for name, called, wanted in identity:
        if (given := obj.get(name) or wanted) != wanted:
            raise bad_request(
                f"the {called} in the data ({given}) does not match "
                f"the expected {called} ({wanted})"
            )
    meta = {} if obj.get("metadata") is None else obj["metadata"]
    if not isinstance(meta, dict):
        raise bad_request("metadata must be an object")
    meta = {
        name: value
        for name, value in meta.items()
        if value is not None and (value or OMITTED.get(name) != value)
    }
    if target.namespace and meta.setdefault("namespace", target.namespace) != target.namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if target.name and meta.setdefault("name", target.name) != target.name:
        raise bad_request(
            f"the name of the object ({meta['name']}) does not match the name on the URL "
            f"({target.name})"
        )
    head = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta}
    return {**head, **{name: value for name, value in obj.items() if name not in head}}


def _default(served: Served, obj: Json) -> None:
    served.fill(obj)
    if (fill := DEFAULTS.get(served.name)) is not None:
        fill(obj)


def _refused(served: Served, obj: Json, errors: list[Any]) -> StatusError:
    meta = obj.get("metadata")
    name = meta.get("name") or meta.get("generateName") if isinstance(meta, dict) else ""
    return invalid(served.resource.kind, served.resource.group, str(name or ""), errors)
