"""What kinds are called in paths, and in which versions they are served: asked of the server."""

from dataclasses import dataclass

import msgspec

from argosy.api.meta import View
from argosy.api.resource import Resource
from argosy.api.resources.core import REPLICATION_CONTROLLER
from argosy.api.resources.workloads import DEPLOYMENT, REPLICA_SET, STATEFUL_SET
from argosy.controllers.autoscaling.answers import AnswerError, Answers

KEPT = 30.0
"""Seconds for which kinds are taken to be as they were."""
KNOWN: dict[tuple[str, str], Resource] = {
    (resource.group, resource.kind): resource
    for resource in (DEPLOYMENT, REPLICA_SET, STATEFUL_SET, REPLICATION_CONTROLLER)
}


class _Version(View, frozen=True, kw_only=True):
    version: str = ""


class _Group(View, frozen=True, kw_only=True):
    preferred_version: _Version = _Version()
    versions: tuple[_Version, ...] = ()


class _Named(View, frozen=True, kw_only=True):
    name: str = ""
    kind: str = ""


class _Resources(View, frozen=True, kw_only=True):
    resources: tuple[_Named, ...] = ()


@dataclass(frozen=True, slots=True)
class Served:
    """A kind in one version: the path of that version, and what the kind is called there."""

    root: str
    plural: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """Asks the server, and remembers for a while."""

    answers: Answers

    async def served(self, group: str, kind: str) -> list[Served]:
        """All versions of a kind, the preferred one first. Raises AnswerError where none is."""
        if (known := KNOWN.get((group, kind))) is not None:
            return [Served(known.root, known.plural)]
        found = []
        for version in await self.versions(group):
            root = f"/apis/{group}/{version}" if group else f"/api/{version}"
            if plural := await self._plural(root, kind):
                found.append(Served(root, plural))
        if not found:
            raise AnswerError(f'no matches for kind "{kind}" in group "{group}"')
        return found

    async def versions(self, group: str) -> list[str]:
        """The versions of a group, the preferred one first; none where it is not served."""
        if not group:
            return ["v1"]
        read = msgspec.json.Decoder(_Group).decode
        try:
            answer = await self.answers.get(f"/apis/{group}", read, seconds=KEPT)
        except AnswerError:
            return []
        names = [answer.preferred_version.version, *(one.version for one in answer.versions)]
        return [name for name in dict.fromkeys(names) if name and "/" not in name]

    async def _plural(self, root: str, kind: str) -> str:
        read = msgspec.json.Decoder(_Resources).decode
        try:
            answer = await self.answers.get(root, read, seconds=KEPT)
        except AnswerError:  # a version whose server is away: another one may do
            return ""
        named = (one.name for one in answer.resources if one.kind == kind and "/" not in one.name)
        return next(named, "")
