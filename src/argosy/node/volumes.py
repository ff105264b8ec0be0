"""The volumes of a pod, as folders and files of this machine.

A ConfigMap is written out once, when the pod starts; later changes of it reach new pods only. An
emptyDir is a folder on disk that goes with the pod; its size limit is not enforced. A claim is
where its persistent volume's hostPath is. A pod's own hostPath may name anything on this machine,
but neither Argosy's data nor a folder that holds it.
"""

import asyncio
import base64
import os
import shutil
import stat
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from argosy.api.core import (
    ClaimVolume,
    ConfigMap,
    ConfigMapVolume,
    Container,
    HostPathVolume,
    Pod,
)
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.client.client import Client
from argosy.node.refusal import Refusal
from argosy.node.runtimes.interface import Mount

_FILE_MODE = 0o644
_HOST_TYPES = ("", "Directory", "DirectoryOrCreate", "File")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a volume's content is."""

    path: Path
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One volume of a pod to set up, in `folder` where it needs one."""

    namespace: str
    folder: Path
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Volumes:
    """Sets volumes up. `hidden` are folders that no hostPath may reach."""

    client: Client
    hidden: tuple[Path, ...]

    async def prepare(self, pod: Pod, folder: Path) -> dict[str, Source]:
        """All volumes of `pod`, by name. Raises Refusal for one that can't be set up."""
        found = {}
        for volume in pod.spec.volumes:
            name = str(volume["name"])
            kind = next((kind for kind in KINDS if kind in volume), "emptyDir")
            request = Request(pod.metadata.namespace, folder / name, volume.get(kind) or {})
            try:
                found[name] = await KINDS[kind](self, request)
            except (ValueError, OSError) as error:
                text = f'MountVolume.SetUp failed for volume "{name}" : {error}'
                raise Refusal("ContainerCreating", text, event="FailedMount") from error
        return found

    async def config_map(self, request: Request) -> Source:
        """A ConfigMap's keys as files, all there at once."""
        wish = msgspec.convert(request.body, ConfigMapVolume)
        known = await self.client.find(ConfigMap, wish.name, request.namespace)
        if known is None and not wish.optional:
            raise ValueError(f'configmap "{wish.name}" not found')
        files = _files(known or ConfigMap(), wish)
        mode = int(request.body.get("defaultMode") or _FILE_MODE)
        await asyncio.to_thread(_write_all, request.folder, files, mode)
        return Source(request.folder, read_only=True)

    async def empty_dir(self, request: Request) -> Source:
        """A folder that everybody in the pod may write."""
        medium = request.body.get("medium")
        if medium:
            raise ValueError(f"emptyDir.medium {medium!r} is not supported by this node")
        request.folder.mkdir(parents=True, exist_ok=True)
        request.folder.chmod(0o777)
        return Source(request.folder)

    async def host_path(self, request: Request) -> Source:
        """A path of this machine."""
        path = _on_host(msgspec.convert(request.body, HostPathVolume))
        for hidden in self.hidden:
            if path.is_relative_to(hidden) or hidden.is_relative_to(path):
                raise ValueError(f"hostPath {path} reaches the cluster's own data in {hidden}")
        return Source(path)

    async def claim(self, request: Request) -> Source:
        """The volume that a claim is bound to."""
        wish = msgspec.convert(request.body, ClaimVolume)
        name = wish.claim_name
        claim = await self.client.find(PersistentVolumeClaim, name, request.namespace)
        if claim is None:
            raise ValueError(f'persistentvolumeclaim "{name}" not found')
        bound = claim.spec.volume_name
        volume = await self.client.find(PersistentVolume, bound) if bound else None
        if volume is None or claim.status.phase != "Bound":
            raise ValueError(f'persistentvolumeclaim "{name}" is not bound')
        if volume.spec.claim_ref is None or volume.spec.claim_ref.uid != claim.metadata.uid:
            raise ValueError(f'persistentvolume "{bound}" is bound to another claim than "{name}"')
        if volume.spec.host_path is None:
            raise ValueError(f'persistentvolume "{bound}" has no hostPath')
        return Source(_on_host(volume.spec.host_path), read_only=wish.read_only)


KINDS: Mapping[str, Callable[[Volumes, Request], Awaitable[Source]]] = {
    "configMap": Volumes.config_map,
    "emptyDir": Volumes.empty_dir,
    "hostPath": Volumes.host_path,
    "persistentVolumeClaim": Volumes.claim,
}


def mounts(container: Container, sources: Mapping[str, Source]) -> list[Mount]:
    """The container's mounts. Raises Refusal for one that names no volume."""
    found = []
    for mount in container.volume_mounts:
        source = sources.get(mount.name)
        if source is None:
            text = f'volumeMounts: volume "{mount.name}" not found'
            raise Refusal("CreateContainerConfigError", text)
        found.append(
            Mount(
                source=source.path,
                target=str(PurePosixPath("/", mount.mount_path)),
                read_only=mount.read_only or source.read_only,
                sub_path=mount.sub_path,
            )
        )
    return found


def _on_host(wish: HostPathVolume) -> Path:
    """The path with its links followed, of the type that it was said to have."""
    if wish.type not in _HOST_TYPES:
        known = ", ".join(filter(None, _HOST_TYPES))
        raise ValueError(f"hostPath type {wish.type!r} is not supported by this node: use {known}")
    if not wish.path.startswith("/"):
        raise ValueError(f"hostPath {wish.path!r} is not absolute")
    path = Path(os.path.realpath(wish.path))
    if wish.type == "DirectoryOrCreate":
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
    mode = path.stat().st_mode
    if wish.type.startswith("Directory") and not stat.S_ISDIR(mode):
        raise ValueError(f"hostPath type check failed: {path} is not a directory")
    if wish.type == "File" and not stat.S_ISREG(mode):
        raise ValueError(f"hostPath type check failed: {path} is not a file")
    return path


def _files(known: ConfigMap, wish: ConfigMapVolume) -> dict[str, bytes]:
    """The files of a ConfigMap volume, by their paths in it."""
    data = {name: text.encode() for name, text in known.data.items()}
    data |= {name: base64.b64decode(text) for name, text in known.binary_data.items()}
    if not wish.items:
        return data
    found = {}
    for item in wish.items:
        path = PurePosixPath(item.path)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"items: {item.path!r} must be a path below the volume")
        if item.key in data:
            found[item.path] = data[item.key]
        elif not wish.optional:
            raise ValueError(f"configmap references non-existent config key: {item.key}")
    return found


def _write_all(folder: Path, files: Mapping[str, bytes], mode: int) -> None:
    """Written beside its place and moved there as a whole."""
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, data in files.items():
        path = fresh / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.replace(folder)
