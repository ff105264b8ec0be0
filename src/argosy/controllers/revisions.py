"""The history of workloads: what their template was, as ControllerRevisions.

A revision's data is a strategic merge patch that puts the template back: `kubectl rollout undo`
sends it as it is. The newest revision of the set's own template is the one that pods shall have;
one that comes back gets the highest number anew instead of a second object. `decide` is pure,
`History` carries it out. Shared by StatefulSets and DaemonSets, which differ in where the hash of a
revision is told (`label`).
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.defaults.pods import pod_template
from argosy.api.meta import Object, owned
from argosy.api.revisions import ControllerRevision
from argosy.base.errors import StatusError
from argosy.base.selectors import Selector
from argosy.client.client import Client
from argosy.controllers.claiming import ByNamespace, Claims, orphans
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

Json = dict[str, Any]
LONGEST_PREFIX = 223
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels: a hash shall spell nothing."""
_FNV_START, _FNV_PRIME = 0x811C9DC5, 0x01000193


@dataclass(frozen=True, slots=True)
class Decision:
    """Which revision is the set's own: `found`, with `number` as its revision, or a new one."""

    found: ControllerRevision | None
    number: int


@dataclass(frozen=True, slots=True)
class Current:
    """The revision of the set as it is, all others by rising age, and the collisions so far."""

    revision: ControllerRevision
    others: tuple[ControllerRevision, ...]
    collisions: int


def data_of(template: Mapping[str, Any]) -> Json:
    """What a revision keeps of a set: a patch that replaces the template."""
    return {"spec": {"template": {**template, "$patch": "replace"}}}


def template_of(revision: ControllerRevision) -> Json:
    """The template that a revision keeps; not to be changed."""
    kept = (revision.data.get("spec") or {}).get("template") or {}
    return {key: value for key, value in kept.items() if key != "$patch"}


def hash_of(data: Mapping[str, Any], collisions: int) -> str:
    """The hash in a revision's name; another one for each collision."""
    value = _FNV_START
    text = msgspec.json.encode(data, order="sorted") + str(collisions).encode()
    for byte in text:
        value = (value * _FNV_PRIME) & 0xFFFFFFFF ^ byte
    return "".join(_LETTERS[ord(digit) % len(_LETTERS)] for digit in str(value))


def by_number(revisions: Sequence[ControllerRevision]) -> list[ControllerRevision]:
    """From the oldest to the newest."""
    return sorted(
        revisions,
        key=lambda item: (
            item.revision,
            item.metadata.creation_timestamp or "",
            item.metadata.name,
        ),
    )


def decide(revisions: Sequence[ControllerRevision], template: Mapping[str, Any]) -> Decision:
    """Which of `revisions` (by rising number) is `template`, and which number it shall have."""
    data = data_of(template)
    same = [item for item in revisions if item.data == data]
    if not same and revisions and _defaulted(template_of(revisions[-1])) == template:
        # Written before a default came: the pods are what they would be made again.
        same = [revisions[-1]]
    kept = {item.metadata.name for item in same}
    highest = max(
        (item.revision for item in revisions if item.metadata.name not in kept), default=0
    )
    found = same[-1] if same else None
    return Decision(found, max(highest + 1, found.revision if found else 0))


def _defaulted(template: Json) -> Json:
    filled = deepcopy(template)
    pod_template(filled)
    return filled


@dataclass(frozen=True)
class History:
    """Reads and writes the revisions of sets of one kind. `label` is where their hash is told."""

    client: Client
    revisions: Informer[ControllerRevision]
    orphans: ByNamespace[ControllerRevision]
    label: str

    async def claimed(self, owner: Object, selector: Selector) -> list[ControllerRevision]:
        """The revisions of `owner` by rising number, after adopting and releasing."""
        seen: list[str] = []
        claims = Claims(self.client, lambda _, it: seen.append(it["metadata"]["resourceVersion"]))
        free = self.orphans.within(owner.metadata.namespace)
        mine = self.revisions.owned_by(owner.metadata.uid)
        await claims.claim(owner, selector, [*mine, *free])
        for revision in seen:
            await self.revisions.reached(revision)
        return by_number(self.revisions.owned_by(owner.metadata.uid))

    async def current(
        self,
        owner: Object,
        known: Sequence[ControllerRevision],
        template: Json,
        collisions: int,
    ) -> Current:
        """The revision of `owner` as it is, made or numbered anew where need be.

        `known` are its revisions by rising number. Returns when the cache has seen what was done.
        """
        decision = decide(known, template)
        found = decision.found
        if found is None:
            found, collisions = await self._create(owner, template, decision.number, collisions)
        elif found.revision != decision.number:
            found = await self._renumber(found, decision.number)
        others = tuple(item for item in known if item.metadata.name != found.metadata.name)
        return Current(found, others, collisions)

    async def _create(
        self, owner: Object, template: Json, number: int, collisions: int
    ) -> tuple[ControllerRevision, int]:
        while True:
            body = self._body(owner, template, number, collisions)
            try:
                written = await self.client.create(ControllerRevision.resource, body)
            except StatusError as error:
                if error.reason != "AlreadyExists":
                    raise
                existing = await self._existing(owner, body)
                if existing is not None:
                    return existing, collisions
                collisions += 1
            else:
                return await self._seen(written), collisions

    async def _existing(self, owner: Object, body: Json) -> ControllerRevision | None:
        """The revision of this name, if it is the very same: made before, and not yet seen."""
        meta = body["metadata"]
        found = await self.client.find(ControllerRevision, meta["name"], meta["namespace"])
        if found is None or found.data != body["data"]:
            return None
        mine = found.controller is not None and found.controller.uid == owner.metadata.uid
        return found if mine else None

    def _body(self, owner: Object, template: Json, number: int, collisions: int) -> Json:
        data = data_of(template)
        told, meta = hash_of(data, collisions), owner.metadata
        labels = (template.get("metadata") or {}).get("labels") or {}
        return {
            "apiVersion": ControllerRevision.resource.api_version,
            "kind": ControllerRevision.resource.kind,
            "metadata": {
                "name": f"{meta.name[:LONGEST_PREFIX]}-{told}",
                "namespace": meta.namespace,
                "labels": {**labels, self.label: told},
                "annotations": dict(meta.annotations),
                "ownerReferences": [owned(owner)],
            },
            "data": data,
            "revision": number,
        }

    async def _renumber(self, found: ControllerRevision, number: int) -> ControllerRevision:
        meta = found.metadata
        patch = {"metadata": {"uid": meta.uid}, "revision": number}
        return await self._seen(
            await self.client.merge(found.resource, meta.name, meta.namespace, patch)
        )

    async def _seen(self, written: Json) -> ControllerRevision:
        await self.revisions.reached(written["metadata"]["resourceVersion"])
        return msgspec.convert(written, ControllerRevision)

    async def forget(self, revisions: Sequence[ControllerRevision]) -> None:
        """Delete these very revisions."""
        for item in revisions:
            meta = item.metadata
            await self.client.delete(item.resource, meta.name, meta.namespace, uid=meta.uid)


def history(manager: Manager, client: Client, label: str) -> History:
    """The history of sets that write as `client`."""
    revisions = manager.informer(ControllerRevision)
    return History(client, revisions, orphans(revisions), label)
