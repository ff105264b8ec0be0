"""Volumes and sub-paths: contents, and every way out of them closed."""

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from argosy.api.core import ConfigMap, Pod
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.node.refusal import Refusal
from argosy.node.subpath import open_beneath, open_pinned
from argosy.node.volumes import Source, mounts
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import Cluster, cluster
from tests.node.builders import container, pod_body, pod_view, volumes_of


async def prepare(
    parts: Cluster, root: Path, volume: dict[str, Any], hidden: tuple[Path, ...] = ()
) -> Source:
    pod = pod_view(container("true"), volumes=[{"name": "v", **volume}])
    found = await volumes_of(parts, hidden).prepare(pod, root / "pod")
    return found["v"]


async def refused(parts: Cluster, root: Path, volume: dict[str, Any], *hidden: Path) -> str:
    with pytest.raises(Refusal) as error:
        await prepare(parts, root, volume, hidden)
    assert (error.value.reason, error.value.event) == ("ContainerCreating", "FailedMount")
    return error.value.message


async def create_map(parts: Cluster, **data: str) -> None:
    meta = {"name": "m", "namespace": "default"}
    await parts.client.create(ConfigMap.resource, {"metadata": meta, "data": data})


def contents(folder: Path) -> dict[str, str]:
    found = {}
    for place, _, names in os.walk(folder, followlinks=True):
        for name in names:
            path = str((Path(place) / name).relative_to(folder))
            if not path.startswith(".."):
                found[path] = (Path(place) / name).read_text()
    return found


async def test_a_config_map_is_files(tmp_path: Path) -> None:
    async with cluster() as parts:
        await create_map(parts, a="1", b="2")
        source = await prepare(parts, tmp_path, {"configMap": {"name": "m"}})
        assert source.read_only
        assert contents(source.path) == {"a": "1", "b": "2"}
        assert (source.path / "a").stat().st_mode & 0o777 == 0o644
        items = {"name": "m", "items": [{"key": "a", "path": "x/y"}], "defaultMode": 0o400}
        again = await prepare(parts, tmp_path, {"configMap": items})
        assert contents(again.path) == {"x/y": "1"}
        assert (again.path / "x/y").stat().st_mode & 0o777 == 0o400


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"name": "none"}, 'configmap "none" not found'),
        ({"name": "m", "items": [{"key": "z", "path": "z"}]}, "non-existent config key: z"),
        ({"name": "m", "items": [{"key": "a", "path": "../z"}]}, "below the volume"),
        ({"name": "m", "items": [{"key": "a", "path": "/z"}]}, "below the volume"),
    ],
)
async def test_bad_config_maps(tmp_path: Path, body: dict[str, Any], text: str) -> None:
    async with cluster() as parts:
        await create_map(parts, a="1")
        assert text in await refused(parts, tmp_path, {"configMap": body})


async def test_an_optional_config_map_may_be_missing(tmp_path: Path) -> None:
    async with cluster() as parts:
        body = {"name": "none", "optional": True, "items": [{"key": "z", "path": "z"}]}
        source = await prepare(parts, tmp_path, {"configMap": body})
        assert contents(source.path) == {}


async def test_an_empty_dir_keeps_what_is_in_it(tmp_path: Path) -> None:
    async with cluster() as parts:
        source = await prepare(parts, tmp_path, {"emptyDir": {}})
        assert source.path.stat().st_mode & 0o777 == 0o777
        (source.path / "kept").write_text("x")
        assert contents((await prepare(parts, tmp_path, {})).path) == {"kept": "x"}
        assert "Memory" in await refused(parts, tmp_path, {"emptyDir": {"medium": "Memory"}})


