"""Strategic merge patch: a merge patch that knows the kind, as a stock kubectl sends it.

Maps merge field by field and null takes a field away, as in `mergepatch`. What the schema's patch
strategy adds: a list that merges keeps the elements that the patch is silent about; its elements
are told apart by the merge key or, where they are scalars, by their value. Every other list is
replaced. Directives in the patch say what JSON can't:

    $patch: replace | delete | merge    what happens to the map; in an element of a list that
                                        merges, delete means the element and replace the list
    $retainKeys: [name, ...]            the fields of the map that stay, all of the patch's included
    $setElementOrder/FIELD: [...]       the order of the elements that it names
    $deleteFromPrimitiveList/FIELD: []  scalars that go

Where no order is set, the elements of the patch keep theirs. The others go before those which they
stood before (design-proposals-archive, cli/preserve-order-in-strategic-merge-patch.md).

What is malformed is answered 400. We follow the documented meaning (kubernetes/community,
sig-api-machinery/strategic-merge-patch.md) in three corners where upstream's code does something
else: a deleted map is gone rather than empty, directives hold in values that are new to the object
as well, and an explicit merge says no more than leaving it out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argosy.api.schema import Schema
from argosy.apiserver.fieldmanager.shape import ANY, child
from argosy.apiserver.mergepatch import MAX_DEPTH
from argosy.base.errors import StatusError, bad_request

Json = dict[str, Any]
Identity = tuple[str, Any]
"""What tells an element from the others; the type's name keeps 1, true and 1.0 apart."""

DIRECTIVE = "$patch"
RETAIN = "$retainKeys"
ORDER = "$setElementOrder"
REMOVE = "$deleteFromPrimitiveList"
MODES = ("replace", "delete", "merge")


