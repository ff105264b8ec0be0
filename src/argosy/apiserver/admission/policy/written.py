"""The admission rule for policies themselves.

Their expressions must compile; whether those of one that validates fit the kinds that they are
about is said in its status, in the write itself. What takes long is done in a thread, while the
write waits as it would for another server.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from argosy.api.generation import following
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.answers import Ask
from argosy.apiserver.catalog import Catalog
from argosy.base.errors import FieldError, invalid

Json = dict[str, Any]

QUICK: Final = 2000
"""Characters times kinds: what is compiled in about 20 ms."""
CHECKED: Final = 20_000
"""Characters beyond which types are not checked: this is done anew for each kind."""


@dataclass(frozen=True, slots=True)
class Written:
    """Looks at policies as they are written."""

    catalog: Catalog

    def __call__(self, attributes: Attributes) -> None:
        """Raises StatusError 422 where an expression is no good."""
        new, old = attributes.new, attributes.old
        if old is not None and old.get("spec") == new.get("spec"):
            return
        from argosy.apiserver.admission.policy.checking import length_faults

        spec = new.get("spec") or {}
        errors, warnings = length_faults(spec), list[Json]()
        if not errors:
            errors, warnings = self._judged(attributes, spec)
        if errors:
            resource = attributes.target.served.resource
            raise invalid(resource.kind, resource.group, attributes.name, errors)
        if attributes.target.served.resource.kind != "ValidatingAdmissionPolicy":
            return  # the other kind has no status
        new["status"] = {
            **(new.get("status") or {}),
            "observedGeneration": _generation(attributes),
            "typeChecking": {"expressionWarnings": warnings} if warnings else {},
        }

    def _judged(
        self, attributes: Attributes, spec: Mapping[str, Any]
    ) -> tuple[list[FieldError], list[Json]]:
        from argosy.api.cel.minors import allowed
        from argosy.apiserver.admission.policy.checking import characters, faults
        from argosy.apiserver.admission.policy.typechecking import Checked, kinds_of
        from argosy.apiserver.admission.policy.typechecking import warnings as unfit

        size = characters(spec)
        checked = Checked((), None) if size > CHECKED else kinds_of(self.catalog, spec)

        may = allowed(attributes.target.served.minor, attributes.old)

        def judge() -> tuple[list[FieldError], list[Json]]:
            errors = faults(spec, may)
            return errors, [] if errors else unfit(spec, checked)

        if size * (1 + len(checked.types)) <= QUICK:
            return judge()

        async def judged() -> tuple[list[FieldError], list[Json]]:
            return await asyncio.to_thread(judge)

        ask = Ask("policy expressions", msgspec.json.encode(spec), judged)
        answer: tuple[list[FieldError], list[Json]] = attributes.answers.need(ask)[0]
        return answer


def _generation(attributes: Attributes) -> int:
    """The one that this write makes."""
    new, old = attributes.new, attributes.old
    if old is None:
        return int(new["metadata"].get("generation") or 1)
    return following(attributes.target.served.name, new, old, own=False) or 1
