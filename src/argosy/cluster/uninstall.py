"""Taking away what `argosy install` brought, and nothing else: `argosy uninstall`.

What counts is what is in the cluster, not what would be installed today: each object that bears our
label and that our field manager wrote. A definition takes all objects of its kind with it, and a
namespace all that is in it: neither goes with something in it that nobody asked to be deleted.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.kinds import PREFERRED
from argosy.api.resource import Resource
from argosy.api.resources.control import LEASE
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.cluster.install import DEFINITION, PAUSE, InstallError, found, ours, shown
from argosy.cluster.manifests import MANAGED, PART
from argosy.cluster.rights import NAME

ORDER = (
    "Deployment",
    "Service",
    "RoleBinding",
    "Role",
    "ClusterRoleBinding",
    "ClusterRole",
    "ServiceAccount",
)
"""First what works, so that nothing works without its rights or its kinds."""
GONE_SECONDS = 120.0
LEFT = frozenset({("configmaps", "kube-root-ca.crt"), ("serviceaccounts", "default")})
"""What every namespace has."""
FLEETING = frozenset({"events", "endpoints", "endpointslices"})
"""What goes with the rest, or by itself."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Removal:
    """One `argosy uninstall`; `done` and `tell` are as in `Installation`."""

    client: Client
    clock: Clock
    done: Callable[[str], None]
    tell: Callable[[str], None]
    keep_definitions: bool = False
    delete_data: bool = False

    async def run(self) -> None:
        """Raises InstallError, StatusError and ConnectionError."""
        known = {kind: await self._brought(kind) for kind in (*ORDER, DEFINITION, "Namespace")}
        if not any(known.values()):
            self.tell("there is nothing that argosy install has brought")
        going = [] if self.keep_definitions else known[DEFINITION]
        if not self.delete_data:
            await self._check_empty(going)
        places = {body["metadata"]["namespace"] for body in known["ServiceAccount"]}
        for kind in ORDER:
            for body in known[kind]:
                await self._delete(body, foreground=kind == "Deployment")
        for place in sorted(places):
            await self._delete_lease(place)
        for body in going:
            await self._delete(body, foreground=False)
        for body in going:
            await self._gone(body)
        for body in known["Namespace"]:
            await self._leave(body)

    async def _brought(self, kind: str) -> list[Json]:
        query = {"labelSelector": f"{MANAGED}=argosy,{PART}=argosy"}
        items = await self._items(PREFERRED[kind].path(), query)
        return [{**item, "kind": kind} for item in items if ours(item)]

    async def _items(self, path: str, query: Mapping[str, str]) -> list[Json]:
        items: list[Json] = (await self._read(path, query)).get("items") or []
        return items

    async def _read(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        """What is at `path`; what is not served (yet, or any more) holds nothing."""
        try:
            read: Json = msgspec.json.decode(await self.client.call("GET", path, query))
        except StatusError as error:
            if error.code != 404:
                raise
            return {}
        return read

    async def _check_empty(self, going: list[Json]) -> None:
        full = []
        for body in going:
            spec = body["spec"]
            path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
            if await self._items(path, {"limit": "1"}):
                full.append(body["metadata"]["name"])
        if full:
            raise InstallError(
                f"there are objects of {', '.join(full)}, which end with their definitions",
                "--keep-crds leaves them and their definitions, --delete-data deletes both",
            )

    async def _delete(self, body: Json, *, foreground: bool) -> None:
        meta, resource = body["metadata"], PREFERRED[body["kind"]]
        await self.client.delete(
            resource,
            meta["name"],
            meta.get("namespace", ""),
            uid=meta["uid"],
            propagation="Foreground" if foreground else "Background",
        )
        if foreground:
            await self._gone(body)
        self.done(f"{shown(body)} deleted")

    async def _gone(self, body: Json) -> None:
        """Wait until it is."""
        meta, resource = body["metadata"], PREFERRED[body["kind"]]

        async def there() -> bool:
            known = await found(self.client, resource, meta["name"], meta.get("namespace", ""))
            return known is not None and known["metadata"]["uid"] == meta["uid"]

        await self._until_not(there, shown(body))

    async def _until_not(self, there: Callable[[], Awaitable[bool]], what: str) -> None:
        until = self.clock.monotonic() + GONE_SECONDS
        while await there():
            if self.clock.monotonic() >= until:
                raise InstallError(
                    f"{what} is not gone after {GONE_SECONDS:g} s",
                    "see its finalizers; then run argosy uninstall again",
                )
            await self.clock.sleep(PAUSE)

    async def _delete_lease(self, place: str) -> None:
        """The controllers made it themselves."""
        if await found(self.client, LEASE, NAME, place) is not None:
            await self.client.delete(LEASE, NAME, place)
            self.done(f"lease.{LEASE.group}/{NAME} deleted")

    async def _leave(self, body: Json) -> None:
        """Take the namespace away where nothing of somebody else's is in it."""
        try:
            left = [item async for item in self._left(body["metadata"]["name"])]
        except StatusError as error:  # of an extension server that is away, say
            self.tell(f"{shown(body)} stays: what is in it can't be listed: {error}")
            return
        if left:
            more = f" and {len(left) - 3} more" if len(left) > 3 else ""
            self.tell(f"{shown(body)} stays: it holds {', '.join(left[:3])}{more}")
            return
        await self._delete(body, foreground=False)
        await self._gone(body)

    async def _left(self, place: str) -> AsyncIterator[str]:
        for resource in await self._listable():
            for item in await self._items(resource.path("", place), {"limit": "50"}):
                name = item["metadata"]["name"]
                if (resource.plural, name) not in LEFT:
                    yield f"{resource.plural}/{name}"

    async def _listable(self) -> list[Resource]:
        """All that can be in a namespace and outlives it, once each."""
        groups = (await self._read("/apis"))["groups"]
        versions = ["v1", *(group["preferredVersion"]["groupVersion"] for group in groups)]
        listable = []
        for version in versions:
            group, _, number = version.rpartition("/")
            root = f"/apis/{version}" if group else f"/api/{version}"
            listable += [
                Resource(group=group, version=number, kind=item["kind"], plural=item["name"])
                for item in (await self._read(root)).get("resources") or ()
                if item["namespaced"]
                and {"list", "delete"} <= set(item["verbs"])
                and item["name"] not in FLEETING
            ]
        return listable
