"""Keys of encryption are rotated by the file alone, and SIGKILL comes in between."""

import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.kit import Cluster, until

HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n"
SECRETS = "/api/v1/namespaces/default/secrets"
NUMBER = 200


def configure(file: Path, *keys: str) -> None:
    """These keys, the first of which seals; and plain text is read."""
    listed = ", ".join(f"{{name: {key}, secret: {secret(key)}}}" for key in keys)
    providers = f"[{{aesgcm: {{keys: [{listed}]}}}}, {{identity: {{}}}}]"
    draft = file.with_name("draft")
    draft.write_text(f"{HEAD}resources: [{{resources: [secrets], providers: {providers}}}]\n")
    draft.replace(file)


def secret(key: str) -> str:
    return b64encode(key[-1].encode() * 32).decode()


def sealing(cluster: Cluster) -> set[bytes]:
    """The keys by which secrets are sealed on the disk."""
    file = cluster.data / "store" / "store.db"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        query = "SELECT value FROM change WHERE key LIKE '//secrets/default/%' AND value NOT NULL"
        return {bytes(value).split(b":")[4] for (value,) in connection.execute(query)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "encryption.yaml"


@pytest.fixture
def cluster(tmp_path: Path, file: Path) -> Iterator[Cluster]:
    configure(file, "key-a")
    reload = "--encryption-provider-config-automatic-reload"
    own = Cluster(tmp_path, flags=("--encryption-provider-config", str(file), reload))
    try:
        own.start()
        yield own
    finally:
        own.kill()


def test_keys_are_rotated_by_the_file_and_a_kill_loses_nothing(
    cluster: Cluster, file: Path
) -> None:
    for number in range(NUMBER):
        body = {"metadata": {"name": f"it-{number}"}, "stringData": {"a": str(number)}}
        cluster.call("POST", SECRETS, body)
    assert sealing(cluster) == {b"key-a"}
    configure(file, "key-b")  # lacks what is needed: nothing changes
    configure(file, "key-b", "key-a")
    until(lambda: b"key-b" in sealing(cluster) or None)
    cluster.kill()
    cluster.start()
    until(lambda: sealing(cluster) == {b"key-b"} or None)
    configure(file, "key-c", "key-b")
    until(lambda: sealing(cluster) == {b"key-c"} or None)
    configure(file, "key-c")
    cluster.kill()
    cluster.start()
    items = cluster.call("GET", SECRETS)["items"]
    assert {b64encode(str(number).encode()).decode() for number in range(NUMBER)} <= {
        item["data"]["a"] for item in items
    }
