"""Who a client is, where that changes while it runs: a token's file, or a plugin that is asked.

A service account's token rotates below its path: the file is read anew every minute, as client-go
does. A plugin (`users[].user.exec`, client.authentication.k8s.io) prints an ExecCredential, which
counts until it expires or the server takes it no longer.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from argosy.base.clock import Clock, parse_timestamp

REREAD_SECONDS = 60.0
PLUGIN_SECONDS = 60.0
VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")

Json = dict[str, Any]


class CredentialsError(ConnectionError):
    """There are none to be had now; the text says why."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token, a certificate with its key (PEM), or both."""

    token: str = field(default="", repr=False)
    pair: bytes = field(default=b"", repr=False)


class Source(Protocol):
    """Where credentials come from."""

    async def get(self) -> Credentials:
        """Those that count now. Raises CredentialsError."""
        ...

    def refuse(self, given: Credentials) -> bool:
        """The server doesn't take `given` (401): whether others may be had by asking again."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same for ever."""

    credentials: Credentials

    async def get(self) -> Credentials:
        return self.credentials

    def refuse(self, given: Credentials) -> bool:
        return False


class TokenFile:
    """A token in a file that somebody else renews."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._known: Credentials | None = None
        self._read_at = 0.0

    async def get(self) -> Credentials:
        now = self._clock.monotonic()
        if self._known is None or now - self._read_at >= REREAD_SECONDS:
            try:
                self._known, self._read_at = self._read(), now
            except CredentialsError:
                if self._known is None:
                    raise
                # As long as the server takes the old one there is no harm in that.
        return self._known

    def refuse(self, given: Credentials) -> bool:
        if self._known is given:
            self._known = None
        return True

    def _read(self) -> Credentials:
        try:
            token = self._path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CredentialsError(f"reading the token: {error}") from None
        if not token:
            raise CredentialsError(f"reading the token: {self._path} is empty")
        return Credentials(token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A command that prints credentials. `cluster` is what it is told of the cluster, if it is."""

    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    api_version: str = VERSIONS[0]
    install_hint: str = ""
    cluster: Mapping[str, Any] | None = None


class Asked:
    """Credentials by a plugin, kept until they expire."""

    def __init__(self, plugin: Plugin, clock: Clock) -> None:
        self._plugin = plugin
        self._clock = clock
        self._known: Credentials | None = None
        self._expires: datetime | None = None
        self._one = asyncio.Lock()

    async def get(self) -> Credentials:
        async with self._one:
            late = self._expires is not None and self._clock.now() >= self._expires
            if self._known is None or late:
                self._known = self._taken(await self._printed())
            return self._known

    def refuse(self, given: Credentials) -> bool:
        if self._known is given:
            self._known = None
        return True

    async def _printed(self) -> bytes:
        plugin = self._plugin
        try:
            process = await asyncio.create_subprocess_exec(
                plugin.command,
                *plugin.args,
                env={**os.environ, **plugin.env, "KUBERNETES_EXEC_INFO": json.dumps(self._info())},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            hint = f"\n{plugin.install_hint}" if plugin.install_hint else ""
            raise CredentialsError(f"exec: {plugin.command}: {error.strerror}{hint}") from None
        try:
            async with asyncio.timeout(PLUGIN_SECONDS):
                printed, _ = await process.communicate()
        except TimeoutError:
            raise CredentialsError(
                f"exec: {plugin.command}: no answer in {PLUGIN_SECONDS:g} s"
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise CredentialsError(
                f"exec: executable {plugin.command} failed with exit code {process.returncode}"
            )
        return printed

    def _info(self) -> Json:
        spec: Json = {"interactive": False}
        if self._plugin.cluster is not None:
            spec["cluster"] = dict(self._plugin.cluster)
        return {"apiVersion": self._plugin.api_version, "kind": "ExecCredential", "spec": spec}

    def _taken(self, printed: bytes) -> Credentials:
        try:
            told = msgspec.json.decode(printed, type=_ExecCredential)
            until = told.status.expiration_timestamp if told.status else None
            self._expires = parse_timestamp(until) if until else None
        except (msgspec.DecodeError, ValueError) as error:
            raise CredentialsError(f"exec: decoding stdout: {error}") from None
        if told.kind != "ExecCredential" or told.api_version != self._plugin.api_version:
            raise CredentialsError(
                f"exec plugin is configured to use API version {self._plugin.api_version}, "
                f"plugin returned version {told.api_version}"
            )
        return _checked(told.status)


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: str | None = None


class _ExecCredential(msgspec.Struct, frozen=True, rename="camel"):
    kind: str = ""
    api_version: str = ""
    status: _Status | None = None


def _checked(status: _Status | None) -> Credentials:
    if status is None:
        raise CredentialsError("exec plugin didn't return a status field")
    certificate, key = status.client_certificate_data, status.client_key_data
    if bool(certificate) != bool(key):
        raise CredentialsError("exec plugin returned only certificate or key, not both")
    if not status.token and not certificate:
        raise CredentialsError("exec plugin didn't return a token or cert/key pair")
    pair = f"{certificate}\n{key}".encode() if certificate else b""
    return Credentials(status.token, pair)
