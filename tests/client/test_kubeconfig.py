"""Kubeconfig files: written for kubectl, read from anybody."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.client.credentials import Plugin
from argosy.client.kubeconfig import Access, KubeconfigError, in_cluster, load, render

CA = b"-----BEGIN CERTIFICATE-----\nca\n-----END CERTIFICATE-----\n"
Json = dict[str, Any]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def document(cluster: Json | None = None, user: Json | None = None, **more: Any) -> Json:
    """A config of two contexts, where the second is current."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "other", "cluster": {"server": "https://other"}},
            {"name": "c", "cluster": {"server": "https://here:6443", **(cluster or {})}},
        ],
        "users": [
            {"name": "other", "user": {"token": "other"}},
            {"name": "u", "user": user or {}},
        ],
        "contexts": [
            {"name": "other", "context": {"cluster": "other", "user": "other"}},
            {"name": "it", "context": {"cluster": "c", "user": "u"}},
        ],
        "current-context": "it",
        **more,
    }


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "kubeconfig"


def test_what_is_written_is_read(config: Path) -> None:
    config.write_text(render("https://127.0.0.1:6443", CA, "secret"))

    assert load(config) == Access("https://127.0.0.1:6443", CA.decode(), "secret")


def test_what_is_written_is_what_kubectl_reads() -> None:
    written = yaml.safe_load(render("https://127.0.0.1:6443", CA, "secret"))

    assert (written["apiVersion"], written["kind"]) == ("v1", "Config")
    (context,) = written["contexts"]
    assert written["current-context"] == context["name"]
    (cluster,) = written["clusters"]
    assert context["context"]["cluster"] == cluster["name"]
    assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]) == CA
    (user,) = written["users"]
    assert user == {"name": context["context"]["user"], "user": {"token": "secret"}}


def test_the_current_context_counts(config: Path) -> None:
    config.write_text(yaml.safe_dump(document(user={"token": "t"})))

    assert load(config) == Access("https://here:6443", token="t")


def test_contents_may_stand_in_the_file(config: Path) -> None:
    user = {"client-certificate-data": b64(b"cert"), "client-key-data": b64(b"key")}
    cluster = {"certificate-authority-data": b64(CA)}
    config.write_text(yaml.safe_dump(document(cluster, user)))

    assert load(config) == Access("https://here:6443", CA.decode(), certificate=b"cert", key=b"key")


def test_contents_may_stand_beside_the_file(config: Path) -> None:
    (config.parent / "pki").mkdir()
    (config.parent / "pki" / "ca.crt").write_bytes(CA)
    absolute = config.parent / "user.crt"
    absolute.write_bytes(b"cert")
    cluster = {"certificate-authority": "pki/ca.crt"}
    user = {"client-certificate": str(absolute), "client-key": "pki/ca.crt"}
    config.write_text(yaml.safe_dump(document(cluster, user)))

    access = load(config)
    assert access.ca == CA.decode()
    assert (access.certificate, access.key) == (b"cert", CA)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "not a kubeconfig"),
        (b"- a", "not a kubeconfig"),
        (b"a: [", "reading"),
        (b"\xff\xfe\xfd", "reading"),
        (b"{}", "no current-context is set"),
        (b"current-context:", "no current-context is set"),
        (b"current-context: it", 'no entry "it" in contexts'),
        (b"{current-context: it, contexts: 5}", 'no entry "it" in contexts'),
        (b"{current-context: it, contexts: [it]}", 'no entry "it" in contexts'),
        (b"{current-context: it, contexts: [{name: it, context: 5}]}", 'no entry "it" in contexts'),
        (b"{current-context: it, contexts: [{name: it}]}", 'no entry "" in clusters'),
    ],
)
def test_files_that_are_none(config: Path, content: bytes, word: str) -> None:
    config.write_bytes(content)

    with pytest.raises(KubeconfigError, match=word):
        load(config)


def test_a_file_that_is_not_there(config: Path) -> None:
    with pytest.raises(KubeconfigError, match="kubeconfig"):
        load(config)


@pytest.mark.parametrize("form", ["auth-provider", "username"])
def test_forms_that_are_not_supported_are_named(config: Path, form: str) -> None:
    config.write_text(yaml.safe_dump(document(user={form: "x"})))

    with pytest.raises(KubeconfigError, match=f"user.{form} is not supported"):
        load(config)


@pytest.mark.parametrize(
    ("cluster", "user", "word"),
    [
        ({"server": ""}, {}, "no server"),
        ({"server": None}, {}, "no server"),
        ({"server": 5}, {}, "no URL like https://host:6443"),
        ({"server": "here:6443"}, {}, "no URL like"),
        ({"server": "https://[::1"}, {}, "no URL like"),
        ({"server": "https://here:99999"}, {}, "no URL like"),
        ({}, {"token": "a\nb"}, "the token has characters that no header may have"),
        ({}, {"client-certificate-data": b64(b"c")}, "must be specified together"),
        ({}, {"client-key-data": b64(b"k")}, "must be specified together"),
        ({"certificate-authority-data": "§"}, {}, "certificate-authority"),
        ({"certificate-authority-data": "abc"}, {}, "certificate-authority"),
        ({"certificate-authority": "missing.crt"}, {}, "certificate-authority"),
        ({}, {"client-certificate-data": "%%%%"}, "client-certificate"),
        ({}, {"client-key": "missing.key"}, "client-key"),
    ],
)
def test_what_cannot_be_used_is_named(config: Path, cluster: Json, user: Json, word: str) -> None:
    config.write_text(yaml.safe_dump(document(cluster, user)))

    with pytest.raises(KubeconfigError, match=word):
        load(config)


