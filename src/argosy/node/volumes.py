"""The volumes of a pod, as folders and files of this machine.

What the API server fills (`contents`) is written when the pod starts, and again when it has
changed: `refresh` is called now and then. An emptyDir is a folder on disk that goes with the pod;
its size limit is not enforced. A claim is where its persistent volume's hostPath is. A hostPath
may name anything on this machine, but neither Argosy's data nor a folder that holds it.
"""

import asyncio
import logging
import os
import stat
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from argosy.api.core import Container, Pod
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.api.volumes import ClaimVolume, HostPathVolume
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.node.atomic import Files, digest, publish, tidy
from argosy.node.contents import CONTENTS, Contents
from argosy.node.refusal import Refusal
from argosy.node.runtimes.interface import Mount

log = logging.getLogger(__name__)

_FAULTS = (ValueError, OSError, msgspec.MsgspecError)
_HOST_TYPES = ("", "Directory", "DirectoryOrCreate", "File")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a volume's content is; `digest` tells that of one that the API server fills, and
    `renewed` that the content before is still there.

    Such a volume is made of links that the node alone writes, and that lead nowhere else. What is
    `pinned` others may write around: its path must lead to it without links when it is mounted.
    """

    path: Path
    read_only: bool = False
    digest: bytes = b""
    renewed: bool = False
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One volume of a pod to set up, in `folder` where it needs one."""

    pod: Pod
    name: str
    kind: str
    folder: Path
    body: Mapping[str, Any]

    @property
    def namespace(self) -> str:
        """Where what it names is."""
        return self.pod.metadata.namespace


@dataclass(frozen=True)
class Volumes:
    """Sets volumes up. `hidden` are folders that no hostPath may reach."""

    client: Client
    contents: Contents
    hidden: tuple[Path, ...]

    async def prepare(self, pod: Pod, folder: Path) -> dict[str, Source]:
        """All volumes of `pod`, by name. Raises Refusal for one that can't be set up."""
        found = {}
        for name, request in _requests(pod, folder):
            try:
                found[name] = await KINDS[request.kind](self, request)
            except _FAULTS as error:
                text = f'MountVolume.SetUp failed for volume "{name}" : {error}'
                raise Refusal("ContainerCreating", text, event="FailedMount") from error
        return found

    async def refresh(
        self, pod: Pod, folder: Path, sources: dict[str, Source], there: Callable[[], bool]
    ) -> None:
        """Write what has changed since `sources` were set up, as long as the pod is `there`.

        One that can't be had keeps the content that it has.
        """
        for name, request in _requests(pod, folder):
            if request.kind not in CONTENTS or name not in sources:
                continue
            try:
                files = await CONTENTS[request.kind](self.contents, pod, request.body)
                if there():
                    sources[name] = _renewed(sources[name], files)
            except (StatusError, ConnectionError, *_FAULTS) as error:
                said = {"pod": pod.key, "volume": name, "error": str(error)}
                log.info("refreshing a volume failed", extra=said)

    async def filled(self, request: Request) -> Source:
        """Files of what the API server has, all there at once."""
        files = await CONTENTS[request.kind](self.contents, request.pod, request.body)
        request.folder.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(publish, request.folder, files)
        return Source(request.folder, read_only=True, digest=digest(files))

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
        wish = msgspec.convert(request.body, HostPathVolume)
        return Source(_on_host(wish, self.hidden), pinned=True)

    async def claim(self, request: Request) -> Source:
        """The volume that a claim is bound to."""
        wish = msgspec.convert(request.body, ClaimVolume)
        claim = await self._claim(request, wish.claim_name)
        return await self._bound(claim, read_only=wish.read_only)

    async def ephemeral(self, request: Request) -> Source:
        """The volume of the claim that was made for this pod, and goes with it."""
        name = f"{request.pod.metadata.name}-{request.name}"
        claim = await self._claim(request, name)
        if claim.controller is None or claim.controller.uid != request.pod.metadata.uid:
            whose = f"{request.namespace}/{request.pod.metadata.name} (pod is not owner)"
            raise ValueError(f"PVC {request.namespace}/{name} was not created for pod {whose}")
        return await self._bound(claim, read_only=False)

    async def _claim(self, request: Request, name: str) -> PersistentVolumeClaim:
        claim = await self.client.find(PersistentVolumeClaim, name, request.namespace)
        if claim is None:
            raise ValueError(f'persistentvolumeclaim "{name}" not found')
        return claim

    async def _bound(self, claim: PersistentVolumeClaim, *, read_only: bool) -> Source:
        name = claim.metadata.name
        if claim.metadata.deletion_timestamp:  # it may be gone at any time (`claimprotection`)
            raise ValueError(f'persistentvolumeclaim "{name}" is being deleted')
        bound = claim.spec.volume_name
        volume = await self.client.find(PersistentVolume, bound) if bound else None
        if volume is None or claim.status.phase != "Bound":
            raise ValueError(f'persistentvolumeclaim "{name}" is not bound')
        if volume.spec.claim_ref is None or volume.spec.claim_ref.uid != claim.metadata.uid:
            raise ValueError(f'persistentvolume "{bound}" is bound to another claim than "{name}"')
        if volume.spec.host_path is None:
            raise ValueError(f'persistentvolume "{bound}" has no hostPath')
        path = _on_host(volume.spec.host_path, self.hidden)
        return Source(path, read_only=read_only, pinned=True)


