"""`argosy operators`: what is refused before anything runs."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from argosy.cli.main import app
from argosy.client import kubeconfig


@pytest.mark.parametrize(
    "arguments, message, hint",
    [
        (["--only", "pods"], "unknown operator 'pods'", "--only trainjobs"),
        (["--metrics-bind-address", "x"], "'x' is no address", "--metrics-bind-address :8080"),
        (["--log-level", "loud"], "unknown log level 'loud'", "use debug"),
        (
            ["--scheduler-config", "/nowhere"],
            "scheduler configuration /nowhere: reading /nowhere: No such file",
            "name a file",
        ),
        (
            ["--scheduler-config", "/nowhere", "--scheduler", "argosy"],
            "--scheduler and --scheduler-config: one of them",
            "names of its own",
        ),
        (["--kubeconfig", "/nowhere"], "reading /nowhere", "with --kubeconfig"),
    ],
)
def test_what_cannot_be_run(arguments: list[str], message: str, hint: str) -> None:
    done = CliRunner().invoke(app, ["operators", *arguments])
    assert done.exit_code == 1 and done.stdout == ""
    assert f"error: {message}" in done.stderr
    assert "hint: " in done.stderr and hint in done.stderr


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(kubeconfig.render("https://127.0.0.1:1", b"", "t"))
    done = CliRunner().invoke(app, ["operators", "--kubeconfig", str(config)])
    assert done.exit_code == 1
    assert "error: GET https://127.0.0.1:1" in done.stderr and "hint: " in done.stderr
