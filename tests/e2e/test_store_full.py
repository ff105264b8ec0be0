"""A full disk under `argosy up`: writes answer 503, reads go on, and it heals by itself."""

import os
import resource
import subprocess
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from tests.e2e.kit import Cluster, Json, Refused, until

NAMESPACE = "default"
PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
ROOM = 48 * 2**20


class Disk(Protocol):
    """What the cluster's data is on."""

    def fill(self, cluster: Cluster) -> None:
        """Leave no room."""

    def free(self, cluster: Cluster) -> None:
        """Make room again."""


class SmallDisk:
    """A file system of its own; another file takes its room."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self, cluster: Cluster) -> None:
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(2**16)):
                    pass
            except OSError:
                return

    def free(self, cluster: Cluster) -> None:
        self._ballast.unlink()


class SmallFiles:
    """Where no file system can be mounted: the process is allowed no larger files."""

    def fill(self, cluster: Cluster) -> None:
        log = cluster.data / "store" / "store.db-wal"
        resource.prlimit(cluster.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, -1))

    def free(self, cluster: Cluster) -> None:
        resource.prlimit(cluster.pid, resource.RLIMIT_FSIZE, (-1, -1))


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """A disk for the data in `folder`."""
    folder.mkdir()
    options = f"size={ROOM},mode=0700"
    mount = ("mount", "-t", "tmpfs", "-o", options, "argosy-test", str(folder))
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        yield SmallFiles()
        return
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(("umount", "--lazy", str(folder)), check=True)


@pytest.fixture
def cluster_and_disk(tmp_path: Path) -> Iterator[tuple[Cluster, Disk]]:
    cluster = Cluster(tmp_path)
    with small_disk(cluster.data) as disk:
        yield cluster, disk
        cluster.kill()


def config_map(name: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {"text": "x" * 500_000},
    }


def refusal(cluster: Cluster, acknowledged: set[str]) -> Refused:
    """The first write that is refused; the log may have room for some."""
    for i in range(100):
        name = f"full-{i}"
        try:
            cluster.call("POST", PATH, config_map(name))
        except Refused as error:
            return error
        acknowledged.add(name)
    raise AssertionError("the disk is never full")


def test_a_full_disk_refuses_writes_and_nothing_else(
    cluster_and_disk: tuple[Cluster, Disk],
) -> None:
    cluster, disk = cluster_and_disk
    cluster.start()
    acknowledged = {"before"}
    before = cluster.call("POST", PATH, config_map("before"))
    disk.fill(cluster)

    error = refusal(cluster, acknowledged)
    assert (error.code, error.reason) == (503, "ServiceUnavailable")
    assert "writing to the store: " in error.message
    answer = error.__context__
    assert isinstance(answer, urllib.error.HTTPError)
    assert int(answer.headers["retry-after"]) >= 1

    assert cluster.get("ConfigMap", "before", NAMESPACE) == before
    assert names(cluster) == acknowledged
    assert cluster.call("GET", "/livez") == "ok"

    disk.free(cluster)
    until(lambda: written(cluster, "after"))
    assert cluster.call("GET", "/readyz") == "ok"
    acknowledged.add("after")
    assert "Traceback" not in cluster.log()
    assert cluster.runs
    cluster.kill()
    cluster.start()
    assert names(cluster) == acknowledged


def names(cluster: Cluster) -> set[str]:
    return {found["metadata"]["name"] for found in cluster.list("ConfigMap", NAMESPACE)}


def written(cluster: Cluster, name: str) -> bool | None:
    try:
        cluster.call("POST", PATH, config_map(name))
    except Refused as error:
        assert error.code == 503
        return None
    return True
