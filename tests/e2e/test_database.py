"""The example operator as a stranger runs it: a process beside `argosy up`, and a stock kubectl."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.kit import REPOSITORY, Cluster, Json, until
from tests.e2e.kubectl import Kubectl, run

EXAMPLES = REPOSITORY / "examples"
PROGRAM = (sys.executable, "-m", "database")
SERVE = "echo $POSTGRES_PASSWORD > /data/password; while :; do sleep 1; done"


def database(**spec: object) -> Json:
    """A database that a machine without containers can run: a shell that holds the storage."""
    known = {"image": "host", "runtimeClassName": "host", "command": ["sh", "-c", SERVE]}
    return {
        "apiVersion": "example.com/v1",
        "kind": "Database",
        "metadata": {"name": "main"},
        "spec": {**known, **spec},
    }


@pytest.fixture
def operator(cluster: Cluster, kubectl: Kubectl, tmp_path: Path) -> Iterator[Path]:
    """The operator's log, while it runs; its kind is defined meanwhile."""
    defined = run(*PROGRAM, "--print", cwd=EXAMPLES)
    definition = tmp_path / "database.yaml"
    definition.write_text(defined.out)
    kubectl.ok("apply", "-f", str(definition))
    kubectl.ok("wait", "--for=condition=Established", "crd/databases.example.com")
    log = tmp_path / "operator.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*PROGRAM, "--kubeconfig", str(cluster.kubeconfig)],
            cwd=EXAMPLES,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield log
        process.terminate()
        assert process.wait(20) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
        kubectl.ok("delete", "-f", str(definition))


def test_a_database(kubectl: Kubectl, operator: Path) -> None:
    kubectl.ok("apply", "-f", "-", stdin=database())
    waited = kubectl("wait", "--for=condition=Ready", "db/main", "--timeout=25s")
    assert waited.code == 0, operator.read_text()
    shown = kubectl.ok("get", "databases").splitlines()
    assert shown[0].split() == ["NAME", "READY", "AGE"]
    assert shown[1].split()[:2] == ["main", "True"]
    secret = kubectl.ok(
        "get", "secret", "main", "-o", "go-template={{.data.password|base64decode}}"
    )
    assert kubectl.ok("exec", "main-0", "--", "cat", "/data/password").strip() == secret
    assert kubectl.ok("get", "cronjob", "main", "-o", "jsonpath={.spec.schedule}") == "@daily"

    refused = kubectl("apply", "-f", "-", stdin=database(storage="2Gi"))
    assert 'spec.storage: Invalid value: "2Gi": is fixed' in refused.err
    kubectl.ok("apply", "-f", "-", stdin=database(replicas=2))
    kubectl.ok("wait", "--for=jsonpath={.status.readyReplicas}=2", "db/main", "--timeout=25s")
    kubectl.ok("delete", "service", "main")
    until(lambda: kubectl("get", "service", "main").code == 0 or None)

    lease = json.loads(
        kubectl.ok("get", "lease", "example.com-database", "-n", "default", "-ojson")
    )
    assert lease["spec"]["holderIdentity"]
    kubectl.ok("delete", "db/main")
    until(lambda: kubectl.ok("get", "sts,svc,secret,cronjob,pods", "-oname") == "" or None)
