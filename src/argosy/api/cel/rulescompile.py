"""Compiles a schema's rules, and refuses those that are wrong or too dear.

Takes openAPIV3Schema as it is written in a CustomResourceDefinition; paths of errors begin where
the caller says it stands.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from argosy.api.cel.callcost import shown_factor
from argosy.api.cel.decltypes import MAX_REQUEST, DeclType, decl_type, escape
from argosy.api.cel.engine import CompileError
from argosy.api.cel.environment import Environment, Maybe, Program
from argosy.api.cel.fieldpath import normalized
from argosy.api.cel.minors import Allowed
from argosy.api.cel.rules import Place, Rule, Rules
from argosy.api.cel.sizes import MOST
from argosy.base.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

PER_EXPRESSION: Final = 10_000_000
"""What one rule may cost at most, times the places where it can apply."""
PER_SCHEMA: Final = 100_000_000
"""What all rules of a schema may cost at most."""
REASONS: Final = (
    "FieldValueDuplicate",
    "FieldValueForbidden",
    "FieldValueInvalid",
    "FieldValueRequired",
)
LONGEST_RULES: Final = 100_000
"""Characters of all rules of a schema: reading them takes seconds, which upstream can spare."""
_SHORTEST: Final = 16
"""Characters that any rule counts beside its own: even the shortest takes time."""
_HINT: Final = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, "
    "maps, and strings are declared)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """Where in a schema we are. `most` bounds how often the node can occur; None: by nothing."""

    path: str
    decl: DeclType | None
    most: int | None
    uncorrelated: str = ""  # the path of what takes the old versions away
    root: bool = False


@dataclass(slots=True)
class _Compiling:
    check_cost: bool
    allowed: Allowed | None = None
    errors: list[FieldError] = field(default_factory=list)
    costs: list[tuple[int, str]] = field(default_factory=list)

    def place(self, schema: Mapping[str, Any], context: _Context) -> Place:
        made = Place(type=str(schema.get("type") or ""))
        self.children(schema, context, made)
        rules = schema.get("x-kubernetes-validations") or []
        if rules and isinstance(rules, list):
            made.rules = _Node(self, schema, context).compiled(rules)
        made.also = [
            found
            for at, part in enumerate(schema.get("allOf") or [])
            if isinstance(part, Mapping)
            and not (found := self.place(part, _nested(context, at, schema, part))).empty()
        ]
        return made

    def children(self, schema: Mapping[str, Any], context: _Context, made: Place) -> None:
        for name, child in (schema.get("properties") or {}).items():
            if isinstance(child, Mapping):
                below = self.place(child, _property(schema, context, name, child))
                if not below.empty():
                    made.properties[name] = below
        values, items = schema.get("additionalProperties"), schema.get("items")
        if isinstance(values, Mapping):
            below = self.place(values, _element(schema, context, "additionalProperties", values))
            made.values = None if below.empty() else below
        if isinstance(items, Mapping):
            below = self.place(items, _element(schema, context, "items", items))
            made.items = None if below.empty() else below
        if schema.get("x-kubernetes-list-type") == "map":
            made.keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())

    def total(self, path: str) -> None:
        total = min(MOST, sum(cost for cost, _ in self.costs))
        if not self.check_cost or total <= PER_SCHEMA:
            return
        dear = sorted((pair for pair in self.costs if pair[0] >= PER_SCHEMA // 100), reverse=True)
        words = (
            "contributed to estimated rule cost total exceeding cost limit for entire "
            "OpenAPIv3 schema"
        )
        self.errors += [forbidden_field(where, words) for _, where in dear[:4]]
        name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        self.errors.append(forbidden_field(path, _too_dear(name, total, PER_SCHEMA)))


def _property(
    schema: Mapping[str, Any], context: _Context, name: str, child: Mapping[str, Any]
) -> _Context:
    decl = context.decl.fields.get(escape(name)) if context.decl is not None else None
    away = schema.get("x-kubernetes-map-type") not in (None, "granular", "atomic")
    return _Context(
        path=f"{context.path}.properties[{name}]",
        decl=decl or decl_type(child, root=bool(child.get("x-kubernetes-embedded-resource"))),
        most=context.most,
        uncorrelated=context.uncorrelated or (context.path if away else ""),
    )


def _element(
    schema: Mapping[str, Any], context: _Context, step: str, child: Mapping[str, Any]
) -> _Context:
    bound = schema.get("maxItems" if step == "items" else "maxProperties")
    most = None if bound is None or context.most is None else context.most * max(0, bound)
    decl = context.decl.element if context.decl is not None else None
    away = step == "items" and schema.get("x-kubernetes-list-type") != "map"
    return _Context(
        path=f"{context.path}.{step}",
        decl=decl or decl_type(child, root=bool(child.get("x-kubernetes-embedded-resource"))),
        most=None if most is None else min(MOST, most),
        uncorrelated=context.uncorrelated or (context.path if away else ""),
    )


def _nested(
    context: _Context, at: int, schema: Mapping[str, Any], part: Mapping[str, Any]
) -> _Context:
    """A part of allOf has no type of its own: it sees the type of what it is a part of."""
    return _Context(
        path=f"{context.path}.allOf[{at}]",
        decl=context.decl,
        most=context.most,
        uncorrelated=context.uncorrelated,
        root=context.root,
    )


@dataclass(slots=True)
class _Node:
    """One node's rules, which share their environments."""

    compiling: _Compiling
    schema: Mapping[str, Any]
    context: _Context
    environments: dict[bool, Environment] = field(default_factory=dict)

    def compiled(self, rules: list[Any]) -> list[Rule]:
        found = []
        for at, rule in enumerate(rules):
            path = f"{self.context.path}.x-kubernetes-validations[{at}]"
            if not isinstance(rule, Mapping) or self.misshapen(rule, path):
                continue
            if (made := self.rule(rule, path)) is not None:
                found.append(made)
        return found

    def refuse(self, error: FieldError) -> None:
        self.compiling.errors.append(error)

    def misshapen(self, rule: Mapping[str, Any], path: str) -> bool:
        before = len(self.compiling.errors)
        source, message = str(rule.get("rule") or "").strip(), rule.get("message") or ""
        if not source:
            self.refuse(required(f"{path}.rule", "rule is not specified"))
        elif message and not message.strip():
            fault = "must be non-empty if specified"
            self.refuse(invalid_value(f"{path}.message", message, fault))
        elif re.search(r"[\n\r]", message.strip()):
            self.refuse(invalid_value(f"{path}.message", message, "must not contain line breaks"))
        elif re.search(r"[\n\r]", source) and not message:
            fault = "message must be specified if rule contains line breaks"
            self.refuse(required(f"{path}.message", fault))
        expression = rule.get("messageExpression") or ""
        if expression and not expression.strip():
            fault = "messageExpression must be non-empty if specified"
            self.refuse(required(f"{path}.messageExpression", fault))
        if rule.get("reason") is not None and rule["reason"] not in REASONS:
            self.refuse(not_supported(f"{path}.reason", rule["reason"], REASONS))
        self.field_path(rule, path)
        return len(self.compiling.errors) > before

    def field_path(self, rule: Mapping[str, Any], path: str) -> None:
        where = rule.get("fieldPath") or ""
        if where and not where.strip():
            fault = "must be non-empty if specified"
            self.refuse(invalid_value(f"{path}.fieldPath", where, fault))
        if re.search(r"[\n\r]", where):
            fault = "must not contain line breaks"
            self.refuse(invalid_value(f"{path}.fieldPath", where, fault))
        if where and normalized(where, self.schema) is None:
            self.refuse(invalid_value(f"{path}.fieldPath", where, "must be a valid path"))

    def environment(self, optional: bool) -> Environment:
        if optional not in self.environments:
            decl = self.context.decl
            assert decl is not None
            old = Maybe(decl) if optional else decl
            self.environments[optional] = Environment({"self": decl, "oldSelf": old})
        return self.environments[optional]

    def rule(self, rule: Mapping[str, Any], path: str) -> Rule | None:
        optional = bool(rule.get("optionalOldSelf"))
        if self.context.decl is None:
            words = "unable to convert structural schema to CEL declarations"
            self.refuse(FieldError("InternalError", path, f"Internal error: {words}"))
            return None
        program = self.program(rule, f"{path}.rule", "bool", optional)
        if program is None:
            return None
        self.price(program.cost.most * self.occurrences(), f"{path}.rule", "estimated rule cost")
        self.old_self(rule, path, program)
        message = None
        if rule.get("messageExpression"):
            where = f"{path}.messageExpression"
            message = self.program(rule, where, "string", optional)
            if message is not None:
                self.price(message.cost.most, where, "estimated messageExpression cost")
        return Rule(
            source=rule["rule"],
            program=program,
            message=rule.get("message") or "",
            message_program=message,
            reason=rule.get("reason") or "",
            path=normalized(rule.get("fieldPath") or "", self.schema) or "",
            optional_old=optional,
        )

    def program(
        self, rule: Mapping[str, Any], path: str, kind: str, optional: bool
    ) -> Program | None:
        name = path.rpartition(".")[2]
        prefix = "" if name == "rule" else f"{name} "
        try:
            program = self.environment(optional).compile(rule[name])
        except CompileError as error:
            self.refuse(invalid_value(path, rule, f"{prefix}compilation failed: {error}"))
            return None
        allowed = self.compiling.allowed
        if allowed is not None and (later := allowed.fault(program.root, rule[name])):
            self.refuse(invalid_value(path, rule, f"{prefix}compilation failed: {later}"))
            return None
        if program.type.kind != kind:
            subject = "cel expression must evaluate to a bool"
            words = subject if kind == "bool" else "messageExpression must evaluate to a string"
            self.refuse(invalid_value(path, rule, words))
            return None
        return program

    def occurrences(self) -> int:
        decl = self.context.decl
        if self.context.most is not None or decl is None:
            return self.context.most or 0
        return MAX_REQUEST // (decl.least + 1)

    def price(self, cost: int, path: str, name: str) -> None:
        cost = min(MOST, cost)
        self.compiling.costs.append((cost, path))
        if self.compiling.check_cost and cost > PER_EXPRESSION:
            self.refuse(forbidden_field(path, _too_dear(name, cost, PER_EXPRESSION)))

    def old_self(self, rule: Mapping[str, Any], path: str, program: Program) -> None:
        if "oldSelf" in program.uses:
            if self.context.uncorrelated:
                words = (
                    "oldSelf cannot be used on the uncorrelatable portion of the schema within "
                    f"{self.context.uncorrelated}"
                )
                self.refuse(invalid_value(f"{path}.rule", rule["rule"], words))
        elif rule.get("optionalOldSelf") is not None:
            words = "may not be set if oldSelf is not used in rule"
            self.refuse(invalid_value(f"{path}.optionalOldSelf", rule["optionalOldSelf"], words))


