"""What the embedded cluster makes of its data folder before it starts."""

from pathlib import Path

import pytest

from argosy.cluster.embedded import StartError, guarded, needed, signing_keys
from argosy.cluster.guarding import Guarding


def test_the_signing_key_is_made_when_it_is_needed_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "pki" / "sa.key"
    token = signing_keys(file).sign(b"{}")
    assert signing_keys(file).verified(token) == b"{}"


def test_a_broken_signing_key_keeps_the_cluster_from_starting(tmp_path: Path) -> None:
    file = tmp_path / "sa.key"
    file.write_bytes(b"rust")
    with pytest.raises(StartError, match="it holds no RSA key") as caught:
        signing_keys(file)
    assert "tokens of service accounts" in caught.value.hint


def test_whose_tokens_are_taken_is_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "authentication.yaml"
    head = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n"
    file.write_text(f"{head}anonymous: {{enabled: false}}\n")
    asked = Guarding(authentication_config=file)
    found = guarded(asked, b"")
    assert found is not None and found.authentication is not None
    assert found.authentication.anonymous is not None
    assert found.authentication_file == file
    file.write_text(f"{head}jwt: [{{}}]\n")
    with pytest.raises(StartError, match=r"jwt\[0\].issuer.url: Required value") as caught:
        guarded(asked, b"")
    assert "kube-apiserver's" in caught.value.hint


def test_only_a_file_that_is_named_can_be_followed(tmp_path: Path) -> None:
    needed(tmp_path / "encryption.yaml")
    with pytest.raises(StartError, match="must be set with --encryption-provider-config"):
        needed(None)
