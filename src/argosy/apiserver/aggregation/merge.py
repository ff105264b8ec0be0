"""Documents that tell of everything, with what extension servers serve put in. Pure.

A group stands before the first one whose priority is lower; a version in its group likewise. What
this server says of itself is not changed.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from argosy.api.registration import APIService, Place, local_priorities, version_order
from argosy.apiserver.aggregation.discovered import Known

Json = dict[str, Any]
Pair = tuple[APIService, Known]


class Order:
    """Where what extension servers serve stands: by its priorities, and by those of the rest."""

    def __init__(self, services: Iterable[APIService]) -> None:
        self._versions: dict[Place, int] = {}
        self._groups: dict[str, int] = {}
        for api in services:
            group, spec = api.spec.group, api.spec
            self._versions[api.place] = spec.version_priority
            highest = max(spec.group_priority_minimum, self._groups.get(group, 0))
            self._groups[group] = highest

    def group(self, items: Sequence[str], name: str) -> int:
        """The place of a new group; those that came before stay before their likes."""
        wanted = self._groups[name]
        for i, item in enumerate(items):
            if self._groups.get(item, local_priorities(item, "v1")[0]) < wanted:
                return i
        return len(items)

    def with_version(self, versions: Sequence[Json], told: Json, group: str) -> list[Json]:
        """`versions` with one more; of the same version, the extension server's counts."""
        kept = [item for item in versions if item["version"] != told["version"]]
        mine = self._version(group, told)
        for i, item in enumerate(kept):
            if self._version(group, item) < mine:
                return [*kept[:i], told, *kept[i:]]
        return [*kept, told]

    def _version(self, group: str, item: Json) -> tuple[int, tuple[int, int, int]]:
        version = str(item["version"])
        priority = self._versions.get((group, version), local_priorities(group, version)[1])
        return (priority, version_order(version))


def with_groups(groups: Sequence[Json], services: Sequence[APIService]) -> list[Json]:
    """The list of groups, each with its versions."""
    merged, order = list(groups), Order(services)
    for api in services:
        group, version = api.place
        told = {"groupVersion": f"{group}/{version}", "version": version}
        names = [str(item["name"]) for item in merged]
        if group not in names:
            fresh = {"name": group, "versions": [told], "preferredVersion": told}
            merged.insert(order.group(names, group), fresh)
            continue
        at = names.index(group)
        versions = order.with_version(merged[at]["versions"], told, group)
        merged[at] = {**merged[at], "versions": versions, "preferredVersion": versions[0]}
    return merged


def with_resources(items: Sequence[Json], pairs: Sequence[Pair]) -> list[Json]:
    """Everything at once: groups, versions and their resources."""
    merged, order = list(items), Order(api for api, _ in pairs)
    for api, known in pairs:
        group, version = api.place
        freshness = "Current" if known.current else "Stale"
        told = {"version": version, "resources": list(known.resources), "freshness": freshness}
        names = [str(item["metadata"]["name"]) for item in merged]
        if group not in names:
            metadata = {"name": group, "creationTimestamp": None}
            fresh = {"metadata": metadata, "versions": [told]}
            merged.insert(order.group(names, group), fresh)
            continue
        at = names.index(group)
        versions = order.with_version(merged[at]["versions"], told, group)
        merged[at] = {**merged[at], "versions": versions}
    return merged
