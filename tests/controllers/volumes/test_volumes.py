"""What becomes of volumes whose claim is gone: kept, removed with their data, or left to others."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.api.core import Event
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from argosy.cluster.bootstrap import PROVISIONER
from argosy.controllers.volumeclaims import volume_claims
from argosy.controllers.volumes.volumes import volumes
from argosy.controllers.volumes.words import FINALIZER, PROVISIONED_BY
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster

Json = dict[str, Any]
CLAIM: Json = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
VOLUME: Json = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}}
GONE: Json = {"namespace": "default", "name": "gone", "uid": "u"}


@dataclass
class Scene:
    """A cluster whose volumes lie below `root`."""

    running: Cluster
    clock: FakeClock
    root: Path

    async def claim(self, **spec: Any) -> tuple[str, Path]:
        """A claim's volume, and the folder that a pod has filled."""
        body = {"metadata": {"name": "c", "namespace": "default"}, "spec": {**CLAIM, **spec}}
        client = self.running.client
        await client.create(PersistentVolumeClaim.resource, body)
        found = await self.running.until(
            PersistentVolumeClaim, "c", "default", lambda it: it.status.phase == "Bound"
        )
        volume = await client.get(PersistentVolume, found.spec.volume_name)
        assert volume.spec.host_path is not None
        folder = Path(volume.spec.host_path.path)
        (folder / "deep" / "er").mkdir(parents=True)
        (folder / "deep" / "file").write_text("data")
        return volume.metadata.name, folder

    async def drop(self) -> None:
        await self.running.client.delete(PersistentVolumeClaim.resource, "c", "default")

    async def until(self, name: str, check: Callable[[PersistentVolume], bool]) -> None:
        await self.running.until(PersistentVolume, name, "", check)

    async def gone(self, name: str) -> None:
        async with asyncio.timeout(5):
            while await self.running.client.find(PersistentVolume, name) is not None:
                await asyncio.sleep(0.001)

    async def volume(self, name: str, *, meta: Json | None = None, **spec: Any) -> None:
        body = {"metadata": {"name": name, **(meta or {})}, "spec": {**VOLUME, **spec}}
        await self.running.client.create(PersistentVolume.resource, body)

    async def events(self, reason: str) -> list[str]:
        await settle()
        found = (await self.running.client.list(Event)).items
        return [event.message for event in found if event.reason == reason]


@asynccontextmanager
async def scene(root: Path) -> AsyncGenerator[Scene, None]:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        manager = Manager(running.plane.client("argosy"), clock)
        manager.add(volume_claims(manager, root, PROVISIONER))
        manager.add(volumes(manager, root, PROVISIONER))
        running.manager.add_runner(manager.run)
        running.start()
        await settle()
        yield Scene(running, clock, root)


def released(volume: PersistentVolume) -> bool:
    return volume.status.phase == "Released"


def failed(volume: PersistentVolume) -> bool:
    return volume.status.phase == "Failed"


