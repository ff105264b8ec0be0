"""Sends events to a webhook, as `EventList`s of `audit.k8s.io/v1`.

The file that names it is a kubeconfig, as kube-apiserver's. Batches are sent one after the other in
the writer's thread; one that is refused for now (no connection, 429, 5xx) is tried again, more and
more slowly, and then given up and counted as lost.
"""

import base64
import binascii
import http.client
import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

TRIES = 5
FIRST_PAUSE_SECONDS = 10.0
FACTOR = 1.5
TIMEOUT_SECONDS = 30.0
_BEGIN = b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":['
_UNKNOWN = ("exec", "auth-provider", "tls-server-name", "proxy-url")

Json = Mapping[str, Any]


class WebhookError(Exception):
    """The file can't be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Remote:
    """Where the webhook is, and how to come there."""

    host: str
    port: int | None
    path: str
    tls: ssl.SSLContext | None
    headers: Mapping[str, str]


class Posted:
    """An output that posts what it is given. `pause` waits; it returns true to be given up."""

    def __init__(self, remote: Remote, pause: Callable[[float], bool]) -> None:
        self._remote = remote
        self._pause = pause

    def write(self, lines: bytes) -> None:
        """Post whole lines. Blocks. Raises OSError where all tries failed."""
        body = _BEGIN + b",".join(lines.splitlines()) + b"]}"
        pause = FIRST_PAUSE_SECONDS
        for left in reversed(range(TRIES)):
            try:
                status = self._post(body)
                if status < 400:
                    return
                error = OSError(f"the webhook answered {status}")
                if status != 429 and status < 500:
                    raise error
            except (http.client.HTTPException, ConnectionError, TimeoutError) as failed:
                error = OSError(f"reaching the webhook: {failed}")
            if not left or self._pause(pause):
                raise error
            pause *= FACTOR

    def close(self) -> None:
        """Nothing is held between two batches."""

    def _post(self, body: bytes) -> int:
        remote = self._remote
        with closing(_connection(remote)) as connection:
            headers = {"content-type": "application/json", **remote.headers}
            connection.request("POST", remote.path, body, headers)
            return connection.getresponse().status


def _connection(remote: Remote) -> http.client.HTTPConnection:
    if remote.tls is None:
        return http.client.HTTPConnection(remote.host, remote.port, timeout=TIMEOUT_SECONDS)
    return http.client.HTTPSConnection(
        remote.host, remote.port, timeout=TIMEOUT_SECONDS, context=remote.tls
    )


def read(file: Path) -> Remote:
    """The webhook that a kubeconfig names. Raises WebhookError."""
    try:
        return _remote(yaml.safe_load(file.read_bytes()), file.parent)
    except OSError as error:
        text = error.strerror or str(error)
    except yaml.YAMLError:
        text = "it is no YAML"
    except (WebhookError, ValueError) as error:
        text = str(error)
    raise WebhookError(f"initializing audit webhook from {file}: {text}")


def _remote(config: object, folder: Path) -> Remote:
    if not isinstance(config, dict):
        raise WebhookError("it is no kubeconfig")
    context = _named(config, "contexts", config.get("current-context"), "context")
    cluster = _named(config, "clusters", context.get("cluster"), "cluster")
    user: Json = {}
    if context.get("user"):
        user = _named(config, "users", context.get("user"), "user")
    for name in _UNKNOWN:
        if name in cluster or name in user:
            raise WebhookError(f"{name} is not known here")
    url = urlsplit(str(cluster.get("server") or ""))
    if url.scheme not in ("http", "https") or not url.hostname:
        raise WebhookError("its cluster has no server with an http or https address")
    path = url.path or "/"
    if url.query:
        path = f"{path}?{url.query}"
    tls = _tls(cluster, user, folder) if url.scheme == "https" else None
    return Remote(url.hostname, url.port, path, tls, _headers(user, folder))


def _named(config: Json, plural: str, name: object, kind: str) -> Json:
    for item in config.get(plural) or ():
        if isinstance(item, dict) and item.get("name") == name and isinstance(item.get(kind), dict):
            found: Json = item[kind]
            return found
    raise WebhookError(f"it has no {kind} named {name!r}")


def _headers(user: Json, folder: Path) -> dict[str, str]:
    token = str(user.get("token") or "")
    if file := user.get("tokenFile"):
        token = (folder / str(file)).read_text().strip()
    if token:
        return {"authorization": f"Bearer {token}"}
    if user.get("username"):
        pair = f"{user['username']}:{user.get('password') or ''}"
        return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}


def _tls(cluster: Json, user: Json, folder: Path) -> ssl.SSLContext:
    authority = _content(cluster, "certificate-authority", folder)
    context = ssl.create_default_context(cadata=authority.decode("ascii") if authority else None)
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate = _content(user, "client-certificate", folder)
    if certificate:
        with _as_file(certificate + b"\n" + _content(user, "client-key", folder)) as name:
            context.load_cert_chain(name)
    return context


def _content(part: Json, name: str, folder: Path) -> bytes:
    """What stands in the file, or as base64 in its place."""
    if data := part.get(f"{name}-data"):
        try:
            return base64.b64decode(str(data), validate=True)
        except binascii.Error:
            raise WebhookError(f"{name}-data is no base64") from None
    return (folder / str(part[name])).read_bytes() if part.get(name) else b""


@contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """A private file, for a library that takes nothing else."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        yield file.name
