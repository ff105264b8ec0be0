"""`x-kubernetes-validations`: rules that a schema's author writes as expressions.

Here is what can be said of them without reading the expressions; `api.cel.rulescompile` does that.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from argosy.api.extensions.nodes import RULES, Node
from argosy.base.errors import FieldError, invalid_value, not_supported, required

Errors = Iterator[FieldError]
REASONS = (
    "FieldValueDuplicate",
    "FieldValueForbidden",
    "FieldValueInvalid",
    "FieldValueRequired",
)


def rule_faults(node: Node, path: str) -> Errors:
    """What is wrong with the rules of one node, but for their expressions."""
    for at, rule in enumerate(node.get(RULES) or ()):
        yield from _rule(rule, f"{path}.{RULES}[{at}]")


def _rule(rule: Mapping[str, Any], path: str) -> Errors:
    text, message = str(rule.get("rule") or ""), str(rule.get("message") or "")
    if not text.strip():
        yield required(f"{path}.rule", "rule is not specified")
    elif message and not message.strip():
        yield invalid_value(f"{path}.message", message, "must be non-empty if specified")
    elif _lines(message.strip()):
        yield invalid_value(f"{path}.message", message, "must not contain line breaks")
    elif _lines(text.strip()) and not message.strip():
        detail = "message must be specified if rule contains line breaks"
        yield required(f"{path}.message", detail)
    expression = str(rule.get("messageExpression") or "")
    if expression and not expression.strip():
        detail = "messageExpression must be non-empty if specified"
        yield required(f"{path}.messageExpression", detail)
    reason = rule.get("reason")
    if reason is not None and reason not in REASONS:
        yield not_supported(f"{path}.reason", reason, REASONS)
    where = str(rule.get("fieldPath") or "")
    if where and not where.strip():
        yield invalid_value(f"{path}.fieldPath", where, "must be non-empty if specified")
    if _lines(where):
        yield invalid_value(f"{path}.fieldPath", where, "must not contain line breaks")


def has_rules(schema: Any) -> bool:
    """Whether there is any rule: most schemas need no engine at all."""
    if isinstance(schema, Mapping):
        return bool(schema.get(RULES)) or any(map(has_rules, schema.values()))
    return isinstance(schema, list) and any(map(has_rules, schema))


def _lines(text: str) -> bool:
    return "\n" in text or "\r" in text
