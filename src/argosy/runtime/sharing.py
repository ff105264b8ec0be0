"""Equal parts of objects, kept once: most of what objects of one kind say, they say alike.

Ten thousand pods of a Deployment have ten thousand names and one list of containers. Decoded as
they come, each would hold a copy of it; so the parts of a fresh view are exchanged for equal ones
that were seen before. Nobody may change what is shared, which holds for views anyway.

Looking takes time, and most fields are empty or never alike. So it is learnt from some views which
fields are worth a look, and after many others it is learnt anew.
"""

from collections import Counter
from operator import attrgetter
from typing import Any, TypeVar

import msgspec
from msgspec.structs import force_setattr

T = TypeVar("T", bound=msgspec.Struct)

TEXTS = 16_384
"""So many texts are remembered; then all are forgotten, and the common ones are soon back."""
LONGEST_TEXT = 256
"""Characters of a text up to which it is remembered."""
PARTS = 1_024
"""So many parts of one field, alike."""
LONGEST = 4_096
"""Bytes of a part, encoded, up to which it is remembered."""
LEARNING = 512
"""So many structs of a kind are looked at in all fields."""
KNOWING = 65_536
"""And so many after them in those alone that were worth it."""
SELDOM = 64
"""A field is worth a look in which one of so many structs had something that was known, or other
structs."""

_encode = msgspec.json.Encoder().encode
Parts = dict[bytes, Any]
"""The values of one field by how they are encoded: of one type, equal is what is encoded alike."""


class _Plan:
    """What is looked at in structs of one kind, and what was seen there."""

    def __init__(self, kind: type[msgspec.Struct]) -> None:
        self._all = kind.__struct_fields__
        self._learn()

    def _learn(self) -> None:
        self.learning, self.turns = True, LEARNING
        self._known: Counter[str] = Counter()
        self._inner: Counter[str] = Counter()
        self._look({name: Parts() for name in self._all})

    def _look(self, fields: dict[str, Parts | None]) -> None:
        self.fields = tuple(fields.items())
        # With the class, which nobody looks at, there are two at least, and a tuple comes of it.
        self.values = attrgetter(*fields, "__class__", "__class__")

    def note(self, before: tuple[Any, ...], after: tuple[Any, ...]) -> None:
        """The fields of a struct, before it was looked at and then."""
        for (name, _), old, new in zip(self.fields, before, after, strict=False):
            self._known[name] += new is not old
            self._inner[name] += _holds_structs(old)

    def turn(self) -> None:
        """Go on with what was learnt, or learn anew."""
        if not self.learning:
            self._learn()
            return
        self.learning, self.turns = False, KNOWING
        fields: dict[str, Parts | None] = {}
        for name in self._all:
            if self._known[name] * SELDOM >= LEARNING:
                fields[name] = Parts()
            elif self._inner[name] * SELDOM >= LEARNING:
                fields[name] = None
        self._look(fields)


def _holds_structs(value: Any) -> bool:
    """Whether more may be found in it."""
    inner = value[0] if value and isinstance(value, tuple) else value
    return isinstance(inner, msgspec.Struct)


class Sharing:
    """What was seen before. One for each cache: kinds have little in common."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._text = self._texts.setdefault
        self._plans: dict[type[msgspec.Struct], _Plan] = {}

    def __call__(self, view: T) -> T:
        """The view itself, which is fresh and nobody else's yet, with its parts exchanged."""
        if len(self._texts) > TEXTS:
            self._texts.clear()
        self._exchange(view)
        return view

    def _exchange(self, view: msgspec.Struct) -> None:
        plan = self._plans.get(view.__class__)
        if plan is None:
            plan = self._plans[view.__class__] = _Plan(view.__class__)
        before = plan.values(view)
        # To say `strict` takes longer here than all that is done with a field.
        for (name, parts), value in zip(plan.fields, before):  # noqa: B905
            if not value:
                continue
            form = value.__class__
            if form is str:
                same = value if len(value) > LONGEST_TEXT else self._text(value, value)
            elif form is tuple or form is dict:
                same = self._part(value, parts)
            else:
                if isinstance(value, msgspec.Struct):
                    self._exchange(value)
                continue
            if same is not value:
                force_setattr(view, name, same)
        if plan.learning:
            plan.note(before, plan.values(view))
        plan.turns -= 1
        if not plan.turns:
            plan.turn()

    def _part(self, value: Any, parts: Parts | None) -> Any:
        """The part that is known, or this one; where there are no parts, what is in it counts."""
        if parts is not None:
            encoded = _encode(value)
            if len(encoded) > LONGEST:
                return value
            known = parts.get(encoded)
            if known is not None:
                return known
            if len(parts) >= PARTS:
                parts.clear()
            parts[encoded] = value
        if value.__class__ is tuple and isinstance(value[0], msgspec.Struct):
            for element in value:
                self._exchange(element)
        return value
