"""The expressions (CEL) that say about which requests an authorizing webhook is asked.

They see the review that would be sent, as `request`, with every text that upstream shows them, the
empty ones too. Loaded only where a configuration has any.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from argosy.api.cel.decltypes import MAX_REQUEST, DeclType
from argosy.api.cel.engine import CompileError
from argosy.api.cel.environment import Environment, Program
from argosy.api.cel.values import BudgetExceeded, CelError

Json = Mapping[str, Any]
_TEXT: Final = DeclType("string", 2, MAX_REQUEST)
_TEXTS: Final = DeclType("list", 2, MAX_REQUEST, element=_TEXT)
_EXTRA: Final = DeclType("map", 2, MAX_REQUEST, element=_TEXTS)
_TEXT_ATTRIBUTES: Final = (
    "namespace",
    "verb",
    "group",
    "version",
    "resource",
    "subresource",
    "name",
)


def _message(**fields: DeclType) -> DeclType:
    return DeclType("message", 2, fields=fields)


def _request() -> DeclType:
    """Upstream's type of a review's `spec`."""
    requirement = _message(key=_TEXT, operator=_TEXT, values=_TEXTS)
    requirements = DeclType("list", 2, MAX_REQUEST, element=requirement)
    selector = _message(rawSelector=_TEXT, requirements=requirements)
    texts = dict.fromkeys(_TEXT_ATTRIBUTES, _TEXT)
    return _message(
        resourceAttributes=_message(**texts, fieldSelector=selector, labelSelector=selector),
        nonResourceAttributes=_message(path=_TEXT, verb=_TEXT),
        user=_TEXT,
        groups=_TEXTS,
        extra=_EXTRA,
        uid=_TEXT,
    )


@cache
def _environment() -> Environment:
    return Environment({"request": _request()})


def fault(expression: str) -> str:
    """What is wrong with it; it must come to true or false."""
    try:
        program = _environment().compile(expression)
    except CompileError as error:
        return f"compilation failed: {error}"
    kind = program.type.kind
    return "" if kind == "bool" else f"must evaluate to bool but got {kind}"


class ConditionError(Exception):
    """It can't be said whether the webhook is to be asked; the text says why."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Those of one webhook, compiled."""

    programs: tuple[tuple[str, Program], ...]

    @classmethod
    def of(cls, expressions: tuple[str, ...]) -> "Conditions":
        """Of expressions without faults."""
        environment = _environment()
        return cls(tuple((text, environment.compile(text)) for text in expressions))

    def hold(self, spec: Json) -> bool:
        """Whether all are true of a review. Raises ConditionError: none is false, one fails."""
        failed: list[str] = []
        activation = {"request": _whole(spec)}
        for text, program in self.programs:
            try:
                if program.evaluate(activation) is not True:
                    return False
            except (CelError, BudgetExceeded) as error:
                shown = f"cel evaluation error: expression '{text}' resulted in error: {error}"
                failed.append(shown)
        if failed:
            raise ConditionError(failed[0] if len(failed) == 1 else f"[{', '.join(failed)}]")
        return True


def _whole(spec: Json) -> Json:
    """With the empty parts that are not sent."""
    whole: dict[str, Any] = {"user": "", "uid": "", "groups": [], "extra": {}, **spec}
    if (asked := spec.get("resourceAttributes")) is not None:
        whole["resourceAttributes"] = {**dict.fromkeys(_TEXT_ATTRIBUTES, ""), **asked}
    if (asked := spec.get("nonResourceAttributes")) is not None:
        whole["nonResourceAttributes"] = {"path": "", "verb": "", **asked}
    return whole
