"""The scale of what is to be scaled, whatever kind that is of."""

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from argosy.api.autoscaling import HorizontalPodAutoscaler, Scale
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.autoscaling.answers import AnswerError, told
from argosy.controllers.autoscaling.discovery import Discovery, Served

Json = dict[str, Any]
TRIES = 5
"""How often a scale is written that somebody else writes, too."""


class ScaleError(Exception):
    """There is no scale, or it can't be written; the text says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """A scale: where it is, the whole of it, and what is read of it."""

    path: str
    body: Json
    scale: Scale


@dataclass(frozen=True, slots=True)
class Scales:
    """Reads and writes them."""

    client: Client
    discovery: Discovery

    async def find(self, scaler: HorizontalPodAutoscaler) -> Found:
        """The scale of an autoscaler's target. Raises ScaleError."""
        target = scaler.spec.scale_target_ref
        if target.api_version.count("/") > 1:
            raise ScaleError(f"unexpected GroupVersion string: {target.api_version}")
        # Of no name any other path is to be made.
        if "/" in target.name or target.name in ("", ".", ".."):
            raise ScaleError(f'invalid name of the target: "{target.name}"')
        try:
            served = await self.discovery.served(target.group, target.kind)
        except AnswerError as error:
            raise ScaleError(str(error)) from None
        return await self._first(served, scaler.metadata.namespace, target.name)

    async def _first(self, served: list[Served], namespace: str, name: str) -> Found:
        """The scale in the first version that has one; what the first one answered, if none has."""
        first: ScaleError | None = None
        for one in served:
            path = f"{one.root}/namespaces/{namespace}/{one.plural}/{name}/scale"
            try:
                return await self._read(path)
            except ScaleError as error:
                first = first or error
        raise first or ScaleError("unrecognized resource")

    async def _read(self, path: str) -> Found:
        try:
            answer = await self.client.call("GET", path)
            scale = msgspec.json.decode(answer, type=Scale)
            return Found(path, msgspec.json.decode(answer), scale)
        except StatusError as error:
            raise ScaleError(told(error, "")) from None
        except msgspec.DecodeError as error:
            raise ScaleError(f"decoding the answer of {path}: {error}") from None

    async def write(self, found: Found, replicas: int) -> None:
        """Scale to `replicas`, whatever else changes there meanwhile. Raises ScaleError."""
        for left in reversed(range(TRIES)):
            try:
                await self._write(found, replicas)
                return
            except StatusError as error:
                if error.code != 409 or left == 0:
                    raise ScaleError(error.message) from None
            found = replace(found, body=(await self._read(found.path)).body)

    async def _write(self, found: Found, replicas: int) -> None:
        body = {**found.body, "spec": {**(found.body.get("spec") or {}), "replicas": replicas}}
        await self.client.call("PUT", found.path, {"fieldManager": self.client.manager}, body)
