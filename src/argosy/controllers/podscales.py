"""How many pods the controllers of some pods want: the whole of which percentages are taken.

The scale of a ReplicaSet that a Deployment has is the Deployment's. Kinds that users define tell
theirs by their scale subresource. All of it is asked of the server, and only by whoever needs it:
nobody keeps copies of all workloads for it. Source: upstream's disruption controller.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from argosy.api.core import Pod
from argosy.api.meta import Object, OwnerReference, View
from argosy.api.resource import Resource
from argosy.api.resources.core import REPLICATION_CONTROLLER
from argosy.api.resources.workloads import DEPLOYMENT, REPLICA_SET, STATEFUL_SET
from argosy.base.errors import StatusError
from argosy.client.client import Client

T = TypeVar("T")
KNOWN: Mapping[tuple[str, str], Resource] = {
    ("", "ReplicationController"): REPLICATION_CONTROLLER,
    ("apps", "ReplicaSet"): REPLICA_SET,
    ("apps", "StatefulSet"): STATEFUL_SET,
    ("apps", "Deployment"): DEPLOYMENT,
}
Scale = tuple[str, int]
"""The uid of a controller, and how many pods it wants."""


class ScaleError(Exception):
    """It can't be said how many pods are wanted; the text says why."""


class ScaleSpec(View, frozen=True, kw_only=True):
    """The number; a scale of none leaves it out."""

    replicas: int = 0


class Offered(View, frozen=True, kw_only=True):
    """What a server has of one kind, or of one of its subresources."""

    name: str
    kind: str


class Offers(View, frozen=True, kw_only=True):
    """What a server has in a version of a group."""

    resources: tuple[Offered, ...] = ()


class Scaled(Object, frozen=True, kw_only=True):
    """Any controller, or its scale: both tell the number at the same place."""

    spec: ScaleSpec = ScaleSpec()


@dataclass(frozen=True)
class PodScales:
    """Asks the server."""

    client: Client

    async def total(self, pods: Iterable[Pod]) -> tuple[int, list[str]]:
        """The sum over all controllers of the pods, and the names of pods that have none.

        Raises ScaleError, StatusError.
        """
        scales: dict[str, int] = {}
        asked: set[str] = set()
        unmanaged: list[str] = []
        for pod in pods:
            owner = pod.controller
            if owner is None:
                unmanaged.append(pod.metadata.name)
            elif owner.uid not in asked:
                asked.add(owner.uid)
                found = await self._scale(owner, pod.metadata.namespace)
                if found is None:
                    raise ScaleError(f'found no controllers for pod "{pod.metadata.name}"')
                scales[found[0]] = found[1]
        return sum(scales.values()), unmanaged

    async def _scale(self, owner: OwnerReference, namespace: str) -> Scale | None:
        """How many pods the owner wants; None where it is not there any more."""
        group, _, _ = owner.api_version.rpartition("/")
        if "/" in group or "/" in owner.name:  # no path of anything is to be made of it
            raise ScaleError(f'invalid owner "{owner.name}" of "{owner.api_version}"')
        resource = KNOWN.get((group, owner.kind))
        if resource is None:
            return await self._subresource(owner, namespace)
        found = await self._found(resource.path(owner.name, namespace))
        if found is None or found.metadata.uid != owner.uid:
            return None
        above = found.controller
        if resource == REPLICA_SET and above is not None and above.kind == DEPLOYMENT.kind:
            deployment = await self._deployment(above, namespace)
            return deployment or _scale_of(found)
        return _scale_of(found)

    async def _deployment(self, owner: OwnerReference, namespace: str) -> Scale | None:
        group, _, _ = owner.api_version.rpartition("/")
        if group != DEPLOYMENT.group:
            return None
        found = await self._found(DEPLOYMENT.path(owner.name, namespace))
        return _scale_of(found) if found is not None and found.metadata.uid == owner.uid else None

    async def _subresource(self, owner: OwnerReference, namespace: str) -> Scale | None:
        group, _, _ = owner.api_version.rpartition("/")
        root = f"/apis/{owner.api_version}" if group else f"/api/{owner.api_version}"
        plural, scaled = await self._plural(owner, root)
        if not scaled:
            qualified = f"{plural}.{group}" if group else plural
            raise ScaleError(f"{qualified} does not implement the scale subresource")
        found = await self._found(f"{root}/namespaces/{namespace}/{plural}/{owner.name}/scale")
        return _scale_of(found) if found is not None and found.metadata.uid == owner.uid else None

    async def _plural(self, owner: OwnerReference, root: str) -> tuple[str, bool]:
        """What objects of the owner's kind are called in paths, and whether they have a scale."""
        offers = await self._answer(root, Offers)
        items = offers.resources if offers is not None else ()
        own = [one.name for one in items if one.kind == owner.kind and "/" not in one.name]
        if not own:
            text = f'no matches for kind "{owner.kind}" in version "{owner.api_version}"'
            raise ScaleError(text)
        wanted = Offered(name=f"{own[0]}/scale", kind="Scale")
        return own[0], wanted in items

    async def _found(self, path: str) -> Scaled | None:
        return await self._answer(path, Scaled)

    async def _answer(self, path: str, kind: type[T]) -> T | None:
        """What is there, or None. Raises ScaleError where it is something else."""
        try:
            return msgspec.json.decode(await self.client.call("GET", path), type=kind)
        except StatusError as error:
            if error.code == 404:
                return None
            raise
        except msgspec.DecodeError as error:
            raise ScaleError(f"decoding the answer of {path}: {error}") from None


def _scale_of(found: Scaled) -> Scale:
    return (found.metadata.uid, found.spec.replicas)
