"""`x-kubernetes-validations`, where they meet definitions and objects.

The engine that reads expressions is large, and most kinds have none: it is imported when the first
rule comes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from argosy.api.extensions.limits import NOWHERE
from argosy.api.extensions.nodes import Node
from argosy.api.extensions.rules import has_rules
from argosy.base.errors import FieldError, invalid_value

if TYPE_CHECKING:
    from argosy.api.cel.rules import Rules

Json = Mapping[str, Any]

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


def definition_faults(new: Json, old: Json | None) -> Sequence[FieldError]:
    """What is wrong with the rules of a definition whose schemas are structural.

    A version whose schema is as it was is not judged anew.
    """
    known = {} if old is None else _schemas(old)
    changed = [
        (path, schema)
        for path, name, schema in _judged(new)
        if known.get(name) != schema and has_rules(schema)
    ]
    if not changed:
        return ()
    from argosy.api.cel.rulescompile import compile_rules, length_faults

    if errors := length_faults([schema for _, schema in changed], changed[0][0]):
        return errors
    for path, schema in changed:
        found = compile_rules(schema, path=path)
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


def compiled(node: Node) -> "Rules | list[FieldError] | None":
    """The rules of a stored schema, if any; or why they can't be read, which refuses objects."""
    if not has_rules(node):
        return None
    from argosy.api.cel.rulescompile import compile_rules

    found = compile_rules(node, path="", check_cost=False)
    if not isinstance(found, list):
        return found
    return [invalid_value(NOWHERE, "object", f"rule compile error: {error}") for error in found]


def object_faults(
    rules: "Rules | list[FieldError]",
    new: Json,
    old: Json | None,
    broken: Sequence[FieldError],
    warn: Callable[[str], None],
) -> list[FieldError]:
    """What rules say of an object, of whose schema errors are `broken`."""
    if any(error.reason in BLOCKING for error in broken):
        return [UNCHECKED]
    if isinstance(rules, list):
        return rules
    found = rules.validate(new, old, warn=warn)
    return [
        error if error.field else FieldError(error.reason, NOWHERE, error.text) for error in found
    ]
