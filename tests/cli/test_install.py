"""`argosy install` and `argosy uninstall`: what is printed, and what is refused."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from argosy.cli.main import app
from argosy.client import kubeconfig


def test_objects_are_printed_and_no_cluster_is_asked() -> None:
    given = ["--only", "modelversions", "-n", "here", "--image", "i:1"]
    done = CliRunner().invoke(app, ["install", "-o", "yaml", *given, "--replicas", "2"])
    assert done.exit_code == 0 and done.stderr == ""
    bodies = {body["kind"]: body for body in yaml.safe_load_all(done.stdout)}
    assert bodies["Namespace"]["metadata"]["name"] == "here"
    spec = bodies["Deployment"]["spec"]
    assert spec["replicas"] == 2
    (container,) = spec["template"]["spec"]["containers"]
    assert container["image"] == "i:1"
    assert {"--only=modelversions", "--pod-image=i:1"} <= set(container["args"])
    assert "inferenceservices" not in done.stdout


def test_a_chart_is_written(tmp_path: Path) -> None:
    folder = str(tmp_path / "chart")
    done = CliRunner().invoke(app, ["install", "--only", "modelversions", "--chart", folder])
    assert done.exit_code == 0 and done.stdout == ""
    assert f"helm install argosy {folder} --namespace argosy-system" in done.stderr
    values = yaml.safe_load((tmp_path / "chart" / "values.yaml").read_text())
    assert values["replicas"] == 1


def test_a_chart_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(app, ["install", "--chart", str(tmp_path / "file")])
    assert done.exit_code == 1 and "hint: choose a folder" in done.stderr


@pytest.mark.parametrize(
    "arguments, message, hint",
    [
        (["install", "-o", "json"], "unknown output format 'json'", "-o yaml"),
        (["install", "--only", "pods"], "unknown operator 'pods'", "--only trainjobs"),
        (["uninstall", "--keep-crds", "--delete-data"], "exclude each other", "one of them"),
    ],
)
def test_what_cannot_be_done(arguments: list[str], message: str, hint: str) -> None:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1 and done.stdout == ""
    assert message in done.stderr and "hint: " in done.stderr and hint in done.stderr


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_a_server_that_is_not_there(tmp_path: Path, command: str) -> None:
    config = tmp_path / "config"
    config.write_text(kubeconfig.render("https://127.0.0.1:1", b"", "t"))
    done = CliRunner().invoke(app, [command, "--kubeconfig", str(config)])
    assert done.exit_code == 1
    assert "error: GET https://127.0.0.1:1" in done.stderr and "hint: " in done.stderr
