"""Kubeconfig files: written for kubectl, read from anybody."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.client.kubeconfig import Access, KubeconfigError, load, render

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
        (b"{}", 'no entry "" in contexts'),
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


@pytest.mark.parametrize("form", ["exec", "auth-provider", "username", "tokenFile"])
def test_forms_that_are_not_supported_are_named(config: Path, form: str) -> None:
    config.write_text(yaml.safe_dump(document(user={form: "x"})))

    with pytest.raises(KubeconfigError, match=f"user.{form} is not supported"):
        load(config)


@pytest.mark.parametrize(
    ("cluster", "user", "word"),
    [
        ({"server": ""}, {}, "no server"),
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
