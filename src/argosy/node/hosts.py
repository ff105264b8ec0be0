"""Names of pods and headless services, as hosts files: one a namespace, for all its pods.

A namespace's file has the short names of its own pods and the long ones of everybody, which is what
a cluster's DNS and a pod's search list amount to. The files are mounted into sandboxes, and a mount
sticks to the inode, so they are rewritten in place.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy.api.core import Pod, Service
from argosy.api.meta import condition

_DOMAIN = "svc.cluster.local"
_LOCAL = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"


@dataclass(frozen=True, slots=True)
class NamedPod:
    """A pod, and the address that it was given."""

    pod: Pod
    address: str


def render(namespace: str, pods: Sequence[NamedPod], services: Iterable[Service]) -> str:
    """The hosts file of `namespace`."""
    lines = [_line(named.address, _pod_names(namespace, named.pod)) for named in pods]
    for service in services:
        address = _address(service, pods)
        if address:
            lines.append(_line(address, _service_names(namespace, service)))
    return _LOCAL + "".join(lines)


def _line(address: str, names: Sequence[str]) -> str:
    return f"{address}\t{' '.join(dict.fromkeys(names))}\n" if names else ""


def _pod_names(namespace: str, pod: Pod) -> list[str]:
    meta, spec = pod.metadata, pod.spec
    hostname = spec.hostname or meta.name
    names = []
    if spec.subdomain:
        short = f"{hostname}.{spec.subdomain}"
        names += _forms(short, meta.namespace, own=meta.namespace == namespace)
    return names + ([meta.name, hostname] if meta.namespace == namespace else [])


def _service_names(namespace: str, service: Service) -> list[str]:
    meta = service.metadata
    return _forms(meta.name, meta.namespace, own=meta.namespace == namespace)


def _forms(short: str, namespace: str, *, own: bool) -> list[str]:
    long = [f"{short}.{namespace}.{_DOMAIN}", f"{short}.{namespace}.svc", f"{short}.{namespace}"]
    return [*long, short] if own else long


def _address(service: Service, pods: Sequence[NamedPod]) -> str:
    """The first ready pod behind a headless service; other services have no address here."""
    spec = service.spec
    if spec.cluster_ip != "None" or not spec.selector:
        return ""
    for named in pods:
        pod = named.pod
        if (
            pod.metadata.namespace == service.metadata.namespace
            and spec.selector.items() <= pod.metadata.labels.items()
            and (spec.publish_not_ready_addresses or _ready(pod))
        ):
            return named.address
    return ""


def _ready(pod: Pod) -> bool:
    found = condition(pod.status.conditions, "Ready")
    going = pod.metadata.deletion_timestamp is not None
    return found is not None and found.status == "True" and not going


class HostsFiles:
    """The files, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._texts: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, namespace: str) -> Path:
        """The file of `namespace`; it exists."""
        path = self._folder / namespace
        if namespace not in self._texts:
            self._texts[namespace] = _LOCAL
            _rewrite(path, _LOCAL)
        return path

    def refresh(self, pods: Iterable[NamedPod], services: Iterable[Service]) -> None:
        """Rewrite the files that change; `pods` are those that still run."""
        ordered = sorted(pods, key=lambda named: named.pod.metadata.creation_timestamp or "")
        headless = sorted(services, key=lambda service: service.key)
        for namespace in {named.pod.metadata.namespace for named in ordered}:
            path = self.path(namespace)
            text = render(namespace, ordered, headless)
            if self._texts[namespace] != text:
                self._texts[namespace] = text
                _rewrite(path, text)


def _rewrite(path: Path, text: str) -> None:
    """One write, then the cut: a reader in between sees old lines at the end, never half a file."""
    data = text.encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.pwrite(descriptor, data, 0)
        os.ftruncate(descriptor, len(data))
    finally:
        os.close(descriptor)
