"""`argosy up` that can't start: one error, one hint, exit code 1, and nothing broken by it."""

import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.kit import REPOSITORY, Cluster
from tests.e2e.kubectl import run


def refused(*arguments: object) -> tuple[str, str]:
    """Error and hint of an `argosy up` that ends at once."""
    words = [str(argument) for argument in arguments]
    done = run(sys.executable, "-m", "argosy", "up", *words, cwd=REPOSITORY)
    assert done.code == 1, done
    assert done.out == ""
    error, hint = done.err.splitlines()
    assert error.startswith("error: ") and hint.startswith("hint: ")
    return error.removeprefix("error: "), hint.removeprefix("hint: ")


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error, hint = refused("--data-dir", tmp_path / "data", "--port", port)
    assert error == f"listening on 127.0.0.1:{port}: Address already in use"
    assert hint == "another process uses the port: choose one with --port, 0 for any free one"


def test_an_address_of_another_machine(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    error, hint = refused("--data-dir", folder, "--port", 0, "--listen", "192.0.2.1")
    assert error == "listening on 192.0.2.1:0: Cannot assign requested address"
    assert hint == "--listen takes addresses of this machine"


def test_a_data_folder_of_a_newer_version(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    cluster.start()
    assert cluster.stop() == 0
    file = cluster.data / "store" / "store.db"
    with closing(sqlite3.connect(file)) as store:
        store.execute("PRAGMA user_version = 99")
    error, hint = refused("--data-dir", cluster.data, "--port", 0)
    assert error == f"the store in {file.parent} has schema version 99; this Argosy knows up to 1"
    assert "run the version of Argosy that wrote it" in hint
    with closing(sqlite3.connect(file)) as store:
        assert store.execute("PRAGMA user_version").fetchone() == (99,)


@pytest.mark.parametrize("under", ["file", "/proc"])
def test_a_data_folder_that_cant_be_written(tmp_path: Path, under: str) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / under / "data"
    error, hint = refused("--data-dir", folder, "--port", 0)
    assert error.startswith(f"using the data folder {folder}: ")
    assert hint == "choose a folder that you may write to with --data-dir"


def test_a_second_cluster_on_the_same_folder(cluster: Cluster, namespace: str) -> None:
    access = cluster.kubeconfig.read_text()
    error, hint = refused("--data-dir", cluster.data, "--port", 0)
    store = cluster.data / "store"
    assert error == f"another process (pid {cluster.pid}) uses the store in {store}"
    assert hint == "stop that process, or choose another folder"
    assert cluster.runs and cluster.kubeconfig.read_text() == access
    assert cluster.list("Pod", namespace) == []


@pytest.mark.parametrize("spec", ["nonsense", "0xH100", "2xH100(speed=9)", "x"])
def test_gpus_that_cant_be_simulated(tmp_path: Path, spec: str) -> None:
    error, hint = refused("--data-dir", tmp_path / "data", "--simulate-gpus", spec)
    assert error.startswith(f"--simulate-gpus {spec}: ")
    assert hint == "for example: --simulate-gpus 2xH100"
    assert not (tmp_path / "data").exists()
