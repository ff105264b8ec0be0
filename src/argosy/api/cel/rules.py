"""The rules of a CustomResourceDefinition: `x-kubernetes-validations`, evaluated.

`rulescompile` makes the tree of a schema's rules; here it walks an object and its old version.
Source: Kubernetes' "Validation rules" for CustomResourceDefinitions.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from argosy.api.cel.environment import PER_CALL, Program
from argosy.api.cel.values import NONE, Budget, BudgetExceeded, CelError, Optional
from argosy.base.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_combination,
    invalid_value,
    required,
)

OBJECT_BUDGET: Final = 10_000_000
"""What all rules of one object may cost."""

_EVALUATION_COST: Final = 20
"""Of beginning at all: what keeps a million short rules from taking their time."""
_MOST_TOLD: Final = 1000
"""Errors, or warnings, of one object: whoever has more of them learns of no further one."""
_LONGEST_MESSAGE: Final = 5 * 1024
_OUT_OF_BUDGET: Final = (
    "validation failed due to running out of cost budget, no further validation rules will be run"
)
Warn = Callable[[str], None]
"""Takes what is wrong in a part that was so before: a warning rather than an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, compiled."""

    source: str
    program: Program
    message: str = ""
    message_program: Program | None = None
    reason: str = ""
    path: str = ""  # below the value that the rule is on
    optional_old: bool = False

    @property
    def transition(self) -> bool:
        """Whether the rule looks at the old value."""
        return "oldSelf" in self.program.uses

    def name(self) -> str:
        """How errors call the rule."""
        return (self.message or self.source).strip()


@dataclass(slots=True, kw_only=True)
class Place:
    """The rules on one node of a schema, and the nodes below that have any."""

    type: str = ""
    rules: list[Rule] = field(default_factory=list)
    properties: dict[str, "Place"] = field(default_factory=dict)
    values: "Place | None" = None
    items: "Place | None" = None
    keys: tuple[str, ...] = ()  # by which items of a list-map are the same
    also: list["Place"] = field(default_factory=list)  # of allOf

    def empty(self) -> bool:
        """Whether there is no rule here or below."""
        below = (self.properties, self.values, self.items, self.also)
        return not self.rules and not any(below)


class _Stop(Exception):
    """No further rule is run."""


@dataclass(slots=True)
class _Walk:
    budget: Budget
    warn: Warn | None
    errors: list[FieldError] = field(default_factory=list)
    warned: int = 0
    compared: dict[int, tuple[Any, bool]] = field(default_factory=dict)  # pairs by identity

    def place(self, place: Place, path: str, new: Any, old: Any, same: Any) -> None:
        """`same` is the nearest old version above, with its new one, for ratcheting."""
        if new is None:
            return
        pair = same if old is None else (new, old)
        for rule in place.rules:
            self.rule(rule, place.type, path, new, old, pair)
        for other in place.also:
            self.place(other, path, new, old, pair)
        if isinstance(new, dict):
            self.entries(place, path, new, old if isinstance(old, dict) else {}, pair)
        elif isinstance(new, list) and place.items is not None:
            self.items(place, path, new, old if isinstance(old, list) else [], pair)

    def entries(
        self, place: Place, path: str, new: dict[str, Any], old: dict[str, Any], pair: Any
    ) -> None:
        for name, below in place.properties.items():
            if name in new:
                at = f"{path}.{name}" if path else name
                self.place(below, at, new[name], old.get(name), pair)
        if place.values is not None:
            for name, value in new.items():
                self.place(place.values, f"{path}[{name}]", value, old.get(name), pair)

    def items(self, place: Place, path: str, new: list[Any], old: list[Any], pair: Any) -> None:
        assert place.items is not None
        known = {_key(item, place.keys): item for item in old} if place.keys else {}
        for at, item in enumerate(new):
            before = known.get(_key(item, place.keys)) if place.keys else None
            self.place(place.items, f"{path}[{at}]", item, before, pair)

    def rule(self, rule: Rule, kind: str, path: str, new: Any, old: Any, pair: Any) -> None:
        if rule.transition and old is None and not rule.optional_old:
            return
        values = {"self": new}
        if rule.optional_old:
            values["oldSelf"] = NONE if old is None else Optional(old)
        elif old is not None:
            values["oldSelf"] = old
        try:
            passed = self.evaluate(rule.program, values)
        except CelError as error:
            self.wrong(invalid_value(path, kind, _failed(error, rule)))
            return
        except BudgetExceeded as error:
            self.errors.append(invalid_value(path, kind, self.exceeded(error, rule)))
            raise _Stop from None
        if passed is not True:
            self.refuse(rule, path, new, values, pair)

    def exceeded(self, error: BudgetExceeded, rule: Rule) -> str:
        if self.budget.left <= 0:
            return _OUT_OF_BUDGET
        return (
            f"'{error}': no further validation rules will be run due to call cost exceeds limit "
            f"for rule: {rule.name()}"
        )

    def evaluate(self, program: Program, values: Mapping[str, Any]) -> Any:
        self.budget.spend(_EVALUATION_COST)
        call = Budget(min(PER_CALL, self.budget.left))
        allowed = call.left
        try:
            return program.evaluate(values, call)
        finally:
            self.budget.left -= allowed - max(0, call.left)

    def refuse(self, rule: Rule, path: str, new: Any, values: Mapping[str, Any], pair: Any) -> None:
        ratcheted = self.warn is not None and not rule.transition and self.unchanged(pair)
        if ratcheted and self.warned >= _MOST_TOLD:
            return
        detail = self.message(rule, values) or rule.message.strip()
        where = _joined(path, rule.path)
        error = _error(rule.reason, where, new, detail or f"failed rule: {rule.name()}")
        if ratcheted and self.warn is not None:
            self.warned += 1
            self.warn(str(error))
        else:
            self.wrong(error)

    def unchanged(self, pair: Any) -> bool:
        """Whether both versions are equal: asked once, for many items may have the same pair."""
        if pair is None:
            return False
        if id(pair) not in self.compared:
            self.compared[id(pair)] = (pair, pair[0] == pair[1])  # which keeps its identity taken
        return self.compared[id(pair)][1]

    def wrong(self, error: FieldError) -> None:
        self.errors.append(error)
        if len(self.errors) >= _MOST_TOLD:
            raise _Stop

    def message(self, rule: Rule, values: Mapping[str, Any]) -> str:
        """What messageExpression says; empty where it fails, or says nothing usable."""
        if rule.message_program is None:
            return ""
        try:
            said = self.evaluate(rule.message_program, values)
        except (CelError, BudgetExceeded):
            return ""  # the refusal stands; what is left of the budget stops the next rule
        said = said.strip() if isinstance(said, str) else ""
        return "" if "\n" in said or len(said.encode(errors="replace")) > _LONGEST_MESSAGE else said


def _failed(error: CelError, rule: Rule) -> str:
    if str(error).startswith("no such overload"):
        return (
            f"'{error}': call arguments did not match a supported operator, function or macro "
            f"signature for rule: {rule.name()}"
        )
    return f"{error} evaluating rule: {rule.name()}"


def _joined(path: str, below: str) -> str:
    return f"{path}.{below}" if path and below and below[0] != "[" else path + below


def _error(reason: str, path: str, value: Any, detail: str) -> FieldError:
    if reason == "FieldValueForbidden":
        return forbidden_field(path, detail)
    if reason == "FieldValueRequired":
        return required(path, detail)
    whole = isinstance(value, dict | list)
    if reason == "FieldValueDuplicate":
        return FieldError(reason, path, "Duplicate value") if whole else duplicate(path, value)
    return invalid_combination(path, detail) if whole else invalid_value(path, value, detail)


def _key(item: Any, keys: Iterable[str]) -> tuple[Any, ...] | None:
    if not isinstance(item, dict):
        return None
    values = tuple(item.get(key) for key in keys)
    return None if any(isinstance(value, dict | list) for value in values) else values


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of one version's schema."""

    root: Place

    def __bool__(self) -> bool:
        return not self.root.empty()

    def validate(
        self,
        new: Mapping[str, Any],
        old: Mapping[str, Any] | None = None,
        *,
        path: str = "",
        warn: Warn | None = None,
        budget: int = OBJECT_BUDGET,
    ) -> list[FieldError]:
        """What is wrong with `new`, which replaces `old`.

        With `warn`, a rule that fails on what hasn't changed only warns (ratcheting). All rules
        together cost at most `budget`.
        """
        return self._walked(new, old, path, _Walk(Budget(budget), warn))

    def quickly(
        self, new: Mapping[str, Any], old: Mapping[str, Any] | None, warn: Warn, budget: int
    ) -> list[FieldError] | None:
        """The same, at the root; None where it costs more than `budget`, whatever was warned of."""
        walk = _Walk(Budget(budget), warn)
        errors = self._walked(new, old, "", walk)
        return errors if walk.budget.left > 0 else None

    def _walked(
        self, new: Mapping[str, Any], old: Mapping[str, Any] | None, path: str, walk: _Walk
    ) -> list[FieldError]:
        pair = None if old is None else (new, old)
        try:
            walk.place(self.root, path, new, old, pair)
        except _Stop:
            pass
        return walk.errors
