"""The platform's controllers as the account that they are shipped with, and the node played."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs

from argosy.api.kinds import PREFERRED
from argosy.base.clock import SystemClock
from argosy.client.client import Client
from argosy.client.transport import Transport
from argosy.cluster.foreign import Foreign, Wanted, chosen
from argosy.cluster.manifests import Settings, namespace, objects
from argosy.cluster.rights import NAME
from argosy.http.message import Request, Response
from argosy.testing.cluster import Cluster

Json = dict[str, Any]
Used = tuple[str, str, str]
"""Verb, group, resource with its subresource."""

SYSTEM = "argosy-system"
ACCOUNT = f"system:serviceaccount:{SYSTEM}:{NAME}"
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass
class AsAccount:
    """Sends as the shipped account, and notes what is asked for and what is refused.

    An `old` server begins no watch with all objects.
    """

    inner: Transport
    old: bool = False
    used: set[Used] = field(default_factory=set)
    refused: list[Used] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        if self.old and "sendInitialEvents" in request.query:
            return Response(422, {}, b"{}")
        headers = {**request.headers, "impersonate-user": ACCOUNT}
        response = await self.inner.send(replace(request, headers=headers))
        if (used := asked(request)) is not None:
            self.used.add(used)
            if response.status == 403:
                self.refused.append(used)
        return response

    async def close(self) -> None:
        await self.inner.close()


def asked(request: Request) -> Used | None:
    """What a request asks for, as a role would have to allow it; None for discovery."""
    parts = request.path.strip("/").split("/")
    group, parts = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    if len(parts) > 2 and parts[0] == "namespaces":
        parts = parts[2:]
    if not parts:
        return None
    plural, name, part = (*parts, "", "")[:3]
    verb = VERBS.get(request.method, "get" if name else "list")
    if parse_qs(request.query).get("watch"):
        verb = "watch"
    return verb, group, f"{plural}/{part}" if part else plural


def granted(rules: list[Json]) -> set[Used]:
    """What rules allow."""
    return {
        (verb, group, resource)
        for rule in rules
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


async def grant(
    client: Client, without: Used | None = None, *, settings: Settings | None = None
) -> set[Used]:
    """Give the account what `install` gives it, but for one thing; all that it gives."""
    settings = settings or Settings(kinds=chosen(()))
    await client.apply(PREFERRED["Namespace"], namespace(settings))
    given: set[Used] = set()
    for body in objects(settings):
        if "rules" in body:
            given |= granted(body["rules"])
            body["rules"] = [narrowed for rule in body["rules"] for narrowed in less(rule, without)]
        if body["kind"] not in ("Deployment", "Service"):
            await client.apply(PREFERRED[body["kind"]], body)
    return given


def less(rule: Json, without: Used | None) -> list[Json]:
    """The rule, verb by verb and resource by resource, but for one."""
    return [
        {**rule, "verbs": [verb], "resources": [resource]}
        for verb in rule["verbs"]
        for resource in rule["resources"]
        if (verb, rule["apiGroups"][0], resource) != without
    ]


@asynccontextmanager
async def operating(
    running: Cluster, *, wanted: Wanted | None = None, old: bool = False
) -> AsyncGenerator[tuple[AsAccount, list[str]], None]:
    """The controllers on a cluster, over a transport that notes; and what they tell."""
    way = AsAccount(running.client.transport, old)
    told: list[str] = []
    wanted = wanted or Wanted(kinds=chosen(()), namespace=SYSTEM)
    foreign = Foreign(Client(way, "argosy"), SystemClock(), wanted, told.append)
    task = asyncio.create_task(foreign.run())
    try:
        yield way, told
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
