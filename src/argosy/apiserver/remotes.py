"""Other servers, as kubeconfig files name them: the webhooks of the command line.

The file is a kubeconfig whose current context says where the server is, whom to trust for it, and
what to show it. What can't be honoured here is refused by name.
"""

import base64
import binascii
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

_UNKNOWN = ("exec", "auth-provider", "tls-server-name", "proxy-url")

Json = Mapping[str, Any]


class RemoteError(Exception):
    """The file can't be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Remote:
    """Where the server is, and how to come there."""

    host: str
    port: int | None
    path: str
    tls: ssl.SSLContext | None
    headers: Mapping[str, str]
    url: str


def read(file: Path, called: str) -> Remote:
    """The server that a kubeconfig names, which is what is `called` so. Raises RemoteError."""
    try:
        return _remote(yaml.safe_load(file.read_bytes()), file.parent)
    except OSError as error:
        text = error.strerror or str(error)
    except yaml.YAMLError:
        text = "it is no YAML"
    except (RemoteError, ValueError) as error:
        text = str(error)
    raise RemoteError(f"initializing {called} from {file}: {text}")


def _remote(config: object, folder: Path) -> Remote:
    if not isinstance(config, dict):
        raise RemoteError("it is no kubeconfig")
    context = _named(config, "contexts", config.get("current-context"), "context")
    cluster = _named(config, "clusters", context.get("cluster"), "cluster")
    user: Json = {}
    if context.get("user"):
        user = _named(config, "users", context.get("user"), "user")
    for name in _UNKNOWN:
        if name in cluster or name in user:
            raise RemoteError(f"{name} is not known here")
    url = urlsplit(str(cluster.get("server") or ""))
    if url.scheme not in ("http", "https") or not url.hostname:
        raise RemoteError("its cluster has no server with an http or https address")
    path = url.path or "/"
    if url.query:
        path = f"{path}?{url.query}"
    tls = _tls(cluster, user, folder) if url.scheme == "https" else None
    return Remote(url.hostname, url.port, path, tls, _headers(user, folder), url.geturl())


def _named(config: Json, plural: str, name: object, kind: str) -> Json:
    for item in config.get(plural) or ():
        if isinstance(item, dict) and item.get("name") == name and isinstance(item.get(kind), dict):
            found: Json = item[kind]
            return found
    raise RemoteError(f"it has no {kind} named {name!r}")


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
            raise RemoteError(f"{name}-data is no base64") from None
    return (folder / str(part[name])).read_bytes() if part.get(name) else b""


@contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """A private file, for a library that takes nothing else."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        yield file.name
