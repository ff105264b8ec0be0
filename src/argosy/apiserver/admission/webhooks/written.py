"""The admission rule for webhooks' configurations themselves: their conditions must compile.

All else about them is for the kind's own rules. Many or long conditions are compiled in a thread,
while the write waits as it would for another server.
"""

import asyncio
from typing import Any, Final

import msgspec

from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.answers import Ask
from argosy.base.errors import FieldError, invalid

Json = dict[str, Any]
QUICK: Final = 2000
"""Characters that are compiled in about 20 ms."""


def conditions_compile(attributes: Attributes) -> None:
    """Raises StatusError 422 where a condition is no good, unless all were there before."""
    said = _conditions(attributes.new)
    if not any(said) or (attributes.old is not None and _conditions(attributes.old) == said):
        return
    errors = _errors(attributes, said)
    if errors:
        resource = attributes.target.served.resource
        raise invalid(resource.kind, resource.group, attributes.name, errors)


def _conditions(configuration: Json) -> list[list[Json]]:
    return [one.get("matchConditions") or [] for one in configuration.get("webhooks") or ()]


def _errors(attributes: Attributes, said: list[list[Json]]) -> list[FieldError]:
    if sum(len(one["expression"]) for conditions in said for one in conditions) <= QUICK:
        return _faults(attributes, said)

    async def judged() -> list[FieldError]:
        return await asyncio.to_thread(_faults, attributes, said)

    ask = Ask("match conditions", msgspec.json.encode(said), judged)
    answer: list[FieldError] = attributes.answers.need(ask)[0]
    return answer


def _faults(attributes: Attributes, said: list[list[Json]]) -> list[FieldError]:
    # The engine that reads them is large, and most servers have none.
    from argosy.api.cel.minors import allowed
    from argosy.apiserver.admission.policy.expressions import Conditions

    errors: list[FieldError] = []
    may = allowed(attributes.target.served.minor, attributes.old)
    for index, conditions in enumerate(said):
        made = Conditions.compile(conditions, f"webhooks[{index}].matchConditions", may=may)
        if isinstance(made, list):
            errors += made
    return errors