async def test_host_paths(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    async with cluster() as parts:

        def host(name: str, kind: str = "") -> dict[str, Any]:
            return {"hostPath": {"path": str(tmp_path / name), "type": kind}}

        assert (await prepare(parts, tmp_path, host("new/er", "DirectoryOrCreate"))).path.is_dir()
        assert (await prepare(parts, tmp_path, host("link", "File"))).path == tmp_path / "file"
        assert "not a directory" in await refused(parts, tmp_path, host("file", "Directory"))
        assert "not a file" in await refused(parts, tmp_path, host("new", "File"))
        assert "No such file" in await refused(parts, tmp_path, host("none"))
        assert "not supported" in await refused(parts, tmp_path, host("file", "Socket"))
        relative = {"hostPath": {"path": "etc"}}
        assert "not absolute" in await refused(parts, tmp_path, relative)


async def test_no_host_path_reaches_the_clusters_own_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "node").mkdir(parents=True)
    (tmp_path / "way-in").symlink_to(data)
    async with cluster() as parts:
        for path in ("data", "data/node", "way-in/node", "", "way-in/../data", "/"):
            volume = {"hostPath": {"path": str(tmp_path / path)}}
            assert "cluster's own data" in await refused(parts, tmp_path, volume, data)


async def test_a_claim_that_is_being_deleted_is_given_to_nobody(tmp_path: Path) -> None:
    async with cluster(protected=True) as parts:  # nobody here takes the finalizer off again
        meta = {"name": "c", "namespace": "default"}
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        resource = PersistentVolumeClaim.resource
        await parts.client.create(resource, {"metadata": meta, "spec": spec})
        await parts.client.delete(resource, "c", "default")
        body = {"persistentVolumeClaim": {"claimName": "c"}}
        assert '"c" is being deleted' in await refused(parts, tmp_path, body)


async def test_a_claim_is_its_volumes_path(tmp_path: Path) -> None:
    async with cluster() as parts:
        body = {"persistentVolumeClaim": {"claimName": "c"}}
        assert '"c" not found' in await refused(parts, tmp_path, body)
        meta = {"name": "c", "namespace": "default"}
        spec = {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "volumeName": "pv",
        }
        claim = await parts.client.create(
            PersistentVolumeClaim.resource, {"metadata": meta, "spec": spec}
        )
        assert '"c" is not bound' in await refused(parts, tmp_path, body)
        await parts.client.create(
            PersistentVolume.resource,
            {
                "metadata": {"name": "pv"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "capacity": {"storage": "1Gi"},
                    "hostPath": {"path": str(tmp_path / "disk"), "type": "DirectoryOrCreate"},
                    "claimRef": {**meta, "uid": claim["metadata"]["uid"]},
                },
            },
        )
        phase = {"status": {"phase": "Bound"}}
        resource = PersistentVolumeClaim.resource
        await parts.client.merge(resource, "c", "default", phase, subresource="status")
        source = await prepare(parts, tmp_path, body)
        assert source == Source(tmp_path / "disk", pinned=True)
        told = await refused(parts, tmp_path, body, tmp_path / "disk" / "node")
        assert "reaches the cluster's own data" in told


async def test_a_pods_own_volume_is_of_the_claim_that_was_made_for_it(tmp_path: Path) -> None:
    async with cluster() as parts:
        body: dict[str, object] = {"ephemeral": {"volumeClaimTemplate": {}}}
        assert 'persistentvolumeclaim "p-v" not found' in await refused(parts, tmp_path, body)
        meta = {"name": "p-v", "namespace": "default"}
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        resource = PersistentVolumeClaim.resource
        await parts.client.create(resource, {"metadata": meta, "spec": spec})
        told = await refused(parts, tmp_path, body)
        assert "PVC default/p-v was not created for pod default/p (pod is not owner)" in told


def test_mounts_name_volumes() -> None:
    mount = {"name": "v", "mountPath": "data", "subPath": "a", "readOnly": True}
    spec = pod_view(container("true", volumeMounts=[mount])).spec.containers[0]
    (found,) = mounts(spec, {"v": Source(Path("/x"))})
    assert (found.target, found.sub_path, found.read_only) == ("/data", "a", True)
    with pytest.raises(Refusal, match='volume "v" not found'):
        mounts(spec, {})


