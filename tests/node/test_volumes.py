"""Volumes and sub-paths: contents, and every way out of them closed."""

import os
from pathlib import Path
from typing import Any

import pytest

from argosy.api.core import ConfigMap
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.node.refusal import Refusal
from argosy.node.subpath import open_beneath
from argosy.node.volumes import Source, Volumes, mounts
from argosy.testing.cluster import Cluster, cluster
from tests.node.builders import container, pod_view


async def prepare(
    parts: Cluster, root: Path, volume: dict[str, Any], hidden: tuple[Path, ...] = ()
) -> Source:
    pod = pod_view(container("true"), volumes=[{"name": "v", **volume}])
    found = await Volumes(parts.client, hidden).prepare(pod, root / "pod")
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
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in files}


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
        # A claim's volume may lie in the cluster's data: that is where the provisioner puts it.
        source = await prepare(parts, tmp_path, body, (tmp_path,))
        assert source == Source(tmp_path / "disk")


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