async def test_data_go_with_the_claim(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        name, folder = await it.claim()
        await it.drop()
        await it.gone(name)
        assert not folder.exists() and list(tmp_path.iterdir()) == []


async def test_a_volume_that_no_pod_ever_used_goes_too(tmp_path: Path) -> None:
    async with scene(tmp_path / "none") as it:
        body = {"metadata": {"name": "c", "namespace": "default"}, "spec": CLAIM}
        await it.running.client.create(PersistentVolumeClaim.resource, body)
        await it.running.until(
            PersistentVolumeClaim, "c", "default", lambda claim: claim.status.phase == "Bound"
        )
        [volume] = (await it.running.client.list(PersistentVolume)).items
        await it.drop()
        await it.gone(volume.metadata.name)


async def test_data_are_kept_where_the_class_says_so(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        kept = {"metadata": {"name": "kept"}, "provisioner": PROVISIONER, "reclaimPolicy": "Retain"}
        await it.running.client.create(StorageClass.resource, kept)
        name, folder = await it.claim(storageClassName="kept")
        await it.drop()
        await it.until(name, released)
        await settle()
        assert (folder / "deep" / "file").read_text() == "data"
        # The policy may be changed later.
        policy = {"spec": {"persistentVolumeReclaimPolicy": "Delete"}}
        await it.running.client.merge(PersistentVolume.resource, name, "", policy)
        await it.gone(name)
        assert not folder.exists()


async def test_the_finalizer_follows_the_policy(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        name, folder = await it.claim()
        policy = {"spec": {"persistentVolumeReclaimPolicy": "Retain"}}
        await it.running.client.merge(PersistentVolume.resource, name, "", policy)
        await it.until(name, lambda volume: volume.metadata.finalizers == ())
        await it.drop()
        await it.until(name, released)
        await it.running.client.delete(PersistentVolume.resource, name)
        await it.gone(name)
        assert folder.exists()


async def test_a_volume_that_is_deleted_first_waits_for_its_claim(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        name, folder = await it.claim()
        await it.running.client.delete(PersistentVolume.resource, name)
        await settle()
        assert (await it.running.client.get(PersistentVolume, name)).status.phase == "Bound"
        assert folder.exists()
        await it.drop()
        await it.gone(name)
        assert not folder.exists()


async def test_who_was_away_removes_what_was_released(tmp_path: Path) -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        it = Scene(running, clock, tmp_path)

        def start() -> asyncio.Task[None]:
            manager = Manager(running.plane.client("argosy"), clock)
            manager.add(volume_claims(manager, tmp_path, PROVISIONER))
            manager.add(volumes(manager, tmp_path, PROVISIONER))
            return asyncio.create_task(manager.run())

        task = start()
        name, folder = await it.claim()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await it.drop()
        (tmp_path / f".{name}").mkdir()  # an earlier try came this far
        task = start()
        await it.gone(name)
        assert list(tmp_path.iterdir()) == []
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("what", ["link", "file"])
async def test_what_is_no_folder_is_not_followed(tmp_path: Path, what: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("mine")
    async with scene(root) as it:
        name, folder = await it.claim()
        folder.rename(tmp_path / "moved")
        if what == "link":
            folder.symlink_to(outside)
        else:
            folder.write_text("no folder")
        await it.drop()
        await it.until(name, failed)
        assert await it.events("VolumeFailedDelete") == [f"{folder} is not a directory"]
        assert (outside / "file").read_text() == "mine"
        folder.unlink()
        await it.clock.advance(60)
        await it.gone(name)


async def test_another_ones_folder_is_never_removed(tmp_path: Path) -> None:
    """Whoever may write volumes can forge all but a name that is taken."""
    async with scene(tmp_path) as it:
        name, folder = await it.claim()
        mine = await it.running.client.get(PersistentVolume, name)
        assert mine.spec.claim_ref is not None
        outside = tmp_path / "outside"
        outside.mkdir()
        meta = {"annotations": {PROVISIONED_BY: PROVISIONER}}
        whose = {**GONE, "name": "c", "uid": mine.spec.claim_ref.uid}
        forged: dict[str, tuple[Path, Json]] = {
            "a": (folder, whose),
            "b": (folder, GONE),
            "pvc-u": (outside, GONE),
            "c": (tmp_path / "default-gone-u", GONE),
        }
        first, _, rest = mine.spec.claim_ref.uid.partition("-")
        shifted = {**GONE, "name": f"c-{first}", "uid": rest}
        forged[f"pvc-{rest}"] = (folder, shifted)
        for forgery, (path, reference) in forged.items():
            await it.volume(
                forgery,
                meta=meta,
                hostPath={"path": str(path)},
                claimRef=reference,
                persistentVolumeReclaimPolicy="Delete",
            )
            await it.until(forgery, failed)
        assert folder.exists() and outside.exists()
        assert (await it.running.client.get(PersistentVolume, name)).status.phase == "Bound"


async def test_a_volume_of_unknown_making_can_not_be_deleted(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        for policy, reason, text in (
            (
                "Delete",
                "VolumeFailedDelete",
                'error getting deleter volume plugin for volume "delete": no volume plugin matched',
            ),
            ("Recycle", "VolumeFailedRecycle", "No recycler plugin found for the volume!"),
        ):
            await it.volume(
                policy.lower(),
                hostPath={"path": str(tmp_path)},
                claimRef=GONE,
                persistentVolumeReclaimPolicy=policy,
            )
            await it.until(policy.lower(), failed)
            assert await it.events(reason) == [text]
            path = PersistentVolume.resource.path(policy.lower())
            told = msgspec.json.decode(await it.running.client.call("GET", path))
            assert told["status"]["message"] == text
        assert tmp_path.exists()


async def test_what_is_to_be_kept_since_the_cache_looked_is_kept(tmp_path: Path) -> None:
    async with cluster(clock=FakeClock()) as running:
        manager = Manager(running.plane.client("argosy"), FakeClock())
        controller = volumes(manager, tmp_path, PROVISIONER)
        it, uid = Scene(running, FakeClock(), tmp_path), "12345678-1234-1234-1234-123456789abc"
        folder, name = tmp_path / f"default-gone-{uid}", f"pvc-{uid}"
        await it.volume(
            name,
            meta={"annotations": {PROVISIONED_BY: PROVISIONER}, "finalizers": [FINALIZER]},
            hostPath={"path": str(folder)},
            claimRef={**GONE, "uid": uid},
            persistentVolumeReclaimPolicy="Delete",
        )
        status: Json = {"status": {"phase": "Released"}}
        resource = PersistentVolume.resource
        await running.client.merge(resource, name, "", status, subresource="status")
        stale = await running.client.get(PersistentVolume, name)
        folder.mkdir()
        for policy in ("Retain", "Delete"):
            spec = {"spec": {"persistentVolumeReclaimPolicy": policy}}
            await running.client.merge(resource, name, "", spec)
            await controller.reconcile(stale)
            assert folder.exists()
        await controller.reconcile(await running.client.get(PersistentVolume, name))
        assert not folder.exists()


@pytest.mark.parametrize("by", ["csi", "annotation"])
async def test_what_others_made_is_left_to_them(tmp_path: Path, by: str) -> None:
    async with scene(tmp_path) as it:
        source: Json = {"hostPath": {"path": "/x"}}
        if by == "csi":
            source = {"csi": {"driver": "d", "volumeHandle": "h"}}
        meta = {"annotations": {PROVISIONED_BY: "d"}} if by == "annotation" else None
        await it.volume(
            "v", meta=meta, claimRef=GONE, persistentVolumeReclaimPolicy="Delete", **source
        )
        await it.until("v", released)
        await it.clock.advance(3600)
        volume = await it.running.client.get(PersistentVolume, "v")
        assert released(volume) and FINALIZER not in volume.metadata.finalizers


async def test_a_volume_is_free_again_once_its_reference_is_taken_out(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        await it.volume("v", hostPath={"path": "/x"}, claimRef=GONE)
        await it.until("v", released)
        await it.running.client.merge(
            PersistentVolume.resource, "v", "", {"spec": {"claimRef": None}}
        )
        await it.until("v", lambda volume: volume.status.phase == "Available")


async def test_a_volume_whose_claim_took_another_is_given_up(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        await it.claim()
        claim = await it.running.client.get(PersistentVolumeClaim, "c", "default")
        whose = {"namespace": "default", "name": "c", "uid": claim.metadata.uid}
        by = {"annotations": {"pv.kubernetes.io/bound-by-controller": "yes"}}
        await it.volume("kept", hostPath={"path": "/x"}, claimRef=whose)
        await it.volume("mine", meta=by, hostPath={"path": "/x"}, claimRef=whose)
        for name in ("kept", "mine"):
            await it.until(name, lambda volume: volume.status.phase == "Available")
        kept, mine = [
            (await it.running.client.get(PersistentVolume, name)).spec.claim_ref
            for name in ("kept", "mine")
        ]
        assert mine is None
        assert kept is not None and (kept.name, kept.uid) == ("c", "")


async def test_what_can_not_be_removed_is_said_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(name: str, below: int) -> None:
        raise PermissionError(13, "Permission denied", name)

    async with scene(tmp_path) as it:
        name, folder = await it.claim()
        with monkeypatch.context() as patched:
            patched.setattr("argosy.controllers.volumes.local.remove", denied)
            await it.drop()
            await it.until(name, failed)
            assert "Permission denied" in (await it.events("VolumeFailedDelete"))[0]
        await it.clock.advance(60)
        await it.gone(name)
        assert list(tmp_path.iterdir()) == [] and not folder.exists()
