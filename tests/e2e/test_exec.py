"""Into running pods with a stock kubectl: exec, and the API server's proxy to them."""

import re
import subprocess

import pytest

from tests.e2e.kit import Cluster, Json, host_pod, phase, until
from tests.e2e.kubectl import Kubectl

WEB = "cd /tmp; echo hello > page; exec python -m http.server --bind $IP 8000"


@pytest.fixture
def talking(cluster: Cluster, namespace: str, kubectl: Kubectl) -> Kubectl:
    """A pod that serves pages is there and runs."""
    pod: Json = host_pod("talk", WEB)
    field = {"fieldRef": {"fieldPath": "status.podIP"}}
    pod["spec"]["containers"][0]["env"] = [{"name": "IP", "valueFrom": field}]
    kubectl.ok("apply", "-f", "-", stdin=pod)
    cluster.until("Pod", "talk", namespace, phase("Running"))
    return kubectl


def by_websocket(kubectl: Kubectl) -> None:
    """Skips where kubectl knows SPDY only."""
    found = re.search(r"Client Version: v1\.(\d+)", kubectl("version", "--client").out)
    if found is None or int(found[1]) < 31:
        pytest.skip("this kubectl executes commands over SPDY only")


def test_exec(talking: Kubectl) -> None:
    by_websocket(talking)
    done = talking("exec", "talk", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.code, done.out) == (3, "out\n")
    assert done.err.splitlines()[0] == "err"
    assert "exit code 3" in done.err

    command = talking.command("exec", "-i", "talk", "--", "sort")
    sorted_ = subprocess.run(
        command,
        input="b\na\n",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=dict(talking.environment),
    )
    assert (sorted_.returncode, sorted_.stdout) == (0, "a\nb\n")

    assert "container nope is not valid" in talking("exec", "talk", "-c", "nope", "--", "id").err


def test_what_is_not_there_yet_is_said(talking: Kubectl) -> None:
    assert "attach is not supported by this node yet" in talking("attach", "talk").err
    assert "portForward is not supported" in talking("port-forward", "talk", ":80").err


def test_proxy(talking: Kubectl, namespace: str) -> None:
    where = f"/api/v1/namespaces/{namespace}/pods/talk"
    until(
        lambda: talking("get", "--raw", f"{where}:8000/proxy/page").out == "hello\n" or None,
        told=lambda: talking("get", "--raw", f"{where}:8000/proxy/page").err,
    )
    done = talking("get", "--raw", f"{where}:1/proxy/")
    assert "error trying to reach service" in done.err
