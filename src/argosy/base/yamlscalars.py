"""Which plain scalars of YAML are what, as Kubernetes' own YAML library has it.

It knows no times and no base 60 (`1:30` is a text), takes `=` for a text, and `1e3` for a number.
"""

import re
from typing import Any, Final

import yaml

_INT: Final = re.compile(r"[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)\Z")
_FLOAT: Final = re.compile(
    r"[-+]?(?:(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF))\Z"
    r"|\.(?:nan|NaN|NAN)\Z"
)
_OURS: Final = {f"tag:yaml.org,2002:{name}" for name in ("int", "float", "timestamp", "value")}


def resolvers() -> dict[str, list[tuple[str, Any]]]:
    """For a loader's `yaml_implicit_resolvers`: by a scalar's first character."""
    known: dict[str, list[tuple[str, Any]]] = {
        first: [item for item in resolvers if item[0] not in _OURS]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    for kind, pattern, firsts in (("int", _INT, "-+"), ("float", _FLOAT, "-+.")):
        for first in f"{firsts}0123456789":
            known.setdefault(first, []).append((f"tag:yaml.org,2002:{kind}", pattern))
    return known
