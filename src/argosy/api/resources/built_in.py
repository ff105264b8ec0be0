"""How an entry of the table is written: what all built-in resources share is said here.

A stable version is served unless it is switched off; alpha and beta versions are off unless the
entry says otherwise, as it has been upstream since 1.24. In which minors a version exists is not
said: the minor's definitions tell.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from argosy.api.resource import Column, Resource

_STABLE = re.compile(r"v\d+")
_PACKAGES: Mapping[str, str] = {
    "": "core",
    "flowcontrol.apiserver.k8s.io": "flowcontrol",
    "internal.apiserver.k8s.io": "apiserverinternal",
    "rbac.authorization.k8s.io": "rbac",
}
"""Where upstream's package is not called like the first word of the group."""


def built_in(
    kind: str, plural: str, *columns: Column, group: str = "", version: str = "v1", **facts: Any
) -> Resource:
    """One of Kubernetes' own resources."""
    facts.setdefault("on", bool(_STABLE.fullmatch(version)))
    return Resource(
        group=group,
        version=version,
        kind=kind,
        plural=plural,
        definition=_definition(group, version, kind),
        columns=columns,
        **facts,
    )


def also(resource: Resource, version: str, *, on: bool = False) -> Resource:
    """Another version of a resource, of the same shape: it differs in nothing but its name."""
    definition = _definition(resource.group, version, resource.kind)
    return replace(resource, version=version, definition=definition, on=on)


def _definition(group: str, version: str, kind: str) -> str:
    package = _PACKAGES.get(group) or group.partition(".")[0]
    return f"io.k8s.api.{package}.{version}.{kind}"


def count(name: str, path: str) -> Column:
    """A number that is 0 where nobody wrote one."""
    return Column(name, path, "integer", empty=0)


def blank(name: str, path: str) -> Column:
    """A text that is left blank where there is none."""
    return Column(name, path, empty="")


def wide(name: str, path: str, *, empty: str | None = None) -> Column:
    """A column that only `-o wide` shows."""
    return Column(name, path, priority=1, empty=empty)
