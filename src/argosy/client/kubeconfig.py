"""kubeconfig files: which cluster, as whom. Source: Kubernetes' client configuration API v1.

In a pod there is none: address, authority and token are where the kubelet put them (`in_cluster`).
"""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from argosy.client.credentials import VERSIONS, Plugin

NAME = "argosy"
POD_FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class KubeconfigError(Exception):
    """The file can't be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Access:
    """A server's URL, what certifies it (PEM), and the user's token or certificate.

    `token_file` and `plugin` give tokens that change. `insecure`: nobody certifies the server.
    `server_name` is the name that its certificate is to be for; `proxy` the URL of a proxy on the
    way; `namespace` that of the context.
    """

    server: str
    ca: str = ""
    token: str = field(default="", repr=False)
    certificate: bytes = b""
    key: bytes = field(default=b"", repr=False)
    token_file: Path | None = None
    plugin: Plugin | None = None
    insecure: bool = False
    server_name: str = ""
    proxy: str = ""
    namespace: str = ""


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


def load(path: Path, context: str = "") -> Access:
    """A context of the file: the named one, or the current. Raises KubeconfigError."""
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise KubeconfigError(f"reading {path}: {error}") from None
    if not isinstance(document, dict):
        raise KubeconfigError(f"reading {path}: not a kubeconfig")
    context = context or _text(document, "current-context")
    if not context:
        raise KubeconfigError(f"reading {path}: no current-context is set")
    chosen = _named(document, "contexts", context, "context")
    cluster = _named(document, "clusters", _text(chosen, "cluster"), "cluster")
    name = _text(chosen, "user")
    user = _named(document, "users", name, "user") if name else {}
    for form in ("auth-provider", "username"):
        if form in user:
            raise KubeconfigError(f"reading {path}: users[].user.{form} is not supported")
    authority = _content(cluster, "certificate-authority", path)
    if authority and cluster.get("insecure-skip-tls-verify"):
        raise KubeconfigError(
            f"reading {path}: specifying a root certificates file with the insecure flag "
            "is not allowed"
        )
    certificate = _content(user, "client-certificate", path)
    key = _content(user, "client-key", path)
    if bool(certificate) != bool(key):
        raise KubeconfigError(
            f"reading {path}: client-certificate and client-key must be specified together"
        )
    return Access(
        server=_server(cluster, path),
        ca=authority.decode(errors="replace"),
        token=_token(user, path),
        certificate=certificate,
        key=key,
        token_file=path.parent / str(user["tokenFile"]) if user.get("tokenFile") else None,
        plugin=_plugin(user["exec"], cluster, path) if user.get("exec") else None,
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        server_name=_text(cluster, "tls-server-name"),
        proxy=_text(cluster, "proxy-url"),
        namespace=_text(chosen, "namespace"),
    )


def in_cluster(
    environment: Mapping[str, str] = os.environ, folder: Path = POD_FOLDER
) -> Access | None:
    """The cluster in whose pod this process runs, as the pod's account; None in no pod.

    Raises KubeconfigError where the pod has no token.
    """
    host = environment.get("KUBERNETES_SERVICE_HOST", "")
    port = environment.get("KUBERNETES_SERVICE_PORT", "")
    if not host or not port:
        return None
    try:
        authority = (folder / "ca.crt").read_text()
        namespace = (folder / "namespace").read_text().strip()
        (folder / "token").read_text()
    except OSError as error:
        raise KubeconfigError(f"reading the pod's service account: {error}") from None
    shown = f"[{host}]" if ":" in host else host
    return Access(
        f"https://{shown}:{port}", authority, token_file=folder / "token", namespace=namespace
    )


def _plugin(given: object, cluster: Mapping[str, Any], path: Path) -> Plugin:
    """How a plugin is asked. Raises KubeconfigError."""
    where = f"reading {path}: users[].user.exec"
    if not isinstance(given, dict) or not given.get("command"):
        raise KubeconfigError(f"{where}: command must be specified to use exec authentication")
    version = str(given.get("apiVersion") or "")
    if version not in VERSIONS:
        raise KubeconfigError(f"{where}: apiVersion must be one of {', '.join(VERSIONS)}")
    if given.get("interactiveMode") == "Always":
        raise KubeconfigError(f"{where}: the plugin asks at a terminal, which there is none of")
    command = str(given["command"])
    if "/" in command:  # else it is looked for on the PATH
        command = str(path.parent.absolute() / command)
    named = [item for item in given.get("env") or () if isinstance(item, dict)]
    return Plugin(
        command=command,
        args=tuple(str(item) for item in given.get("args") or ()),
        env={str(item.get("name")): str(item.get("value", "")) for item in named},
        api_version=version,
        install_hint=str(given.get("installHint") or ""),
        cluster=_told(cluster) if given.get("provideClusterInfo") else None,
    )


def _told(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """What a plugin is told of the cluster."""
    names = (
        "server",
        "tls-server-name",
        "insecure-skip-tls-verify",
        "certificate-authority-data",
        "proxy-url",
    )
    return {name: cluster[name] for name in names if cluster.get(name)}


def _named(document: Mapping[str, Any], part: str, name: str, within: str) -> Mapping[str, Any]:
    items = document.get(part)
    known = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    for item in known:
        if item.get("name") == name:
            found = item.get(within) or {}
            if isinstance(found, dict):
                return found
    names = ", ".join(str(item.get("name")) for item in known)
    raise KubeconfigError(f'no entry "{name}" in {part}' + f" (there are: {names})" * bool(names))


def _text(entry: Mapping[str, Any], name: str) -> str:
    """What is given under this name; nothing where the name stands there alone."""
    return str(entry.get(name) or "")


def _server(cluster: Mapping[str, Any], path: Path) -> str:
    server = _text(cluster, "server")
    if not server:
        raise KubeconfigError(f"reading {path}: the cluster has no server")
    try:
        parts = urlsplit(server)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise KubeconfigError(
            f"reading {path}: the server {server!r} is no URL like https://host:6443"
        )
    return server


def _token(user: Mapping[str, Any], path: Path) -> str:
    token = _text(user, "token").strip()
    if not (token.isascii() and token.isprintable()):
        raise KubeconfigError(f"reading {path}: the token has characters that no header may have")
    return token


def _content(entry: Mapping[str, Any], name: str, path: Path) -> bytes:
    """What is in `name-data`, or in the file that `name` names relative to the kubeconfig."""
    try:
        if entry.get(f"{name}-data"):
            lines = str(entry[f"{name}-data"]).split()  # it may be folded
            return base64.b64decode("".join(lines), validate=True)
        if entry.get(name):
            return (path.parent / str(entry[name])).read_bytes()
    except (OSError, ValueError) as error:
        raise KubeconfigError(f"reading {path}: {name}: {error}") from None
    return b""
