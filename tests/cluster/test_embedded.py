"""What the embedded cluster makes of its data folder before it starts."""

from pathlib import Path

import pytest

from argosy.cluster.embedded import StartError, authentication, signing_keys


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
    found = authentication(file)
    assert found is not None
    assert found.anonymous is not None
    assert authentication(None) is None
    file.write_text(f"{head}jwt: [{{}}]\n")
    with pytest.raises(StartError, match=r"jwt\[0\].issuer.url: Required value") as caught:
        authentication(file)
    assert "--authentication-config" in caught.value.hint