@pytest.mark.parametrize(
    "path", ["../x", "a/../../x", "/etc", "", ".", "out", "out/ssl", "a/up/x", "file/x"]
)
def test_a_sub_path_never_leaves_its_volume(tmp_path: Path, path: str) -> None:
    volume = tmp_path / "volume"
    (volume / "a").mkdir(parents=True)
    (volume / "out").symlink_to("/etc")
    (volume / "a" / "up").symlink_to("../..")
    (volume / "file").write_text("")
    with pytest.raises((ValueError, OSError)):
        os.close(open_beneath(volume, path))
    assert not (tmp_path / "x").exists()


def test_a_sub_path_is_opened_and_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in ("file", "a/b", "a/./b"):
        descriptor = open_beneath(tmp_path, path)
        assert os.readlink(f"/proc/self/fd/{descriptor}") == os.path.normpath(tmp_path / path)
        os.close(descriptor)


async def test_what_has_changed_is_written_again(tmp_path: Path) -> None:
    async with cluster() as parts:
        await create_map(parts, a="1")
        kept = {"name": "kept", "configMap": {"name": "m", "items": [{"key": "a", "path": "a"}]}}
        pod = pod_view(container("true"), volumes=[kept, {"name": "e", "emptyDir": {}}])
        volumes, folder = volumes_of(parts), tmp_path / "pod"
        sources = await volumes.prepare(pod, folder)
        before = os.readlink(folder / "kept" / "..data")
        await volumes.refresh(pod, folder, sources, lambda: True)
        assert os.readlink(folder / "kept" / "..data") == before
        await change_map(parts, a="2", b="3")
        await volumes.refresh(pod, folder, sources, lambda: False)  # the pod has gone
        assert contents(folder / "kept") == {"a": "1"}
        await volumes.refresh(pod, folder, sources, lambda: True)
        assert contents(folder / "kept") == {"a": "2"}
        after = os.readlink(folder / "kept" / "..data")
        assert after != before and (folder / "kept" / before).is_dir()
        for _ in range(2):
            await volumes.refresh(pod, folder, sources, lambda: True)
            assert sorted(os.listdir(folder / "kept")) == sorted([after, "..data", "a"])


async def test_what_can_not_be_had_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with cluster() as parts:
        await create_map(parts, a="1")
        volumes = [{"name": name, "configMap": {"name": "m"}} for name in ("v", "w")]
        pod = pod_view(container("true"), volumes=volumes)
        it, folder = volumes_of(parts), tmp_path / "pod"
        sources = await it.prepare(pod, folder)
        await parts.client.delete(ConfigMap.resource, "m", "default")
        await it.refresh(pod, folder, sources, lambda: True)
        assert contents(folder / "v") == contents(folder / "w") == {"a": "1"}
        told = [record.__dict__["volume"] for record in caplog.records if "volume" in vars(record)]
        assert told == ["v", "w"]


async def change_map(parts: Cluster, **data: str) -> None:
    await parts.client.merge(ConfigMap.resource, "m", "default", {"data": data})


async def test_no_folder_is_made_where_none_may_be_reached(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    async with cluster() as parts:
        body = {"path": str(tmp_path / "data" / "new"), "type": "DirectoryOrCreate"}
        told = await refused(parts, tmp_path, {"hostPath": body}, tmp_path / "data")
        assert "cluster's own data" in told
        assert list((tmp_path / "data").iterdir()) == []


def test_a_pinned_path_has_no_links(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    os.close(open_pinned(tmp_path / "there"))
    for path in ("link", "link/.."):
        with pytest.raises(ValueError, match="a way to somewhere else"):
            open_pinned(tmp_path / path)


async def test_a_token_is_renewed_in_time(tmp_path: Path) -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as parts:
        source = {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}}
        volume = {"name": "t", "projected": {"sources": [source], "defaultMode": 0o400}}
        await parts.client.create(Pod.resource, pod_body(container("true"), volumes=[volume]))
        pod = await parts.client.get(Pod, "p", "default")
        it, file = volumes_of(parts, clock=clock), tmp_path / "t" / "token"
        sources = await it.prepare(pod, tmp_path)
        first = file.read_text()
        for seconds, same in ((2800, True), (100, False)):
            await clock.advance(seconds)
            await it.refresh(pod, tmp_path, sources, lambda: True)
            assert (file.read_text() == first) is same
        assert file.stat().st_mode & 0o777 == 0o400
