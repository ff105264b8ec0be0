"""The audit log and the encryption of an embedded cluster, as its options ask for them."""

import json
from pathlib import Path

import pytest

from argosy.cluster.auditing import AuditError, Auditing, audited
from argosy.cluster.embedded import Options, StartError, node_config, opened, sealing_of
from argosy.cluster.server import control_plane, memory_store
from argosy.http.message import Request
from argosy.testing.clock import FakeClock

POLICY = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n"


async def test_requests_are_in_the_file_when_the_recorder_has_closed(tmp_path: Path) -> None:
    policy, file = tmp_path / "policy.yaml", tmp_path / "logs" / "audit.log"
    policy.write_text(POLICY)
    server = control_plane(memory_store(), FakeClock()).server
    recorder = audited(server, Auditing(policy=policy, path=str(file)), FakeClock())
    for _ in range(3):
        await server.handle(Request("GET", "/version"))
    recorder.close()
    events = [json.loads(line) for line in file.read_text().splitlines()]
    assert [event["stage"] for event in events] == ["RequestReceived", "ResponseComplete"] * 3
    assert {event["user"]["username"] for event in events} == {"system:anonymous"}
    counts = {counter.name: counter.read() for counter in server.metrics.counters}
    assert counts["apiserver_audit_event_total"] == 6
    assert counts["apiserver_audit_error_total"] == 0


@pytest.mark.parametrize(
    ("text", "path", "message", "hint"),
    [
        ("", "audit.log", "loading audit policy file", "Auditing"),
        (POLICY, "policy.yaml/audit.log", "opening the audit log", "--audit-log-path"),
    ],
)
def test_what_can_not_be_audited_is_refused_with_a_hint(
    tmp_path: Path, text: str, path: str, message: str, hint: str
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(text)
    server = control_plane(memory_store(), FakeClock()).server
    asked = Auditing(policy=policy, path=str(tmp_path / path))
    with pytest.raises(AuditError, match=message) as caught:
        audited(server, asked, FakeClock())
    assert hint in caught.value.hint and server.audit is None


async def test_a_wrong_configuration_of_encryption_is_a_start_error(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="No such file") as caught:
        opened(tmp_path / "store", sealing_of(tmp_path / "none.yaml", FakeClock()))
    assert "--encryption-provider-config" in caught.value.hint
    assert not (tmp_path / "store").exists()
    await opened(tmp_path / "store").close()


def test_a_webhook_that_is_no_kubeconfig_is_refused_with_a_hint(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    server = control_plane(memory_store(), FakeClock()).server
    with pytest.raises(AuditError, match="initializing audit webhook") as caught:
        audited(server, Auditing(policy=policy, webhook=policy), FakeClock())
    assert "--audit-webhook-config-file" in caught.value.hint


def test_pods_see_neither_the_keys_nor_the_log(tmp_path: Path) -> None:
    keys, file, hook = (tmp_path / name for name in ("keys.yaml", "audit.log", "hook.yaml"))
    options = Options(
        data_dir=tmp_path,
        port=0,
        encryption_provider_config=keys,
        auditing=Auditing(policy=tmp_path / "policy.yaml", path=str(file), webhook=hook),
    )
    assert {keys, file, hook} <= set(node_config(options, tmp_path).hidden)
    printed = Auditing(policy=tmp_path / "policy.yaml", path="-")
    plain = Options(data_dir=tmp_path, port=0, auditing=printed)
    assert len(node_config(plain, tmp_path).hidden) == 3
