"""Reading fields and elements of values, with the errors and optionals that CEL has for them."""

from typing import Any, Final

from argosy.api.cel.decltypes import unescape
from argosy.api.cel.values import NONE, CelError, Defaulted, Optional, no_overload

_ABSENT: Final = object()


def selected(value: Any, name: str) -> Any:
    """`value.name`, where that is no plain key."""
    if type(value) is Optional:
        return optional_field(value, name)
    if isinstance(value, dict):
        plain = unescape(name)
        if plain in value:
            return value[plain]
        raise CelError(f"no such key: {name}")
    raise no_overload()


def has(value: Any, name: str) -> bool:
    """`has(value.name)`."""
    if type(value) is Optional:
        return value.present and has(value.value, name)
    if not isinstance(value, dict):
        raise no_overload()
    return name in value or ("__" in name and unescape(name) in value)


def optional_field(value: Any, key: Any) -> Optional:
    """`value.?key` and `value[?key]`."""
    if type(value) is Optional:
        return optional_field(value.value, key) if value.present else NONE
    if isinstance(value, dict):
        if isinstance(key, str) and key not in value:
            key = unescape(key)
        return Optional(value[key]) if key in value else NONE
    if type(value) is list and type(key) is int:
        return Optional(value[key]) if 0 <= key < len(value) else NONE
    raise no_overload()


def index(value: Any, key: Any) -> Any:
    """`value[key]`."""
    if type(value) is Optional:
        return optional_field(value, key)
    if type(value) is list:
        if type(key) is float and key.is_integer():
            key = int(key)
        if not isinstance(key, int) or type(key) is bool:
            raise no_overload()
        if 0 <= key < len(value):
            return value[key]
        raise CelError(f"index out of bounds: {key}")
    if isinstance(value, Defaulted) and type(key) is str:
        return value[key]
    if isinstance(value, dict):
        found = value.get(key, _ABSENT) if not isinstance(key, list | dict) else _ABSENT
        if found is _ABSENT or (type(key) is bool and not any(k is key for k in value)):
            raise CelError(f"no such key: {key}")
        return found
    raise no_overload()