KINDS: Mapping[str, Callable[[Volumes, Request], Awaitable[Source]]] = {
    **dict.fromkeys(CONTENTS, Volumes.filled),
    "emptyDir": Volumes.empty_dir,
    "hostPath": Volumes.host_path,
    "persistentVolumeClaim": Volumes.claim,
    "ephemeral": Volumes.ephemeral,
}


def _requests(pod: Pod, folder: Path) -> Iterator[tuple[str, Request]]:
    """The pod's volumes, by name."""
    for volume in pod.spec.volumes:
        name = str(volume["name"])
        kind = next((kind for kind in KINDS if kind in volume), "emptyDir")
        yield name, Request(pod, name, kind, folder / name, volume.get(kind) or {})


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
                sub_path=_followed(source, mount.sub_path),
                pinned=source.pinned,
            )
        )
    return found


def _renewed(source: Source, files: Files) -> Source:
    """The source with this content. Nothing waits here: the folder goes as soon as the pod has."""
    if (told := digest(files)) != source.digest:
        publish(source.path, files)
        return replace(source, digest=told, renewed=True)
    if source.renewed:
        tidy(source.path)
        return replace(source, renewed=False)
    return source


def _followed(source: Source, sub_path: str) -> str:
    """Where the links of a volume that the node alone writes lead. Raises Refusal."""
    if not sub_path or not source.digest:
        return sub_path
    try:
        path = (source.path / sub_path).resolve(strict=True)
        return str(path.relative_to(source.path.resolve()))
    except (OSError, ValueError) as error:
        text = f"failed to prepare subPath for volumeMount: {sub_path!r} is not in the volume"
        raise Refusal("CreateContainerConfigError", text) from error


def _on_host(wish: HostPathVolume, hidden: tuple[Path, ...]) -> Path:
    """The path with its links followed, of the type that it was said to have."""
    if wish.type not in _HOST_TYPES:
        known = ", ".join(filter(None, _HOST_TYPES))
        raise ValueError(f"hostPath type {wish.type!r} is not supported by this node: use {known}")
    if not wish.path.startswith("/"):
        raise ValueError(f"hostPath {wish.path!r} is not absolute")
    path = Path(os.path.realpath(wish.path))
    for folder in hidden:
        if path.is_relative_to(folder) or folder.is_relative_to(path):
            raise ValueError(f"hostPath {path} reaches the cluster's own data in {folder}")
    if wish.type == "DirectoryOrCreate":
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
    mode = path.stat().st_mode
    if wish.type.startswith("Directory") and not stat.S_ISDIR(mode):
        raise ValueError(f"hostPath type check failed: {path} is not a directory")
    if wish.type == "File" and not stat.S_ISREG(mode):
        raise ValueError(f"hostPath type check failed: {path} is not a file")
    return path
