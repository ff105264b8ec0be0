"""What is wrong with the expressions of a policy that is written, in upstream's words."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from argosy.api.cel.minors import Allowed
from argosy.apiserver.admission.policy.body import Body, body_of
from argosy.apiserver.admission.policy.expressions import Expression, fault
from argosy.base.errors import FieldError, forbidden_field

LONGEST: Final = 100_000
"""Characters of all expressions of a policy: reading them takes a second."""
_SHORTEST: Final = 16
"""Characters that any expression counts beside its own."""
_VARIABLE: Final = 500
"""And what a variable counts besides: its type makes a new environment."""
_TEXTS: Final = ("expression", "messageExpression", "valueExpression")
_FORMS: Final = ("applyConfiguration", "jsonPatch")
_COUNTED: Final = {
    "matchConditions": _SHORTEST,
    "variables": _VARIABLE,
    "validations": _SHORTEST,
    "auditAnnotations": _SHORTEST,
    "mutations": _VARIABLE,
}


def characters(spec: Mapping[str, Any]) -> int:
    """How much there is to compile."""
    return sum(
        counted + sum(len(str(item.get(name) or "")) for name in _TEXTS)
        for part, counted in _COUNTED.items()
        for entry in spec.get(part) or ()
        for item in (entry, *(entry.get(name) or {} for name in _FORMS))
    )


def length_faults(spec: Mapping[str, Any]) -> list[FieldError]:
    """What refuses a policy that would take too long to compile."""
    if characters(spec) <= LONGEST:
        return []
    return [forbidden_field("spec", f"expressions have more than {LONGEST} characters altogether")]


def faults(spec: Mapping[str, Any], may: Allowed | None = None) -> list[FieldError]:
    """What can't be compiled, or uses more than it `may`; of blank ones others complain."""
    return [
        error
        for path, expression in expressions(body_of(spec))
        if expression is not None and expression.source.strip()
        for error in fault(expression, f"spec.{path}", may)
    ]


def expressions(body: Body) -> Iterator[tuple[str, Expression | None]]:
    """All of them by their paths, in upstream's order."""
    for at, one in enumerate(body.conditions.expressions):
        yield f"matchConditions[{at}].expression", one
    for at, one in enumerate(body.composition.written):
        yield f"variables[{at}].expression", one
    for at, rule in enumerate(body.validations):
        yield f"validations[{at}].expression", rule.expression
        yield f"validations[{at}].messageExpression", rule.said
    for at, (_, one) in enumerate(body.annotations):
        yield f"auditAnnotations[{at}].valueExpression", one
    for at, mutation in enumerate(body.mutations):
        form = "jsonPatch" if mutation.patch else "applyConfiguration"
        yield f"mutations[{at}].{form}.expression", mutation.expression
