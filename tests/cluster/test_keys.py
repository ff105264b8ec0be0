"""An embedded cluster whose secrets are sealed by a plugin."""

import asyncio
import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from argosy.cluster.embedded import Embedded, Options, StartError, sealing_of
from argosy.cluster.keys import follow, keeping, show
from argosy.cluster.server import control_plane, memory_store
from argosy.http.message import Request
from argosy.store.sealing import Sealing
from argosy.store.sqlite import SqliteStore
from argosy.testing.clock import FakeClock
from tests.store.kms.plugin import FakePlugin, served

CONFIG = """
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - kms: {apiVersion: v2, name: vault, endpoint: "unix://%s", timeout: 300ms}
"""


def options(folder: Path) -> Options:
    file = folder / "encryption.yaml"
    file.write_text(CONFIG % (folder / "kms.sock"))
    return Options(data_dir=folder / "data", port=0, encryption_provider_config=file)


async def test_the_plugin_is_asked_again_and_again_while_the_cluster_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin, clock = FakePlugin(), FakeClock()

    async def serve(
        _self: Embedded, _store: SqliteStore, _folder: Path, sealing: Sealing | None
    ) -> None:
        assert sealing is not None and sealing.remotes[0].key_id == "key-1"
        plugin.rotate("key-2")
        await clock.advance(30)
        while sealing.remotes[0].key_id != "key-2":
            await asyncio.sleep(0.005)

    monkeypatch.setattr(Embedded, "_serve", serve)
    with served(plugin, tmp_path / "kms.sock"):
        async with asyncio.timeout(5):
            await Embedded(options(tmp_path), clock, print).run()


async def test_the_server_tells_of_the_plugin(tmp_path: Path) -> None:
    plugin = FakePlugin()
    asked = options(tmp_path)
    with served(plugin, tmp_path / "kms.sock"):
        sealing = sealing_of(asked.encryption_provider_config, FakeClock())
        assert sealing is not None
        sealing.prime()
        sealing.opened("//secrets/d/a", sealing.sealed("//secrets/d/a", b"{}"))
        plugin.key_id = ""
        sealing.remotes[0].check()
        plane = control_plane(memory_store(), FakeClock())
        show(plane.server, sealing)
        head = {"authorization": f"Bearer {plane.token}"}
        ready = await plane.server.handle(Request("GET", "/readyz/kms-providers", "", head))
        answer = await plane.server.handle(Request("GET", "/metrics", "", head))
        sealing.close()
    assert isinstance(ready.body, bytes) and isinstance(answer.body, bytes)
    assert b"kms-provider-0: kmsv2 Provider vault is not healthy" in ready.body
    text = answer.body.decode()
    key = f"sha256:{hashlib.sha256(b'key-1').hexdigest()}"
    method = 'method_name="/v2.KeyManagementService/Encrypt"'
    name = "apiserver_envelope_encryption_"
    for line in (
        f'{name}kms_operations_latency_seconds_count{{provider_name="vault",{method},'
        'grpc_status_code="OK"} 1',
        f'{name}invalid_key_id_from_status_total{{provider_name="vault",error="empty"}} 1',
        f'{name}dek_source_cache_size{{provider_name="vault"}} 1',
        f'{name}key_id_hash_total{{transformation_type="to_storage",provider_name="vault",'
        f'key_id_hash="{key}"}} 1',
    ):
        assert line in text.splitlines(), text[-3000:]


async def test_without_the_plugin_the_cluster_does_not_start_and_says_why(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="KMS Provider vault, error: rpc error") as caught:
        await Embedded(options(tmp_path), FakeClock(), print).run()
    assert "start the plugin" in caught.value.hint


KEYED = """
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - aesgcm: {keys: [%s]}
  - identity: {}
"""


def keyed(*names: str) -> str:
    return KEYED % ", ".join(f'{{name: {name}, secret: "{name * 43}="}}' for name in names)


async def test_the_file_is_followed_and_what_is_wrong_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, folder, clock = tmp_path / "encryption.yaml", tmp_path / "store", FakeClock()
    file.write_text(keyed("a"))
    sealing = sealing_of(file, clock)
    assert sealing is not None
    store = SqliteStore.open(folder, sealing=sealing)
    await store.write("//secrets/d/a", lambda _now, _revision: b"{}")
    plane = control_plane(store, clock)
    rekeying = keeping(store, folder, sealing, clock)
    assert rekeying is not None
    show(plane.server, sealing, changing=True)
    follow(plane.server, rekeying, file, clock)
    (reloading,) = plane.server.reloads
    task = asyncio.create_task(rekeying.run())

    async def sealed_by() -> str:
        await reloading.look()
        return sealing.sealed("//secrets/d/a", b"{}").split(b":")[4].decode()

    assert await sealed_by() == "a"
    for text in (keyed("b"), keyed("b", "!"), "[", "", "{}"):  # without a, which is needed
        file.write_text(text)
        assert await sealed_by() == "a"
    assert "bbbb" not in caplog.text
    file.write_text(keyed("b", "a"))
    assert await sealed_by() == "b"
    async with asyncio.timeout(5):
        while b":a:" in b"".join(one.read_bytes() for one in folder.glob("store.db")):
            await asyncio.sleep(0.005)
            await store.write("//secrets/d/b", lambda _now, _revision: b"{}")
            with closing(sqlite3.connect(folder / "store.db")) as connection:
                connection.execute("PRAGMA wal_checkpoint")
    file.write_text(keyed("b"))
    assert await sealed_by() == "b"
    head = {"authorization": f"Bearer {plane.token}"}
    answer = await plane.server.handle(Request("GET", "/metrics", "", head))
    ready = await plane.server.handle(Request("GET", "/readyz/kms-providers", "", head))
    task.cancel()
    await store.close()
    assert isinstance(answer.body, bytes) and ready.body == b"ok"
    name = "apiserver_encryption_config_controller_automatic_reloads_total"
    assert f'{name}{{status="success"}} 2' in answer.body.decode()
    assert f'{name}{{status="failure"}} 5' in answer.body.decode()
