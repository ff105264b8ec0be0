"""Kubeconfigs of the command line: whose server they name, and which are refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.apiserver.remotes import RemoteError, read

Json = dict[str, Any]


def config(cluster: Json, user: Json | None = None) -> Json:
    return {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "c", "user": "u" if user else ""}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([], "it is no kubeconfig"),
        ({}, "it has no context named None"),
        (config({}), "its cluster has no server"),
        (config({"server": "ftp://a"}), "its cluster has no server"),
        (config({"server": "http://a", "proxy-url": "http://b"}), "proxy-url is not known here"),
        (config({"server": "http://a"}, {"exec": {}}), "exec is not known here"),
        (config({"server": "http://a"}, {"tokenFile": "none"}), "No such file"),
        (
            config({"server": "https://a", "certificate-authority-data": "%"}),
            "certificate-authority-data is no base64",
        ),
        (config({"server": "https://a", "certificate-authority": "none"}), "No such file"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, given: object, text: str) -> None:
    file = tmp_path / "webhook.yaml"
    file.write_text(yaml.safe_dump(given))
    with pytest.raises(RemoteError, match=f"initializing audit webhook from {file}: {text}"):
        read(file, "audit webhook")


def test_https_is_checked_unless_it_must_not_be(tmp_path: Path) -> None:
    file = tmp_path / "webhook.yaml"
    for cluster, checked in (({}, True), ({"insecure-skip-tls-verify": True}, False)):
        file.write_text(yaml.safe_dump(config({"server": "https://a:1", **cluster})))
        remote = read(file, "audit webhook")
        assert remote.tls is not None and remote.tls.check_hostname is checked
        assert (remote.host, remote.port, remote.url) == ("a", 1, "https://a:1")
