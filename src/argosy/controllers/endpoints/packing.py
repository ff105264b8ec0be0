"""Puts endpoints into slices, so that as few slices as possible change.

What is in a slice stays there. Slices that change anyway are filled up, the fullest first; what is
left goes into one slice that was to stay as it is, if it fits there, and into new ones otherwise.
Source: `reconcileByPortMapping` of k8s.io/endpointslice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from argosy.api.endpoints import Endpoint, EndpointPort, EndpointSlice

MOST = 100
"""Endpoints of a slice."""
Identity = tuple[tuple[str, ...], str, str, str]
Labels = Mapping[str, str]


@dataclass(slots=True)
class Draft:
    """A slice as it shall be. `before` is the one that it replaces; None for a new one."""

    address_type: str
    ports: tuple[EndpointPort, ...]
    labels: Labels
    endpoints: list[Endpoint] = field(default_factory=list)
    before: EndpointSlice | None = None

    @property
    def changed(self) -> bool:
        """Whether it differs from what there is."""
        before = self.before
        return before is None or (
            before.endpoints != tuple(self.endpoints)
            or before.metadata.labels != self.labels
            or before.ports != self.ports
        )


@dataclass(slots=True)
class Packing:
    """What becomes of slices. `kept` are those that stay as they are."""

    create: list[Draft] = field(default_factory=list)
    update: list[Draft] = field(default_factory=list)
    delete: list[EndpointSlice] = field(default_factory=list)
    kept: list[EndpointSlice] = field(default_factory=list)

    def add(self, other: "Packing") -> None:
        """What becomes of others."""
        self.create += other.create
        self.update += other.update
        self.delete += other.delete
        self.kept += other.kept

    def recycle(self, uid: str) -> None:
        """Turn what would be created into updates of what would be deleted, if it is owned by the
        object with this uid: one write for two, and nobody sees endpoints go and come.
        """
        for old in list(self.delete):
            if not self.create:
                return
            draft = self.create[-1]
            if old.address_type == draft.address_type and owned_by(old, uid):
                self.create.pop()
                self.delete.remove(old)
                draft.before = old
                self.update.append(draft)


def owned_by(piece: EndpointSlice, uid: str) -> bool:
    """Whether the slice belongs to the object."""
    return any(owner.uid == uid for owner in piece.metadata.owner_references)


def identity(endpoint: Endpoint) -> Identity:
    """What makes it the same endpoint, however its state changes."""
    target = endpoint.target_ref
    of = (target.namespace, target.name) if target is not None else ("", "")
    return (tuple(sorted(endpoint.addresses)), endpoint.hostname, *of)


def packed(existing: Sequence[EndpointSlice], desired: Iterable[Endpoint], model: Draft) -> Packing:
    """Slices with the desired endpoints. All have the address type, ports and labels of `model`."""
    left = {identity(endpoint): endpoint for endpoint in desired}
    result = Packing()
    unchanged: list[Draft] = []
    for piece in existing:
        draft = _like(model, piece)
        draft.endpoints = _staying(piece, left)
        if piece.endpoints and not draft.endpoints:
            result.delete.append(piece)
        elif _differs(piece, draft):
            result.update.append(draft)
        else:
            unchanged.append(draft)
    waiting = list(left.values())
    for draft in sorted(result.update, key=lambda one: -len(one.endpoints)):
        _fill(draft, waiting)
    while waiting:
        chosen = _room(unchanged, len(waiting))
        if chosen is None:
            chosen = _like(model, None)
            result.create.append(chosen)
        else:
            unchanged.remove(chosen)
            result.update.append(chosen)
        _fill(chosen, waiting)
    result.kept = [one.before for one in unchanged if one.before is not None]
    return result


def _like(model: Draft, before: EndpointSlice | None) -> Draft:
    return Draft(model.address_type, model.ports, model.labels, before=before)


def _staying(piece: EndpointSlice, left: dict[Identity, Endpoint]) -> list[Endpoint]:
    """The slice's endpoints that are desired, as they shall be; they are taken out of `left`."""
    found = (left.pop(identity(endpoint), None) for endpoint in piece.endpoints)
    return [endpoint for endpoint in found if endpoint is not None]


def _differs(piece: EndpointSlice, draft: Draft) -> bool:
    """Whether there is something to write; hints are another's matter."""
    if piece.metadata.labels != draft.labels or len(piece.endpoints) != len(draft.endpoints):
        return True
    return any(
        plain(old) != plain(new) for old, new in zip(piece.endpoints, draft.endpoints, strict=True)
    )


def plain(endpoint: Endpoint) -> tuple[object, ...]:
    """All of an endpoint but its hints."""
    return (
        identity(endpoint),
        endpoint.conditions,
        endpoint.node_name,
        endpoint.zone,
        endpoint.target_ref,
    )


def _fill(draft: Draft, waiting: list[Endpoint]) -> None:
    room = max(MOST - len(draft.endpoints), 0)
    draft.endpoints += waiting[:room]
    del waiting[:room]


def _room(drafts: Iterable[Draft], number: int) -> Draft | None:
    """The one that is the fullest when so many more are in it."""
    fitting = [one for one in drafts if number < MOST and len(one.endpoints) + number <= MOST]
    # An empty one is as good as a new one: it is filled, too.
    return max(fitting, key=lambda one: len(one.endpoints), default=None)
