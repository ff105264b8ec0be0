"""Who is asked again where something else changed the object after it: upstream's reinvocation.

Mutating plugins run a second time where one of them says so (`Attributes.again`). Of policies and
webhooks only those are asked then that want to be (`reinvocationPolicy: IfNeeded`), and only where
the object was changed after they saw it.
"""

from dataclasses import dataclass, field

import msgspec

from argosy.apiserver.admission.rule import Attributes


@dataclass(slots=True)
class Rounds:
    """Who was asked in the first round and who is to be in the second, and the object between."""

    before: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)
    output: bytes = b""

    @classmethod
    def of(cls, attributes: Attributes, kept: str) -> "Rounds":
        """What the first round left for the second; `kept` is whose."""
        if attributes.kept is None:
            attributes.kept = {}
        rounds: Rounds = attributes.kept.setdefault(kept, cls())
        if attributes.round and rounds.before and shape(attributes) != rounds.output:
            rounds.changed()
        return rounds

    def changed(self) -> None:
        """Whoever was asked before is asked again."""
        self.again |= self.before
        self.before.clear()

    def over(self, attributes: Attributes) -> None:
        """The round is over."""
        if self.before:
            self.output = shape(attributes)


def shape(attributes: Attributes) -> bytes:
    """The object, to be compared."""
    return msgspec.json.encode(attributes.new, order="sorted")