def merge(current: Json, patch: Json, schema: Schema) -> Json:
    """`current` with `patch` laid over it. Shares what is unchanged, changes neither.

    Raises StatusError 400 for a malformed directive, for an element without its merge key and for
    a patch of more than `MAX_DEPTH` levels.
    """
    return _map(current, patch, schema, _Place("", MAX_DEPTH))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the patch we are, and how much deeper it may go."""

    path: str
    left: int

    def field(self, name: str) -> "_Place":
        return self._below(f"{self.path}.{name}" if self.path else name)

    def element(self, key: object) -> "_Place":
        return self._below(f"{self.path}[{key}]")

    def _below(self, path: str) -> "_Place":
        if not self.left:
            raise bad_request(f"the patch is nested more than {MAX_DEPTH} levels deep")
        return _Place(path, self.left - 1)

    def wrong(self, text: str) -> StatusError:
        return bad_request(f"the patch is invalid at {self.path or 'its root'}: {text}")


@dataclass(slots=True)
class _ListPatch:
    """What a patch says of one list: elements to merge or to be the list, their order, removals."""

    elements: list[Any] | None = None
    order: list[Any] | None = None
    removed: list[Any] | None = None


@dataclass(frozen=True, slots=True)
class _MapPatch:
    """A map of the patch, taken apart."""

    mode: str
    fields: Mapping[str, Any]  # but for lists
    lists: Mapping[str, _ListPatch]
    retained: frozenset[str] | None


def _read(patch: Json, place: _Place) -> _MapPatch:
    fields: Json = {}
    lists: dict[str, _ListPatch] = {}
    for name, value in patch.items():
        directive, _, field = name.partition("/")
        if directive in (ORDER, REMOVE):
            if not field:
                raise place.wrong(f"{directive} must name a field: {directive}/<field>")
            part = lists.setdefault(field, _ListPatch())
            if directive == ORDER:
                part.order = _list_of(value, name, place)
            else:
                part.removed = _list_of(value, name, place)
        elif isinstance(value, list) and name != RETAIN:
            lists.setdefault(name, _ListPatch()).elements = value
        elif name not in (DIRECTIVE, RETAIN):
            fields[name] = value
    for name in fields.keys() & lists.keys():
        if fields[name] is not None:  # null goes before all
            raise place.field(name).wrong("a directive for lists names a field that is no list")
    return _MapPatch(_mode(patch, place), fields, lists, _retained(patch, place))


def _mode(patch: Json, place: _Place) -> str:
    mode = patch.get(DIRECTIVE, "merge")
    if mode not in MODES:
        raise place.wrong(f"{DIRECTIVE} must be one of {', '.join(MODES)}")
    return str(mode)


def _list_of(value: Any, name: str, place: _Place) -> list[Any]:
    if not isinstance(value, list):
        raise place.wrong(f"{name} must be a list")
    return value


def _retained(patch: Json, place: _Place) -> frozenset[str] | None:
    if RETAIN not in patch:
        return None
    names = _list_of(patch[RETAIN], RETAIN, place)
    if not all(isinstance(name, str) for name in names):
        raise place.wrong(f"{RETAIN} must be a list of field names")
    retained = frozenset(names)
    for name, value in patch.items():
        if value is not None and not name.startswith("$") and name not in retained:
            raise place.wrong(f"{RETAIN} must list every field of the patch and lacks {name}")
    return retained


def _map(current: Json, patch: Json, schema: Schema, place: _Place) -> Json:
    """`current` with `patch` laid over it; a `$patch: delete` leaves nothing of it."""
    read = _read(patch, place)
    if read.mode == "delete":
        return {}
    merged = {} if read.mode == "replace" else dict(current)
    if read.retained is not None:
        merged = {name: value for name, value in merged.items() if name in read.retained}
    for name, value in read.fields.items():
        if value is None or (isinstance(value, dict) and value.get(DIRECTIVE) == "delete"):
            merged.pop(name, None)
        elif isinstance(value, dict):
            inner, live = child(schema, name), merged.get(name)
            if not isinstance(live, dict) or inner.patch_strategy == "replace":
                live = {}
            merged[name] = _map(live, value, inner, place.field(name))
        else:
            merged[name] = value
    for name, part in read.lists.items():
        live = merged.get(name)
        if part.elements is not None or isinstance(live, list):
            kept = live if isinstance(live, list) else []
            merged[name] = _list(kept, part, child(schema, name), place.field(name))
    return merged


def _list(live: list[Any], patch: _ListPatch, schema: Schema, place: _Place) -> list[Any]:
    """`live` with what the patch says of it."""
    if schema.patch_strategy == "merge":
        merged = _Merging(schema, place).merge(live, patch.elements or [], patch.order)
    elif patch.order is not None:
        raise place.wrong(f"{ORDER} is for lists that merge, and this one is replaced")
    elif patch.elements is None:
        merged = live
    else:
        merged = _replacement(patch.elements, schema.items or ANY, place)
    if patch.removed is None:
        return merged
    gone = {_scalar(item, place) for item in patch.removed}
    return [item for item in merged if _identity(item) not in gone]


def _replacement(sent: list[Any], items: Schema, place: _Place) -> list[Any]:
    """The new value of a list that does not merge, without nulls and directives in its maps."""
    found: list[Any] = []
    for index, item in enumerate(sent):
        inner = place.element(index)
        if isinstance(item, list):
            found.append(_replacement(item, items.items or ANY, inner))
        elif not isinstance(item, dict):
            found.append(item)
        elif DIRECTIVE not in item:
            found.append(_map({}, item, items, inner))
        elif item[DIRECTIVE] != "replace":  # which is what happens anyway
            raise inner.wrong(f"{DIRECTIVE} is for elements of lists that merge")
    return found


@dataclass(frozen=True, slots=True)
class _Merging:
    """Merges one list, element by element."""

    schema: Schema
    place: _Place

    def merge(self, live: list[Any], sent: list[Any], order: list[Any] | None) -> list[Any]:
        sent, gone, replace = self._directives(sent)
        merged = [] if replace else [item for item in live if self._of_any(item) not in gone]
        places = _first(map(self._of_any, merged))
        wanted = [self._of_sent(item) for item in sent]
        for key, item in zip(wanted, sent, strict=True):
            at = places.setdefault(key, len(merged))
            if at == len(merged):
                merged.append(self._element({}, item, key))
            else:
                merged[at] = self._element(merged[at], item, key)
        if order is not None:
            wanted = self._ordered(wanted, [self._of_sent(item) for item in order])
        return _arranged(merged, wanted, live, self._of_any)

    def _element(self, live: Any, sent: Any, key: Identity) -> Any:
        if not self.schema.merge_key:
            return sent
        return _map(live, sent, self.schema.items or ANY, self.place.element(key[1]))

    def _directives(self, sent: list[Any]) -> tuple[list[Any], set[Identity | None], bool]:
        """The elements to merge, the identities of those to delete, whether to replace."""
        rest: list[Any] = []
        gone: set[Identity | None] = set()
        replace = False
        for item in sent:
            mode = _mode(item, self.place) if isinstance(item, dict) else "merge"
            if mode == "merge":
                rest.append(item)
            elif mode == "delete":
                gone.add(self._of_sent(item))
            else:
                replace = True
        return rest, gone, replace

    def _ordered(self, sent: list[Identity], order: list[Identity]) -> list[Identity]:
        """`order`, if it has all that is sent, in the same order."""
        rest = iter(order)
        if not all(key in rest for key in sent):
            raise self.place.wrong(f"{ORDER} must list the elements of the patch in their order")
        return order

    def _of_sent(self, item: Any) -> Identity:
        """The identity of an element in the patch, which must have one."""
        key = self.schema.merge_key
        if not key:
            return _scalar(item, self.place)
        if (found := self._of_any(item)) is None:
            raise self.place.wrong(f"each element must be a map with its merge key {key}")
        return found

    def _of_any(self, item: Any) -> Identity | None:
        """The identity of an element; None for one that has none."""
        key = self.schema.merge_key
        if not key:
            return _identity(item)
        if not isinstance(item, dict):
            return None
        value = item.get(key)
        if value is None and self.schema.items and key in self.schema.items.properties:
            value = self.schema.items.properties[key].default
        return _identity(value)


def _identity(value: Any) -> Identity | None:
    if value is None or isinstance(value, dict | list):
        return None
    return type(value).__name__, value


def _scalar(value: Any, place: _Place) -> Identity:
    if (found := _identity(value)) is None:
        raise place.wrong("each element must be a string, a number or a boolean")
    return found


def _first(keys: Iterable[Identity | None]) -> dict[Identity | None, int]:
    """The first position of each key."""
    found: dict[Identity | None, int] = {}
    for position, key in enumerate(keys):
        found.setdefault(key, position)
    return found


def _arranged(
    merged: list[Any],
    wanted: Sequence[Identity],
    live: list[Any],
    identify: Callable[[Any], Identity | None],
) -> list[Any]:
    """`merged` in the order `wanted`; each of the others before those that it led in `live`."""
    rank, stood = _first(wanted), _first(map(identify, live))
    keyed = [(identify(item), item) for item in merged]
    asked = sorted((pair for pair in keyed if pair[0] in rank), key=lambda pair: rank[pair[0]])
    others = [pair for pair in keyed if pair[0] not in rank]
    arranged: list[Any] = []
    taken = 0
    for key, item in asked:
        before = stood.get(key, -1)
        while taken < len(others) and stood[others[taken][0]] < before:
            arranged.append(others[taken][1])
            taken += 1
        arranged.append(item)
    return arranged + [item for _, item in others[taken:]]
