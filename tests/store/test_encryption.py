"""The EncryptionConfiguration: what it means, and what is said of wrong ones."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.store.encryption import EncryptionConfigError, parse, read
from argosy.store.sealing import MARK, SealError

Json = dict[str, Any]
SECRET = base64.b64encode(b"k" * 32).decode()
IDENTITY: Json = {"identity": {}}
MASKED = "using overlapping resources such as 'secrets' and '*.' in the same resource list is not"


def keyed(provider: str = "aesgcm", *names: str, secret: str = SECRET) -> Json:
    return {provider: {"keys": [{"name": name, "secret": secret} for name in names or ("key1",)]}}


def entry(resources: object, *providers: object) -> Json:
    return {"resources": resources, "providers": list(providers)}


def plugin(**changed: object) -> Json:
    fields = {"apiVersion": "v2", "name": "vault", "endpoint": "unix:///run/kms.sock"}
    given = {**fields, "timeout": "3s", **changed}
    return {"kms": {name: value for name, value in given.items() if value is not None}}


def config(*entries: object, **more: object) -> Json:
    head = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "EncryptionConfiguration"}
    return {**head, "resources": list(entries), **more}


@pytest.mark.parametrize(
    ("resources", "sealed", "plain"),
    [
        (["secrets"], ["//secrets/default/a"], ["//configmaps/default/a", "/apps/secrets/d/a"]),
        (["secrets."], ["//secrets/default/a"], ["//configmaps/default/a"]),
        (["secrets", "configmaps"], ["//secrets/d/a", "//configmaps/d/a"], ["//pods/d/a"]),
        (["*."], ["//secrets/d/a", "//nodes/a"], ["/apps/deployments/d/a"]),
        (["*.apps"], ["/apps/deployments/d/a"], ["//pods/d/a", "/batch/jobs/d/a"]),
        (["jobs.batch"], ["/batch/jobs/d/a"], ["/batch/cronjobs/d/a", "//jobs/d/a"]),
        (["*.*"], ["//secrets/d/a", "/apps/deployments/d/a", "//nodes/a"], []),
    ],
)
def test_resources_are_sealed_by_name_group_and_wildcard(
    resources: list[str], sealed: list[str], plain: list[str]
) -> None:
    sealing = parse(config(entry(resources, keyed(), IDENTITY)))
    for place in sealed:
        assert sealing.sealed(place, b"{}").startswith(b"k8s:enc:aesgcm:v1:key1:")
    for place in plain:
        assert sealing.sealed(place, b"{}") == b"{}"


def test_the_most_exact_entry_counts_and_entries_of_one_resource_add_up() -> None:
    sealing = parse(
        config(
            entry(["secrets"], keyed("aesgcm", "new")),
            entry(["secrets"], keyed("aescbc", "old")),
            entry(["pods", "*.apps"], IDENTITY),
            entry(["*.*"], keyed("aescbc", "all")),
        )
    )
    secret = sealing.sealed("//secrets/d/a", b"{}")
    assert secret.startswith(MARK + b"aesgcm:v1:new:")
    assert sealing.sealed("/apps/daemonsets/d/a", b"{}") == b"{}"
    assert sealing.sealed("//pods/d/a", b"{}") == b"{}"
    assert sealing.sealed("/batch/jobs/d/a", b"{}").startswith(MARK + b"aescbc:v1:all:")
    old = parse(config(entry(["secrets"], keyed("aescbc", "old")))).sealed("//secrets/d/a", b"{}")
    assert sealing.opened("//secrets/d/a", old) == (b"{}", True)
    assert sealing.opened("//secrets/d/a", secret) == (b"{}", False)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (None, "it is no EncryptionConfiguration of apiserver.config.k8s.io/v1"),
        ([], "it is no EncryptionConfiguration"),
        (config(apiVersion="v1"), "it is no EncryptionConfiguration"),
        (config(), "resources: Required value: at least one resources is required"),
        (config(more=1), "more: unknown field"),
        (config(7), "resources[0]: Required value"),
        (
            config(entry([], IDENTITY)),
            "resources[0].resources: Required value: at least one resources[0].resources",
        ),
        (config(entry([1], IDENTITY)), "resources[0].resources: Required value"),
        (
            config(entry(["secrets"])),
            "resources[0].providers: Required value: at least one resources[0].providers",
        ),
        (
            config(entry(["Secrets"], IDENTITY)),
            'resources[0].resources[0]: Invalid value: "Secrets": resource name should not contain '
            "capital letters",
        ),
        (config(entry(["*"], IDENTITY)), "use '*.' to encrypt all the resources from core"),
        (config(entry(["a.*"], IDENTITY)), "encrypting the same resource across groups is not"),
        (config(entry(["*.extensions"], IDENTITY)), "'extensions' group has been removed"),
        (config(entry(["events.events.k8s.io"], IDENTITY)), "Use 'events' instead"),
        (config(entry(["apiserveripinfo"], IDENTITY)), "resources which do not have REST API/s"),
        (config(entry(["a", "a"], IDENTITY)), "the same resource cannot be specified multiple"),
        (config(entry(["secrets", "*."], IDENTITY)), MASKED),
        (config(entry(["jobs.batch", "*.batch"], IDENTITY)), MASKED),
        (config(entry(["jobs.batch", "*.*"], IDENTITY)), MASKED),
        (
            config(entry(["*."], IDENTITY), entry(["secrets"], IDENTITY)),
            "resource 'secrets' is masked by earlier rule '*.'",
        ),
        (
            config(entry(["*.*"], IDENTITY), entry(["jobs.batch"], IDENTITY)),
            "resource 'jobs.batch' is masked by earlier rule '*.*'",
        ),
        (
            config(entry(["secrets"], {})),
            "resources[0].providers[0]: Invalid value: provider does not contain any",
        ),
        (config(entry(["secrets"], {**IDENTITY, **keyed()})), "more than one provider specified"),
        (config(entry(["secrets"], "aesgcm")), "provider does not contain any of the expected"),
        (
            config(entry(["secrets"], keyed("secretbox", secret="c2hvcnQ="))),
            "secret is not of the expected length, got 5, expected one of [32]",
        ),
        (config(entry(["secrets"], plugin(name=None))), "kms.name: Required value: name is a"),
        (config(entry(["secrets"], plugin(name="a:b"))), "name a:b, must not contain ':'"),
        (
            config(entry(["secrets"], plugin()), entry(["pods"], plugin())),
            'resources[1].providers[0].kms.name: Invalid value: "vault": duplicate KMS provider '
            "name vault, names must be unique",
        ),
        (config(entry(["secrets"], plugin(endpoint=None))), "endpoint is a mandatory field for"),
        (
            config(entry(["secrets"], plugin(endpoint="http://[::1"))),
            'kms.endpoint: Invalid value: "http://[::1": invalid endpoint for kms provider',
        ),
        (
            config(entry(["secrets"], plugin(endpoint="tcp://localhost:1"))),
            'unsupported scheme "tcp" for KMS provider, only unix is supported',
        ),
        (config(entry(["secrets"], plugin(timeout="0s"))), "timeout should be a positive value"),
        (config(entry(["secrets"], plugin(timeout="-3s"))), "timeout should be a positive value"),
        (config(entry(["secrets"], plugin(timeout=[3]))), "timeout should be a positive value"),
        (config(entry(["secrets"], plugin(cachesize=1))), "cachesize is not supported in v2"),
        (config(entry(["secrets"], plugin(apiVersion=None))), "KMSv1 is deprecated and not"),
        (config(entry(["secrets"], plugin(apiVersion="v1"))), 'apiVersion: Invalid value: "v1"'),
        (config(entry(["secrets"], plugin(apiVersion="v3"))), "unsupported apiVersion for KMS"),
        (config(entry(["secrets"], plugin(apiversion="v2"))), "kms.apiversion: unknown field"),
        (config(entry(["secrets"], {"kms": None})), "name is a mandatory field for a provider"),
        (config(entry(["secrets"], {"aesgcm": None})), "aesgcm.keys: Required value: at least"),
        (config(entry(["secrets"], {"aesgcm": {"key": []}})), "aesgcm.key: unknown field"),
        (
            config(entry(["secrets"], {"aesgcm": {"keys": [{}]}})),
            "resources[0].providers[0].aesgcm.keys[0].name: Required value: name is a mandatory "
            "field for a key",
        ),
        (config(entry(["secrets"], keyed(secret=""))), "secret is a mandatory field for a key"),
        (
            config(entry(["secrets"], keyed(secret="not base64"))),
            'keys[0].secret: Invalid value: "REDACTED": secrets must be base64 encoded',
        ),
        (
            config(entry(["secrets"], keyed(secret="c2hvcnQ="))),
            "secret is not of the expected length, got 5, expected one of [16 24 32]",
        ),
    ],
)
def test_a_wrong_configuration_is_refused_in_kubernetes_words(given: object, text: str) -> None:
    with pytest.raises(EncryptionConfigError) as caught:
        parse(given)
    assert text in str(caught.value)


def test_a_file_is_read_and_what_is_wrong_with_it_never_shows_its_secrets(tmp_path: Path) -> None:
    file = tmp_path / "encryption.yaml"
    with pytest.raises(EncryptionConfigError, match="No such file"):
        read(file)
    file.write_text(" \n")
    with pytest.raises(EncryptionConfigError, match="is empty"):
        read(file)
    file.write_text(f"kind: 'x\n secret: {SECRET}\n")
    with pytest.raises(EncryptionConfigError) as caught:
        read(file)
    assert SECRET not in str(caught.value) and "at line" in str(caught.value)
    file.write_text(yaml.safe_dump(config(entry(["secrets"], keyed(secret=SECRET[:-8])))))
    with pytest.raises(EncryptionConfigError) as caught:
        read(file)
    assert SECRET[:20] not in str(caught.value) and str(file) in str(caught.value)
    file.write_text(yaml.safe_dump(config(entry(["secrets"], keyed()))))
    assert read(file).sealed("//secrets/d/a", b"{}").startswith(MARK)


def test_secretbox_seals_and_opens_and_does_not_open_what_was_changed() -> None:
    sealing = parse(config(entry(["secrets"], keyed("secretbox"))))
    sealed = sealing.sealed("//secrets/d/a", b"{}")
    assert sealed.startswith(MARK + b"secretbox:v1:key1:")
    assert sealing.opened("//secrets/d/a", sealed) == (b"{}", False)
    for wrong in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:-3], sealed[:30]):
        with pytest.raises(SealError, match="sealed by secretbox key 'key1', and does not open"):
            sealing.opened("//secrets/d/a", wrong)
