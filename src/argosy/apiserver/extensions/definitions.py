"""How CustomResourceDefinitions themselves are served.

What upstream's controllers say in a definition's status (which names it got, whether its kind is
served) is said here in the write that it follows from, so that a kind is served as soon as its
definition is there.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from argosy.api.extensions.definition import Names
from argosy.apiserver.answers import Answers
from argosy.apiserver.catalog import Served
from argosy.base.errors import FieldError

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Definitions(Served):
    """Definitions; `others` tells the names of other kinds in a group."""

    others: Callable[[str, str], Iterable[Names]]

    def fill(self, obj: Json) -> None:
        """Upstream's defaults."""
        from argosy.api.extensions.validation import defaults

        defaults(obj)

    def settle(self, new: Json, old: Json | None, now: str, warnings: list[str]) -> None:
        """Say in the status what follows from the names."""
        from argosy.api.extensions.naming import settled

        group = new["spec"].get("group") or ""
        others = self.others(group, new["metadata"].get("name") or "")
        new["status"] = settled(new, others, now)

    def later_faults(
        self,
        new: Json,
        old: Json | None,
        warnings: list[str],
        before: Sequence[FieldError],
        answers: Answers,
    ) -> Sequence[FieldError]:
        """The rules of definitions. They are read only when the first one comes."""
        from argosy.api.extensions.validation import faults

        if errors := faults(new, old):
            return errors  # only schemas that are structural have types that expressions can use
        if old is not None and old.get("spec") == new.get("spec"):
            return ()
        from argosy.apiserver.extensions.rules import definition_faults

        return definition_faults(new, old, answers, self.minor)