def _too_dear(name: str, cost: int, limit: int) -> str:
    return f"{name} exceeds budget by factor of {shown_factor(cost, limit)} {_HINT}"


def compile_rules(
    schema: Mapping[str, Any],
    *,
    path: str = "spec.validation.openAPIV3Schema",
    check_cost: bool = True,
    allowed: Allowed | None = None,
) -> Rules | list[FieldError]:
    """The rules of an openAPIV3Schema, which stands at `path`; or all that is wrong with them.

    Without `check_cost`, dear rules pass: for those that are stored already. New ones may use what
    is `allowed`.
    """
    try:
        return _compiled(schema, path, _Compiling(check_cost, allowed))
    except RecursionError:
        return [forbidden_field(path, "is nested too deeply")]


def _compiled(
    schema: Mapping[str, Any], path: str, compiling: _Compiling
) -> Rules | list[FieldError]:
    if errors := length_faults([schema], path):
        return errors
    context = _Context(path=path, decl=decl_type(schema, root=True), most=1, root=True)
    place = compiling.place(schema, context)
    compiling.total(path)
    return compiling.errors or Rules(place)


def length_faults(schemas: Iterable[Mapping[str, Any]], path: str) -> list[FieldError]:
    """What refuses the schemas of a definition that together would take too long to compile."""
    if sum(map(characters, schemas)) <= LONGEST_RULES:
        return []
    words = f"x-kubernetes-validations have more than {LONGEST_RULES} characters altogether"
    return [forbidden_field(path, words)]


def characters(schema: Any) -> int:
    """How much there is to compile."""
    if isinstance(schema, list):
        return sum(map(characters, schema))
    if not isinstance(schema, Mapping):
        return 0
    found = sum(characters(child) for child in schema.values())
    for rule in schema.get("x-kubernetes-validations") or ():
        if isinstance(rule, Mapping):
            texts = str(rule.get("rule", "")), str(rule.get("messageExpression", ""))
            found += _SHORTEST + sum(map(len, texts))
    return found
