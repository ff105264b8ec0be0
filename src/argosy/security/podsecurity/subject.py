"""What a check sees of a pod, taken apart once for all checks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True, eq=False)  # not frozen: that takes thrice as long to make
class Container:
    """A container of any sort: `context` is its security context, empty where it has none."""

    name: str
    raw: Json
    context: Json


@dataclass(slots=True, eq=False)
class Subject:
    """A pod, or the pod of a template. `context` is the pod's security context.

    `said` are the fields that any security context of it has: most checks are about one that
    hardly any pod has.
    """

    annotations: dict[str, str]
    spec: Json
    context: Json
    containers: list[Container]
    said: set[str]

    @property
    def windows(self) -> bool:
        """Whether it says that it is for Windows, where much of Linux can't be set."""
        system = self.spec.get("os")
        return system is not None and system.get("name") == "windows"

    @property
    def own_users(self) -> bool:
        """Whether it has a user namespace of its own: root there is nobody on the node."""
        return self.spec.get("hostUsers") is False


@dataclass(frozen=True, slots=True)
class Violation:
    """Why a check forbids a pod: in short, and with what it found."""

    reason: str
    detail: str


Test = Callable[[Subject], Violation | None]
"""Returns None for a pod that it allows."""

SORTS = ("initContainers", "containers", "ephemeralContainers")


def subject(metadata: Json, spec: Json) -> Subject:
    """A pod's metadata and spec, of the right structure, as the checks see them."""
    containers = [
        Container(raw.get("name") or "", raw, raw.get("securityContext") or {})
        for sort in SORTS
        for raw in spec.get(sort) or ()
    ]
    context = spec.get("securityContext") or {}
    said = set(context).union(*[container.context for container in containers])
    return Subject(metadata.get("annotations") or {}, spec, context, containers, said)
