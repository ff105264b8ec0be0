"""What is placed as one: a gang, or groups of groups down to the gangs.

Each part may ask that all of its pods are in one domain of a topology label, within the
domain that its parent asks for.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from argosy.api.core import Pod


@dataclass(frozen=True, slots=True, kw_only=True)
class Gang:
    """Pods of which `least` must be placed. `pods` wait, in the order in which they are tried;
    `bound` others are on nodes, and `there` are the uids of those whose place counts.

    `key` is the label of the domain that all of them must be in; None where they may be anywhere.
    `missing` tells why none of them may be placed yet.
    """

    name: str
    pods: tuple[Pod, ...]
    least: int = 0
    bound: int = 0
    there: tuple[str, ...] = ()
    key: str | None = None
    missing: str = ""

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return f'gang "{self.name}"'

    @property
    def gangs(self) -> Iterator["Gang"]:
        """Itself."""
        yield self

    @property
    def needed(self) -> int:
        """How many of the waiting pods must be placed, if any shall be."""
        return max(self.least - self.bound, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Parts of which `least` must be placed."""

    name: str
    parts: tuple["Part", ...]
    least: int = 1
    key: str | None = None
    missing: str = ""

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return f'group of groups "{self.name}"'

    @property
    def gangs(self) -> Iterator[Gang]:
        """All gangs below."""
        for part in self.parts:
            yield from part.gangs

    @property
    def needed(self) -> int:
        """How many pods must be placed at least."""
        return sum(sorted(part.needed for part in self.parts)[: self.least])

    @property
    def pods(self) -> tuple[Pod, ...]:
        """All that wait."""
        return tuple(pod for gang in self.gangs for pod in gang.pods)

    @property
    def bound(self) -> int:
        """How many are on nodes."""
        return sum(gang.bound for gang in self.gangs)

    @property
    def there(self) -> tuple[str, ...]:
        """Those whose places count."""
        return tuple(uid for gang in self.gangs for uid in gang.there)


Part = Gang | Groups
