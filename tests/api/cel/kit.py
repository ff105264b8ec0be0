"""Builders for tests of expressions."""

from functools import lru_cache
from typing import Any

from argosy.api.cel.decltypes import DeclType, decl_type
from argosy.api.cel.environment import Environment


@lru_cache(maxsize=1)
def anything() -> Environment:
    """An environment with the dynamic variables `x` and `y`."""
    return Environment({"x": "dyn", "y": "dyn"})


def value(expression: str, **variables: Any) -> Any:
    """What an expression comes to."""
    return anything().compile(expression).evaluate(variables)


def typed(schema: dict[str, Any]) -> Environment:
    """An environment with `self` of a schema's type."""
    found = decl_type(schema)
    assert isinstance(found, DeclType)
    return Environment({"self": found})
