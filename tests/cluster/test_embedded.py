"""What the embedded cluster makes of its data folder before it starts."""

from pathlib import Path

import pytest

from argosy.cluster.embedded import StartError, signing_keys


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
