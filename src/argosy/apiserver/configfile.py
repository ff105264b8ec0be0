"""Files that configure the server, in Kubernetes' own form: kinds of `apiserver.config.k8s.io`.

YAML or JSON; fields that are not known are refused by name. What the fields may say is checked by
whoever reads them.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from argosy.base.errors import FieldError, StatusError

T = TypeVar("T", bound="Part")


class ConfigurationError(Exception):
    """The file can't be read, or says what is not possible; the text says what."""


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Every part of such a file: no other field than these."""


class Document(Part, frozen=True, kw_only=True):
    """What every whole file says of itself."""

    api_version: str = ""
    kind: str = ""


def content(file: Path) -> Any:
    """What stands in the file. Raises ConfigurationError."""
    try:
        return parsed(file.read_bytes(), file)
    except OSError as error:
        raise ConfigurationError(f"reading {file}: {error.strerror or error}") from None


def parsed(data: bytes, source: object) -> Any:
    """What `data`, which was read from `source`, says. Raises ConfigurationError."""
    from argosy.apiserver.yamlform import read  # most servers start without any file

    try:
        return read(data)
    except StatusError as error:  # which speaks of requests
        told = str(error).replace("the body of the request is", "it is")
        raise ConfigurationError(f"reading {source}: {told}") from None


def converted(found: Any, form: type[T], versions: Sequence[str], kind: str, source: object) -> T:
    """What was read from `source`, as a `kind` of one of `versions`. Raises ConfigurationError."""
    try:
        head = msgspec.convert(found, _Head)
        if head.api_version not in versions or head.kind != kind:
            named = f"{head.kind} of {head.api_version}"
            raise ConfigurationError(
                f"reading {source}: it holds a {named}, not a {kind} of {versions[0]}"
            )
        return msgspec.convert(found, form)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"reading {source}: {error}") from None


def refuse(source: object, errors: Iterable[FieldError]) -> None:
    """Raises ConfigurationError with all of them, if there are any."""
    if found := list(errors):
        raise ConfigurationError(f"reading {source}: {'; '.join(map(str, found))}")


class _Head(msgspec.Struct, rename="camel"):
    """Read first: of another kind the fields are of no interest."""

    api_version: str
    kind: str
