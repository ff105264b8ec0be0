"""`argosy backup` beside a running `argosy up`, and a new cluster from what it saved."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.kit import Cluster, Refused

PATH = "/api/v1/namespaces/default/configmaps"


def config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def argosy(*arguments: object) -> None:
    """A command that must succeed."""
    command = (sys.executable, "-m", "argosy", *map(str, arguments))
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr


def test_a_cluster_comes_back_from_a_backup(tmp_path: Path) -> None:
    old, new = Cluster(tmp_path / "old"), Cluster(tmp_path / "new")
    old.folder.mkdir()
    new.folder.mkdir()
    try:
        old.start()
        saved = old.call("POST", PATH, config_map("saved"))
        argosy("backup", "--data-dir", old.data, tmp_path / "backup")
        later = old.call("POST", PATH, config_map("later"))
        old.kill()
        argosy("restore", tmp_path / "backup", "--data-dir", new.data)
        new.start()
        assert new.call("GET", f"{PATH}/saved") == saved
        with pytest.raises(Refused, match="404"):
            new.call("GET", f"{PATH}/later")
        for known in (saved, later):
            since = known["metadata"]["resourceVersion"]
            event = new.call("GET", f"{PATH}?watch=1&resourceVersion={since}")
            assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
        written = new.call("POST", PATH, config_map("new"))["metadata"]["resourceVersion"]
        assert int(written) > 10**12
    finally:
        old.kill()
        new.kill()
