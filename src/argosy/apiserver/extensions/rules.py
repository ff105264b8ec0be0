"""`x-kubernetes-validations`, where they meet definitions and objects.

The engine that reads expressions is large, and most kinds have none: it is imported when the first
rule comes. What takes long, to compile or to evaluate, is done in a thread, while the write waits
as it would for another server.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from argosy.api.extensions.limits import NOWHERE
from argosy.api.extensions.nodes import Node
from argosy.api.extensions.rules import has_rules
from argosy.apiserver.answers import Answers, Ask
from argosy.base.errors import FieldError, invalid_value

if TYPE_CHECKING:
    from argosy.api.cel.minors import Allowed
    from argosy.api.cel.rules import Rules

Json = Mapping[str, Any]
Told = tuple[list[FieldError], list[str]]
T = TypeVar("T")

QUICK: Final = 2000
"""Characters that are compiled in about 20 ms."""
CHEAP: Final = 20_000
"""What rules may cost before others are let go on: up to a tenth of a second."""
BLOCKING: Final = frozenset(
    {
        "FieldValueNotSupported",
        "FieldValueRequired",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    }
)
"""Who breaks the schema so has an object that rules can't be asked of."""
UNCHECKED: Final = invalid_value(
    NOWHERE,
    None,
    "some validation rules were not checked because the object was invalid; correct the existing "
    "errors to complete validation",
)


def definition_faults(
    new: Json, old: Json | None, answers: Answers, minor: str | None = None
) -> Sequence[FieldError]:
    """What is wrong with the rules of a definition whose schemas are structural.

    A version whose schema is as it was is not judged anew; rules that are new may use what there
    was before the served `minor`. Raises Unanswered where it takes long.
    """
    known = {} if old is None else _schemas(old)
    changed = [
        (path, schema)
        for path, name, schema in _judged(new)
        if known.get(name) != schema and has_rules(schema)
    ]
    if not changed:
        return ()
    from argosy.api.cel.minors import allowed
    from argosy.api.cel.rulescompile import characters, length_faults

    may = allowed(minor, known)
    schemas = [schema for _, schema in changed]
    if errors := length_faults(schemas, changed[0][0]):
        return errors
    if characters(schemas) <= QUICK:
        return _judgement(changed, may)
    about = msgspec.json.encode([changed, known])
    return _in_thread(answers, "validation rules", about, lambda: _judgement(changed, may))


def _in_thread(answers: Answers, asker: str, about: Hashable, work: Callable[[], T]) -> T:
    """What `work` gave. Raises Unanswered until it is done."""

    async def done() -> T:
        return await asyncio.to_thread(work)

    answer: T = answers.need(Ask(asker, about, done))[0]
    return answer


def _judgement(changed: Sequence[tuple[str, Node]], may: "Allowed | None") -> list[FieldError]:
    from argosy.api.cel.rulescompile import compile_rules

    errors: list[FieldError] = []
    for path, schema in changed:
        found = compile_rules(schema, path=path, allowed=may)
        errors += found if isinstance(found, list) else []
    return errors


def _schemas(definition: Json) -> dict[str, Node]:
    versions = definition["spec"]["versions"]
    return {one["name"]: one["schema"]["openAPIV3Schema"] for one in versions}


def _judged(definition: Json) -> Iterator[tuple[str, str, Node]]:
    """Path, version and schema; what all versions have alike is judged once."""
    schemas = list(_schemas(definition).items())
    if all(schema == schemas[0][1] for _, schema in schemas):
        for name, schema in schemas[:1]:
            yield "spec.validation.openAPIV3Schema", name, schema
        return
    for at, (name, schema) in enumerate(schemas):
        yield f"spec.versions[{at}].schema.openAPIV3Schema", name, schema


def compiled(node: Node, answers: Answers) -> "Rules | list[FieldError] | None":
    """The rules of a stored schema, if any; or why they can't be read, which refuses objects.

    Raises Unanswered where they are long.
    """
    if not has_rules(node):
        return None
    from argosy.api.cel.rulescompile import characters

    if characters(node) <= QUICK:
        return _compiled(node)
    about = msgspec.json.encode(node)
    return _in_thread(answers, "stored rules", about, lambda: _compiled(node))


def _compiled(node: Node) -> "Rules | list[FieldError]":
    from argosy.api.cel.rulescompile import compile_rules

    found = compile_rules(node, path="", check_cost=False)
    if not isinstance(found, list):
        return found
    return [invalid_value(NOWHERE, "object", f"rule compile error: {error}") for error in found]


def object_faults(
    rules: "Rules | list[FieldError]",
    new: Json,
    old: Json | None,
    broken: bool,
    answers: Answers,
) -> Told:
    """What rules say of an object, and what they warn of; `broken`: its schema can't be relied on.

    Raises Unanswered where that takes long.
    """
    if broken:
        return [UNCHECKED], []
    if isinstance(rules, list):
        return rules, []
    warned: list[str] = []
    found = rules.quickly(new, old, warned.append, CHEAP)
    if found is not None:
        return _placed(found), warned
    about = msgspec.json.encode([new, old])
    return _in_thread(answers, "rules", about, lambda: _wholly(rules, new, old))


def _wholly(rules: "Rules", new: Json, old: Json | None) -> Told:
    warned: list[str] = []
    return _placed(rules.validate(new, old, warn=warned.append)), warned


def _placed(found: Sequence[FieldError]) -> list[FieldError]:
    return [
        error if error.field else FieldError(error.reason, NOWHERE, error.text) for error in found
    ]
