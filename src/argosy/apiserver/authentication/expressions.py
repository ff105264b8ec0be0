"""The expressions (CEL) of an `AuthenticationConfiguration`: over a token's claims, and the user.

Compiled once, when the server starts. Loaded only where a configuration has any.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from argosy.api.cel import nodes
from argosy.api.cel.decltypes import DeclType
from argosy.api.cel.engine import CompileError
from argosy.api.cel.environment import Declaration, Environment, Program, walk
from argosy.api.cel.values import BudgetExceeded, CelError
from argosy.apiserver.authentication.configuration import JWTAuthenticator
from argosy.apiserver.authentication.tokens import TokenError
from argosy.apiserver.request import User

Variable = Literal["claims", "user"]

_LARGEST: Final = 16 * 1024
"""Characters, elements or entries of anything in a token."""
_TEXT: Final = DeclType("string", 2, _LARGEST)
_TEXTS: Final = DeclType("list", 2, _LARGEST, element=_TEXT)
_EXTRA: Final = DeclType("map", 2, _LARGEST, element=_TEXTS)
VARIABLES: Final[Mapping[Variable, Declaration]] = {
    "claims": "map(string,dyn)",
    "user": DeclType(
        "message",
        2,
        fields={"username": _TEXT, "uid": _TEXT, "groups": _TEXTS, "extra": _EXTRA},
    ),
}


@cache
def _environment(variable: Variable) -> Environment:
    return Environment({variable: VARIABLES[variable]})


def fault(expression: str, variable: Variable, *, rule: bool) -> str:
    """What is wrong with it; a `rule` must come to true or false."""
    try:
        program = _environment(variable).compile(expression)
    except CompileError as error:
        return f"compilation failed: {error}"
    return "must evaluate to bool" if rule and program.type.kind != "bool" else ""


def mentions(expression: str, claim: str) -> bool:
    """Whether it reads the claim by this name."""
    try:
        root = _environment("claims").compile(expression).root
    except CompileError:
        return False
    return any(_reads(node, claim) for node in walk(root))


def _reads(node: nodes.Node, claim: str) -> bool:
    """`claims.CLAIM`, or `claims.?CLAIM`."""
    if isinstance(node, nodes.Select):
        return node.name == claim and _is_claims(node.operand)
    if not isinstance(node, nodes.Call) or len(node.operands()) != 2:
        return False
    operand, name = node.operands()
    asked = isinstance(name, nodes.Const) and name.value == claim
    return node.function == "_?._" and asked and _is_claims(operand)


def _is_claims(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Ident) and node.name == "claims"


@dataclass(frozen=True, slots=True)
class Expression:
    """One, compiled. `called` is what it gives, in words."""

    text: str
    called: str
    program: Program

    def of(self, variable: Variable, value: Mapping[str, Any]) -> Any:
        """What it comes to. Raises TokenError."""
        try:
            return self.program.evaluate({variable: value})
        except (CelError, BudgetExceeded) as error:
            raise TokenError(f"oidc: error evaluating {self.called} expression: {error}") from None


@dataclass(frozen=True, slots=True)
class Rule:
    """What must hold, and what is said where it doesn't."""

    expression: Expression
    message: str

    def hold(self, variable: Variable, value: Mapping[str, Any]) -> None:
        """Raises TokenError where it does not."""
        if self.expression.of(variable, value) is not True:
            called, text = self.expression.called, self.expression.text
            raise TokenError(
                f"oidc: error evaluating {called} expression: "
                f"validation expression '{text}' failed: {self.message}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Expressions:
    """All of one issuer's; None where a claim is named instead, or nothing."""

    username: Expression | None
    groups: Expression | None
    uid: Expression | None
    extra: Mapping[str, Expression]
    claim_rules: tuple[Rule, ...]
    user_rules: tuple[Rule, ...]

    def name_of(self, claims: Mapping[str, Any]) -> str | None:
        """The user's name; None where no expression gives it. Raises TokenError."""
        if self.username is None:
            return None
        name = self.username.of("claims", claims)
        if not isinstance(name, str):
            raise TokenError("oidc: username claim expression must return a string")
        return name

    def groups_of(self, claims: Mapping[str, Any]) -> tuple[str, ...] | None:
        """The groups, likewise."""
        return None if self.groups is None else _texts(self.groups, claims)

    def uid_of(self, claims: Mapping[str, Any]) -> str | None:
        """The uid, likewise."""
        if self.uid is None:
            return None
        uid = self.uid.of("claims", claims)
        if not isinstance(uid, str):
            raise TokenError("oidc: uid claim expression must return a string")
        return uid

    def extra_of(self, claims: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        """What else is told of the user. Raises TokenError."""
        found = {key: _texts(value, claims) for key, value in self.extra.items()}
        return {key: values for key, values in found.items() if values}

    def judge_claims(self, claims: Mapping[str, Any]) -> None:
        """Raises TokenError where a rule does not hold."""
        for rule in self.claim_rules:
            rule.hold("claims", claims)

    def judge_user(self, user: User) -> None:
        """Raises TokenError where a rule does not hold."""
        told = {
            "username": user.name,
            "uid": user.uid,
            "groups": list(user.groups),
            "extra": {key: list(values) for key, values in user.extra.items()},
        }
        for rule in self.user_rules:
            rule.hold("user", told)


def _texts(expression: Expression, claims: Mapping[str, Any]) -> tuple[str, ...]:
    """A text, several or none; empty ones count for nothing. Raises TokenError."""
    value = expression.of("claims", claims)
    values = [] if value is None else value if isinstance(value, list | tuple) else [value]
    found = [item for item in values if isinstance(item, str)]
    if len(found) < len(values):
        raise TokenError(
            f"oidc: error evaluating {expression.called} expression: "
            "expression must return a string or a list of strings"
        )
    return tuple(filter(None, found))


def compiled(rules: JWTAuthenticator) -> Expressions:
    """All of an issuer's, which have no faults."""
    mappings = rules.claim_mappings
    return Expressions(
        username=_compiled(mappings.username.expression, "username claim"),
        groups=_compiled(mappings.groups.expression, "group claim"),
        uid=_compiled(mappings.uid.expression, "uid claim"),
        extra={
            one.key: Expression(one.value_expression, "extra claim", _claims(one.value_expression))
            for one in mappings.extra
        },
        claim_rules=tuple(
            Rule(
                Expression(one.expression, "claim validation", _claims(one.expression)), one.message
            )
            for one in rules.claim_validation_rules
            if one.expression
        ),
        user_rules=tuple(
            Rule(
                Expression(one.expression, "user info validation", _user(one.expression)),
                one.message,
            )
            for one in rules.user_validation_rules
        ),
    )


def _compiled(text: str, called: str) -> Expression | None:
    return Expression(text, called, _claims(text)) if text else None


def _claims(text: str) -> Program:
    return _environment("claims").compile(text)


def _user(text: str) -> Program:
    return _environment("user").compile(text)