def test_a_context_may_be_named(config: Path) -> None:
    config.write_text(yaml.safe_dump(document(user={"token": "t"})))

    assert load(config, "other") == Access("https://other", token="other")
    with pytest.raises(KubeconfigError, match=r'"third" in contexts \(there are: other, it\)'):
        load(config, "third")


def test_who_is_nobody_is_anonymous(config: Path) -> None:
    contexts = [{"name": "it", "context": {"cluster": "c"}}]
    config.write_text(yaml.safe_dump(document(contexts=contexts)))
    assert load(config) == Access("https://here:6443")
    config.write_text(yaml.safe_dump(document(user={"token": None})))  # `token:` and nothing else
    assert load(config) == Access("https://here:6443")


@pytest.mark.parametrize("written", ["\n", "\r\n"])
def test_files_from_elsewhere(config: Path, written: str) -> None:
    """With a byte order mark, other ends of lines, and folded data."""
    folded = "\n".join(b64(CA)[at : at + 16] for at in range(0, len(b64(CA)), 16))
    text = yaml.safe_dump(document({"certificate-authority-data": folded}), default_style="|")
    config.write_bytes(("\ufeff" + text.replace("\n", written)).encode())
    assert load(config) == Access("https://here:6443", CA.decode())


def test_secrets_are_not_shown() -> None:
    shown = repr(Access("https://here", token="secret-token", key=b"secret-key"))
    assert "https://here" in shown and "secret" not in shown


def test_how_the_server_is_reached_and_trusted(config: Path) -> None:
    cluster = {
        "insecure-skip-tls-verify": True,
        "tls-server-name": "kubernetes",
        "proxy-url": "http://proxy:3128",
    }
    config.write_text(yaml.safe_dump(document(cluster, {"tokenFile": "token"})))

    assert load(config) == Access(
        "https://here:6443",
        token_file=config.parent / "token",
        insecure=True,
        server_name="kubernetes",
        proxy="http://proxy:3128",
    )


def test_an_authority_and_no_check_exclude_each_other(config: Path) -> None:
    cluster = {"insecure-skip-tls-verify": True, "certificate-authority-data": b64(CA)}
    config.write_text(yaml.safe_dump(document(cluster)))

    with pytest.raises(KubeconfigError, match="with the insecure flag is not allowed"):
        load(config)


def test_a_plugin_is_read(config: Path) -> None:
    told: Json = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "./bin/login",
        "args": ["a"],
        "env": [{"name": "A", "value": "b"}],
        "provideClusterInfo": True,
        "installHint": "so",
        "interactiveMode": "Never",
    }
    config.write_text(yaml.safe_dump(document(user={"exec": told})))

    assert load(config).plugin == Plugin(
        command=str(config.parent / "bin" / "login"),
        args=("a",),
        env={"A": "b"},
        install_hint="so",
        cluster={"server": "https://here:6443"},
    )


def test_a_plugin_beside_a_file_of_the_working_folder(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login"}
    config.write_text(yaml.safe_dump(document(user={"exec": told})))
    monkeypatch.chdir(config.parent)
    plugin = load(Path(config.name)).plugin
    assert plugin is not None
    assert plugin.command == str(config.parent / "login")  # a bare name is looked for on the PATH


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ("x", "command must be specified"),
        ({"apiVersion": "v1"}, "command must be specified"),
        ({"command": "c"}, "apiVersion must be one of"),
        (
            {
                "command": "c",
                "apiVersion": "client.authentication.k8s.io/v1",
                "interactiveMode": "Always",
            },
            "asks at a terminal",
        ),
    ],
)
def test_plugins_that_cannot_be_asked(config: Path, told: object, word: str) -> None:
    config.write_text(yaml.safe_dump(document(user={"exec": told})))

    with pytest.raises(KubeconfigError, match=word):
        load(config)


def test_in_a_pod_the_cluster_is_found(tmp_path: Path) -> None:
    here = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    for name, content in (("ca.crt", "ca"), ("token", "t"), ("namespace", "mine\n")):
        (tmp_path / name).write_text(content)

    assert in_cluster(here, tmp_path) == Access(
        "https://[fd00::1]:443", "ca", token_file=tmp_path / "token", namespace="mine"
    )
    assert in_cluster({}, tmp_path) is None
    (tmp_path / "token").unlink()
    with pytest.raises(KubeconfigError, match="the pod's service account"):
        in_cluster(here, tmp_path)
