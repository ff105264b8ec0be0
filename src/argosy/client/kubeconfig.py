"""kubeconfig files: which cluster, as whom. Source: Kubernetes' client configuration API v1."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

NAME = "argosy"


class KubeconfigError(Exception):
    """The file can't be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Access:
    """A server's URL, what certifies it (PEM), and the user's token or certificate."""

    server: str
    ca: str = ""
    token: str = ""
    certificate: bytes = b""
    key: bytes = b""


def render(server: str, ca_pem: bytes, token: str) -> str:
    """A kubeconfig with one cluster, one user and one context, all named alike."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": NAME,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": base64.b64encode(ca_pem).decode(),
                },
            }
        ],
        "users": [{"name": NAME, "user": {"token": token}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "current-context": NAME,
    }
    return yaml.safe_dump(document, sort_keys=False)


def load(path: Path) -> Access:
    """The current context of the file. Raises KubeconfigError."""
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise KubeconfigError(f"reading {path}: {error}") from None
    if not isinstance(document, dict):
        raise KubeconfigError(f"reading {path}: not a kubeconfig")
    context = _named(document, "contexts", str(document.get("current-context", "")), "context")
    cluster = _named(document, "clusters", str(context.get("cluster", "")), "cluster")
    user = _named(document, "users", str(context.get("user", "")), "user")
    for form in ("exec", "auth-provider", "username", "tokenFile"):
        if form in user:
            raise KubeconfigError(f"reading {path}: users[].user.{form} is not supported")
    if not cluster.get("server"):
        raise KubeconfigError(f"reading {path}: the cluster has no server")
    return Access(
        server=str(cluster["server"]),
        ca=_content(cluster, "certificate-authority", path).decode(errors="replace"),
        token=str(user.get("token", "")),
        certificate=_content(user, "client-certificate", path),
        key=_content(user, "client-key", path),
    )


def _named(document: Mapping[str, Any], part: str, name: str, field: str) -> Mapping[str, Any]:
    items = document.get(part)
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and item.get("name") == name:
            found = item.get(field) or {}
            if isinstance(found, dict):
                return found
    raise KubeconfigError(f'no entry "{name}" in {part}')


def _content(entry: Mapping[str, Any], name: str, path: Path) -> bytes:
    """What is in `name-data`, or in the file that `name` names relative to the kubeconfig."""
    try:
        if entry.get(f"{name}-data"):
            return base64.b64decode(str(entry[f"{name}-data"]), validate=True)
        if entry.get(name):
            return (path.parent / str(entry[name])).read_bytes()
    except (OSError, ValueError) as error:
        raise KubeconfigError(f"reading {path}: {name}: {error}") from None
    return b""
