"""A configuration file, read: what stands in it, once it has been found to say what is possible."""

from pathlib import Path
from typing import Any

import msgspec

from argosy.scheduler.config.checks import faults
from argosy.scheduler.config.document import DocumentError, read
from argosy.scheduler.config.forms import API_VERSION, KIND, KubeSchedulerConfiguration

HINT = "see Kubernetes' documentation, “Scheduler Configuration”, for its form"


class ConfigError(Exception):
    """The file can't be used; the text says why, `hint` what would help."""

    def __init__(self, message: str, hint: str = HINT) -> None:
        super().__init__(message)
        self.hint = hint


def content(file: Path) -> bytes:
    """What stands in the file. Raises ConfigError."""
    try:
        return file.read_bytes()
    except OSError as error:
        hint = "name a file that this user may read"
        raise ConfigError(f"reading {file}: {error.strerror or error}", hint) from None


def parsed(text: bytes) -> KubeSchedulerConfiguration:
    """The configuration, checked as kube-scheduler does. Raises ConfigError."""
    try:
        found = read(text)
    except DocumentError as error:
        raise ConfigError(str(error)) from None
    _kind_of(found)
    try:
        configuration = msgspec.convert(found, KubeSchedulerConfiguration)
    except msgspec.ValidationError as error:
        raise ConfigError(_in_words(str(error))) from None
    refuse([str(fault) for fault in faults(configuration)])
    return configuration


def refuse(errors: list[str]) -> None:
    """Raises ConfigError with all of them, if there are any."""
    if errors:
        raise ConfigError(errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]")


def _kind_of(found: Any) -> None:
    given = found if isinstance(found, dict) else {}
    kind, version = given.get("kind"), given.get("apiVersion")
    for name, value in (("Kind", kind), ("apiVersion", version)):
        if not isinstance(value, str) or not value:
            raise ConfigError(f"Object '{name}' is missing: it is no {KIND} of {API_VERSION}")
    if (kind, version) != (KIND, API_VERSION):
        raise ConfigError(
            f'no kind "{kind}" is registered for version "{version}": '
            f"a scheduler takes a {KIND} of {API_VERSION}"
        )


def _in_words(text: str) -> str:
    """What msgspec says, with the field as Kubernetes names it, and first."""
    said, _, where = text.partition(" - at `$")
    path = where.rstrip("`").removeprefix(".")
    if said.startswith("Object contains unknown field `"):
        name = said.removeprefix("Object contains unknown field `").rstrip("`")
        field = ".".join(filter(None, (path, name)))
        return f'strict decoding error: unknown field "{field}"'
    told = said.replace("`", "").replace("Expected", "expected").replace(" | null", "")
    return f"{path}: Invalid value: {told}"
