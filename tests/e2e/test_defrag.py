"""`argosy defrag --dry-run` on a running cluster: on one node there is nowhere to move to."""

import json
import subprocess
import sys

from tests.e2e.kit import Cluster


def test_a_plan_is_printed_as_json(cluster: Cluster) -> None:
    command = [sys.executable, "-m", "argosy", "defrag", "--dry-run", "-o", "json"]
    command += ["--kubeconfig", str(cluster.kubeconfig)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["nodes"] >= 1
    assert told["complete"]
    assert told["goals"] or told["summary"].startswith("Nothing to move: ")
