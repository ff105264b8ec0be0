"""Which cluster a command means."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from argosy.base.errors import StatusError
from argosy.cli.connecting import (
    access,
    connected,
    named_file,
    only_option,
    usual_file,
    what_helps,
)
from argosy.client import kubeconfig
from argosy.client.credentials import CredentialsError
from argosy.testing.clock import FakeClock

CONFIG = kubeconfig.render("https://there:6443", b"ca", "t")


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user without any cluster."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def test_the_flag_comes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/one:/two")
    assert named_file(None) == Path("/one")
    assert named_file(Path("~/three")) == tmp_path / "three"


def test_the_users_own_file_comes_before_that_of_argosy_up(tmp_path: Path) -> None:
    assert usual_file() == tmp_path / "data" / "argosy" / "kubeconfig"
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(CONFIG)
    assert usual_file() == tmp_path / ".kube" / "config"
    assert access(None, "").server == "https://there:6443"


def test_the_cluster_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config").write_text(CONFIG)
    assert access(tmp_path / "config", "").token == "t"
    assert capsys.readouterr().err == "cluster: https://there:6443\n"


def test_no_cluster_is_told_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        access(None, "")
    told = capsys.readouterr().err
    assert told.startswith("error: reading ") and "hint: name the cluster's kubeconfig" in told


def test_a_pod_without_an_account_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    with pytest.raises(SystemExit):
        access(None, "")
    assert "reading the pod's service account" in capsys.readouterr().err


def test_the_home_of_nobody_is_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        access(Path("~nobody-at-all/config"), "")
    assert "error: reading ~nobody-at-all/config: " in capsys.readouterr().err


def test_who_is_not_known_is_told_of_the_credentials() -> None:
    usual = "be an admin"
    assert what_helps(StatusError(403, "Forbidden", "no"), usual) == usual
    assert "kubectl auth whoami" in what_helps(StatusError(401, "Unauthorized", "no"), usual)
    assert "its user in the kubeconfig" in what_helps(CredentialsError("no plugin"), usual)
    assert what_helps(ConnectionError("away"), usual) == usual


def test_what_is_no_certificate_is_told_with_a_hint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def connect() -> None:
        async with connected(kubeconfig.Access("https://here", "no PEM"), FakeClock(), "me"):
            raise AssertionError("connected")

    with pytest.raises(SystemExit):
        asyncio.run(connect())
    told = capsys.readouterr().err
    assert told.startswith("error: certificate-authority: not as PEM has them") and "hint: " in told


async def test_who_is_no_api_server_is_told_of() -> None:
    with pytest.raises(ConnectionError, match="^https://here: not an API server's answer: "):
        async with connected(kubeconfig.Access("https://here"), FakeClock(), "me"):
            msgspec.json.decode(b"<html>")


def test_lists_may_have_spaces() -> None:
    assert only_option(" a, b,") == ["a", "b"]
    assert only_option("") == []
