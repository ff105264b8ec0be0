"""`argosy up`: what it refuses before it starts anything."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from argosy.cli.main import app
from argosy.cli.up import default_data_dir


def up(*arguments: str) -> tuple[int, str, str]:
    """Exit status, stdout, stderr."""
    result = CliRunner().invoke(app, ["up", *arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["--log-level", "loud"], "unknown log level 'loud'", "debug, info, warning or error"),
        (["--feature-gates", "Nothing=true"], "unrecognized feature gate: Nothing", "GATE=true"),
        (["--feature-gates", "JobManagedBy=false"], "cannot set feature gate JobMan", "GATE=true"),
        (["--emulated-version", "1.12"], "emulation version 1.12 is not one of 1.25, 1.26", "1.36"),
        (["--emulated-version", "1.30", "--feature-gates", "EnvFiles=1"], "cannot set", "GATE"),
        (["--runtime-config", "apps/v2=true"], "group version apps/v2", "apps/v1=false"),
        (["--audit-log-path", "-"], "half of an audit log", "--audit-policy-file"),
        (["--audit-policy-file", "a"], "half of an audit log", "--audit-log-path"),
        (["--simulate-gpus", "many"], "--simulate-gpus many: ", "--simulate-gpus 2xH100"),
        (["--simulate-gpus", "0xH100"], "--simulate-gpus 0xH100: ", "--simulate-gpus 2xH100"),
        (["--simulate-gpus", "1xA(disk=1)"], "--simulate-gpus 1xA(disk=1): ", "--simulate-gpus"),
    ],
)
def test_a_wrong_argument_ends_with_a_hint(arguments: list[str], error: str, hint: str) -> None:
    code, out, err = up(*arguments)
    *_, said, hinted = err.splitlines()

    assert code == 1
    assert out == ""
    assert said.startswith(f"error: {error}")
    assert hinted.startswith("hint: ")
    assert hint in hinted


@pytest.mark.parametrize(
    "arguments",
    [["--port", "70000"], ["--port", "-1"], ["--port", "http"], ["--unheard"], ["more"]],
)
def test_the_usage_is_told(arguments: list[str]) -> None:
    code, out, err = up(*arguments)

    assert code == 2
    assert out == ""
    assert "Usage" in err


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    code, _, err = up("--data-dir", str(blocked / "data"), "--port", "0")

    assert code == 1
    assert f"error: using the data folder {blocked / 'data'}" in err
    assert err.splitlines()[-1].startswith("hint: ")


def test_the_data_lie_where_data_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_data_dir() == tmp_path / "argosy"
    monkeypatch.setenv("XDG_DATA_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_data_dir() == tmp_path / ".local" / "share" / "argosy"
