"""`argosy backup` and `argosy restore`, as they are typed."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from argosy.cli.main import app
from argosy.store.sqlite import SqliteStore


@pytest.fixture
async def cluster(tmp_path: Path) -> Path:
    """The data folder of a cluster with one object."""
    store = SqliteStore.open(tmp_path / "cluster" / "store")
    await store.write("/a", lambda _now, _revision: b"x")
    await store.close()
    return tmp_path / "cluster"


def argosy(*arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.stdout, done.stderr


def test_there_and_back(cluster: Path, tmp_path: Path) -> None:
    file, new = tmp_path / "backup", tmp_path / "new"
    code, out, err = argosy("backup", "--data-dir", cluster, file)
    assert (code, out) == (0, "")
    first, second = err.splitlines()
    assert first == f"saved 1 objects at revision 2 in {file}"
    assert second.startswith("none of them is encrypted: ")
    code, out, err = argosy("restore", file, "--data-dir", new)
    assert (code, out) == (0, "")
    first, second = err.splitlines()
    assert first.startswith(f"restored 1 objects in {new}, at revision ")
    assert second == f"run it with: argosy up --data-dir {new}"
    assert (new / "store" / "store.db").is_file()


def test_the_default_folder_is_that_of_up(
    cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    cluster.rename(tmp_path / "argosy")
    monkeypatch.chdir(tmp_path)
    assert argosy("backup", "backup")[0] == 0
    assert argosy("restore", "backup", "--force")[0] == 0


def test_force_is_needed_to_replace_and_an_error_ends_with_a_hint(
    cluster: Path, tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    for command in (("backup", "--data-dir", cluster, file), ("restore", file)):
        where = () if command[0] == "backup" else ("--data-dir", cluster)
        if command[0] == "backup":
            file.write_text("")
        code, out, err = argosy(*command, *where)
        assert (code, out) == (1, "")
        assert err.splitlines()[0].startswith("error: ")
        assert err.splitlines()[-1].startswith("hint: ") and "--force" in err
        assert argosy(*command, *where, "--force")[0] == 0
