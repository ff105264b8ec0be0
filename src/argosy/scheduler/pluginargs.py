"""Arguments of plugins, as a KubeSchedulerConfiguration has them: their fields and no others.

Whatever is wrong is told as kube-scheduler does, in a ValueError that begins with the field's path.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec

from argosy.base.errors import FieldError

T = TypeVar("T")
Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Args(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Every part of arguments."""


def read(args: Mapping[str, Any], form: type[T]) -> T:
    """The arguments. Raises ValueError for what has another form."""
    try:
        return msgspec.convert(dict(args), form)
    except msgspec.ValidationError as error:
        raise ValueError(_in_words(str(error))) from None


def refuse(faults: Iterable[FieldError]) -> None:
    """Raises ValueError with the first fault, if there is one."""
    for fault in faults:
        raise ValueError(str(fault))


def _in_words(text: str) -> str:
    """What msgspec says, with the field first."""
    said, _, where = text.partition(" - at `$")
    path = where.rstrip("`").removeprefix(".")
    unknown = "Object contains unknown field `"
    if said.startswith(unknown):
        field = ".".join(filter(None, (path, said.removeprefix(unknown).rstrip("`"))))
        return f"{field}: unknown field"
    return f"{path}: Invalid value: {said.replace('`', '').replace('Expected', 'expected')}"
