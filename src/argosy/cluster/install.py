"""Bringing the AI platform's own part to a cluster: `argosy install`.

What is there under one of our names and was not brought by us is never written: a definition or a
namespace of somebody else's serves as well, any other object is refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.kinds import PREFERRED
from argosy.api.resource import Resource
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import APPLY, Client
from argosy.cluster.manifests import MANAGED, Settings, definitions, namespace, objects

FIELD_MANAGER = "argosy-install"
DEFINITION = "CustomResourceDefinition"
ESTABLISHED_SECONDS = 60.0
PAUSE = 0.2

Json = dict[str, Any]


class InstallError(Exception):
    """It can't be done; the text says why, `hint` what would help."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def ours(body: Mapping[str, Any]) -> bool:
    """Whether `install` brought the object: its label says so, and who wrote it."""
    meta = body["metadata"]
    wrote = {entry.get("manager") for entry in meta.get("managedFields") or ()}
    return (meta.get("labels") or {}).get(MANAGED) == "argosy" and FIELD_MANAGER in wrote


def shown(body: Mapping[str, Any]) -> str:
    """`deployment.apps/NAME`, as kubectl names objects."""
    resource = PREFERRED[body["kind"]]
    group = f".{resource.group}" if resource.group else ""
    return f"{resource.singular}{group}/{body['metadata']['name']}"


async def found(client: Client, resource: Resource, name: str, namespace: str = "") -> Json | None:
    """The object as plain JSON, if it is there."""
    try:
        known: Json = msgspec.json.decode(await client.call("GET", resource.path(name, namespace)))
    except StatusError as error:
        if error.code != 404:
            raise
        return None
    return known


@dataclass(frozen=True)
class Installation:
    """One `argosy install`. `done` is told of each object, `tell` what the person should know.

    With `dry` the cluster is asked what it would do, and does nothing. `force` takes fields over
    that somebody else has changed.
    """

    client: Client
    clock: Clock
    settings: Settings
    done: Callable[[str], None]
    tell: Callable[[str], None]
    dry: bool = False
    force: bool = False

    async def run(self) -> None:
        """Raises InstallError, StatusError and ConnectionError."""
        await self._check_elsewhere()
        brought = [body for body in definitions(self.settings) if await self._define(body)]
        if not self.dry:
            for body in brought:
                await self._established(body["metadata"]["name"])
        there = await self._place()
        for body in objects(self.settings):
            if there or not body["metadata"].get("namespace"):
                await self._write(body)
            else:  # nothing can be tried in a namespace that is not there
                self.done(f"{shown(body)} created (dry run)")

    async def _check_elsewhere(self) -> None:
        """The rights are the cluster's, so there can be one installation only."""
        name = objects(self.settings)[0]["metadata"]["name"]
        known = await found(self.client, PREFERRED["ClusterRoleBinding"], name)
        subjects = (known or {}).get("subjects") or [{}]
        where = subjects[0].get("namespace") or self.settings.namespace
        if known is not None and ours(known) and where != self.settings.namespace:
            raise InstallError(
                f"argosy is installed already, in namespace {where}",
                f"install it there with --namespace {where}, or begin with argosy uninstall",
            )

    async def _define(self, body: Json) -> bool:
        """Bring a definition, unless the cluster has the kind from somebody else."""
        name = body["metadata"]["name"]
        known = await found(self.client, PREFERRED[DEFINITION], name)
        if known is not None and not ours(known):
            self.tell(f"{shown(body)} is somebody else's: it stays as it is")
            return False
        if known is None and await self._serves(body["spec"]):
            self.tell(f"{name} is served by the cluster itself: it needs no definition")
            return False
        await self._apply(body, known)
        return True

    async def _serves(self, spec: Json) -> bool:
        path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}"
        try:
            listed = msgspec.json.decode(await self.client.call("GET", path))
        except StatusError as error:
            if error.code != 404:
                raise
            return False
        return any(item["name"] == spec["names"]["plural"] for item in listed["resources"])

    async def _established(self, name: str) -> None:
        until = self.clock.monotonic() + ESTABLISHED_SECONDS
        while self.clock.monotonic() < until:
            known = await found(self.client, PREFERRED[DEFINITION], name) or {}
            states = known.get("status", {}).get("conditions") or ()
            if any(item["type"] == "Established" and item["status"] == "True" for item in states):
                return
            await self.clock.sleep(PAUSE)
        raise InstallError(
            f"{name} is not established after {ESTABLISHED_SECONDS:g} s",
            f"see its conditions: kubectl describe crd {name}",
        )

    async def _place(self) -> bool:
        """Bring the namespace where there is none; whether it is there then."""
        body = namespace(self.settings)
        known = await found(self.client, PREFERRED["Namespace"], self.settings.namespace)
        if known is not None and not ours(known):
            self.tell(f"{shown(body)} is somebody else's: it stays as it is")
            return True
        await self._apply(body, known)
        return known is not None or not self.dry

    async def _write(self, body: Json) -> None:
        meta = body["metadata"]
        resource = PREFERRED[body["kind"]]
        known = await found(self.client, resource, meta["name"], meta.get("namespace", ""))
        if known is not None and not ours(known):
            raise InstallError(
                f"{shown(body)} is there already, and was not brought by argosy install",
                "remove it, or keep what is there: helm upgrades what helm has installed",
            )
        await self._apply(body, known)

    async def _apply(self, body: Json, known: Json | None) -> None:
        meta = body["metadata"]
        path = PREFERRED[body["kind"]].path(meta["name"], meta.get("namespace", ""))
        query = {"fieldManager": FIELD_MANAGER, "force": str(self.force).lower()}
        if self.dry:
            query["dryRun"] = "All"
        written = msgspec.json.decode(
            await self.client.call("PATCH", path, query, body, content_type=APPLY)
        )
        verb = "configured"
        if known is None or _brought(known) == _brought(written):
            verb = "created" if known is None else "unchanged"
        self.done(f"{shown(body)} {verb}{' (dry run)' * self.dry}")


def _brought(body: Json) -> Json:
    """The object without what a server and its controllers add as time goes by."""
    meta = {
        name: value
        for name, value in body["metadata"].items()
        if name not in ("managedFields", "resourceVersion")
    }
    return {**body, "metadata": meta, "status": None}
