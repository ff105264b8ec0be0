"""The flags of the guards: what they make, and those that can't be."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from argosy.apiserver.configfile import ConfigurationError
from argosy.apiserver.guards import Guards
from argosy.cluster.embedded import StartError, guarded
from argosy.cluster.guarding import Guarding, guards, secret_files
from argosy.http.tls import ensure_certificates
from tests.apiserver.hookkit import authorizers, kubeconfig, rules


@pytest.fixture
def authority(tmp_path: Path) -> bytes:
    return ensure_certificates(tmp_path / "pki", ["localhost"], datetime.now(UTC)).ca_pem


def hook(folder: Path, authority: bytes) -> Path:
    file = folder / "hook.yaml"
    file.write_text(json.dumps(kubeconfig("https://127.0.0.1:1", authority)))
    return file


def test_without_flags_nothing_is_changed(authority: bytes) -> None:
    assert guards(Guarding(), authority) == Guards()
    assert guarded(None, authority) is None


def test_flags_make_guards(tmp_path: Path, authority: bytes) -> None:
    file = hook(tmp_path, authority)
    trusted = tmp_path / "pki" / "ca.crt"
    asked = Guarding(
        authorization_mode="Node,RBAC,Webhook",
        authorization_webhook=file,
        token_webhook=file,
        token_version="v1",
        token_ttl="0",
        proxy_authority=trusted,
        proxy_names="proxy, other",
        proxy_usernames="X-Remote-User,X-User",
        proxy_uids="X-Remote-Uid",
        disable_admission="PodSecurity",
    )
    made = guards(asked, authority)
    assert made.authorization is not None
    assert [one.type for one in made.authorization.authorizers] == ["Node", "RBAC", "Webhook"]
    assert made.token_webhook is not None
    assert (made.token_webhook.version, made.token_webhook.ttl) == ("v1", 0.0)
    assert made.front_proxy is not None
    assert made.front_proxy.names == {"proxy", "other"}
    assert made.front_proxy.username == ("x-remote-user", "x-user")
    assert made.client_authority == authority
    assert made.admission is not None
    assert made.admission.disabled == {"PodSecurity"}
    assert secret_files(asked) == [file, file]


def test_a_file_names_the_secret_ones(tmp_path: Path, authority: bytes) -> None:
    file, told = hook(tmp_path, authority), tmp_path / "authorization.yaml"
    told.write_text(json.dumps(authorizers(("one", rules(file)))))
    asked = Guarding(authorization_config=told)
    assert secret_files(asked) == [file]
    made = guards(asked, authority)
    assert made.authorization_file == told


NO = Path("/nowhere")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            {"authorization_config": NO, "authorization_mode": "Node"},
            "--authorization-config can not be specified when --authorization-mode or "
            "--authorization-webhook-* flags are defined",
        ),
        ({"authorization_config": NO}, "reading /nowhere: No such file or directory"),
        ({"authorization_mode": "Trust"}, 'authorization-mode "Trust" is not a valid mode'),
        ({"token_webhook": NO}, "initializing authentication webhook from /nowhere: No such file"),
        (
            {"token_webhook": NO, "token_version": "v2"},
            'unsupported authentication webhook version "v2", supported versions are "v1", '
            '"v1beta1"',
        ),
        ({"proxy_authority": NO}, "reading /nowhere: No such file or directory"),
        ({"proxy_authority": Path(__file__)}, "it holds no certificates (PEM)"),
        ({"proxy_usernames": "a,,b"}, 'empty value in "requestheader-username-headers"'),
        ({"proxy_names": " "}, 'empty value in "requestheader-allowed-names"'),
        (
            {"proxy_uids": "x-uid"},
            "--requestheader-uid-headers is set without specifying the standard X-Remote-Uid "
            "header - API aggregation will not work",
        ),
        ({"admission_config": NO}, "reading /nowhere: No such file or directory"),
    ],
)
def test_flags_that_can_not_be(authority: bytes, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        guards(replace(Guarding(), **asked), authority)
    assert words in str(refused.value)
    with pytest.raises(StartError) as start:
        guarded(replace(Guarding(), **asked), authority)
    assert "kube-apiserver" in start.value.hint
