"""The reference engine: its parser and its type checker.

Everything that touches `cel_expr_python` is here. What it says of a wrong expression is turned
into the words of cel-go, which Kubernetes' users know.
"""

import re
from functools import lru_cache
from typing import Any, Final

from cel_expr_python import cel
from google.protobuf.descriptor_pool import DescriptorPool

from argosy.api.cel.declared import configuration, spec
from argosy.api.cel.descriptors import PACKAGE
from argosy.api.cel.wording import worded

LONGEST: Final = 100_000
"""Characters of an expression, as cel-go limits them."""

_REWORDED: Final = (
    (re.compile(r"^INVALID_ARGUMENT: "), ""),
    (re.compile(r" \[(INVALID_ARGUMENT|CANCELLED)\]$"), ""),
    (re.compile(r"^CANCELLED: "), ""),
    (
        re.compile(r"expression of type '(.*)' cannot be the operand of a select operation"),
        r"type '\1' does not support field selection",
    ),
    (re.compile(r"undefined field '(.*)' not found in struct '.*'"), r"undefined field '\1'"),
    (re.compile(rf"\b{PACKAGE}\.T\d+\b"), "object"),
    (re.compile(r"'@in'"), "'_in_'"),
)


class CompileError(Exception):
    """An expression that is no good. Its text is what cel-go's `issues.String()` gives."""


def _reworded(text: str) -> str:
    for pattern, words in _REWORDED:
        text = pattern.sub(words, text)
    return text


_OPTIONAL: Final = "optional_type"
_SIMPLE: Final = {
    "dyn": cel.Type.DYN,
    "bool": cel.Type.BOOL,
    "int": cel.Type.INT,
    "uint": cel.Type.UINT,
    "double": cel.Type.DOUBLE,
    "string": cel.Type.STRING,
    "bytes": cel.Type.BYTES,
    "timestamp": cel.Type.TIMESTAMP,
    "duration": cel.Type.DURATION,
}


@lru_cache(maxsize=1)
def _base() -> Any:
    return cel.NewEnvConfigFromYaml(configuration({}))


def _type(described: dict[str, Any]) -> Any:
    name, params = described["type_name"], [_type(part) for part in described.get("params", ())]
    if name == "list":
        return cel.Type.List(*params)
    if name == "map":
        return cel.Type.Map(*params)
    if name in _SIMPLE:
        return _SIMPLE[name]
    return cel.Type(name) if name.startswith(PACKAGE) else cel.Type.AbstractType(name, params)


class Checker:
    """Parses and checks expressions over variables of some types."""

    def __init__(self, variables: dict[str, str], pool: DescriptorPool) -> None:
        described = {name: spec(kind) for name, kind in variables.items()}
        if any(kind["type_name"] == _OPTIONAL for kind in described.values()):
            # The engine's Type can't say this, and to read a configuration takes it 15 ms.
            config = cel.NewEnvConfigFromYaml(configuration(variables))
            self._env = cel.NewEnv(pool, config=config)
            return
        types = {name: _type(kind) for name, kind in described.items()}
        self._env = cel.NewEnv(pool, config=_base(), variables=types)

    def check(self, expression: str) -> bytes:
        """The checked expression, serialized. Raises CompileError."""
        if len(expression) > LONGEST:
            raise CompileError(
                f"ERROR: <input>:-1:0: expression code point size exceeds limit: "
                f"size: {len(expression)}, limit {LONGEST}"
            )
        try:
            return bytes(self._env.compile(expression).serialize())
        except RuntimeError as error:
            text = worded(_reworded(str(error)), expression)
            raise CompileError(
                text if "ERROR: " in text else f"ERROR: <input>:-1:0: {text}"
            ) from None
